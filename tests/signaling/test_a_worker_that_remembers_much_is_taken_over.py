"""What a worker remembers for a restarted front process may be far longer than a frame."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rooms.models import (
    MAX_PERSONAL_MIX,
    Participant,
    Room,
    RoomSettings,
    Scene,
    SceneStrip,
    SourceMix,
    UdpAccess,
)
from rooms.scenes import MAX_SCENE_STRIPS, MAX_SCENES
from rooms.strip import StripSettings
from tests.support.fake_worker import FakeWorker
from tests.support.front import running_front
from webrtc.control import client as control_client
from webrtc.control.codec import encode_frame
from webrtc.control.messages import MAX_FRAME_BYTES, PutRoom
from webrtc.front_workers import put_participant, put_room

LONGEST = "\N{GRINNING FACE}" * 64


def strip() -> StripSettings:
    """One that has nothing in common with the default, so that encoding leaves nothing out."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(StripSettings):
        match field.default:
            case bool():
                values[field.name] = True
            case float():
                values[field.name] = field.default + 0.25
    return StripSettings(**values, genre="electronic", preset="classical")


def full_room(room_id: str) -> Room:
    strips = [SceneStrip(f"{number:024}", LONGEST, strip()) for number in range(MAX_SCENE_STRIPS)]
    names = [f"{number}{LONGEST}"[:64] for number in range(MAX_SCENES)]
    settings = RoomSettings(15, True, 12.5, -18.5, "forward")
    scenes = {name: Scene(name, 1.5, settings, strips) for name in names}
    return Room(
        room_id=room_id,
        created_at=1.5,
        host_key_hash=bytes(32),
        worker=0,
        settings=settings,
        scenes=scenes,
    )


def choosy(room_id: str, participant_id: str, csrc: int) -> Participant:
    mix = {f"{number:024}": SourceMix(-3.5, 0.5, True, True) for number in range(MAX_PERSONAL_MIX)}
    return Participant(
        participant_id=participant_id,
        room_id=room_id,
        csrc=csrc,
        joined_at=1.5,
        resume_hash=bytes(32),
        name=LONGEST,
        strip=strip(),
        mix=mix,
        udp=UdpAccess("c" * 64),
    )


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[FakeWorker]:
    worker = FakeWorker(tmp_path / "worker-0.sock")
    await worker.start()
    yield worker
    await worker.stop()


def remember(worker: FakeWorker, rooms: int, people: int) -> int:
    """Fill a worker; return how many bytes that is."""
    for number in range(rooms):
        put = put_room(full_room(f"r{number}"), [0])
        worker.rooms[put.room_id] = put
    for number in range(people):
        person = put_participant(choosy(f"r{number % rooms}", f"p{number}", number + 1))
        worker.participants[person.participant_id] = person
        worker.media[person.participant_id] = "connected"
    everything = [*worker.rooms.values(), *worker.participants.values()]
    return sum(len(msgspec.msgpack.encode(one)) for one in everything)


def test_the_fullest_room_and_the_choosiest_participant_fit_a_frame() -> None:
    room = put_room(full_room("r" * 64), range(64))
    assert MAX_FRAME_BYTES / 4 < len(encode_frame(room)) < MAX_FRAME_BYTES * 3 / 4
    person = put_participant(choosy("r" * 64, "p" * 64, 1 << 31))
    assert len(encode_frame(person)) < MAX_FRAME_BYTES / 16


async def test_a_restarted_front_process_takes_over_what_no_frame_could_hold(
    tmp_path: Path, worker: FakeWorker
) -> None:
    assert remember(worker, rooms=8, people=200) > 5 * MAX_FRAME_BYTES
    async with running_front(tmp_path, [worker]) as front:
        async with front.http.get("/api/rooms") as response:
            found = (await response.json())["rooms"]
        assert [(one["room_id"], one["participants"]) for one in found] == [
            (f"r{number}", 25) for number in range(8)
        ]
        desk = front.front.desk
        assert desk.workers.connected(0)
        assert all(desk.workers.has_media(0, name) for name in worker.participants)
        assert worker.handled == [], "it is all as it was"


async def test_a_restarted_worker_gets_back_more_than_may_wait_else(
    tmp_path: Path, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_client, "MAX_UNSENT_BYTES", 1 << 20)
    remember(worker, rooms=4, people=8)
    rooms, people = dict(worker.rooms), dict(worker.participants)
    async with running_front(tmp_path, [worker]):
        await worker.die_and_return()
        await worker.wait_until(lambda it: set(it.participants) == set(people))
        assert worker.rooms == rooms
        assert sum(isinstance(one, PutRoom) for one in worker.handled) == len(rooms), "told once"
