"""A forward room that several workers serve: which packets of this one's go to the others.

Packets travel as they came, with the level that this worker believes. The others put them to their
own choice as they do with those of their own publishers.

| what                                        | is told the others                              |
|---------------------------------------------|-------------------------------------------------|
| who publishes here and is not muted         | when it changes, and once a second if anybody   |
| a packet of one of the loudest of these     | at once; as many sources as anybody may hear,   |
|                                             | and one more, whoever is louder elsewhere       |
| whose packets these are from now on         | with the next frame                             |
| whether somebody here is sent a mix         | with each frame: then its voices are decoded    |

Each worker offers the loudest of its own people only, so the loudest of all are always among what a
worker has before it, and traffic grows with workers and places, not with people. Of two who are
about as loud, listeners of different workers may hear different ones.

| a neighbour's frame                   | what happens to its sources here                     |
|---------------------------------------|------------------------------------------------------|
| has a roster                          | they come, go and change as it says                  |
| offers a source no more               | it has no say, and its place is free at once         |
| does not come for `STALLED_S`         | none of its sources has a say                        |

Who is known here under the same id, by a connection of this worker's or by way of another
neighbour, is left alone.
"""

import math
from collections.abc import Collection, Iterator

from mixer.exchange_frames import BusFrame, ForwardedPacket, ForwardNews, RosterEntry
from mixer.forward import DECIDE_EVERY_S, ForwardRoom, ForwardSource
from mixer.levels import SILENCE_DBOV
from mixer.playout_packet import MediaPacket
from mixer.selection import LoudestSelector
from mixer.selection_candidate import Standing

ROSTER_EVERY_S = 1.0
REPEATS_S = 3.0
STALLED_S = 2.5
EAGER_FRAMES = 25  # with which the roster goes to a new neighbour, who may not listen yet


class ForwardNeighbour:
    """Another worker that serves this room.

    Attributes:
        is_foreign: Whether it is another server's.
        mixes: Whether somebody there is sent a mix.
        heard_s: When it was heard of last.
    """

    __slots__ = ("heard_s", "is_foreign", "mixes", "names", "offers", "serial")

    def __init__(self, is_foreign: bool) -> None:
        """Begin without having heard of it."""
        self.is_foreign = is_foreign
        self.mixes = False
        self.heard_s = -math.inf
        self.serial: int | None = None
        self.names: list[str] = []
        self.offers: frozenset[str] = frozenset()


class ForwardExchange:
    """One worker's side of it; `ForwardRoom.exchange` is one."""

    def __init__(self, room: ForwardRoom, room_id: str, worker: int, first_serial: int = 0) -> None:
        """Begin without neighbours.

        Args:
            room: What chooses here.
            room_id: Its id.
            worker: Number of this worker.
            first_serial: Of its rosters; another one after each start of the worker.
        """
        self._room = room
        self._room_id = room_id
        self._worker = worker
        self._neighbours: dict[int, ForwardNeighbour] = {}
        self._owners: dict[str, int] = {}  # of sources that are others'
        self._selector = LoudestSelector(room.settings)
        self._places: dict[str, int] = {}
        self._entries: list[RosterEntry] = []
        self._serial = first_serial
        self._number = 0
        self._roster_due_s = -math.inf
        self._eager = 0
        self._offered: list[int] = []
        self._mixes = False
        self._changed = False
        self._changed_s = -math.inf
        self._stale = True
        self._decided_s = -math.inf
        self._frames: list[BusFrame] = []

    @property
    def neighbours(self) -> Collection[int]:
        """Numbers of the other workers."""
        return self._neighbours.keys()

    @property
    def mix_is_wanted(self) -> bool:
        """Whether somebody at another worker is sent a mix."""
        return any(one.mixes for one in self._neighbours.values())

    def set_neighbours(
        self, workers: Collection[int], foreign: Collection[int], now_s: float
    ) -> None:
        """Exchange packets with these other workers, and with no others.

        Those that are `foreign` are another server's.
        """
        for worker in [one for one in self._neighbours if one not in workers]:
            self._follow_roster(worker, self._neighbours[worker], [], now_s)
            del self._neighbours[worker]
        for worker in workers:
            if worker not in self._neighbours and worker != self._worker:
                self._neighbours[worker] = ForwardNeighbour(worker in foreign)
                self._eager = EAGER_FRAMES
                self._changed = True

    def set_mixes(self, mixes: bool) -> None:
        """Say whether somebody here is sent a mix."""
        self._changed = self._changed or mixes != self._mixes
        self._mixes = mixes

    # ---- what goes out ---------------------------------------------------------------------

    def stir(self) -> None:
        """Take note that a source came, went, or changed what it is."""
        self._stale = True

    def offer(self, source: ForwardSource, packet: MediaPacket, now_s: float) -> None:
        """Tell the others of a packet of a source of this worker's, if it is loud enough."""
        self._refresh(now_s)
        name, selector = source.source_id, self._selector
        if name not in self._places or not self._neighbours:
            return
        voice = source.voice_of(packet)
        if not packet.redundant:
            spoke = selector.speaks(name, now_s)
            slot = selector.handle_packet(name, source.level, now_s, voice)
            begins = slot is None and not spoke and selector.speaks(name, now_s)
            if begins or now_s - self._decided_s >= DECIDE_EVERY_S:
                self._decide(now_s)
        if selector.slot_of(name) is not None:
            told = ForwardedPacket(
                self._places[name],
                source.stream,
                packet.sequence,
                packet.timestamp,
                packet.payload,
                source.level,
                voice,
                packet.marker,
                packet.redundant,
            )
            self._say([told], now_s)

    def look(self, now_s: float) -> None:
        """Say what is due although no packet came, and note who is not heard of any more."""
        self._refresh(now_s)
        if not self._neighbours:
            return
        self._decide(now_s)
        if self._changed:
            self._changed_s = now_s
        # Where nobody publishes there is nothing to repeat, once nothing can have been lost.
        repeats = self._entries or self._mixes or now_s - self._changed_s < REPEATS_S
        is_due = repeats and now_s >= self._roster_due_s
        if self._changed or is_due or self._offers() != self._offered:
            self._say([], now_s)
        for worker, neighbour in self._neighbours.items():
            if neighbour.offers and now_s - neighbour.heard_s > STALLED_S:
                neighbour.mixes = False
                self._follow_offers(worker, neighbour, frozenset(), now_s)

    def poll_frames(self) -> list[BusFrame]:
        """Return what is to be sent, oldest first."""
        frames, self._frames = self._frames, []
        return frames

    def _refresh(self, now_s: float) -> None:
        """Let the choice of what is offered follow who publishes here."""
        room, selector = self._room, self._selector
        if selector.settings is not room.settings:
            selector.apply(room.settings, now_s)
        if not self._stale:
            return
        self._stale = False
        entries = [
            RosterEntry(one.source_id, one.csrc, int(one.standing))
            for one in room.sources.values()
            if not one.remote and not one.muted
        ]
        if entries == self._entries:
            return
        self._entries = entries
        self._serial += 1
        self._changed = True
        self._places = {entry.source_id: place for place, entry in enumerate(entries)}
        for name in [name for name in selector.sources if name not in self._places]:
            selector.remove_source(name)
        known = set(selector.sources)
        for entry in entries:
            if entry.source_id not in known:
                selector.add_source(entry.source_id, now_s)
            selector.set_standing(entry.source_id, Standing(entry.standing))
        self._decide(now_s)

    def _decide(self, now_s: float) -> None:
        self._decided_s = now_s
        self._selector.decide(now_s)

    def _offers(self) -> list[int]:
        chosen = [*self._selector.main, self._selector.reserve]
        return sorted(self._places[one] for one in chosen if one is not None)

    def _say(self, packets: list[ForwardedPacket], now_s: float) -> None:
        self._offered = self._offers()
        is_due = self._changed or self._eager > 0 or now_s >= self._roster_due_s
        if is_due:
            self._roster_due_s = now_s + ROSTER_EVERY_S
        self._eager = max(0, self._eager - 1)
        self._changed = False
        self._number += 1
        news = ForwardNews(self._entries if is_due else None, self._offered, packets, self._mixes)
        self._frames.append(
            BusFrame(
                self._room_id, self._worker, self._number, 0, 0, self._serial, None, b"", [],
                forward=news,
            )
        )  # fmt: skip

    # ---- what comes in ---------------------------------------------------------------------

    def handle(self, frame: BusFrame, arrival_s: float) -> Iterator[tuple[str, MediaPacket]]:
        """Take a frame from another worker; yield its packets and whose they are.

        Args:
            frame: Of this room.
            arrival_s: When it could be had, on the clock of packets' arrival stamps.
        """
        neighbour, news = self._neighbours.get(frame.worker), frame.forward
        if neighbour is None or news is None:
            return
        neighbour.heard_s = max(neighbour.heard_s, arrival_s)
        neighbour.mixes = news.mixes
        if news.roster is not None:
            self._follow_roster(frame.worker, neighbour, news.roster, arrival_s)
            neighbour.serial = frame.roster_serial
        if neighbour.serial != frame.roster_serial:
            return
        names = neighbour.names
        offers = frozenset(names[place] for place in news.offers if place < len(names))
        self._follow_offers(frame.worker, neighbour, offers, arrival_s)
        for one in news.packets:
            if one.place < len(names) and self._is_theirs(names[one.place], frame.worker):
                source = self._room.sources[names[one.place]]
                if source.stream != one.stream & 0xFF:
                    self._room.begin_stream(source.source_id)
                    source.stream = one.stream & 0xFF
                packet = MediaPacket(
                    sequence=one.sequence & 0xFFFF,
                    timestamp=one.timestamp & 0xFFFFFFFF,
                    payload=one.payload,
                    arrival_s=arrival_s,
                    marker=one.marker,
                    level_dbov=min(max(one.level_dbov, 0), SILENCE_DBOV),
                    voice=one.voice,
                    redundant=one.redundant,
                )
                yield source.source_id, packet

    def _is_theirs(self, name: str, worker: int) -> bool:
        source = self._room.sources.get(name)
        return source is not None and source.remote and self._owners.get(name) == worker

    def _follow_roster(
        self, worker: int, neighbour: ForwardNeighbour, roster: list[RosterEntry], now_s: float
    ) -> None:
        room = self._room
        neighbour.names = [entry.source_id for entry in roster]
        listed = set(neighbour.names)
        for name in [name for name, owner in self._owners.items() if owner == worker]:
            if name not in listed:
                if self._is_theirs(name, worker):
                    room.remove_source(name, now_s)
                del self._owners[name]
        for entry in roster:
            name = entry.source_id
            if name not in room.sources:
                made = room.add_source(name, entry.csrc, now_s, Standing(entry.standing))
                made.remote, made.foreign = True, neighbour.is_foreign
                room.mute_source(name, name not in neighbour.offers, now_s)
                self._owners[name] = worker
            elif self._is_theirs(name, worker):
                room.sources[name].csrc = entry.csrc
                room.set_standing(name, Standing(entry.standing))

    def _follow_offers(
        self, worker: int, neighbour: ForwardNeighbour, offers: frozenset[str], now_s: float
    ) -> None:
        for name in offers ^ neighbour.offers:
            if self._is_theirs(name, worker):
                self._room.mute_source(name, name not in offers, now_s)
        neighbour.offers = offers
