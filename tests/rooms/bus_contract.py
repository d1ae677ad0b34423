"""What every audio bus must do; each bus's test module inherits this suite."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from mixer.exchange_frames import (
    BusFrame,
    Decision,
    DrawnSpectrum,
    ForwardedPacket,
    ForwardNews,
    MeteredStrip,
    MeterNews,
    RosterEntry,
    Sound,
)
from rooms.bus import Arrived, AudioBus
from tests.support.patience import PATIENCE_S

MakeBus = Callable[[int], Awaitable[AudioBus]]


def a_frame(worker: int = 0, number: int = 1, room_id: str = "studio", size: int = 960) -> BusFrame:
    return BusFrame(
        room_id=room_id,
        worker=worker,
        number=number,
        media_time=960 * number,
        samples=960,
        roster_serial=7,
        roster=[RosterEntry("anna", 0xFFFFFFFF, 2, True), RosterEntry("bert", 1)],
        levels=bytes(range(6)),
        sounds=[Sound(0, bytes(8 * size)), Sound(1, b"\x01" * 8 * size)],
        decision=Decision([0xFFFFFFFF], 1),
        wanted=(3, 4),
    )


def a_forward_frame(number: int = 1) -> BusFrame:
    """Return a frame of a room that forwards."""
    packet = ForwardedPacket(1, 255, 65535, 0xFFFFFFFF, b"\xfc" * 160, 30, True, True, True)
    roster = [RosterEntry("anna", 0xFFFFFFFF, 2), RosterEntry("bert", 1)]
    news = ForwardNews(roster, [0, 1], [packet, ForwardedPacket(0, 0, 0, 0, b"", 127)], True)
    return BusFrame("studio", 0, number, 0, 0, 7, None, b"", [], forward=news)


def a_meter_frame(number: int = 1) -> BusFrame:
    """Return a frame about watched strips."""
    strip = MeteredStrip("anna", [-1200, 400, *range(8)], True)
    news = MeterNews(["anna"], ["bert"], [strip], [DrawnSpectrum("bert", b"\x80" * 120, -100, 3)])
    return BusFrame("studio", 0, number, 0, 0, 0, None, b"", [], meters=news)


async def arrivals(bus: AudioBus, count: int) -> list[Arrived]:
    """Return so many frames, waiting for them."""
    found: list[Arrived] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            found += bus.take()
            await asyncio.sleep(0)
    return found


class AudioBusContract:
    """Inherit, and give a fixture `make`: a worker's end by number, closed afterwards.

    What `make` returns can be reached from then on.
    """

    async def test_a_frame_reaches_all_with_whom_its_room_is_shared(self, make: MakeBus) -> None:
        buses = [await make(number) for number in range(3)]
        for bus in buses:
            bus.share("studio", [0, 1, 2])
        before = time.monotonic()
        buses[0].publish(a_frame())
        for bus in buses[1:]:
            [arrived] = await arrivals(bus, 1)
            assert arrived.frame == a_frame()
            assert before <= arrived.arrival_s <= time.monotonic()
        assert buses[0].take() == []  # not one's own

    async def test_meters_arrive_as_they_were_sent(self, make: MakeBus) -> None:
        ends = await make(0), await make(1)
        for bus in ends:
            bus.share("studio", [0, 1])
        ends[0].publish(a_meter_frame())
        [arrived] = await arrivals(ends[1], 1)
        assert arrived.frame == a_meter_frame()

    async def test_packets_that_are_forwarded_arrive_as_they_were_sent(self, make: MakeBus) -> None:
        ends = await make(0), await make(1)
        for bus in ends:
            bus.share("studio", [0, 1])
        ends[0].publish(a_forward_frame())
        [arrived] = await arrivals(ends[1], 1)
        assert arrived.frame == a_forward_frame()

    async def test_frames_of_one_worker_keep_their_order(self, make: MakeBus) -> None:
        ends = await make(0), await make(1)
        for bus in ends:
            bus.share("studio", [0, 1])
        for number in range(200):
            ends[0].publish(a_frame(number=number))
            [arrived] = await arrivals(ends[1], 1)
            assert arrived.frame.number == number

    async def test_what_is_flushed_comes_once_and_in_order(self, make: MakeBus) -> None:
        ends = await make(0), await make(1)
        for bus in ends:
            bus.share("studio", [0, 1])
        ends[0].flush()
        for number in range(9):
            ends[0].publish(a_frame(number=number))
            if number % 4 == 3:
                ends[0].flush()
                ends[0].flush()
        numbers = [one.frame.number for one in await arrivals(ends[1], 9)]
        await asyncio.sleep(0)
        numbers += [one.frame.number for one in ends[1].take()]
        assert numbers == list(range(9))

    async def test_what_is_not_shared_goes_nowhere(self, make: MakeBus) -> None:
        ends = await make(0), await make(1)
        ends[0].share("studio", [0, 1])
        ends[1].share("studio", [0, 1])
        ends[0].publish(a_frame(room_id="another"))
        ends[0].publish(a_frame())
        assert [one.frame.room_id for one in await arrivals(ends[1], 1)] == ["studio"]
        ends[0].share("studio", [])
        ends[0].publish(a_frame(number=2))
        ends[1].share("studio", [0])
        ends[0].share("studio", [1])
        ends[0].publish(a_frame(number=3))
        assert [one.frame.number for one in await arrivals(ends[1], 1)] == [3]

    async def test_what_comes_of_a_room_that_is_shared_no_more_is_left_out(
        self, make: MakeBus
    ) -> None:
        ends = await make(0), await make(1)
        ends[0].share("studio", [1])
        ends[0].share("hall", [1])
        ends[1].share("hall", [0])
        ends[0].publish(a_frame())
        ends[0].publish(a_frame(room_id="hall"))
        assert [one.frame.room_id for one in await arrivals(ends[1], 1)] == ["hall"]

    async def test_whoever_does_not_read_holds_up_nobody(self, make: MakeBus) -> None:
        sender, sleeper, reader = await make(0), await make(1), await make(2)
        for bus in (sender, sleeper, reader):
            bus.share("studio", [0, 1, 2])
        for number in range(2000):
            sender.publish(a_frame(number=number))
            assert [one.frame.number for one in await arrivals(reader, 1)] == [number]
        assert sender.counters["bus_dropped"] + sleeper.counters["bus_dropped"] > 0
        backlog = await arrivals(sleeper, 1)
        assert [one.frame.number for one in backlog] == list(range(len(backlog)))
        assert len(backlog) < 2000
        sender.publish(a_frame(number=5000))  # and it hears again as soon as it reads
        assert [one.frame.number for one in await arrivals(sleeper, 1)][-1] == 5000

    async def test_nobody_there_is_no_error_and_who_comes_is_heard(self, make: MakeBus) -> None:
        sender = await make(0)
        sender.share("studio", [1])
        sender.publish(a_frame(number=1))
        late = await make(1)
        late.share("studio", [0])
        sender.publish(a_frame(number=2))
        assert [one.frame.number for one in await arrivals(late, 1)] == [2]

    async def test_a_worker_that_comes_again_is_reached(self, make: MakeBus) -> None:
        sender, first = await make(0), await make(1)
        sender.share("studio", [1])
        first.share("studio", [0])
        sender.publish(a_frame(number=1))
        await arrivals(first, 1)
        first.close()
        sender.publish(a_frame(number=2))
        second = await make(1)
        second.share("studio", [0])
        async with asyncio.timeout(PATIENCE_S):
            while not (found := second.take()):
                sender.publish(a_frame(number=3))
                await asyncio.sleep(0.01)
        assert found[0].frame.number == 3

    async def test_the_largest_frame_fits(self, make: MakeBus) -> None:
        ends = await make(0), await make(1)
        for bus in ends:
            bus.share("studio", [0, 1])
        sounds = [Sound(place, bytes([place]) * 7680) for place in range(20)]
        people = [RosterEntry(f"{place:022}", place) for place in range(100)]
        frame = BusFrame("studio", 0, 1, 0, 960, 1, people, bytes(300), sounds)
        ends[0].publish(frame)
        [arrived] = await arrivals(ends[1], 1)
        assert arrived.frame == frame

    async def test_arrivals_are_told_of(self, make: MakeBus) -> None:
        ends = await make(0), await make(1)
        for bus in ends:
            bus.share("studio", [0, 1])
        told = asyncio.Event()
        ends[1].on_arrival(told.set)
        ends[0].publish(a_frame())
        async with asyncio.timeout(PATIENCE_S):
            await told.wait()
        assert len(ends[1].take()) == 1
