"""One room's forwarding: from packets as they come to the tracks that each of them is for.

Nothing is decoded to choose who is heard: that goes by the levels in the packets' headers
(`mixer.forward_levels` says when they are doubted). The choice is that of `mixer.selection`, made
anew every `DECIDE_EVERY_S`, and at once when somebody without a place begins to speak;
`mixer.forward_tracks` puts the chosen on the tracks.

A packet is for nobody when its source is muted or not chosen, and when it is one too many: beyond
`PACKETS_PER_S` and `OCTETS_PER_S` a publisher would be a lever that floods everybody.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from mixer.forward_levels import LevelMeter, Trust
from mixer.forward_tracks import Rows, TrackBoard
from mixer.levels import SILENCE_DBOV
from mixer.playout_packet import FrameDecoder, MediaPacket
from mixer.selection import LoudestSelector
from mixer.selection_candidate import Standing
from mixer.selection_settings import SelectionSettings

DECIDE_EVERY_S: Final = 0.01
PACKETS_PER_S: Final = 110.0
"""Packets of 10 ms, and a bit; 20 ms is what we ask for."""
OCTETS_PER_S: Final = 40_000.0
SILENT_S: Final = 0.5
"""Who sends nothing for so long is silent; in DTX a packet comes every 0.4 s."""
BURST_S: Final = 0.6
"""What a network held back so long and then delivers at once is no flood."""
_NOBODY: Rows = np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True)
class Assigned:
    """The tracks of some listeners hold other people now, the same on each of them.

    Attributes:
        listeners: Whose tracks.
        sources: Who is on each, None on free ones.
    """

    listeners: list[str]
    sources: tuple[str | None, ...]


class ForwardSource:
    """A publisher.

    Attributes:
        source_id: The participant's id.
        csrc: The number that names it in the packets that leave.
        meter: Tells how loud it is.
        standing: Whether it comes before others.
        level: Of its last packet, dBov; silence while it is muted.
        seen_s: When that came.
        remote: Whether its connection is another worker's, which has judged its packets.
        foreign: Whether that worker is another server's.
        stream: Counts its streams; each has numbers of its own.
        reported_level, reported_speaking: For whoever tells others of levels.
    """

    __slots__ = (
        "_octets",
        "_packets",
        "_seen",
        "_seen_highest",
        "_updated_s",
        "csrc",
        "foreign",
        "has_voice_flag",
        "level",
        "meter",
        "muted",
        "remote",
        "reported_level",
        "reported_speaking",
        "seen_s",
        "source_id",
        "standing",
        "stream",
    )

    def __init__(self, source_id: str, csrc: int, meter: LevelMeter, now_s: float) -> None:
        """Make a source of which nothing came yet."""
        self.source_id = source_id
        self.csrc = csrc
        self.meter = meter
        self.muted = False
        self.remote = self.foreign = False
        self.standing = Standing.ORDINARY
        self.stream = 0
        self.has_voice_flag = False  # some senders never set it
        self.level = SILENCE_DBOV
        self.reported_level = SILENCE_DBOV
        self.reported_speaking = False
        self.seen_s = now_s
        self._packets = PACKETS_PER_S * BURST_S
        self._octets = OCTETS_PER_S * BURST_S
        self._updated_s = now_s
        self._seen_highest = 0
        self._seen = 0  # bit i: the packet `i` before the highest one

    def affords(self, octets: int, now_s: float) -> bool:
        """Whether it may send one more packet; counts it if so."""
        elapsed_s = max(0.0, now_s - self._updated_s)
        self._updated_s = now_s
        self._packets = min(PACKETS_PER_S * BURST_S, self._packets + elapsed_s * PACKETS_PER_S)
        self._octets = min(OCTETS_PER_S * BURST_S, self._octets + elapsed_s * OCTETS_PER_S)
        if self._packets < 1 or self._octets < octets:
            return False
        self._packets -= 1
        self._octets -= octets
        return True

    def is_repeated(self, sequence: int) -> bool:
        """Whether a packet of this number came already; takes note of it."""
        step = (sequence - self._seen_highest + 0x8000 & 0xFFFF) - 0x8000
        if step > 0 or not self._seen:
            self._seen = (self._seen << min(step, 64) if step > 0 else 0) & ~(-1 << 64) | 1
            self._seen_highest = sequence
            return False
        repeated = step > -64 and bool(self._seen >> -step & 1)
        if step > -64:
            self._seen |= 1 << -step
        return repeated

    def begin_stream(self) -> None:
        """Take note that its packets count from somewhere else from now on."""
        self._seen = 0
        self.stream = self.stream + 1 & 0xFF

    def level_of(self, packet: MediaPacket, now_s: float) -> int:
        """Return how loud a packet is, 0 (loudest) to 127 (silence); each is asked for once."""
        if self.remote:
            return SILENCE_DBOV if packet.level_dbov is None else packet.level_dbov
        self.has_voice_flag = self.has_voice_flag or bool(packet.voice)
        return self.meter.level(packet.payload, packet.level_dbov, now_s)

    def voice_of(self, packet: MediaPacket) -> bool | None:
        """Return whether a packet holds a voice, None if that cannot be told."""
        if self.remote:
            return packet.voice
        trusts_flag = self.has_voice_flag and self.meter.trust is not Trust.MEASURING
        return packet.voice if trusts_flag and packet.level_dbov is not None else None


class Exchange(Protocol):
    """Tells other workers of the room."""

    def offer(self, source: ForwardSource, packet: MediaPacket, now_s: float) -> None:
        """Take note of a packet of a source that is this worker's."""

    def stir(self) -> None:
        """Take note that a source came, went, or changed what it is."""


class ForwardRoom:
    """Chooses, and says what goes where.

    Attributes:
        sources: By participant id.
        counters: `forward_flood`, `forward_wrong_levels`, `forward_repeated`.
        exchange: What other workers of the room are told, None while there are none.
    """

    def __init__(
        self,
        settings: SelectionSettings,
        make_decoder: Callable[[], FrameDecoder],
        counters: Counter[str] | None = None,
    ) -> None:
        """Make an empty room; `make_decoder` makes what levels are measured with."""
        self.sources: dict[str, ForwardSource] = {}
        self.exchange: Exchange | None = None
        self.counters = Counter[str]() if counters is None else counters
        self._selector = LoudestSelector(settings)
        self._board = TrackBoard()
        self._make_decoder = make_decoder
        self._decided_s = float("-inf")
        self._unsettled = False
        self._changed: dict[str, None] = {}  # listeners, in the order of the changes
        self._fresh: list[Rows] = []

    # ---- who is here -----------------------------------------------------------------------

    @property
    def settings(self) -> SelectionSettings:
        """The rules of the choice."""
        return self._selector.settings

    def apply(self, settings: SelectionSettings, now_s: float) -> None:
        """Choose by other rules from now on."""
        self._selector.apply(settings, now_s)
        self._decide(now_s)

    def add_source(
        self, source_id: str, csrc: int, now_s: float, standing: Standing = Standing.ORDINARY
    ) -> ForwardSource:
        """Let somebody publish.

        Raises:
            ValueError: they do already.
        """
        self._selector.add_source(source_id, now_s, standing)
        made = ForwardSource(source_id, csrc, LevelMeter(self._make_decoder), now_s)
        made.standing = standing
        self.sources[source_id] = made
        self._stir_exchange()
        return made

    def remove_source(self, source_id: str, now_s: float) -> None:
        """Let somebody publish no more; unknown ids are ignored."""
        if self.sources.pop(source_id, None) is not None:
            self._selector.remove_source(source_id)
            self._decide(now_s)
            self._stir_exchange()

    def set_standing(self, source_id: str, standing: Standing) -> None:
        """Let a source come before others, or not; unknown ids are ignored."""
        source = self.sources.get(source_id)
        if source is not None and source.standing is not standing:
            source.standing = standing
            self._selector.set_standing(source_id, standing)
            self._stir_exchange()

    def mute_source(self, source_id: str, muted: bool, now_s: float) -> None:
        """Let nobody hear a source, or let them again; unknown ids are ignored."""
        source = self.sources.get(source_id)
        if source is None or source.muted == muted:
            return
        source.muted = muted
        self._selector.set_muted(source_id, muted)
        if muted:  # how loud it is, is nobody's business
            source.level = SILENCE_DBOV
            self._decide(now_s)
        self._stir_exchange()

    def add_listener(self, listener_id: str, outputs: Sequence[int]) -> None:
        """Give somebody tracks, instead of those they had; see `TrackBoard.add`."""
        self.remove_listener(listener_id)
        self._board.add(listener_id, outputs)
        self._unsettled = True

    def remove_listener(self, listener_id: str) -> None:
        """Take somebody's tracks away; unknown ids are ignored."""
        self._board.remove(listener_id)
        self._changed.pop(listener_id, None)

    @property
    def listeners(self) -> Sequence[str]:
        """Everybody who has tracks."""
        return self._board.listeners

    # ---- what comes ------------------------------------------------------------------------

    def handle_packet(self, source_id: str, packet: MediaPacket, now_s: float) -> Rows | None:
        """Return the outputs that a packet is for, int32; None if it is not even to be played.

        None, and not merely nobody, when the source is unknown, muted, not chosen, or too much.
        """
        source = self.sources.get(source_id)
        if source is None or source.muted:
            return None
        if not source.remote and self._is_refused(source, packet, now_s):
            return None
        if packet.redundant:  # its level was that of the packet which was lost
            slot = self._selector.slot_of(source_id)
        else:
            slot = self._listen(source, packet, now_s)
        if self.exchange is not None and not source.remote:
            self.exchange.offer(source, packet, now_s)
        return None if slot is None else self._board.rows_of(source_id)

    def _is_refused(self, source: ForwardSource, packet: MediaPacket, now_s: float) -> bool:
        """Whether a packet is one too many, or came already; counts it if so."""
        if not source.affords(len(packet.payload), now_s):
            self.counters["forward_flood"] += 1
            return True
        if source.is_repeated(packet.sequence):
            self.counters["forward_repeated"] += 1
            return True
        return False

    def _listen(self, source: ForwardSource, packet: MediaPacket, now_s: float) -> int | None:
        """Take note of how loud a packet is and choose anew if it is time; return its place."""
        meter, name = source.meter, source.source_id
        source.seen_s = now_s
        trusted = meter.trust
        level = source.level = source.level_of(packet, now_s)
        if meter.trust is Trust.MEASURING and trusted is not Trust.MEASURING:
            self.counters["forward_wrong_levels"] += 1
        voice = source.voice_of(packet)
        spoke = self._selector.speaks(name, now_s)
        slot = self._selector.handle_packet(name, level, now_s, voice)
        begins = slot is None and not spoke and self._selector.speaks(name, now_s)
        if begins or self._unsettled or now_s - self._decided_s >= DECIDE_EVERY_S:
            self._decide(now_s)
            slot = self._selector.slot_of(name)
        return slot

    def begin_stream(self, source_id: str) -> None:
        """Take note that a source's packets are of another stream, with numbers of its own."""
        source = self.sources.get(source_id)
        if source is not None:
            source.begin_stream()
            self._fresh.append(self._board.rows_of(source_id))

    def look(self, now_s: float) -> None:
        """Choose anew although nothing came: somebody may have fallen silent for good."""
        for source in self.sources.values():
            if now_s - source.seen_s > SILENT_S:
                source.level = SILENCE_DBOV
        self._decide(now_s)

    def speaks(self, source_id: str, now_s: float) -> bool:
        """Whether a source speaks now.

        Raises:
            KeyError: there is no such source.
        """
        return not self.sources[source_id].muted and self._selector.speaks(source_id, now_s)

    # ---- what follows ----------------------------------------------------------------------

    @property
    def chosen(self) -> list[str]:
        """Who is heard by everyone else."""
        return self._selector.main

    def on_tracks_of(self, listener_id: str) -> tuple[str | None, ...]:
        """Return who is on each track of a listener; see `TrackBoard.on_tracks_of`."""
        return self._board.on_tracks_of(listener_id)

    def poll_events(self) -> list[Assigned]:
        """Return what changed since the last call; each listener is named at most once."""
        changed, self._changed = self._changed, {}
        return [Assigned(*group) for group in self._board.groups(changed)]

    def everything(self) -> list[Assigned]:
        """Return who is on everybody's tracks."""
        return [Assigned(*group) for group in self._board.groups(self._board.listeners)]

    def poll_fresh(self) -> list[Rows]:
        """Return the outputs on which somebody new is since the last call; to be asked first."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def _stir_exchange(self) -> None:
        if self.exchange is not None:
            self.exchange.stir()

    def _decide(self, now_s: float) -> None:
        self._decided_s = now_s
        news = self._selector.decide(now_s)
        if not news and not self._unsettled:
            return
        self._unsettled = False
        changed, fresh = self._board.settle(self._selector.main, self._selector.reserve)
        self._changed.update(dict.fromkeys(changed))
        if len(fresh):
            self._fresh.append(fresh)
