"""A room that has outgrown one worker: who is told what, and what comes together again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.fake_worker import FakeWorker
from tests.support.front import RunningFront, running_front
from webrtc.control.messages import DropRoom, PutRoom, WatchMeters
from webrtc.front_limits import FrontLimits

SHARE_OF_ONE = FrontLimits(room_share=1)
OFFER = {"sdp": "v=0", "type": "offer"}


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningFront]:
    async with running_front(tmp_path, 2, SHARE_OF_ONE) as made:
        yield made


def people(worker: FakeWorker) -> set[str]:
    return set(worker.participants)


def puts(worker: FakeWorker) -> list[list[int]]:
    return [one.workers for one in worker.handled if isinstance(one, PutRoom)]


async def test_a_room_that_fits_is_nobody_elses_business(tmp_path: Path) -> None:
    async with running_front(tmp_path, 2) as front:
        _, first = await front.joined("studio")
        _, second = await front.joined("studio")
        owner = next(one for one in front.workers if one.participants)
        await owner.wait_until(lambda it: len(it.participants) == 2)
        other = next(one for one in front.workers if one is not owner)
        assert other.rooms == {}
        assert set(map(tuple, puts(owner))) == {()}
        assert people(owner) == {first["participant_id"], second["participant_id"]}


async def test_who_does_not_fit_goes_to_another_worker_and_both_are_told(
    front: RunningFront,
) -> None:
    alice, first = await front.joined("studio")
    bob, second = await front.joined("studio")
    one, two = front.workers
    await two.wait_until(lambda it: it.participants)
    await one.wait_until(lambda it: it.rooms["studio"].workers)
    assert people(one) == {first["participant_id"]}
    assert people(two) == {second["participant_id"]}
    assert one.rooms["studio"].workers == two.rooms["studio"].workers == [0, 1]
    assert one.rooms["studio"].state == two.rooms["studio"].state
    for client in (alice, bob):
        assert (await client.ok("offer", OFFER))["type"] == "answer"


async def test_settings_reach_all_workers_of_a_room_and_strips_the_one_concerned(
    front: RunningFront,
) -> None:
    alice, _ = await front.joined("studio")
    _, second = await front.joined("studio")
    await alice.ok("set_room", {"max_speakers": 3})
    for worker in front.workers:
        await worker.wait_until(lambda it: it.rooms["studio"].selection.max_speakers == 3)
    name = second["participant_id"]
    await alice.ok("audio_stream_metadata", {"participant_id": name, "pan": 1})
    await front.workers[1].wait_until(lambda it: it.participants[name].strip["pan"] == 1)
    assert name not in front.workers[0].participants
    await alice.ok("store_scene", {"name": "wide"})
    await alice.ok("audio_stream_metadata", {"participant_id": name, "pan": 0})
    await alice.ok("recall_scene", {"name": "wide"})
    await front.workers[1].wait_until(lambda it: it.participants[name].strip["pan"] == 1)
    assert name not in front.workers[0].participants


async def test_all_workers_of_a_room_work_in_its_mode(front: RunningFront) -> None:
    alice, _ = await front.joined("studio")
    await front.joined("studio")
    for mode in ("forward", "mix"):
        await alice.ok("set_room", {"mode": mode})
        for worker in front.workers:
            await worker.wait_until(lambda it, mode=mode: it.rooms["studio"].mode == mode)


async def test_levels_of_all_workers_come_together(front: RunningFront) -> None:
    alice, first = await front.joined("studio")
    _, second = await front.joined("studio")
    names = first["participant_id"], second["participant_id"]
    for worker, name in zip(front.workers, names, strict=True):
        await worker.wait_until(lambda it: it.participants)
        worker.send_levels("studio", (name, 20, True))
    told = await alice.event("active_speakers")
    while len(told["participants"]) < 2:
        told = await alice.event("active_speakers")
    assert set(told["participants"]) == set(names)


async def test_strips_are_watched_in_all_workers(front: RunningFront) -> None:
    alice, _ = await front.joined("studio")
    _, second = await front.joined("studio")
    await alice.ok("watch_meters", {"participants": [second["participant_id"]]})
    for worker in front.workers:
        await worker.wait_until(lambda it: any(isinstance(m, WatchMeters) for m in it.handled))


async def test_when_the_last_one_leaves_a_worker_it_serves_the_room_no_more(
    front: RunningFront,
) -> None:
    _, _ = await front.joined("studio")
    bob, _ = await front.joined("studio")
    await bob.ok("leave_room")
    await front.workers[1].wait_until(lambda it: DropRoom("studio") in it.handled)
    await front.workers[0].wait_until(lambda it: it.rooms["studio"].workers == [])


async def test_a_closed_room_is_closed_everywhere(front: RunningFront) -> None:
    alice, _ = await front.joined("studio")
    bob, _ = await front.joined("studio")
    await alice.ok("leave_room")
    await bob.ok("leave_room")
    for worker in front.workers:
        await worker.wait_until(lambda it: not it.rooms and not it.participants)


async def test_people_of_a_worker_that_is_restarted_return_to_it(front: RunningFront) -> None:
    _, _ = await front.joined("studio")
    bob, second = await front.joined("studio")
    await bob.ok("offer", OFFER)
    await front.workers[1].die_and_return()
    assert await bob.event("media_reset") == {"reason": "worker_restarted"}
    assert people(front.workers[1]) == {second["participant_id"]}
    assert front.workers[1].rooms["studio"].workers == [0, 1]
    assert (await bob.ok("offer", OFFER))["type"] == "answer"


async def test_stats_show_everybody_where_they_are(front: RunningFront) -> None:
    _, first = await front.joined("studio")
    _, second = await front.joined("studio")
    async with front.http.get("/api/stats") as response:
        stats = await response.json()
    shown = [
        [(room["room_id"], [one["participant_id"] for one in room["participants"]])]
        for worker in stats["workers"]
        for room in worker["rooms"]
    ]
    assert shown == [
        [("studio", [first["participant_id"]])],
        [("studio", [second["participant_id"]])],
    ]
    assert stats["front"]["rooms"] == 1


async def test_a_restarted_front_process_has_the_room_back_without_parting_its_workers(
    tmp_path: Path,
) -> None:
    workers = [FakeWorker(tmp_path / f"worker-{index}.sock", index) for index in range(2)]
    for worker in workers:
        await worker.start()
    async with running_front(tmp_path, workers, SHARE_OF_ONE) as front:
        acks = [(await front.joined("studio"))[1] for _ in range(2)]
        await workers[0].wait_until(lambda it: it.rooms["studio"].workers == [0, 1])
    for worker in workers:
        worker.handled.clear()
    async with running_front(tmp_path, workers, SHARE_OF_ONE) as front:
        for ack in acks:
            client = await front.client()
            back = await client.ok("join_room", {"resume_token": ack["resume_token"]})
            assert len(back["participants"]) == 2
            assert (await client.ok("offer", OFFER))["type"] == "answer"
        for worker, ack in zip(workers, acks, strict=True):
            assert people(worker) == {ack["participant_id"]}
            assert all(workers == [0, 1] for workers in puts(worker))
            assert not any(isinstance(one, DropRoom) for one in worker.handled)
    for worker in workers:
        await worker.stop()
