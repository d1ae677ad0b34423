"""A front process or a worker is restarted, and nobody loses a seat."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from rooms.models import RoomSettings
from tests.support.fake_worker import FakeWorker
from tests.support.front import RunningFront, running_front
from webrtc.control.messages import DropParticipant, DropRoom, Offer, PutParticipant, PutRoom
from webrtc.front_limits import FrontLimits

ROOM = msgspec.to_builtins(RoomSettings())

OFFER = {"type": "offer", "sdp": "v=0"}


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[FakeWorker]:
    """A worker that outlives the front processes of a test."""
    worker = FakeWorker(tmp_path / "worker-0.sock")
    await worker.start()
    yield worker
    await worker.stop()


async def test_a_restarted_front_process_knows_every_seat_and_setting(
    tmp_path: Path, worker: FakeWorker
) -> None:
    async with running_front(tmp_path, [worker]) as front:
        alice, first = await front.joined("studio", name="Alice")
        _, second = await front.joined("studio", name="Bob", role="subscriber")
        await alice.ok("audio_stream_metadata", {"fader": -3})
        await alice.ok("set_muted", True)
        await alice.ok("set_room", {"max_speakers": 4, "speaker_hold_ms": 900})
        await alice.ok("set_speaker", {"participant_id": first["participant_id"], "pinned": True})
        await alice.ok("set_listener_mix", {"participant_id": second["participant_id"], "pan": -1})
        await alice.ok("offer", OFFER)
    assert len(worker.participants) == 2, "the worker plays on"
    puts = dict(worker.participants)
    worker.handled.clear()

    async with running_front(tmp_path, [worker]) as front:
        alice = await front.client()
        back = await alice.ok("join_room", {"resume_token": first["resume_token"]})
        assert back["participant_id"] == first["participant_id"]
        assert back["settings"]["fader"] == -3
        assert back["listener_mix"][second["participant_id"]]["pan"] == -1
        assert [one["name"] for one in back["participants"]] == ["Alice", "Bob"]
        assert back["participants"][0]["muted"] is True
        assert back["participants"][0]["pinned"] is True
        assert back["room_settings"] == {**ROOM, "max_speakers": 4, "speaker_hold_ms": 900}
        host = await front.client()
        again = await host.ok("join_room", {"room_id": "studio", "host_key": first["host_key"]})
        assert "close_room" in again["rights"]
        assert alice.heard("media_reset") == [], "media never stopped"
        assert {key: worker.participants[key] for key in puts} == puts
        told = [one for one in worker.handled if isinstance(one, PutParticipant)]
        assert [one.participant_id for one in told] == [again["participant_id"]]


async def test_seats_that_nobody_takes_after_a_restart_are_given_up(
    tmp_path: Path, worker: FakeWorker
) -> None:
    async with running_front(tmp_path, [worker]) as front:
        await front.joined("studio")
    async with running_front(tmp_path, [worker], FrontLimits(resume_window_s=0.05)):
        await worker.wait_until(lambda it: not it.participants and not it.rooms)


async def test_a_room_without_anybody_survives_a_restart_only_for_a_while(
    tmp_path: Path, worker: FakeWorker
) -> None:
    async with (
        running_front(tmp_path, [worker]) as front,
        front.http.post("/api/rooms", json={"room_id": "studio"}) as response,
    ):
        assert response.status == 201
    async with (
        running_front(tmp_path, [worker]) as front,
        front.http.get("/api/rooms/studio") as response,
    ):
        assert response.status == 200
    async with running_front(tmp_path, [worker], FrontLimits(empty_room_s=0.05)):
        await worker.wait_until(lambda it: not it.rooms)


async def test_what_a_worker_remembers_wrongly_is_not_believed(
    tmp_path: Path, worker: FakeWorker
) -> None:
    async with running_front(tmp_path, [worker]) as front:
        _, ack = await front.joined("studio")
    worker.rooms["garbled"] = PutRoom("garbled", b"\xc1")
    stranger = PutParticipant("studio", "stranger", 5, True, True, state=b"")
    worker.participants["stranger"] = stranger
    async with running_front(tmp_path, [worker]) as front:
        await worker.wait_until(
            lambda it: "garbled" not in it.rooms and "stranger" not in it.participants
        )
        assert ack["participant_id"] in worker.participants
        async with front.http.get("/api/rooms") as response:
            rooms = (await response.json())["rooms"]
        assert [(one["room_id"], one["participants"]) for one in rooms] == [("studio", 1)]


async def test_a_room_stays_with_the_worker_that_has_it_whatever_its_number_was(
    tmp_path: Path,
) -> None:
    workers = [FakeWorker(tmp_path / f"worker-{index}.sock", index) for index in range(2)]
    for worker in workers:
        await worker.start()
    async with running_front(tmp_path, workers) as front:
        _, ack = await front.joined("studio")
    first, second = workers
    first.rooms, second.rooms = second.rooms, first.rooms
    first.participants, second.participants = second.participants, first.participants
    async with running_front(tmp_path, workers) as front:
        client = await front.client()
        back = await client.ok("join_room", {"resume_token": ack["resume_token"]})
        assert back["participant_id"] == ack["participant_id"]
        await client.ok("offer", OFFER)
        assert client.heard("media_reset") == []
        assert sum(len(worker.rooms) for worker in workers) == 1
    for worker in workers:
        await worker.stop()


async def test_two_workers_that_remember_the_same_room_do_not_share_it(tmp_path: Path) -> None:
    workers = [FakeWorker(tmp_path / f"worker-{index}.sock", index) for index in range(2)]
    for worker in workers:
        await worker.start()
    async with running_front(tmp_path, workers) as front:
        await front.joined("studio")
    twin = next(one for one in workers if not one.rooms)
    owner = next(one for one in workers if one.rooms)
    twin.rooms.update(owner.rooms)
    twin.participants.update(owner.participants)
    async with running_front(tmp_path, workers):
        await twin.wait_until(lambda it: not it.rooms and not it.participants)
        assert len(owner.participants) == 1
    for worker in workers:
        await worker.stop()


async def test_a_restarted_worker_gets_everything_back_and_its_people_are_told(
    front: RunningFront,
) -> None:
    alice, first = await front.joined("studio")
    bob, _ = await front.joined("studio", role="subscriber")
    await alice.ok("offer", OFFER)
    await alice.ok("audio_stream_metadata", {"pan": 1})
    await alice.ok("set_room", {"automix": True, "ducking_db": 9, "target_lufs": -18})
    await alice.ok("store_scene", {"name": "Evening"})
    rooms, people = dict(front.worker.rooms), dict(front.worker.participants)

    await front.worker.die_and_return()
    assert await alice.event("media_reset") == {"reason": "worker_restarted"}
    assert (front.worker.rooms, front.worker.participants) == (rooms, people)
    assert front.worker.rooms["studio"].automix
    assert front.worker.rooms["studio"].target_lufs == -18
    assert (await alice.ok("offer", OFFER))["type"] == "answer"
    await bob.ok("set_deafened", True)
    assert bob.heard("media_reset") == [], "there was nothing to lose"
    assert front.worker.participants[first["participant_id"]].strip["pan"] == 1


async def test_someone_who_was_away_is_told_on_coming_back(front: RunningFront) -> None:
    alice, ack = await front.joined("studio")
    bob, _ = await front.joined("studio")
    await alice.ok("offer", OFFER)
    await bob.ok("offer", OFFER)
    await alice.lose_socket()
    await front.worker.die_and_return()
    await bob.event("media_reset")
    alice = await front.client()
    await alice.ok("join_room", {"resume_token": ack["resume_token"]})
    await alice.event("media_reset")


async def test_while_a_worker_is_away_changes_wait_and_offers_are_refused(
    front: RunningFront,
) -> None:
    alice, ack = await front.joined("studio")
    bob, gone = await front.joined("studio")
    await front.worker.stop()
    refusal = await alice.call("offer", OFFER)
    assert refusal["error"]["reason"] == "worker_unavailable"
    assert refusal["error"]["retry_after"] > 0
    await alice.ok("set_muted", True)
    await bob.ok("leave_room")
    carol, other = await front.joined("studio")

    await front.worker.start()  # the connection broke; the worker remembers the past
    await front.worker.wait_until(
        lambda it: set(it.participants) == {ack["participant_id"], other["participant_id"]}
    )
    assert front.worker.participants[ack["participant_id"]].muted is True
    assert DropParticipant(gone["participant_id"]) in front.worker.handled
    assert (await carol.ok("offer", OFFER))["ok"]


async def test_a_room_that_ended_while_the_worker_was_away_is_dropped_there(
    front: RunningFront,
) -> None:
    alice, _ = await front.joined("studio")
    await front.worker.stop()
    await alice.ok("leave_room")
    await front.worker.start()
    await front.worker.wait_until(lambda it: not it.rooms)
    assert DropRoom("studio") in front.worker.handled


async def test_an_offer_under_way_fails_when_the_worker_dies(front: RunningFront) -> None:
    alice, _ = await front.joined("studio")
    front.worker.answer_offer = lambda _: None
    offering = asyncio.create_task(alice.refused("offer", OFFER))
    await front.worker.wait_until(lambda it: any(isinstance(one, Offer) for one in it.handled))
    await front.worker.die_and_return()
    assert await offering == "worker_unavailable"


async def test_a_stopping_front_process_says_so_first(tmp_path: Path) -> None:
    async with running_front(tmp_path) as front:
        alice, _ = await front.joined("studio")
        front.front.desk.drain()
        assert await alice.event("server_draining") == {"retry_after_s": 2.0}
        bob = await front.client()
        refusal = await bob.call("join_room", "studio")
        assert refusal["error"]["reason"] == "draining"
        async with front.http.get("/health/ready") as response:
            assert response.status == 503
