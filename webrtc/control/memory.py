"""What a worker remembers for the front process, and the frames it comes in. Sans-I/O.

All of it together may be far longer than a frame, a single room or participant never is: each came
to the worker in a frame of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from webrtc.control.messages import Kept, KeptRoom, PeerStateName, PutParticipant

PART_BYTES = 256 * 1024
"""Encoded length of a part; one that holds a single room or participant may be longer."""

_encode = msgspec.msgpack.Encoder().encode


@dataclass(slots=True)
class Memory:
    """What a worker remembers.

    Attributes:
        rooms: its rooms.
        participants: everybody in them, as they were put.
        media: the media connection of those who have one, by participant id.
    """

    rooms: list[KeptRoom] = field(default_factory=list)
    participants: list[PutParticipant] = field(default_factory=list)
    media: dict[str, PeerStateName] = field(default_factory=dict)

    def add(self, part: Kept) -> None:
        """Take a part of it."""
        self.rooms += part.rooms
        self.participants += part.participants


def in_parts(kept: Iterable[KeptRoom | PutParticipant]) -> Iterator[Kept]:
    """Yield `kept` in parts that each fit a frame, in order; an item is encoded when it is due."""
    part, length = Kept([], []), 0
    for one in kept:
        added = len(_encode(one))
        if length and length + added > PART_BYTES:
            yield part
            part, length = Kept([], []), 0
        length += added
        if isinstance(one, KeptRoom):
            part.rooms.append(one)
        else:
            part.participants.append(one)
    if length:
        yield part
