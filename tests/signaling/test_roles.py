"""Roles that a host gives and takes, and what follows from them."""

from pathlib import Path
from typing import Any

import pytest

from rooms.models import Role
from rooms.rights import rights_of
from tests.support.fake_worker import FakeWorker
from tests.support.front import Client, RunningFront, running_front
from webrtc.control.messages import Meters, StripMeters, WatchMeters
from webrtc.front_limits import FrontLimits

STRIP_FIGURES = (-23.0, -20.0, -23.0, 0.0, -2.5, 0.0, 4.0, -3.0, -23.0)


async def give(host: Client, participant_id: str, role: str) -> dict[str, Any]:
    return await host.ok("set_role", {"participant_id": participant_id, "role": role})


async def test_an_engineer_runs_the_desk_until_the_role_is_taken_back(front: RunningFront) -> None:
    host, hosts = await front.joined()
    anna, ack = await front.joined()
    hers = ack["participant_id"]
    assert await anna.refused("set_room", {"automix": True}) == "forbidden"

    rights = rights_of(Role.ENGINEER)
    assert await give(host, hers, "engineer") == {
        "ok": True,
        "participant_id": hers,
        "role": "engineer",
        "rights": rights,
    }
    for client in (host, anna):
        told = await client.event("participant_updated", lambda it: it["rights"] == rights)
        assert (told["participant_id"], told["role"]) == (hers, "both")
    await anna.ok("set_room", {"automix": True, "max_speakers": 2})
    other = {"participant_id": hosts["participant_id"], "fader": -6}
    assert (await anna.ok("audio_stream_metadata", other))["settings"]["fader"] == -6
    await anna.ok("store_scene", {"name": "Evening"})
    _, late = await front.joined()
    shown = {one["participant_id"]: one["rights"] for one in late["participants"]}
    assert shown[hers] == rights

    assert (await give(host, hers, "speaker"))["rights"] == rights_of(Role.SPEAKER)
    assert await anna.refused("set_room", {"automix": False}) == "forbidden"
    assert await anna.refused("audio_stream_metadata", other) == "forbidden"


async def test_the_media_worker_follows_who_may_publish(front: RunningFront) -> None:
    host, _ = await front.joined()
    bob, ack = await front.joined()
    _, guest = await front.joined(role="subscriber")
    his, hers = ack["participant_id"], guest["participant_id"]
    await bob.ok("audio_stream_metadata", {"fader": -6})
    front.worker.send_levels("room", (his, 20, True))
    await host.event("active_speakers", lambda it: it["participants"] == [his])

    await give(host, his, "listener")
    told = await host.event("participant_updated", lambda it: it["rights"] == ["subscribe"])
    assert (told["role"], told["tracks"], told["speaking"]) == ("subscriber", [], False)
    assert await bob.event("active_speakers", lambda it: not it["participants"])
    await front.worker.wait_until(lambda it: not it.participants[his].publishes)
    assert front.worker.participants[his].subscribes
    assert await bob.refused("audio_stream_metadata", {"fader": 0}) == "forbidden"

    for name in (his, hers):
        await give(host, name, "speaker")
        await front.worker.wait_until(lambda it, name=name: it.participants[name].publishes)
        assert front.worker.participants[name].subscribes
    assert front.worker.participants[his].strip["fader"] == -6, "the strip was kept"
    told = await bob.event("participant_updated", lambda it: it["participant_id"] == hers)
    assert (told["role"], told["tracks"]) == ("both", [{"kind": "audio"}])


async def test_levels_come_at_the_pace_of_the_role(tmp_path: Path) -> None:
    limits = FrontLimits(publisher_levels_period_s=0.0, listener_levels_period_s=3600.0)
    async with running_front(tmp_path, limits=limits) as front:
        host, hosts = await front.joined()
        bob, ack = await front.joined(role="subscriber")
        await give(host, ack["participant_id"], "speaker")
        for level in (30, 20, 10):
            front.worker.send_levels("room", (hosts["participant_id"], level, False))
            await bob.event("levels", lambda it, level=level: it["levels"][0][1] == level)


@pytest.mark.parametrize(("role", "kept"), [("speaker", True), ("listener", False)])
async def test_who_is_no_engineer_any_more_sees_no_meters_of_others(
    front: RunningFront, role: str, kept: bool
) -> None:
    host, hosts = await front.joined()
    anna, ack = await front.joined()
    his, hers = hosts["participant_id"], ack["participant_id"]
    await give(host, hers, "engineer")
    await anna.ok("watch_meters", {"participants": [his, hers], "spectrum": his})
    await give(host, hers, role)
    left = [hers] if kept else []
    orders = [one for one in front.worker.handled if isinstance(one, WatchMeters)]
    await front.worker.wait_until(lambda it: WatchMeters("room", left, []) in it.handled)
    assert WatchMeters("room", sorted([his, hers]), [his]) in orders
    figures = [
        StripMeters(name, -20.0, *STRIP_FIGURES, voice=True)  # type: ignore[arg-type]
        for name in (his, hers)
    ]
    front.worker.send(Meters(figures, []))
    front.worker.send_levels("room", (his, 30, False))  # comes after the meters
    await anna.event("levels", lambda it: [his, 30, 0] in it["levels"] or not kept)
    assert all(
        [one["participant_id"] for one in event["meters"]] == left for event in anna.heard("meters")
    )
    assert await anna.refused("watch_meters", {"participants": [his]}) == "forbidden"


async def test_only_hosts_give_roles_and_hosts_stay_hosts(front: RunningFront) -> None:
    host, hosts = await front.joined()
    anna, ack = await front.joined()
    listener, _ = await front.joined(role="subscriber")
    second, seconds = await front.joined(host_key=hosts["host_key"])
    _, other = await front.joined("another")
    his, hers = hosts["participant_id"], ack["participant_id"]

    async def refused(client: Client, participant_id: str, role: object = "engineer") -> str:
        return await client.refused("set_role", {"participant_id": participant_id, "role": role})

    assert await refused(anna, hers) == "forbidden"
    assert await refused(listener, hers) == "forbidden"
    await give(host, hers, "engineer")
    assert await refused(anna, hers, "speaker") == "forbidden"
    for name in (his, seconds["participant_id"]):
        assert await refused(host, name, "listener") == "forbidden"
    for name in ("nobody", other["participant_id"]):
        assert await refused(host, name) == "participant_not_found"
    for role in ("host", "", "publisher", None, 1):
        assert await refused(host, hers, role) == "bad_message"
    assert await host.refused("set_role", {"participant_id": hers}) == "bad_message"
    assert (await give(second, hers, "engineer"))["role"] == "engineer"
    assert await host.ok("set_room", {"automix": True})
    await anna.ok("set_room", {"automix": False})


async def test_a_role_is_kept_over_a_lost_socket(front: RunningFront) -> None:
    host, _ = await front.joined()
    anna, ack = await front.joined()
    await give(host, ack["participant_id"], "engineer")
    await anna.lose_socket()
    anna = await front.client()
    back = await anna.ok("join_room", {"resume_token": ack["resume_token"]})
    assert back["rights"] == rights_of(Role.ENGINEER)
    await anna.ok("set_room", {"automix": True})


async def test_roles_survive_a_restart_of_the_front_process(tmp_path: Path) -> None:
    worker = FakeWorker(tmp_path / "worker-0.sock")
    await worker.start()
    async with running_front(tmp_path, [worker]) as front:
        host, _ = await front.joined()
        _, anna = await front.joined(role="subscriber")
        _, bob = await front.joined()
        await give(host, anna["participant_id"], "engineer")
        await give(host, bob["participant_id"], "listener")
        await worker.wait_until(lambda it: not it.participants[bob["participant_id"]].publishes)
    async with running_front(tmp_path, [worker]) as front:
        client = await front.client()
        back = await client.ok("join_room", {"resume_token": anna["resume_token"]})
        assert (back["role"], back["rights"]) == ("both", rights_of(Role.ENGINEER))
        await client.ok("set_room", {"automix": True})
        client = await front.client()
        back = await client.ok("join_room", {"resume_token": bob["resume_token"]})
        assert (back["role"], back["rights"]) == ("subscriber", ["subscribe"])
    await worker.stop()
