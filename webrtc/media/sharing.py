"""Rooms of this worker that others serve as well: their mixers on one end, the bus on the other."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from mixer.exchange import RoomExchange
from mixer.exchange_frames import BusFrame
from rooms.bus import AudioBus
from rooms.replicas import replica_of
from webrtc.log_context import about
from webrtc.media.hall import Hall, Room

logger = logging.getLogger(__name__)

_MOST_LOST: Final = 5000  # a minute and more


class Sharing:
    """Passes frames between the bus and the rooms."""

    def __init__(
        self,
        bus: AudioBus,
        hall: Hall,
        worker: int,
        wake: Callable[[Room], None],
        follow: Callable[[Room], None],
        tell_news: Callable[[float], None],
    ) -> None:
        """Begin without shared rooms.

        Args:
            bus: This worker's end.
            hall: Its rooms.
            worker: Its number among all.
            wake: Lets a room run that may sleep.
            follow: Is told when others begin or cease to want a forward room's mix.
            tell_news: Is told after packets were forwarded.
        """
        self.on_meters: Callable[[Room, BusFrame, float], None] = lambda *_: None
        """Is given what others say of watched strips, and when it could be had."""
        self._bus = bus
        self._hall = hall
        self._worker = worker
        self._wake = wake
        self._follow = follow
        self._tell_news = tell_news
        self._defects = 0
        self._lost = 0
        self._numbers: dict[tuple[str, int], int] = {}
        # Rosters of a worker that was restarted must not be taken for those it had before.
        self._first_serial = time.monotonic_ns() // 1000
        hall.publish = bus.publish
        bus.on_arrival(self.read)

    @property
    def counters(self) -> Mapping[str, int]:
        """What the bus counts, `bus_lost`, frames of mixing rooms that never came, and more.

        `bus_defects` are frames over which we stumbled.
        """
        return {**self._bus.counters, "bus_lost": self._lost, "bus_defects": self._defects}

    @property
    def number(self) -> int:
        """This worker's number among all."""
        return self._worker

    def publish(self, frame: BusFrame) -> None:
        """Send a frame to all other workers of its room."""
        self._bus.publish(frame)

    def flush(self) -> None:
        """Send what rooms have said: what a worker does besides can wait."""
        self._bus.flush()

    def set_workers(self, room: Room, workers: Collection[int]) -> None:
        """Share a room with these workers, of which this is one; with none of them any more if so.

        Its remote sources fade where a worker is not among them.
        """
        others = [worker for worker in workers if worker != self._worker]
        replica = replica_of(self._worker)
        foreign = {one for one in others if replica_of(one) != replica}
        if room.forward is not None:
            now_s, publish = time.monotonic(), self._bus.publish
            room.forward.share(self._worker, others, foreign, publish, self._first_serial, now_s)
        exchange = room.mixer.exchange
        if exchange is None:
            if not others:
                return
            exchange = room.mixer.exchange = RoomExchange(
                room.mixer, room.room_id, self._worker, self._first_serial
            )
        exchange.set_neighbours(others, foreign)
        self._forget_numbers(room, others)
        self._bus.share(room.room_id, others)

    def workers_of(self, room: Room) -> list[int]:
        """Return the workers of a room, none if this is the only one."""
        exchange = room.mixer.exchange
        if exchange is None or not exchange.neighbours:
            return []
        return sorted([self._worker, *exchange.neighbours])

    def forget(self, room: Room) -> None:
        """Take note that a room is gone."""
        if room.mixer.exchange is not None:
            self._bus.share(room.room_id, ())
            self._forget_numbers(room, ())

    def read(self) -> None:
        """Hand out what has arrived."""
        forwarded = False
        for frame, arrival_s in self._bus.take():
            room = self._hall.rooms.get(frame.room_id)
            if room is None:
                continue
            try:
                if frame.meters is not None:
                    self.on_meters(room, frame, arrival_s)
                elif frame.forward is None:
                    self._count_lost(frame)
                    exchange = room.mixer.exchange
                    if exchange is None or not exchange.handle(frame, arrival_s):
                        continue
                    if not room.awake:
                        self._wake(room)
                elif room.forward is not None:
                    wanted = room.forward.mix_is_wanted
                    room.forward.take_frame(frame, arrival_s)
                    forwarded = True
                    if room.forward.mix_is_wanted != wanted:
                        self._follow(room)
            except Exception:  # a defect: it must not hold up this worker's own people
                self._defects = count = self._defects + 1
                if count & (count - 1) == 0:  # rarer and rarer: it may come for ever
                    with about("", room.room_id):
                        logger.exception("defect %d: a frame of another worker broke off", count)
        if forwarded:
            self._tell_news(time.monotonic())

    def _count_lost(self, frame: BusFrame) -> None:
        key = frame.room_id, frame.worker
        skipped = frame.number - self._numbers.get(key, frame.number) - 1
        self._numbers[key] = frame.number
        if 0 < skipped < _MOST_LOST:  # else it is a worker that began anew
            self._lost += skipped

    def _forget_numbers(self, room: Room, kept: Collection[int]) -> None:
        gone = [key for key in self._numbers if key[0] == room.room_id and key[1] not in kept]
        for key in gone:
            del self._numbers[key]

    def close(self) -> None:
        """End the bus."""
        self._bus.close()
