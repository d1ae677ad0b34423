"""A bus of two: samples to the workers of this machine, packets by way of Redis to all others."""

import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

from mixer.exchange_frames import BusFrame
from rooms.bus import Arrived, AudioBus
from rooms.redis_connection import RedisAddress
from rooms.replicas import replica_of
from webrtc.media.bus_sound import SoundPacker, SoundUnpacker
from webrtc.media.local_bus import LocalBus
from webrtc.media.redis_bus import RedisBus


class WideBus:
    """See `rooms.bus.AudioBus`."""

    def __init__(
        self,
        near: AudioBus,
        far: AudioBus,
        worker: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Put two together.

        Args:
            near: To workers of the same replica.
            far: To those of others.
            worker: Number of this worker among all.
            clock: Seconds, monotonic.
        """
        self._near = near
        self._far = far
        self._worker = worker
        self._replica = replica_of(worker)
        self._clock = clock
        self._packer = SoundPacker()
        self._unpacker = SoundUnpacker()
        self._near_rooms: set[str] = set()
        self._far_rooms: set[str] = set()
        self._near_told = False

    @property
    def counters(self) -> Counter[str]:
        """What both count; `far_…` is of Redis alone."""
        far = {f"far_{name}": count for name, count in self._far.counters.items()}
        both = Counter(self._near.counters)
        both.update(self._far.counters)
        both.update(far)
        both["bus_malformed"] += self._unpacker.malformed
        return both

    def share(self, room_id: str, workers: Collection[int]) -> None:
        """See `AudioBus`."""
        near = [worker for worker in workers if replica_of(worker) == self._replica]
        far = [worker for worker in workers if replica_of(worker) != self._replica]
        self._near.share(room_id, near)
        self._far.share(room_id, far)
        for rooms, others in ((self._near_rooms, near), (self._far_rooms, far)):
            if set(others) - {self._worker}:
                rooms.add(room_id)
            else:
                rooms.discard(room_id)

    def publish(self, frame: BusFrame) -> None:
        """See `AudioBus`."""
        self._near.publish(frame)
        if frame.room_id in self._far_rooms:
            self._far.publish(self._packer.pack(frame, self._clock()))

    def flush(self) -> None:
        """See `AudioBus`."""
        self._near.flush()
        self._far.flush()

    def take(self) -> list[Arrived]:
        """See `AudioBus`."""
        unpack = self._unpacker.unpack
        far = [Arrived(unpack(one.frame, one.arrival_s), one.arrival_s) for one in self._far.take()]
        if not (self._near_rooms or self._near_told):  # to look costs a system call
            return far
        self._near_told = False
        return self._near.take() + far

    def on_arrival(self, tell: Callable[[], None]) -> None:
        """See `AudioBus`."""

        def tell_near() -> None:
            self._near_told = True  # what is not ours any more has to be read as well
            tell()

        self._near.on_arrival(tell_near)
        self._far.on_arrival(tell)

    def close(self) -> None:
        """See `AudioBus`."""
        self._near.close()
        self._far.close()


def open_bus(
    folder: Path,
    number: int,
    redis: RedisAddress | None,
    note_round_trip: Callable[[float], None],
) -> AudioBus:
    """Return a worker's end of the bus; Redis is on it where replicas share rooms.

    Args:
        folder: Where the workers of this machine have their sockets.
        number: Of this worker among all.
        redis: None without other replicas.
        note_round_trip: Is told how long Redis took to answer each message, in s.
    """
    near = LocalBus(folder, number)
    if redis is None:
        return near
    return WideBus(near, RedisBus(redis, number, note_round_trip), number)
