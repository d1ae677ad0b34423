"""The audio bus: how workers that serve the same room pass each other its sources.

Interface and message format. `webrtc.media.local_bus` is the bus between workers of one machine,
`webrtc.media.redis_bus` that between replicas.
Whatever carries it, a bus never makes a worker wait: what does not fit is dropped and counted.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple, Protocol

import msgspec

from mixer.exchange_frames import BusFrame

BUS_VERSION: Final = 1
"""First byte of a message; those of other versions are dropped."""


class Arrived(NamedTuple):
    """A frame of another worker.

    Attributes:
        frame: What it says.
        arrival_s: When it could be had here, on this machine's monotonic clock.
    """

    frame: BusFrame
    arrival_s: float


class AudioBus(Protocol):
    """One worker's end of a bus."""

    @property
    def counters(self) -> Mapping[str, int]:
        """How many frames.

        `bus_sent`, `bus_received`; `bus_dropped` did not fit and were thrown away by whom sent them
        or by whom they were for, `bus_unreachable` had nobody to go to, `bus_malformed` could not
        be read.
        """
        ...

    def share(self, room_id: str, workers: Collection[int]) -> None:
        """Exchange frames of a room with these other workers from now on; with nobody ends it."""
        ...

    def publish(self, frame: BusFrame) -> None:
        """Send a frame to all with whom its room is shared. Never waits, never raises."""
        ...

    def flush(self) -> None:
        """Send what was published and put aside to go out together; else that waits for the loop.

        Never waits, never raises.
        """
        ...

    def take(self) -> list[Arrived]:
        """Return what has arrived of rooms that are shared, in the order of each sender."""
        ...

    def on_arrival(self, tell: Callable[[], None]) -> None:
        """Call `tell` when there may be something to take."""
        ...

    def close(self) -> None:
        """End it; what comes later is lost."""
        ...


class BusCodec:
    """Frames as bytes: version, instant of sending, frame."""

    def __init__(self) -> None:
        """Make one; not for several threads."""
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(tuple[int, float, BusFrame])

    def encode(self, frame: BusFrame, sent_s: float) -> bytes:
        """Return a message.

        Args:
            frame: What to say.
            sent_s: Now, on the machine's monotonic clock.
        """
        return self._encoder.encode((BUS_VERSION, sent_s, frame))

    def decode(self, message: bytes) -> Arrived:
        """Return a message's frame and when it was sent.

        Raises:
            ValueError: It is none of this version.
        """
        try:
            version, sent_s, frame = self._decoder.decode(message)
        except msgspec.MsgspecError as error:
            raise ValueError("no frame of a room") from error
        if version != BUS_VERSION:
            raise ValueError(f"version {version} of the bus")
        return Arrived(frame, sent_s)
