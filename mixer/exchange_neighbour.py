"""Sources of a room whose connections another worker has.

| a neighbour's frame                | what happens to its sources here                   |
|------------------------------------|----------------------------------------------------|
| has a roster                       | they come, go and change as it says                |
| has levels                         | their meters are set; here nothing is measured     |
| has the sound of a source          | it goes to a jitter buffer of that source's own    |
| has it no more                     | silence follows; nothing is concealed              |
| does not come for `STALLED_S`      | they are silent, and want in no more               |

Who is known here under the same id, with a connection of this worker's or by way of another
neighbour, is left alone: nobody is heard twice.
"""

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mixer import kernels
from mixer.exchange_frames import (
    BYTES_PER_SAMPLE,
    LEVEL,
    MUTED,
    BusFrame,
    Decision,
    RosterEntry,
)
from mixer.jitter import TransitSettings
from mixer.levels import SILENCE_DBOV
from mixer.pcm_frames import PcmDecoder
from mixer.playout import Playout
from mixer.playout_packet import MediaPacket
from mixer.playout_settings import PlayoutSettings
from mixer.selection_candidate import Standing
from mixer.source import PlayoutLike, Source

STALLED_S = 0.25
LOOK_EVERY_S = 0.5  # whom we left alone may have gone meanwhile
DECISION_HOLDS_S = 0.1
MOST_MOVED_S = 0.021  # by one shift of a block; beyond, the room there began anew
# What disturbs a bus is other work on its machines, for a moment; and a block that comes too late
# is followed by all others in time. So less is waited for than with publishers, and not as long.
SETTINGS = PlayoutSettings(
    margin_ms=0.5,
    max_payload_bytes=960 * BYTES_PER_SAMPLE,
    transits=TransitSettings(late_packet_cost_s=0.4, thinned=False),
)


class Stage(Protocol):
    """What a neighbour asks of the room's mixer."""

    sources: dict[str, Source]
    stirred: bool

    @property
    def meters(self) -> npt.NDArray[np.void]:
        """`arena.METER` by row."""

    @property
    def decided(self) -> Decision | None:
        """Whom this worker has chosen, None if it did not have to, or another did."""

    def add_source(
        self, source_id: str, csrc: int, playout: PlayoutLike, *, remote: bool = False
    ) -> Source:
        """Add a source."""

    def remove_source(self, source_id: str) -> None:
        """Fade a source out and remove it."""

    def mute_source(self, source_id: str, muted: bool) -> None:
        """Mute or unmute a source."""


class RemoteSource:
    """One of them.

    Attributes:
        source: As the mixer knows it.
        playout: What feeds it.
    """

    __slots__ = ("_number", "_sequence", "_sounds", "playout", "source")

    def __init__(self, stage: Stage, entry: RosterEntry) -> None:
        """Add it to a mixer."""
        self.playout = Playout(PcmDecoder(), SETTINGS)
        self.source = stage.add_source(entry.source_id, entry.csrc, self.playout, remote=True)
        self._sequence = 0
        self._number = 0
        self._sounds = False

    def push(self, frame: BusFrame, pcm: bytes | None, arrival_s: float) -> None:
        """Take a block of its sound, None for silence.

        After the first silent one nothing is needed: the jitter buffer has silence to go on with.
        """
        if pcm is None and not self._sounds:
            return
        lost = frame.number - self._number - 1 if self._sounds else 0
        self._number = frame.number
        self._sequence += 1 + max(0, min(lost, 100))
        self._sounds = pcm is not None
        payload = bytes(frame.samples * BYTES_PER_SAMPLE) if pcm is None else pcm
        timestamp = frame.media_time & 0xFFFFFFFF
        self.playout.push(MediaPacket(self._sequence & 0xFFFF, timestamp, payload, arrival_s))


class Neighbour:
    """Another worker that serves this room.

    Attributes:
        wanted: CSRC of sources of ours that somebody hears alone there.
        changed: Whether others of its sources want in than when this was last set to false.
    """

    def __init__(self, stage: Stage, foreign: bool = False) -> None:
        """Begin without having heard of it; a `foreign` one is another server's."""
        self._foreign = foreign
        self.wanted: frozenset[int] = frozenset()
        self.changed = False
        self._stage = stage
        self._remotes: dict[str, RemoteSource] = {}
        self._places: list[RemoteSource | None] = []
        self._rows: npt.NDArray[np.int32] = np.zeros(0, np.int32)
        self._known: npt.NDArray[np.intp] = np.zeros(0, np.intp)
        self._serial: int | None = None
        self._look_again_s = -math.inf
        self._heard_s = -math.inf
        self._decision: Decision | None = None
        self._decided_s = -math.inf
        self._moved_s = 0.0

    def handle(self, frame: BusFrame, arrival_s: float) -> bool:
        """Take a frame; return whether it holds any sound."""
        self._heard_s = max(self._heard_s, arrival_s)
        self._follow_move(frame.moved_s)
        self.wanted = frozenset(frame.wanted)
        self._decision, self._decided_s = frame.decision, arrival_s
        is_new = frame.roster_serial != self._serial or arrival_s >= self._look_again_s
        if frame.roster is not None and is_new:
            self._follow_roster(frame.roster)
            self._serial = frame.roster_serial
            self._look_again_s = arrival_s + LOOK_EVERY_S
        if self._serial != frame.roster_serial:
            return False
        self._follow_levels(np.frombuffer(frame.levels, np.uint8))
        return self._follow_sounds(frame, arrival_s)

    def wanting(self, now_s: float) -> int:
        """Return how many of its sources want to be in the mixes."""
        if now_s - self._heard_s > STALLED_S:
            self._fall_silent()
        return int(np.count_nonzero(self._stage.meters["wants_in"][self._rows]))

    def decision(self, now_s: float) -> Decision | None:
        """Return whom it has chosen, None if it did not, or not lately."""
        return self._decision if now_s - self._decided_s < DECISION_HOLDS_S else None

    def has(self, source: Source) -> bool:
        """Whether a source is one of its own."""
        remote = self._remotes.get(source.source_id)
        return remote is not None and remote.source is source

    def let_go(self) -> None:
        """Let go of sources whose connection is this worker's now: they are measured here."""
        ours = [name for name, remote in self._remotes.items() if not remote.source.remote]
        if ours:
            gone = [self._remotes.pop(name) for name in ours]
            self._places = [None if place in gone else place for place in self._places]
            self._note_rows()

    def leave(self) -> None:
        """Remove its sources: it serves the room no more."""
        self._follow_roster([])

    # ---- what a frame says -----------------------------------------------------------------

    def _follow_move(self, moved_s: float) -> None:
        by_s, self._moved_s = moved_s - self._moved_s, moved_s
        if 0 < abs(by_s) <= MOST_MOVED_S:
            for remote in self._remotes.values():
                remote.playout.move_path(by_s)

    def _follow_roster(self, roster: list[RosterEntry]) -> None:
        stage = self._stage
        listed = {entry.source_id for entry in roster}
        for name in [name for name in self._remotes if name not in listed]:
            remote = self._remotes.pop(name)
            if stage.sources.get(name) is remote.source and remote.source.remote:
                stage.meters["wants_in"][remote.source.row] = 0
                stage.remove_source(name)
                self.changed = True
        self._places = [self._enter(entry) for entry in roster]
        self._note_rows()

    def _note_rows(self) -> None:
        rows = [(i, one.source.row) for i, one in enumerate(self._places) if one is not None]
        self._known = np.array([place for place, _ in rows], np.intp)
        self._rows = np.array([row for _, row in rows], np.int32)

    def _enter(self, entry: RosterEntry) -> RemoteSource | None:
        remote = self._remotes.get(entry.source_id)
        present = self._stage.sources.get(entry.source_id)
        if remote is not None and (present is not remote.source or not present.remote):
            del self._remotes[entry.source_id]  # its connection is ours now
            remote = None
        if remote is None:
            if present is not None and not present.leaving:
                return None
            remote = self._remotes[entry.source_id] = RemoteSource(self._stage, entry)
        source = remote.source
        source.csrc = entry.csrc
        source.foreign = self._foreign
        source.standing = Standing(entry.standing)
        source.is_music = entry.is_music
        return remote

    def _follow_levels(self, levels: npt.NDArray[np.uint8]) -> None:
        if len(levels) != LEVEL.itemsize * len(self._places):
            return
        meters, rows, known = self._stage.meters, self._rows, self._known
        found = kernels.follow_levels(meters, rows, known, levels, True)
        if found == kernels.MUTES:
            self._follow_mutes(levels)
            found = kernels.follow_levels(meters, rows, known, levels, False)
        self.changed = self.changed or found == kernels.OTHERS_WANT_IN

    def _follow_mutes(self, levels: npt.NDArray[np.uint8]) -> None:
        flags = levels.view(LEVEL)["flags"][self._known]
        muted = flags & MUTED != 0
        for i in np.flatnonzero(muted != (self._stage.meters["muted"][self._rows] != 0)).tolist():
            remote = self._places[self._known[i]]
            if remote is not None:
                self._stage.mute_source(remote.source.source_id, bool(muted[i]))

    def _follow_sounds(self, frame: BusFrame, arrival_s: float) -> bool:
        sounds = {
            sound.place: sound.pcm
            for sound in frame.sounds
            if len(sound.pcm) == frame.samples * BYTES_PER_SAMPLE
        }
        for place, remote in enumerate(self._places):
            if remote is not None:
                remote.push(frame, sounds.get(place), arrival_s)
        if sounds:
            self._stage.stirred = True
        return bool(sounds)

    def _fall_silent(self) -> None:
        rows, meters = self._rows, self._stage.meters
        if np.any(meters["wants_in"][rows]) or np.any(meters["level_dbov"][rows] < SILENCE_DBOV):
            meters["wants_in"][rows] = 0
            meters["speaking"][rows] = 0
            meters["level_dbov"][rows] = SILENCE_DBOV
            self.changed = True
