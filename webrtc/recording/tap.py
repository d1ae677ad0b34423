"""The tap of a recorded room: copies each block's sound into memory that the recorder empties.

Everybody's *dry* sound is taken as it came, *processed* as it is in the mix that those hear who are
silent: behind strip and balance, with the mix's own fades. So the processed tracks add up to the
mix, but for its limiter. The sound of who is muted is nobody's business.

Other workers of this server have taps of their own. Of the people of other servers only what the
bus brings is there, their processed sound while they are heard: whoever takes the mix takes that.

The mix comes from a listener of our own, who is never shown and never sent anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mixer.arena import BLOCK_10MS, SAMPLE_RATE_HZ
from mixer.outputs import SAMPLES, Output
from mixer.room import RoomMixer
from mixer.source import Source
from webrtc.recording.ring import Kind, RingWriter

RECORDER: Final = "recorder"
BROADCASTER: Final = "broadcast"
_HANDLES: Final = {RECORDER: -(2**30), BROADCASTER: -(2**30) - 1}
"""Listeners of our own. No participant is called so, as their ids are longer; the handles are no
rows of the fan-out, and no seats of the UDP gateway."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tracks are wanted of everybody who is connected here, and whether the mix is.

    With the mix come the processed tracks of those who are connected with other servers.
    """

    mix: bool
    dry: bool
    processed: bool


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of media time that is recorded.

    Attributes:
        begin: Media time at which it begins.
        end: Media time at which it ends, None while it lasts.
        position: Position in the recording of its first sample.
    """

    begin: int
    end: int | None
    position: int


class _Taps:
    """Several taps of one room, as one."""

    def __init__(self) -> None:
        self.all: list[RecordingTap] = []

    def fetched(self, present: Sequence[Source]) -> None:
        for one in self.all:
            one.fetched(present)

    def mixed(self) -> None:
        for one in self.all:
            one.mixed()


def _join(mixer: RoomMixer, tap: "RecordingTap") -> None:
    taps = mixer.tap if isinstance(mixer.tap, _Taps) else _Taps()
    taps.all.append(tap)
    mixer.tap = taps


def _leave(mixer: RoomMixer, tap: "RecordingTap") -> None:
    taps = mixer.tap
    if isinstance(taps, _Taps):
        taps.all.remove(tap)
        mixer.tap = taps if taps.all else None


class RecordingTap:
    """Taps one room.

    Attributes:
        intervals: What of the room's media time is recorded.
        wanted: Which tracks are.
    """

    def __init__(
        self, mixer: RoomMixer, ring: RingWriter, wanted: Wanted, listener: str = RECORDER
    ) -> None:
        """Tap `mixer` from its next block on; `listener` hears the mix."""
        self._listener = listener
        self.intervals: Sequence[Interval] = ()
        self._mixer = mixer
        self._ring = ring
        self.wanted = wanted
        self._present: list[Source] = []
        self._position: int | None = None  # of the present block, None if it is not recorded
        # Twice as many blocks, for nobody's ear, were most of what a recording cost the worker.
        mixer.add_listener(listener, _HANDLES[listener], 0, patient=True)
        mixer.set_tier(listener, SAMPLES)
        _join(mixer, self)

    def close(self) -> None:
        """Tap no more."""
        _leave(self._mixer, self)
        self._mixer.remove_listener(self._listener)

    # ---- what the mixer calls (mixer.room.Tap) ----------------------------------------------

    def fetched(self, present: Sequence[Source]) -> None:
        """Take everybody's sound as it came."""
        self._position = self._place()
        if self._position is None:
            return
        self._present = [one for one in present if not one.remote or self._brings(one)]
        parts = self._mixer.block // BLOCK_10MS
        tracks = self.wanted.dry + self.wanted.processed
        if not self._ring.begin(parts * (1 + tracks * len(present))):
            self._position = None
            return
        if self.wanted.dry:
            own = [one for one in self._present if not one.muted and not one.remote]
            rows = np.array([one.row for one in own], np.intp)
            delays = [self._mixer.strip_delay_samples(one.source_id) for one in own]
            for part in range(parts):
                self._copy(Kind.DRY, own, rows, part, delays)

    def mixed(self) -> None:
        """Take everybody's sound as it is in the mix, and the mix."""
        if self._position is None:
            return
        listener = self._mixer.listeners.get(self._listener)
        output = None if listener is None else listener.output
        if output is not None:
            for part in range(self._mixer.block // BLOCK_10MS):
                if self.wanted.processed:
                    self._copy_terms(output, part)
                if self.wanted.mix:
                    self._copy_mix(output, part)
        self._ring.commit()

    def _brings(self, source: Source) -> bool:
        """Return whether a remote source is recorded by nobody else."""
        return source.foreign and self.wanted.mix

    # ---- copying ------------------------------------------------------------------------------

    def _place(self) -> int | None:
        """Return the position of the present block in the recording."""
        time = self._mixer.block_time
        for interval in reversed(self.intervals):
            if time + self._mixer.block > interval.begin:
                if interval.end is not None and time >= interval.end:
                    return None
                return interval.position + time - interval.begin
        return None

    def _copy(
        self,
        kind: Kind,
        sources: Sequence[Source],
        rows: npt.NDArray[np.intp],
        part: int,
        delays: Sequence[int] | int = 0,
    ) -> None:
        assert self._position is not None
        if not sources:
            return
        first = part * BLOCK_10MS
        arena = self._mixer.source_sounds
        at = self._position + first + np.broadcast_to(np.array(delays, np.int64), len(rows))
        tracks = np.array([one.csrc for one in sources], np.uint32)
        for where, slots in self._ring.claim(len(rows)):
            slots["position"] = at[where]
            slots["track"] = tracks[where]
            slots["kind"] = kind
            slots["sound"] = arena[rows[where], first : first + BLOCK_10MS]

    def _copy_terms(self, output: Output, part: int) -> None:
        """Take each source as it is in the mix."""
        mixer = self._mixer
        rows, gains = mixer.mixes.terms(output)
        by_row = {one.row: one for one in self._present}  # also who is gone with this block
        kept = np.array([row in by_row for row in rows], np.bool_)
        rows, gains = rows[kept], gains[kept]
        sources = [by_row[row] for row in rows.tolist()]
        if not sources:
            return
        assert self._position is not None
        steady = bool((gains == 1.0).all())
        first, count = part * BLOCK_10MS, mixer.block
        steps = np.arange(first, first + BLOCK_10MS, dtype=np.float32)[:, None] / count
        at, arena = self._position + first, mixer.source_sounds
        tracks = np.array([one.csrc for one in sources], np.uint32)
        for where, slots in self._ring.claim(len(rows)):
            slots["position"] = at
            slots["track"] = tracks[where]
            slots["kind"] = Kind.PROCESSED
            slots["sound"] = arena[rows[where], first : first + BLOCK_10MS]
            if not steady:
                before, after = gains[where, None, :2], gains[where, None, 2:]
                slots["sound"] *= before + (after - before) * steps

    def _copy_mix(self, output: Output, part: int) -> None:
        assert self._position is not None
        mixer = self._mixer
        begin = 0 if mixer.is_even else BLOCK_10MS
        begin += part * BLOCK_10MS
        for _, slots in self._ring.claim(1):
            slots["position"] = self._position + part * BLOCK_10MS
            slots["track"] = 0
            slots["kind"] = Kind.MIX
            slots["sound"] = mixer.mix_sounds[output.row, begin : begin + BLOCK_10MS]


def intervals_of(
    spans: Sequence[tuple[float, float | None]], media_times: Sequence[int]
) -> list[Interval]:
    """Return what of a room's media time is recorded.

    Args:
        spans: Beginning and end of each stretch on the machine's monotonic clock, in seconds.
        media_times: The room's media time at each beginning.
    """
    found, position = [], 0
    for (begin_s, end_s), time in zip(spans, media_times, strict=True):
        length = None if end_s is None else round((end_s - begin_s) * SAMPLE_RATE_HZ)
        found.append(Interval(time, None if length is None else time + length, position))
        position += length or 0
    return found
