"""One room's mixing, block by block.

Rules:
- A source is *engaged* while it has been audible within the hangover and is not muted. Only engaged
  sources are in the mixes. Where more are audible than anybody may hear, `mixer.selection_room`
  chooses whom to engage, and one more *in reserve*: it is in the mixes of those whose own source is
  engaged, so that they too hear as many others as everybody else.
- Who hears what, and how that changes without a click, are the rules of `mixer.room_mixes`; how
  long packets and blocks are, those of `mixer.packet_times`.
- A source whose stream has paused goes on sounding until the effects of its strip have rung out.
- A room may be served by several workers (`mixer.exchange`): sources of the others are in the
  mixes as its own are.
- A room in which nothing sounds and every output has said so is dormant: it is not ticked until
  `is_dormant` is false again, and catches up with `skip`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from dsp.strip import StripBank, StripSettings
from mixer.arena import BLOCK_10MS, BLOCK_20MS, SAMPLE_RATE_HZ, Arena, SourceArena
from mixer.exchange import RoomExchange
from mixer.exchange_frames import Decision
from mixer.listener import Listener, PersonalGain
from mixer.outputs import SAMPLES, Output
from mixer.packet_times import PacketTimes, Ptime
from mixer.plan import MixPlan
from mixer.playout_packet import Pull
from mixer.room_mixes import RoomMixes
from mixer.selection_candidate import Standing
from mixer.selection_room import RoomSelection
from mixer.selection_settings import SelectionSettings
from mixer.source import PlayoutLike, Source
from mixer.treatment import Automatics, Character, Treatment
from mixer.unheard import Unheard

FOLLOW_EVERY = 2 * SAMPLE_RATE_HZ  # media time between two looks at how long packets are
QUIET_PACKETS = 100  # after so many silent packets an output has nothing more to say


class Tap(Protocol):
    """Who looks at a room's sound: a recorder. What it is shown is the mixer's, and changes."""

    def fetched(self, present: Sequence[Source]) -> None:
        """All sounds of a block are there, as they came; these sources sound."""

    def mixed(self) -> None:
        """The block is mixed: sources are as they go into the mixes."""


class RoomMixer:
    """Sources in, outputs out, one block at a time.

    Attributes:
        room_id: For whoever looks at it.
        block: Samples per block, 480 or 960; changed by `set_block` alone.
        wanted_block: What `block` should be.
        block_time: Media time of the current block: samples at 48 kHz since the room began.
        sources: By participant id.
        listeners: By participant id.
        outputs: Those that somebody is on.
        treatment: What levels, balances and measures the sources.
        mixes: Who hears what.
        choice: Who is in the mixes.
        stirred: Whether some playout must be asked what it has; false while those who sound have
            lent their streams and the others have nothing. Whoever pushes a packet to a playout
            of the room, or takes a stream back, sets it.
        exchange: What other workers of the room are told and tell, None while there are none.
        on_fetched: Is shown who sounds and is to be recognised, their blocks as they came, and the
            media time; or None.
        tap: Is shown each block; None for nobody.
    """

    def __init__(
        self,
        room_id: str,
        sources: SourceArena,
        mixes: Arena,
        ptime: Ptime = "auto",
        strips: StripBank | None = None,
        automatics: Automatics | None = None,
        everybody: bool = False,
    ) -> None:
        """Make an empty room.

        Args:
            room_id: Its id.
            sources: Arena for the sources, shared by the rooms of a worker.
            mixes: Arena for the mixes, likewise.
            ptime: Packet time of the outputs: 10 or 20 ms, or "auto": as short as the packets of
                those whose source is engaged, 20 for those who only listen.
            strips: The strips of the worker's sources, by row of `sources`; None for none.
            automatics: What levels and measures the worker's sources; None for some of its own.
            everybody: Nobody is chosen, as for files: whatever sounds is in the mixes from its
                first sample on, however soft and however many there are. Levels are not measured.
        """
        self.room_id = room_id
        self.block = BLOCK_20MS if ptime == 20 else BLOCK_10MS
        self.wanted_block = self.block
        self.block_time = -self.block
        self.sources: dict[str, Source] = {}
        self.stirred = True
        self.exchange: RoomExchange | None = None
        self.on_fetched: Callable[[Sequence[Source], int, int], None] | None = None
        self.tap: Tap | None = None
        self._source_arena = sources
        self._strips = strips
        self.treatment = Treatment(sources, strips, automatics)
        self._unheard = Unheard(self.treatment, strips)
        self._treats = False  # whether any strip is in use, or was a moment ago
        self._mix_arena = mixes
        self._generation = sources.generation
        self._present: list[Source] = []  # who sounds in this block
        self._arrived = False  # a source began to sound since packets were looked at
        self._times = PacketTimes(ptime)
        self.choice = RoomSelection(self.sources, everybody=everybody)
        self.mixes = RoomMixes(self.sources, sources, mixes, self.choice, ptime, at_once=everybody)
        self.listeners = self.mixes.listeners
        self.outputs = self.mixes.outputs
        self._number_rows()

    # ---- who is here -----------------------------------------------------------------------

    def add_source(
        self, source_id: str, csrc: int, playout: PlayoutLike, *, remote: bool = False
    ) -> Source:
        """Add a publisher's sound; an existing source of that id gets the new playout.

        A `remote` one is treated, measured and muted by another worker.
        """
        source = self.sources.get(source_id)
        if source is None:
            row = self._source_arena.take()
            if self._strips is not None:
                self._strips.take(row)
            source = Source(source_id, csrc, row, self._source_arena, playout)
            self.sources[source_id] = source
            self.mixes.stale = True  # somebody may want to hear it alone
        source.playout = playout
        source.leaving = False
        source.remote = remote
        source.foreign = False
        self._number_rows()
        self.stirred = True
        return source

    def remove_source(self, source_id: str) -> None:
        """Fade a source out and remove it; unknown ids are ignored."""
        source = self.sources.get(source_id)
        if source is None:
            return
        source.leaving = True
        self.stirred = True
        self.mute_source(source_id, True)
        if not source.heard:
            self._drop(source)

    def mute_source(self, source_id: str, muted: bool) -> None:
        """Mute or unmute for everyone; unknown ids are ignored, and who leaves stays muted."""
        source = self.sources.get(source_id)
        if source is not None:
            source.muted = muted or source.leaving
            self.mixes.moved = True

    def set_standing(self, source_id: str, standing: Standing) -> None:
        """Let a source come before others where some are chosen; unknown ids are ignored."""
        source = self.sources.get(source_id)
        if source is not None:
            source.standing = standing
            self._stir_exchange()

    @property
    def selection(self) -> SelectionSettings:
        """How it is chosen who is heard; may be set at any time."""
        return self.choice.settings

    @selection.setter
    def selection(self, settings: SelectionSettings) -> None:
        if settings != self.choice.settings:
            self.choice.settings = settings

    @property
    def max_speakers(self) -> int:
        """Most sources that anybody hears, 1 to 15; may be set at any time."""
        return self.selection.max_speakers

    @max_speakers.setter
    def max_speakers(self, count: int) -> None:
        self.selection = replace(self.selection, max_speakers=count)

    def set_strip(self, source_id: str, settings: StripSettings) -> None:
        """Change a source's strip, without a click; unknown ids are ignored."""
        source = self.sources.get(source_id)
        strips = self._strips
        if source is not None and strips is not None:
            if source.present:  # the bank has not heard of its sound while all strips were flat
                rows = np.array([source.row], np.int32)
                strips.process(self._source_arena.data, rows, 0, 0)
            strips.set(source.row, settings)
            self._treats = self._treats or not settings.is_flat

    def set_character(self, source_id: str, character: Character) -> None:
        """Say what a source is and what happens before its strip; unknown ids are ignored."""
        source = self.sources.get(source_id)
        if source is not None:
            self.treatment.set_character(source, character)
            self._stir_exchange()

    def strip_delay_samples(self, source_id: str) -> int:
        """Return by how much a source's strip, and what is before it, delay its sound.

        0 also for unknown ids.
        """
        source, strips = self.sources.get(source_id), self._strips
        if source is None:
            return 0
        delay = self.treatment.latency_samples(source_id)
        if strips is None or strips.is_flat(source.row):
            return delay
        return delay + strips.latency_samples

    def add_listener(
        self, listener_id: str, handle: int, level_id: int, *, patient: bool = False
    ) -> Listener:
        """See `RoomMixes.add_listener`."""
        return self.mixes.add_listener(listener_id, handle, level_id, patient=patient)

    def remove_listener(self, listener_id: str) -> None:
        """See `RoomMixes.remove_listener`."""
        self.mixes.remove_listener(listener_id)

    def set_gains(self, listener_id: str, gains: dict[str, PersonalGain]) -> None:
        """See `RoomMixes.set_gains`."""
        self.mixes.set_gains(listener_id, gains)

    def set_deafened(self, listener_id: str, deafened: bool) -> None:
        """See `RoomMixes.set_deafened`."""
        self.mixes.set_deafened(listener_id, deafened)

    def set_tier(self, listener_id: str, tier: int) -> None:
        """See `RoomMixes.set_tier`."""
        self.mixes.set_tier(listener_id, tier)

    def close(self) -> None:
        """Give all rows back."""
        for source in list(self.sources.values()):
            self._drop(source)
        for listener_id in list(self.listeners):
            self.remove_listener(listener_id)

    # ---- one block -------------------------------------------------------------------------

    @property
    def is_dormant(self) -> bool:
        """Whether blocks would change nothing until a packet or a change comes."""
        return (
            not self._present
            and not self.mixes.stale
            and all(output.quiet_packets > QUIET_PACKETS for output in self.outputs.values())
            and not any(source.playout.is_buffering for source in self.sources.values())
        )

    def skip(self, blocks: int) -> None:
        """Let media time go on without sound: the room slept, or the worker was held up."""
        self.block_time += blocks * self.block

    def tick(self, now_s: float) -> list[Output]:
        """Mix one block and return the outputs whose packet is complete.

        Args:
            now_s: The instant of this block on the clock of the packets' arrival stamps.
        """
        self.advance(now_s)
        return self.due()

    @property
    def is_even(self) -> bool:
        """Whether a 20 ms packet begins with the current block; levels are new then."""
        return not self.block_time // BLOCK_10MS & 1

    @property
    def plan(self) -> MixPlan | None:
        """What the mixes are made of, while it stays as it is; None around every change."""
        return self.mixes.plan if self.mixes.plan is not None and self.mixes.plan.steady else None

    def set_block(self, block: int) -> None:
        """Make blocks of 480 or 960 samples from here on, where a 20 ms packet begins.

        Raises:
            ValueError: The next block does not begin such a packet.
        """
        upcoming = self.block_time + self.block
        if upcoming % BLOCK_20MS:
            raise ValueError("blocks change their length where a 20 ms packet begins")
        self.block = block
        self.block_time = upcoming - block
        self.mixes.serial += 1
        self.mixes.stale = self.stirred = True

    @property
    def may_set_block(self) -> bool:
        """Whether the next block begins a 20 ms packet."""
        return not (self.block_time + self.block) % BLOCK_20MS

    def advance(self, now_s: float, *, played: bool = False) -> None:
        """Mix one block: `tick` without `due`.

        While `mixes.serial` stays the same, the same outputs are due at every other block, and
        those that sounded still sound; then `due` may be left out.

        Args:
            now_s: As for `tick`.
            played: Whether all lent streams have given this block.
        """
        self.block_time += self.block
        if self._generation != self._source_arena.generation:
            self._follow_arenas()
        if self.stirred or not played:
            self._pull(now_s)
        present = self._present
        if self.tap is not None:
            self.tap.fetched(present)
        if present:
            if self.on_fetched is not None and (asked := self.treatment.to_recognise(present)):
                self.on_fetched(asked, self.block, self.block_time)
            treated = self._unheard.leave_out(present)
            self.treatment.before_strips(treated, self.block)
            if self._treats:
                self._treat(treated)
        self.treatment.after_strips(self.sources.values(), self.block)
        even, mixes = self.is_even, self.mixes
        if even:
            choice = self.choice
            if engaged := choice.measure(
                self._source_arena, self._rows, self.block, now_s, self.exchange
            ):
                engaged = choice.engage(now_s, self.exchange)
                mixes.moved = mixes.moved or engaged
            periodic = not self.block_time % FOLLOW_EVERY
            if engaged or periodic or self._arrived:
                self._follow_packets(may_lengthen=periodic)
            if mixes.stale or engaged:
                mixes.assign(brief=self._times.brief and self.block == BLOCK_10MS)
                self._choose_block()
        if self.exchange is not None:  # before the balance, which every worker keeps itself
            self.exchange.compose(self.block_time, self.block, self.mixes.solos())
        self.treatment.settle(self.sources.values(), self.block)
        mixes.mix(0 if even else BLOCK_10MS, self.block)
        while mixes.faded:
            self._drop(mixes.faded.pop())
        if self.tap is not None:
            self.tap.mixed()

    def due(self) -> list[Output]:
        """Return the outputs whose packet is complete with the current block; once per block."""
        even = self.is_even
        due = []
        silent = self.mixes.plan.silent_rows if self.mixes.plan is not None else ()
        for output in self.outputs.values():
            is_due = not (even and output.key.ptime_ms == 20 and self.block == BLOCK_10MS)
            if output.row not in silent or output.key.tier == SAMPLES:
                output.quiet_packets = 0
            elif is_due:
                output.quiet_packets += 1
            if is_due:
                due.append(output)
        return due

    def sound(self, output: Output) -> npt.NDArray[np.float32]:
        """Return the samples of a due output's packet: float32 (480 or 960, 2), contiguous."""
        row: npt.NDArray[np.float32] = self._mix_arena.data[output.row]
        if output.key.ptime_ms == 20:
            return row
        return row[:BLOCK_10MS] if self.is_even else row[BLOCK_10MS:]

    @property
    def decided(self) -> Decision | None:
        """Whom this worker has chosen, None if it did not have to, or another did."""
        if not self.choice.crowded or self.choice.follows:
            return None
        reserve = 0 if self.choice.reserve is None else self.choice.reserve.csrc
        return Decision([source.csrc for source in self.choice.main], reserve)

    @property
    def meters(self) -> npt.NDArray[np.void]:
        """`arena.METER` of all sources of the worker; another array after it has grown."""
        return self._source_arena.meters

    @property
    def mix_sounds(self) -> npt.NDArray[np.float32]:
        """All mixes of the worker: float32 (rows, 960, 2); another array after it has grown."""
        return self._mix_arena.data

    @property
    def source_sounds(self) -> npt.NDArray[np.float32]:
        """All sources of the worker: float32 (rows, 960, 2); another array after it has grown."""
        return self._source_arena.data

    def packet_time(self, output: Output) -> int:
        """Return the media time of the first sample of a due output's packet."""
        if output.key.ptime_ms == 20 and self.block == BLOCK_10MS:
            return self.block_time - BLOCK_10MS
        return self.block_time

    def _pull(self, now_s: float) -> None:
        """Fetch everybody's next block and find out who sounds."""
        count = self.block
        present = []
        stirred = False
        for source in self.sources.values():
            outcome = source.playout.pull(source.view[:count], now_s)
            if outcome != Pull.SILENT:
                stirred = stirred or outcome != Pull.LENT
                if source.disturb is not None:
                    source.disturb(source.view[:count])
                if not source.present:
                    source.present = self.mixes.moved = self._arrived = True
                present.append(source)
                continue
            stirred = stirred or source.playout.is_buffering
            if source.present and self._rings(source):
                source.view[:count] = 0.0
                present.append(source)
                stirred = True
            elif source.present:
                source.present = False
                self.mixes.moved = True
                self.treatment.rest(source)
                self._unheard.forget(source)
                if self._treats and self._strips is not None:
                    self._strips.rest(source.row)
        self._present = present
        self.stirred = stirred

    def _rings(self, source: Source) -> bool:
        """Whether a source that has fallen silent goes on sounding in its strip's effects."""
        return self._treats and self._strips is not None and self._strips.rings(source.row)

    def _treat(self, present: Sequence[Source]) -> None:
        """Run the strips of the sources that sound."""
        strips = self._strips
        if strips is None:
            return
        rows = np.array([source.row for source in present], np.int32)
        strips.process(self._source_arena.data, rows, 0, self.block)
        self._treats = not all(strips.is_flat(source.row) for source in self.sources.values())

    def _follow_packets(self, *, may_lengthen: bool) -> None:
        """Let what we send be as short as what we get."""
        self._arrived = False
        if self._times.follow(self._present, self.choice.main, may_lengthen=may_lengthen):
            self.mixes.stale = True
        self._choose_block()

    def _choose_block(self) -> None:
        if self._present:
            self.wanted_block = self._times.block_for(self.outputs)

    def _drop(self, source: Source) -> None:
        del self.sources[source.source_id]
        if self.choice.drop(source):
            self.mixes.moved = True
        self.treatment.forget(source)
        self._unheard.forget(source)
        if self._strips is not None:
            self._strips.give_back(source.row)
        self._source_arena.give_back(source.row)
        self._number_rows()
        self.mixes.stale = True

    def _follow_arenas(self) -> None:
        self._generation = self._source_arena.generation
        for source in self.sources.values():
            source.follow(self._source_arena)

    def _number_rows(self) -> None:
        """Note the rows that are measured here."""
        measured = [source.row for source in self.sources.values() if not source.remote]
        self._rows = np.array(measured, np.int32)
        self._stir_exchange()

    def _stir_exchange(self) -> None:
        if self.exchange is not None:
            self.exchange.stir()
