"""What the others see of somebody whose tab is closed, whose network fails, or who comes back."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rooms.memory_store import MemoryRoomStore
from tests.support.front import RunningFront, running_front
from tests.support.patience import PATIENCE_S
from tests.support.virtual_time import in_virtual_time
from webrtc.control.messages import Levels, SourceLevel
from webrtc.front_limits import FrontLimits
from webrtc.signaling.connection import Connection
from webrtc.signaling.desk import FrontDesk
from webrtc.signaling.messages_joining import Joined, JoinRoom
from webrtc.signaling.rate import TokenBucket
from webrtc.turn import IceServers


class Page:
    """A client without a network: what it was sent, as (event, payload)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.connection = Connection(self, TokenBucket(1, 1, 0))

    def write(self, frame: bytes) -> None:
        self.told.append(tuple(json.loads(frame[frame.index(b"42[") + 2 :])))

    def write_lossy(self, frame: bytes) -> None:
        self.write(frame)

    def hang_up(self) -> None:
        raise AssertionError("nobody takes a seat over here")

    def people(self) -> list[tuple[str, str]]:
        """Return who came, left or changed since the last call, by name of the event."""
        told, self.told = self.told, []
        return [
            (event, payload.get("reason") or payload["participant_id"])
            for event, payload in told
            if event.startswith("participant")
        ]


class Studio:
    """A front desk in virtual time; `media` says whose media flows."""

    def __init__(self) -> None:
        self.desk = FrontDesk(MemoryRoomStore(), [Path("nowhere")], FrontLimits(), IceServers())
        self.media: set[str] = set()
        self.desk.workers.has_media = (  # type: ignore[method-assign]
            lambda _, participant_id: participant_id in self.media
        )

    async def join(self, **request: Any) -> tuple[Page, Joined]:
        page = Page()
        ack = await self.desk.entrance.join(page.connection, JoinRoom("studio", **request))
        await asyncio.sleep(0)
        page.told.clear()
        return page, ack

    def lose(self, page: Page) -> None:
        assert page.connection.seat is not None
        self.desk.presence.detach(page.connection.seat)

    async def listed(self) -> list[str]:
        """Return who is in the list that a newcomer gets, and that REST shows."""
        people = await self.desk.conference.present("studio")
        assert len(people) == await self.desk.conference.count_present("studio")
        return [one.participant_id for one in people]


Story = Callable[[Studio], Coroutine[Any, Any, None]]


async def a_closed_tab_is_gone_after_ten_seconds_and_may_come_back(studio: Studio) -> None:
    alice, ack = await studio.join()
    bob, other = await studio.join()
    studio.lose(alice)
    await asyncio.sleep(9.9)
    assert bob.people() == []
    await asyncio.sleep(0.2)
    assert bob.people() == [("participant_left", "lost")]
    assert await studio.listed() == [other.participant_id]
    carol, third = await studio.join()
    assert [one["participant_id"] for one in json_of(third)["participants"]] == [
        other.participant_id,
        third.participant_id,
    ]
    bob.told.clear()
    await asyncio.sleep(45)
    alice, back = await studio.join(resume_token=ack.resume_token)
    assert (back.resumed, back.participant_id) == (True, ack.participant_id)
    assert len(back.participants) == 3
    assert alice.people() == []
    for page in (bob, carol):
        assert page.people() == [("participant_joined", ack.participant_id)]
    assert len(await studio.listed()) == 3


async def who_does_not_come_back_leaves_once(studio: Studio) -> None:
    alice, ack = await studio.join()
    bob, _ = await studio.join()
    studio.lose(alice)
    await asyncio.sleep(1000)
    assert bob.people() == [("participant_left", "lost")]
    assert studio.desk.presence.seat(ack.participant_id) is None
    assert await studio.desk.conference.store.count("studio") == 1


async def whoever_is_still_heard_is_shown_until_the_seat_is_gone(studio: Studio) -> None:
    alice, ack = await studio.join()
    bob, _ = await studio.join()
    studio.media.add(ack.participant_id)
    studio.lose(alice)
    await asyncio.sleep(59)
    assert bob.people() == []
    assert len(await studio.listed()) == 2
    await asyncio.sleep(2)
    assert bob.people() == [("participant_left", "timeout")]


async def nothing_is_told_of_the_lost(studio: Studio) -> None:
    alice, ack = await studio.join()
    bob, _ = await studio.join(role="both")
    speaks = Levels("studio", [SourceLevel(ack.participant_id, 20, True)])
    studio.desk.on_levels(speaks)
    conference = studio.desk.conference
    studio.lose(alice)
    await asyncio.sleep(9.99)
    conference.announcer.request(ack.participant_id)
    conference.announcer.request(ack.participant_id)  # due when it is lost already
    bob.told.clear()
    await asyncio.sleep(5)
    conference.announcer.request(ack.participant_id)
    await asyncio.sleep(5)
    assert bob.people() == [("participant_left", "lost")]
    assert not conference.levels.speaking("studio", ack.participant_id)


def json_of(ack: Joined) -> Any:
    return json.loads(msgspec.json.encode(ack))


@pytest.mark.parametrize(
    "story",
    [
        a_closed_tab_is_gone_after_ten_seconds_and_may_come_back,
        who_does_not_come_back_leaves_once,
        whoever_is_still_heard_is_shown_until_the_seat_is_gone,
        nothing_is_told_of_the_lost,
    ],
)
def test_in_virtual_time(story: Story) -> None:
    async def run() -> None:
        studio = Studio()
        try:
            await story(studio)
        finally:
            await studio.desk.close()

    in_virtual_time(run())


# ---- whose media flows, as workers say -----------------------------------------------------


@pytest.fixture
async def hasty(tmp_path: Path) -> AsyncIterator[RunningFront]:
    """A front process that shows nobody without socket and media."""
    async with running_front(tmp_path, limits=FrontLimits(lost_after_s=0)) as front:
        yield front


async def rest_lists(front: RunningFront) -> tuple[int, list[str]]:
    """Return how many are in the room, and who."""
    async with front.http.get("/api/rooms") as response:
        [room] = (await response.json())["rooms"]
    async with front.http.get("/api/rooms/studio") as response:
        people = (await response.json())["participants"]
    return room["participants"], [one["participant_id"] for one in people]


@pytest.mark.parametrize("state", [None, "disconnected", "failed", "closed"])
async def test_without_media_one_is_lost_to_clients_and_rest(
    hasty: RunningFront, state: Any
) -> None:
    alice, ack = await hasty.joined("studio")
    bob, other = await hasty.joined("studio")
    if state is not None:
        hasty.worker.send_media(ack["participant_id"], state)
        await until_media(hasty, ack["participant_id"], state)
    await alice.lose_socket()
    left = {"participant_id": ack["participant_id"], "reason": "lost"}
    assert await bob.event("participant_left") == left
    assert await rest_lists(hasty) == (1, [other["participant_id"]])
    alice = await hasty.client()
    await alice.ok("join_room", {"resume_token": ack["resume_token"]})
    assert (await bob.event("participant_joined"))["participant_id"] == ack["participant_id"]
    assert (await rest_lists(hasty))[0] == 2


@pytest.mark.parametrize("state", ["connecting", "connected"])
async def test_with_media_one_stays_even_when_the_front_process_is_another(
    tmp_path: Path, state: Any
) -> None:
    limits = FrontLimits(lost_after_s=0)
    async with running_front(tmp_path) as front:
        worker = front.worker
        _, ack = await front.joined("studio")
        _, other = await front.joined("studio")
        worker.media = {ack["participant_id"]: state, other["participant_id"]: "closed"}
        await front.close_clients()
        await front.front.stop()
        async with running_front(tmp_path, [worker], limits) as next_front:
            await until_hidden(next_front, other["participant_id"])
            assert await rest_lists(next_front) == (1, [ack["participant_id"]])


async def test_while_a_worker_is_away_nobody_is_lost(hasty: RunningFront) -> None:
    _, ack = await hasty.joined("studio")
    _, other = await hasty.joined("studio")
    hasty.worker.send_media(ack["participant_id"], "connected")
    await until_media(hasty, ack["participant_id"], "connected")
    pool = hasty.front.desk.workers
    assert pool.has_media(0, ack["participant_id"]) is True
    assert pool.has_media(0, other["participant_id"]) is False
    await hasty.worker.stop()
    async with asyncio.timeout(PATIENCE_S):
        while pool.connected(0):
            await asyncio.sleep(0.005)
    assert pool.has_media(0, ack["participant_id"]) is None
    await hasty.worker.start()
    async with asyncio.timeout(PATIENCE_S):
        while not pool.connected(0):
            await asyncio.sleep(0.005)
    assert pool.has_media(0, ack["participant_id"]) is True


async def until_media(front: RunningFront, participant_id: str, state: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while front.front.desk.workers.peer_state(participant_id) != state:
            await asyncio.sleep(0.005)


async def until_hidden(front: RunningFront, participant_id: str) -> None:
    seat = front.front.desk.presence.seat(participant_id)
    assert seat is not None
    async with asyncio.timeout(PATIENCE_S):
        while seat.shown:
            await asyncio.sleep(0.005)
