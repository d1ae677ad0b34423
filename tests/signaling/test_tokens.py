"""What follows from a join token inside a room, and from taking it back."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.front import Client, RunningFront, running_front
from tests.support.passes import ALL, OPERATOR, SECRET, token
from webrtc.front_limits import FrontLimits

SHORT = FrontLimits(stranger_s=0.05)


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningFront]:
    async with running_front(
        tmp_path, limits=SHORT, auth_secret=SECRET, operator_token=OPERATOR
    ) as front:
        yield front


async def connected(front: RunningFront, shown: str | None) -> Client:
    """Connect with a token in Socket.IO's own `auth`."""
    client = Client()
    auth = None if shown is None else {"token": shown}
    await client.connect(front.url, auth=auth)
    front.clients.append(client)
    return client


async def test_a_listen_only_link_lets_nobody_speak(front: RunningFront) -> None:
    guest = await connected(front, token("subscribe"))
    ack = await guest.ok("join_room", {"role": "both"})
    assert (ack["room_id"], ack["role"], ack["rights"]) == ("room", "subscriber", ["subscribe"])
    await front.worker.wait_until(lambda it: ack["participant_id"] in it.participants)
    assert not front.worker.participants[ack["participant_id"]].publishes
    other = await connected(front, token("subscribe"))
    assert await other.refused("join_room", {"role": "publisher"}) == "forbidden"


async def test_a_host_cannot_give_what_the_token_does_not_open(front: RunningFront) -> None:
    host, _ = await front.joined(token=token("host"))
    _, ack = await front.joined(token=token("subscribe"))
    for role in ("speaker", "engineer"):
        change = {"participant_id": ack["participant_id"], "role": role}
        assert await host.refused("set_role", change) == "forbidden"
    _, speaker = await front.joined(role="subscriber", token=token("subscribe", "publish"))
    change = {"participant_id": speaker["participant_id"], "role": "speaker"}
    given = await host.ok("set_role", change)
    assert given["rights"] == ["publish", "subscribe"], "and nothing that the token lacks"


async def test_the_name_in_a_token_is_not_chosen_by_its_holder(front: RunningFront) -> None:
    _, ack = await front.joined(name="Eve", token=token("publish", name="Ada"))
    assert ack["participants"][0]["name"] == "Ada"
    _, ack = await front.joined(name="Eve", token=token("publish"))
    assert ack["participants"][1]["name"] == "Eve"


async def test_patterns_open_the_rooms_that_they_fit(front: RunningFront) -> None:
    shown = token("publish", room="band-*")
    client = await connected(front, shown)
    assert await client.refused("join_room", {"room_id": ""}) == "forbidden", "which one?"
    assert await client.refused("join_room", {"room_id": "bandage"}) == "forbidden"
    assert (await client.ok("join_room", {"room_id": "band-1"}))["room_id"] == "band-1"
    everywhere = await connected(front, token("publish", room="*"))
    assert (await everywhere.ok("join_room", ""))["room_id"]


async def test_a_socket_without_a_token_is_not_kept(front: RunningFront) -> None:
    stranger = await connected(front, None)
    wrong = await connected(front, token("host", key="y" * 40))
    known = await connected(front, token("host"))
    inside, _ = await front.joined(token=token("subscribe"))
    await stranger.gone.wait()
    await wrong.gone.wait()
    assert known.sio.connected
    assert inside.sio.connected


async def test_a_token_taken_back_puts_its_holder_out(front: RunningFront) -> None:
    bad = token("publish", jti="bad", sub="eve")
    eve, ack = await front.joined(token=bad)
    ada, _ = await front.joined(token=token("host", jti="good"))
    body = {"jti": "bad", "exp": time.time() + 3600}
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    async with front.http.post("/api/tokens/revoked", json=body, headers=headers) as response:
        assert await response.json() == {"put_out": 1}
    assert await eve.event("room_closed") == {"reason": "revoked"}
    left = await ada.event("participant_left")
    assert left == {"participant_id": ack["participant_id"], "reason": "revoked"}
    assert await eve.refused("join_room", {"token": bad}) == "token_revoked"
    again = {"resume_token": ack["resume_token"]}
    assert await eve.refused("join_room", again) == "resume_failed"


async def test_a_lost_socket_comes_back_by_its_resume_token_alone(front: RunningFront) -> None:
    client, ack = await front.joined(token=token("publish", exp=int(time.time()) + 60))
    await client.lose_socket()
    back = await connected(front, None)
    resumed = await back.ok("join_room", {"resume_token": ack["resume_token"]})
    assert resumed["participant_id"] == ack["participant_id"]


async def test_rooms_stand_open_without_tokens_and_figures_may_still_be_closed(
    tmp_path: Path,
) -> None:
    async with running_front(tmp_path, operator_token=OPERATOR) as front:
        _, ack = await front.joined(token=token(*ALL, key="whatever it is, it is not looked at"))
        assert ack["host_key"]
        for path in ("/metrics", "/api/stats", "/api/rooms"):
            async with front.http.get(path) as response:
                assert response.status == 401
            headers = {"Authorization": f"bearer {OPERATOR}"}
            async with front.http.get(path, headers=headers) as response:
                assert response.status == 200
        async with front.http.get("/api/rooms/room") as response:
            assert response.status == 200
