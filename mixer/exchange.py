"""A room that several workers serve: what this one's mixer tells the others, and hears from them.

Rules:
- A source is treated (jitter buffer, strip) by the worker that has its connection. The others get
  what comes out, behind a jitter buffer of their own, and mix it as any other source.
- Levels of all sources travel; sound only of those who are in the mixes here, or are heard alone
  by somebody elsewhere, and for `LINGER_BLOCKS` after that, so that all fade out.
- Where more are audible than anybody may hear, one worker chooses for all: the first of them, by
  number, that has something to choose. The others do as it says, and choose themselves as soon as
  it has not been heard of for a moment.
- Who has nothing to say says nothing.
"""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from mixer import kernels
from mixer.arena import SAMPLE_RATE_HZ
from mixer.exchange_frames import (
    LEVEL,
    MOST_SOUNDS,
    BusFrame,
    Decision,
    RosterEntry,
    Sound,
)
from mixer.exchange_neighbour import Neighbour, Stage
from mixer.source import Source

LINGER_BLOCKS = 5
ROSTER_EVERY = SAMPLE_RATE_HZ  # media time between two rosters, for those who lost one
SMALL_ROSTER = 16  # of so many sources it goes with each frame
EAGER_FRAMES = 25  # with which it goes to a new neighbour, who may not listen yet


class RoomExchange:
    """One worker's side of it.

    Attributes:
        moved_s: See `BusFrame`; whoever runs the room sets it.
    """

    def __init__(self, stage: Stage, room_id: str, worker: int, first_serial: int = 0) -> None:
        """Begin without neighbours.

        Args:
            stage: The room's mixer.
            room_id: Of the room.
            worker: Number of this worker.
            first_serial: Of its rosters; another one after each start of the worker.
        """
        self.moved_s = 0.0
        self._stage = stage
        self._room_id = room_id
        self._worker = worker
        self._neighbours: dict[int, Neighbour] = {}
        self._serial = first_serial
        self._number = 0
        self._locals: list[Source] = []
        self._rows: npt.NDArray[np.int32] = np.zeros(0, np.int32)
        self._levels: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._roster: list[RosterEntry] = []
        self._stale = True
        self._roster_due = 0
        self._eager = 0
        self._lingering: dict[str, int] = {}
        self._spoke = False
        self._parted = False  # sources of a former neighbour's are on their way out
        self._frame: BusFrame | None = None

    @property
    def neighbours(self) -> Collection[int]:
        """Numbers of the other workers."""
        return self._neighbours.keys()

    def set_neighbours(self, workers: Collection[int], foreign: Collection[int] = ()) -> None:
        """Exchange sources with these other workers, and with no others.

        Those that are `foreign` are another server's.
        """
        for worker in [one for one in self._neighbours if one not in workers]:
            self._neighbours.pop(worker).leave()
            self._parted = True
        for worker in workers:
            if worker not in self._neighbours and worker != self._worker:
                self._neighbours[worker] = Neighbour(self._stage, worker in foreign)
                self._eager = EAGER_FRAMES

    def stir(self) -> None:
        """Take note that a source came, went, or changed what it is."""
        self._stale = True
        for neighbour in self._neighbours.values():
            neighbour.let_go()

    # ---- what comes in ---------------------------------------------------------------------

    def handle(self, frame: BusFrame, arrival_s: float) -> bool:
        """Take a frame from another worker; return whether it holds any sound.

        Args:
            frame: Of this room.
            arrival_s: When it could be had, on the clock of the mixer's `now_s`.
        """
        neighbour = self._neighbours.get(frame.worker)
        return neighbour is not None and neighbour.handle(frame, arrival_s)

    def wanting(self, now_s: float) -> tuple[int, bool]:
        """Return how many remote sources want in, and whether others than at the last call."""
        count, changed = 0, self._parted
        self._parted = False
        for neighbour in self._neighbours.values():
            count += neighbour.wanting(now_s)
            changed = changed or neighbour.changed
            neighbour.changed = False
        return count, changed

    def decision(self, now_s: float) -> Decision | None:
        """Return what another worker has chosen that comes before this one, if any."""
        for worker in sorted(self._neighbours):
            if worker > self._worker:
                return None
            decision = self._neighbours[worker].decision(now_s)
            if decision is not None:
                return decision
        return None

    def follows(self, source: Source) -> bool:
        """Whether the room should run just after this source's packets.

        Of two workers of a machine one waits for the other, or both would move for ever. From
        another machine sound takes so long that what is gained by waiting for it is lost on the way
        back, which then misses the other's block: who has publishers of its own follows these.
        """
        if not source.remote or not any(one.present for one in self._locals):
            return True
        return not source.foreign and any(
            worker < self._worker and neighbour.has(source)
            for worker, neighbour in self._neighbours.items()
        )

    # ---- what goes out ---------------------------------------------------------------------

    def compose(self, media_time: int, samples: int, solos: Collection[str]) -> None:
        """Make the frame of a block that has been treated and of which levels are known.

        Args:
            media_time: Of its first sample.
            samples: Its length.
            solos: Whom somebody here hears alone.
        """
        self._frame = None
        if not self._neighbours:
            return
        is_due = self._stale or media_time >= self._roster_due
        if self._stale:
            self._stale = False
            self._serial += 1
            sources = self._stage.sources.values()
            self._locals = [source for source in sources if not source.remote]
            self._roster = [_entry(source) for source in self._locals]
            self._rows = np.array([source.row for source in self._locals], np.int32)
            self._levels = np.zeros(LEVEL.itemsize * len(self._rows), np.uint8)
        anybody = kernels.tell_levels(self._stage.meters, self._rows, self._levels)
        wanted = self._wanted(solos)
        sounds = self._sounds(samples)
        decision = self._stage.decided
        says = bool(sounds or wanted or anybody or decision is not None)
        if not (says or self._spoke or (is_due and self._locals)):
            return
        self._spoke = says
        if is_due:
            self._roster_due = media_time + ROSTER_EVERY
        lists = is_due or self._eager > 0 or len(self._locals) <= SMALL_ROSTER
        self._eager = max(0, self._eager - 1)
        self._number += 1
        self._frame = BusFrame(
            self._room_id,
            self._worker,
            self._number,
            media_time,
            samples,
            self._serial,
            self._roster if lists else None,
            self._levels.tobytes(),
            sounds,
            decision,
            wanted,
            self.moved_s,
        )

    def take(self) -> BusFrame | None:
        """Return the frame of the last block, once; None if there is nothing to say."""
        frame, self._frame = self._frame, None
        return frame

    def _wanted(self, solos: Collection[str]) -> tuple[int, ...]:
        sources = self._stage.sources
        found = (sources.get(name) for name in solos)
        return tuple(one.csrc for one in found if one is not None and one.remote)

    def _sounds(self, samples: int) -> list[Sound]:
        wanted = frozenset[int]().union(*(one.wanted for one in self._neighbours.values()))
        sounds: list[Sound] = []
        for place, source in enumerate(self._locals):
            name = source.source_id
            if not source.present:
                self._lingering.pop(name, None)
                continue
            if source.engaged or source.in_reserve or source.csrc in wanted:
                self._lingering[name] = LINGER_BLOCKS
            elif name in self._lingering:
                self._lingering[name] -= 1
                if not self._lingering[name]:
                    del self._lingering[name]
            if name in self._lingering and len(sounds) < MOST_SOUNDS:
                sounds.append(Sound(place, source.view[:samples].astype("<f4").tobytes()))
        return sounds


def _entry(source: Source) -> RosterEntry:
    return RosterEntry(source.source_id, source.csrc, int(source.standing), source.is_music)
