"""One room's mixing, block by block.

Rules:
- A source is *engaged* while it has been audible within the hangover and is not muted. Only engaged
  sources are in the mixes. Where more are audible than anybody may hear, `mixer.selection_room`
  chooses whom to engage, and one more *in reserve*: it is in the mixes of those whose own source is
  engaged, so that they too hear as many others as everybody else.
- A listener whose own source is not engaged and who changed nothing hears the main mix. One whose
  source is engaged, or who has personal gains for an engaged source, has a mix of its own. Nobody
  ever hears a mix with their own source in it: a source becomes engaged and its owner changes mixes
  at the same block.
- Each distinct mix is encoded once per packet time and tier that somebody needs. A mix without
  members does not exist.
- Packets to a participant are as short as its own: 10 ms for those who send 10 ms packets, are
  engaged and have somebody to hear, 20 ms for all others. While nobody has 10 ms packets from us,
  blocks are 20 ms long, which halves what a block costs beside its sound.
- Listeners change outputs only where a 20 ms packet begins (even blocks), so every listener's media
  time goes on without a gap or an overlap.
- A source fades over one block when it comes or goes; so do changed personal gains. A mix that is
  made for a listener begins with the gains of the mix that it came from, and a listener moves to a
  mix that others hear already only when both sound alike: until then its own mix fades there.
- A source whose stream has paused goes on sounding until the effects of its strip have rung out.
- A room may be served by several workers (`mixer.exchange`): sources of the others are in the
  mixes as its own are.
- A room in which nothing sounds and every output has said so is dormant: it is not ticked until
  `is_dormant` is false again, and catches up with `skip`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from dsp.strip import StripBank, StripSettings
from mixer import kernels
from mixer.arena import BLOCK_10MS, BLOCK_20MS, SAMPLE_RATE_HZ, Arena, SourceArena
from mixer.exchange import RoomExchange
from mixer.exchange_frames import Decision
from mixer.listener import Listener, PersonalGain
from mixer.outputs import SAMPLES, MixKey, Output, OutputKey
from mixer.plan import GainTable, MixPlan
from mixer.playout import Pull
from mixer.selection_candidate import Standing
from mixer.selection_room import RoomSelection
from mixer.selection_settings import SelectionSettings
from mixer.source import PlayoutLike, Source
from mixer.treatment import Automatics, Character, Treatment
from mixer.unheard import Unheard

CEILING = np.float32(0.966)  # −0.3 dBFS: room for what the encoder adds
LIMITER_RELEASE = np.float32(0.02)  # per millisecond: 63 % of the way back in 50 ms
FOLLOW_EVERY = 2 * SAMPLE_RATE_HZ  # media time between two looks at how long packets are
QUIET_PACKETS = 100  # after so many silent packets an output has nothing more to say

Ptime = Literal["auto", 10, 20]


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
        plan_serial: Counts changes of what is in the mixes and of who hears them.
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
        self.listeners: dict[str, Listener] = {}
        self.outputs: dict[OutputKey, Output] = {}
        self.plan_serial = 0
        self.stirred = True
        self.exchange: RoomExchange | None = None
        self.on_fetched: Callable[[Sequence[Source], int, int], None] | None = None
        self.tap: Tap | None = None
        self._follows = False  # whether another worker has chosen who is heard
        self._ptime = ptime
        self._source_arena = sources
        self._strips = strips
        self.treatment = Treatment(sources, strips, automatics)
        self._unheard = Unheard(self.treatment, strips)
        self._everybody = everybody
        self._treats = False  # whether any strip is in use, or was a moment ago
        self._mix_arena = mixes
        self._generation = sources.generation
        self._limiters = np.ones(len(mixes.data), np.float32)
        self._present: list[Source] = []  # who sounds in this block
        self._arrived = False  # a source began to sound since packets were looked at
        self._brief = False  # whether some of those who talk with each other send short packets
        self._crowded = False  # whether more want to be heard than may be
        self._stale = True  # who hears what must be worked out again
        self._moved = True  # a source began or ceased to sound, or to be in the mixes
        self._gains: GainTable = {}
        self._solos: dict[str, frozenset[str]] = {}  # by those listeners who solo anybody
        self._soloed: frozenset[str] = frozenset()  # in some mix because somebody solos them
        self._plan: MixPlan | None = None
        self._mixed: MixPlan | None = None  # what the last block was mixed by
        self._selection = RoomSelection(SelectionSettings())
        self._main: Sequence[Source] = []
        self._reserve: Source | None = None
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
            self._stale = True  # somebody may want to hear it alone
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
            self._moved = True

    def set_standing(self, source_id: str, standing: Standing) -> None:
        """Let a source come before others where some are chosen; unknown ids are ignored."""
        source = self.sources.get(source_id)
        if source is not None:
            source.standing = standing
            self._stir_exchange()

    @property
    def selection(self) -> SelectionSettings:
        """How it is chosen who is heard; may be set at any time."""
        return self._selection.settings

    @selection.setter
    def selection(self, settings: SelectionSettings) -> None:
        if settings != self._selection.settings:
            self._selection.settings = settings

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
        """Add a listener; it is on an output from the next even block on.

        Args:
            listener_id: The participant's id.
            handle: Row of the fan-out table.
            level_id: Negotiated id of the mixer-to-client level extension, 0 without.
            patient: Whether it takes samples and can wait for them.
        """
        self.remove_listener(listener_id)
        listener = Listener(listener_id, handle, level_id, patient=patient)
        self.listeners[listener_id] = listener
        self._stale = True
        return listener

    def remove_listener(self, listener_id: str) -> None:
        """Remove a listener at once; unknown ids are ignored."""
        listener = self.listeners.pop(listener_id, None)
        self._solos.pop(listener_id, None)
        if listener is not None:
            self._leave_output(listener)
            self._stale = True

    def set_gains(self, listener_id: str, gains: dict[str, PersonalGain]) -> None:
        """Replace a listener's personal gains (by source id)."""
        listener = self.listeners.get(listener_id)
        if listener is not None:
            listener.gains = {k: v for k, v in gains.items() if not v.is_neutral}
            others = gains.keys() - {listener_id}
            listener.solos = frozenset(name for name in others if gains[name].solo)
            self._solos.pop(listener_id, None)
            if listener.solos:
                self._solos[listener_id] = listener.solos
            self._stale = True

    def set_deafened(self, listener_id: str, deafened: bool) -> None:
        """Send a listener nothing but silence, or its mix again."""
        listener = self.listeners.get(listener_id)
        if listener is not None:
            listener.deafened = deafened
            self._stale = True

    def set_tier(self, listener_id: str, tier: int) -> None:
        """Move a listener to another bitrate tier."""
        listener = self.listeners.get(listener_id)
        if listener is not None:
            listener.tier = tier
            self._stale = True

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
            and not self._stale
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
        return self._plan if self._plan is not None and self._plan.steady else None

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
        self.plan_serial += 1
        self._stale = self.stirred = True

    @property
    def may_set_block(self) -> bool:
        """Whether the next block begins a 20 ms packet."""
        return not (self.block_time + self.block) % BLOCK_20MS

    def advance(self, now_s: float, *, played: bool = False) -> None:
        """Mix one block: `tick` without `due`.

        While `plan_serial` stays the same, the same outputs are due at every other block, and
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
        even = self.is_even
        if even:
            engaged = (self._everybody or self._observe(now_s)) and self._engage(now_s)
            periodic = not self.block_time % FOLLOW_EVERY
            if engaged or periodic or self._arrived:
                self._follow_packets(may_lengthen=periodic)
            if self._stale or engaged:
                self._assign()
                self._choose_block()
        if self.exchange is not None:  # before the balance, which every worker keeps itself
            self.exchange.compose(self.block_time, self.block, self._soloed_here())
        self.treatment.settle(self.sources.values(), self.block)
        self._mix(0 if even else BLOCK_10MS)
        if self.tap is not None:
            self.tap.mixed()

    def due(self) -> list[Output]:
        """Return the outputs whose packet is complete with the current block; once per block."""
        even = self.is_even
        due = []
        silent = self._plan.silent_rows if self._plan is not None else ()
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
        if not self._crowded or self._follows:
            return None
        reserve = 0 if self._reserve is None else self._reserve.csrc
        return Decision([source.csrc for source in self._main], reserve)

    @property
    def meters(self) -> npt.NDArray[np.void]:
        """`arena.METER` of all sources of the worker; another array after it has grown."""
        return self._source_arena.meters

    @property
    def mixes(self) -> npt.NDArray[np.float32]:
        """All mixes of the worker: float32 (rows, 960, 2); another array after it has grown."""
        return self._mix_arena.data

    @property
    def source_sounds(self) -> npt.NDArray[np.float32]:
        """All sources of the worker: float32 (rows, 960, 2); another array after it has grown."""
        return self._source_arena.data

    def terms(self, output: Output) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Return what an output's mix was made of in this block.

        Returns:
            Rows of the sources, int32 (k,), and the gains, float32 (k, 4), as `kernels.mix` takes
            them.
        """
        plan = self._mixed
        found = [] if plan is None else np.flatnonzero(plan.mix_rows == output.row).tolist()
        if plan is None or not found:
            return np.zeros(0, np.int32), np.zeros((0, 4), np.float32)
        first, last = plan.starts[found[0]], plan.starts[found[0] + 1]
        return plan.terms[first:last], plan.gains[first:last]

    def packet_time(self, output: Output) -> int:
        """Return the media time of the first sample of a due output's packet."""
        if output.key.ptime_ms == 20 and self.block == BLOCK_10MS:
            return self.block_time - BLOCK_10MS
        return self.block_time

    def contributors(self, mix: MixKey) -> list[Source]:
        """Return the sources heard in a mix just now, loudest first."""
        if mix.silent:
            return []
        left_out = self.left_out(mix)
        heard = [s for s in self.sources.values() if s.heard and s.source_id != left_out]
        return sorted(heard, key=lambda source: (source.level, source.csrc))

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
                    source.present = self._moved = self._arrived = True
                present.append(source)
                continue
            stirred = stirred or source.playout.is_buffering
            if source.present and self._rings(source):
                source.view[:count] = 0.0
                present.append(source)
                stirred = True
            elif source.present:
                source.present = False
                self._moved = True
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

    def _observe(self, now_s: float) -> bool:
        """Measure levels, where listeners may change mixes; return whether others may be chosen."""
        arena = self._source_arena
        wanting = kernels.observe(
            arena.data, arena.meters, self._rows, self.block, BLOCK_20MS / SAMPLE_RATE_HZ, now_s
        )
        if self.exchange is not None:
            remote, changed = self.exchange.wanting(now_s)
            changed = changed or wanting < 0
            wanting = max(wanting, ~wanting) + remote
            wanting = ~wanting if changed else wanting
        if 0 <= wanting <= self.max_speakers and not self._crowded:
            return False
        self._crowded = max(wanting, ~wanting) > self.max_speakers
        return True

    def _follow_packets(self, *, may_lengthen: bool) -> None:
        """Let what we send be as short as what we get."""
        self._arrived = False
        if self._ptime != "auto" or not self._present:
            return
        for source in self._present:
            if source.remote:  # its owner is not sent our packets
                continue
            brief = source.playout.packet_samples <= BLOCK_10MS
            if brief != source.brief:
                source.brief = brief
                self._stale = True
        # Who talks alone has nobody to hear.
        brief = len(self._main) > 1 and any(source.brief for source in self._main)
        if brief != self._brief and (brief or may_lengthen):
            self._brief = brief
            self._stale = True
        self._choose_block()

    def _choose_block(self) -> None:
        if self._ptime == "auto" and self._present:
            short = any(output.key.ptime_ms == 10 for output in self.outputs.values())
            self.wanted_block = BLOCK_10MS if short or self._brief else BLOCK_20MS

    def _engage(self, now_s: float) -> bool:
        main: Sequence[Source]
        if self._everybody:
            main, reserve = [s for s in self.sources.values() if s.present and not s.muted], None
        else:
            audible = [source for source in self.sources.values() if source.wants_in]
            decision = None
            if self.exchange is not None and len(audible) > self.max_speakers:
                decision = self.exchange.decision(now_s)
            self._follows = decision is not None
            if decision is not None:
                main, reserve = self._selection.follow(audible, decision)
            else:
                main, reserve = self._selection.choose(audible, now_s)
        if main == self._main and reserve is self._reserve:
            return False
        for source in (*self._main, self._reserve):
            if source is not None:
                source.engaged = source.in_reserve = False
        for source in main:
            source.engaged = True
        if reserve is not None:
            reserve.in_reserve = True
        self._main, self._reserve = main, reserve
        self._moved = True
        return True

    def _assign(self) -> None:
        """Put every listener on the output it should hear."""
        self._stale = False
        self._plan = None
        engaged = {source.source_id for source in self._main}
        for listener in self.listeners.values():
            key = self._output_key(listener, engaged)
            current = listener.output
            if current is None:
                needs_own = self._exists(key.mix) and (key.mix, listener.listener_id) in self._gains
            else:
                needs_own = not self._is_seamless(current.key.mix, key.mix)
            if needs_own:  # until its own source has faded out there, or both sound alike
                ptime_ms = key.ptime_ms if current is None else current.key.ptime_ms
                key = OutputKey(MixKey(listener.listener_id), ptime_ms, listener.tier)
                self._stale = True
            if current is None or current.key != key:
                output = self.outputs.get(key) or self._make_output(key, current)
                self._leave_output(listener)
                output.add(listener.handle, listener.level_id)
                listener.output = output
                self.plan_serial += 1

    def _is_seamless(self, origin: MixKey, goal: MixKey) -> bool:
        """Whether a listener may go from one mix to the other without hearing it."""
        if origin == goal or not (goal.silent or self._exists(goal)):
            return True
        gains = self._gains
        return all(gains.get((origin, name)) == gains.get((goal, name)) for name in self.sources)

    def _exists(self, mix: MixKey) -> bool:
        return any(key.mix == mix for key in self.outputs)

    def _output_key(self, listener: Listener, engaged: set[str]) -> OutputKey:
        if listener.deafened:
            if listener.tier == SAMPLES:
                return OutputKey(MixKey(silent=True), 10, SAMPLES)
            return OutputKey(MixKey(silent=True), 20, 0)
        speaks = listener.listener_id in engaged
        if self._ptime != "auto":
            ptime = self._ptime
        elif listener.tier == SAMPLES and not listener.patient:
            ptime = 10  # no packets, but as soon as they would be
        elif (
            speaks
            and self._brief
            and self.block == BLOCK_10MS
            and self.sources[listener.listener_id].brief
        ):
            ptime = 10
        else:
            ptime = 20
        own = speaks or not engaged.isdisjoint(listener.gains)
        own = own or not listener.solos.isdisjoint(self.sources)
        return OutputKey(MixKey(listener.listener_id if own else ""), ptime, listener.tier)

    def _make_output(self, key: OutputKey, origin: Output | None) -> Output:
        """Make an output for a listener that comes from `origin` and should not notice."""
        known = self._exists(key.mix)
        row = self._mix_arena.take()
        if row >= len(self._limiters):
            grown = np.ones(len(self._mix_arena.data), np.float32)
            grown[: len(self._limiters)] = self._limiters
            self._limiters = grown
        self._limiters[row] = 1.0
        output = self.outputs[key] = Output(key, row)
        if not known:  # what is left of a mix of that name is out of date
            self._gains = {at: gain for at, gain in self._gains.items() if at[0] != key.mix}
        if origin is not None:
            self._limiters[row] = self._limiters[origin.row]
            output.history = self._mix_arena.data[origin.row].copy()  # at an even block: in order
            if not known:
                inherited = {
                    (key.mix, source_id): gain
                    for (mix, source_id), gain in self._gains.items()
                    if mix == origin.key.mix and source_id != key.mix.owner
                }
                self._gains.update(inherited)
        return output

    def _leave_output(self, listener: Listener) -> None:
        output = listener.output
        if output is None:
            return
        output.discard(listener.handle, listener.level_id)
        listener.output = None
        self.plan_serial += 1
        if output.is_empty:
            del self.outputs[output.key]
            self._mix_arena.give_back(output.row)
            self._plan = None

    def _mix(self, first: int) -> None:
        plan = self._plan
        if plan is None or self._moved or not plan.steady:
            plan = self._make_plan()
        self._mixed = plan
        if len(plan.mix_rows):
            kernels.mix(
                self._source_arena.data,
                0,
                self._mix_arena.data,
                first,
                self.block,
                plan.mix_rows,
                plan.starts,
                plan.terms,
                plan.gains,
                self._limiters,
                CEILING,
                LIMITER_RELEASE,
            )

    @property
    def limiter_db(self) -> float:
        """Gain of that mix's limiter which works hardest at the moment, 0 or less."""
        gains = [self._limiters[output.row] for output in self.outputs.values()]
        return float(20.0 * np.log10(min(gains, default=1.0)))

    def left_out(self, mix: MixKey) -> str:
        """Return the only one of those chosen who is not in a mix: its owner, or the reserve."""
        if self._reserve is None:
            return mix.owner
        owner = self.sources.get(mix.owner)
        return mix.owner if owner is not None and owner.engaged else self._reserve.source_id

    def _make_plan(self) -> MixPlan:
        """Work out what is mixed in this block and, if it is steady, in those that follow."""
        heard, fading = [], []
        solos = self._soloed_here()
        for source in self.sources.values():
            name = source.source_id
            if source.present and (
                source.engaged or source.in_reserve or (name in solos and not source.muted)
            ):
                heard.append(source)
            elif source.present and (source.heard or name in self._soloed):
                fading.append(source)
        self._soloed = solos.intersection(source.source_id for source in heard)
        plan = MixPlan(
            self.outputs.values(),
            heard,
            fading,
            self.listeners,
            self._gains,
            self.left_out,
            self.sources.keys(),
            at_once=self._everybody,
        )
        self._plan = plan
        self._gains = plan.gains_after
        self._moved = False
        self.plan_serial += 1
        for source in list(self.sources.values()):
            source.heard = source.present and (source.engaged or source.in_reserve)
            if source.leaving and not (source.engaged or source.in_reserve):
                self._drop(source)
        return plan

    def _drop(self, source: Source) -> None:
        del self.sources[source.source_id]
        if source.engaged or source.in_reserve:  # it goes before anybody is chosen again
            self._main = [one for one in self._main if one is not source]
            self._reserve = None if self._reserve is source else self._reserve
            self._moved = True
        self.treatment.forget(source)
        self._unheard.forget(source)
        if self._strips is not None:
            self._strips.give_back(source.row)
        self._source_arena.give_back(source.row)
        self._number_rows()
        self._stale = True

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

    def _soloed_here(self) -> frozenset[str]:
        return frozenset[str]().union(*self._solos.values())
