"""Files played into rooms as REST sees it; the media worker is a fake, so that nothing is heard."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.support.front import RunningFront, running_front
from tests.support.passes import SECRET, token
from tests.support.patience import PATIENCE_S
from webrtc.api import bodies
from webrtc.playback import players

pytestmark = pytest.mark.slow  # starts processes

WHERE = "/api/rooms/studio/playbacks"


@pytest.fixture(scope="module")
def song() -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(48_000 * 20), 48_000, format="FLAC")
    return buffer.getvalue()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def upload(front: RunningFront, song: bytes, token: str, query: str = "") -> Any:
    headers = bearer(token)
    async with front.http.post(WHERE + query, data=song, headers=headers) as response:
        return response.status, await response.json()


async def test_a_file_becomes_a_participant_that_is_steered(
    front: RunningFront, song: bytes
) -> None:
    alice, ack = await front.joined("studio")
    key = bearer(ack["resume_token"])
    status, made = await upload(front, song, ack["resume_token"], "?name=Jingle&fader_db=-6")
    assert status == 201
    assert (made["name"], made["state"], made["duration_s"]) == ("Jingle", "playing", 20.0)
    joined = await alice.event("participant_updated", lambda one: one["kind"] == "player")
    assert (joined["name"], joined["settings"]["fader"]) == ("Jingle", -6)
    put = front.worker.participants[made["playback_id"]]
    assert put.feed is not None
    assert put.feed.plays
    one = f"{WHERE}/{made['playback_id']}"
    change = {"state": "paused", "position_s": 12.5, "loop": True}
    async with front.http.patch(one, json=change, headers=key) as response:
        assert await response.json() == {**made, **change}
    await front.worker.wait_until(
        lambda it: not it.participants[made["playback_id"]].feed.plays  # type: ignore[union-attr]
    )
    async with front.http.get(WHERE) as response:
        (shown,) = (await response.json())["playbacks"]
    assert (shown["position_s"], shown["loop"]) == (12.5, True)
    for status in (204, 404):
        async with front.http.delete(one, headers=key) as response:
            assert response.status == status
    assert not Path(put.feed.path).exists()
    left = await alice.event("participant_left")
    assert left["participant_id"] == made["playback_id"]
    assert front.front.dispatcher.sockets == 1


async def test_a_tenant_plays_into_its_own_room(tmp_path: Path, song: bytes) -> None:
    async with running_front(tmp_path, auth_secret=SECRET) as front:
        ours, theirs = (token("host", room="studio", tenant=name) for name in ("acme", "another"))
        await front.joined("studio", token=ours)
        assert (await upload(front, song, theirs))[0] == 404
        assert (await upload(front, song, ours))[0] == 201


async def test_only_engineers_and_hosts_play(front: RunningFront, song: bytes) -> None:
    _, host = await front.joined("studio")
    _, guest = await front.joined("studio")
    _, stranger = await front.joined("elsewhere")
    assert (await upload(front, song, guest["resume_token"]))[0] == 403
    assert (await upload(front, song, stranger["resume_token"]))[0] == 403
    assert (await upload(front, song, "wrong"))[0] == 401
    async with front.http.post(WHERE, data=song) as response:
        assert response.status == 401
    status, made = await upload(front, song, host["host_key"])
    assert status == 201
    one, key = f"{WHERE}/{made['playback_id']}", bearer(guest["resume_token"])
    async with front.http.patch(one, json={"state": "paused"}, headers=key) as response:
        assert response.status == 403
    other = one.replace("studio", "elsewhere")
    async with front.http.delete(other, headers=bearer(stranger["host_key"])) as response:
        assert (await response.json())["reason"] == "playback_not_found"


async def test_what_cannot_be_played_is_refused(tmp_path: Path, song: bytes) -> None:
    async with running_front(tmp_path, upload_max_mb=1) as front:
        _, ack = await front.joined("studio")
        for data, query, status, reason in [
            (b"no sound", "", 422, "unplayable"),
            (b"#EXTM3U\n/etc/passwd\n", "", 422, "unplayable"),
            (bytes(2 << 20), "", 413, "too_large"),
            (song, "?fader_db=99", 400, "bad_message"),
            (song, "?volume=3", 400, "bad_message"),
        ]:
            refused = await upload(front, data, ack["host_key"], query)
            assert (refused[0], refused[1]["reason"]) == (status, reason)
        assert [*front.worker.participants] == [ack["participant_id"]]


async def test_a_room_plays_so_much_at_a_time(
    front: RunningFront, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(players, "MOST_IN_A_ROOM", 1)
    _, ack = await front.joined("studio")
    assert (await upload(front, song, ack["host_key"]))[0] == 201
    assert (await upload(front, song, ack["host_key"]))[0] == 429


async def test_a_closed_room_ends_what_is_played(
    front: RunningFront, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(players, "LOOK_EVERY_S", 0.01)
    _, ack = await front.joined("studio")
    _, made = await upload(front, song, ack["host_key"])
    put = front.worker.participants[made["playback_id"]]
    async with front.http.delete("/api/rooms/studio", headers=bearer(ack["host_key"])):
        pass
    assert put.feed is not None
    async with asyncio.timeout(PATIENCE_S):
        while Path(put.feed.path).exists() or front.front.dispatcher.sockets > 1:
            await asyncio.sleep(0.01)


async def test_a_new_front_process_sends_home_whom_nobody_feeds(
    tmp_path: Path, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(players, "LOOK_EVERY_S", 0.01)
    async with running_front(tmp_path) as first:
        _, ack = await first.joined("studio")
        await upload(first, song, ack["host_key"])
        kept = dict(first.worker.participants)
        await first.close_clients()
        await first.front.stop()
        first.worker.participants = kept  # as after a crash
        async with running_front(tmp_path, first.workers) as second:
            await second.worker.wait_until(lambda it: [*it.participants] == [ack["participant_id"]])


async def test_files_that_are_on_their_way_count_as_played(
    front: RunningFront, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a host could have the server keep any number of them."""
    monkeypatch.setattr(players, "MOST_IN_A_ROOM", 1)
    _, ack = await front.joined("studio")
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield song[:1000]
        begun.set()
        await goes_on.wait()
        yield song[1000:]

    async def upload_slowly() -> int:
        sent = front.http.post(WHERE, data=slowly(), headers=bearer(ack["host_key"]))
        async with sent as response:
            return response.status

    first = asyncio.create_task(upload_slowly())
    await begun.wait()
    async with asyncio.timeout(PATIENCE_S):
        while not front.front.players._coming:
            await asyncio.sleep(0.01)
    status, problem = await upload(front, song, ack["host_key"])
    assert (status, problem["reason"]) == (429, "too_many_playbacks")
    goes_on.set()
    assert await first == 201
    assert not front.front.players._coming


async def test_a_file_that_stops_coming_gives_its_place_back(
    front: RunningFront, song: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(players, "MOST_IN_A_ROOM", 1)
    monkeypatch.setattr(bodies, "WITHIN_S", 0.05)
    _, ack = await front.joined("studio")

    async def never() -> AsyncIterator[bytes]:
        yield song[:1000]
        await asyncio.Event().wait()

    async with front.http.post(WHERE, data=never(), headers=bearer(ack["host_key"])) as response:
        assert response.status == 408
    monkeypatch.undo()
    assert (await upload(front, song, ack["host_key"]))[0] == 201
