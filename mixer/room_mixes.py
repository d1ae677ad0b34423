"""The mixes of a room: who hears which of them, and what is in each.

Rules:
- A listener whose own source is not engaged and who changed nothing hears the main mix. One whose
  source is engaged, or who has personal gains for an engaged source, has a mix of its own. Nobody
  ever hears a mix with their own source in it: a source becomes engaged and its owner changes mixes
  at the same block.
- Each distinct mix is encoded once per packet time and tier that somebody needs. A mix without
  members does not exist.
- Listeners change outputs only where a 20 ms packet begins (even blocks), so every listener's media
  time goes on without a gap or an overlap.
- A source fades over one block when it comes or goes; so do changed personal gains. A mix that is
  made for a listener begins with the gains of the mix that it came from, and a listener moves to a
  mix that others hear already only when both sound alike: until then its own mix fades there.
"""

import numpy as np
import numpy.typing as npt

from mixer import kernels
from mixer.arena import Arena, SourceArena
from mixer.listener import Listener, PersonalGain
from mixer.outputs import SAMPLES, MixKey, Output, OutputKey
from mixer.packet_times import Ptime
from mixer.plan import GainTable, MixPlan
from mixer.selection_room import RoomSelection
from mixer.source import Source

CEILING = np.float32(0.966)  # −0.3 dBFS: room for what the encoder adds
LIMITER_RELEASE = np.float32(0.02)  # per millisecond: 63 % of the way back in 50 ms


class RoomMixes:
    """Puts listeners on outputs, and sources into the mixes of these.

    Attributes:
        listeners: By participant id.
        outputs: Those that somebody is on.
        plan: What is in the mixes; None while it must be worked out again.
        serial: Counts changes of what is in the mixes and of who hears them.
        stale: Whether it must be worked out again who hears what.
        moved: Whether a source began or ceased to sound, or to be in the mixes.
        faded: Sources that were leaving and have, for whoever calls `mix` to remove.
    """

    def __init__(
        self,
        sources: dict[str, Source],
        source_arena: SourceArena,
        arena: Arena,
        choice: RoomSelection,
        ptime: Ptime = "auto",
        *,
        at_once: bool = False,
    ) -> None:
        """Begin without listeners.

        Args:
            sources: The room's, by id.
            source_arena: Where these are.
            arena: Where the mixes are to be.
            choice: Who of the sources goes into the mixes.
            ptime: Packet time of the outputs: see `RoomMixer`.
            at_once: Who comes does not fade in.
        """
        self.listeners: dict[str, Listener] = {}
        self.outputs: dict[OutputKey, Output] = {}
        self.plan: MixPlan | None = None
        self.serial = 0
        self.stale = True
        self.moved = True
        self.faded: list[Source] = []
        self._sources = sources
        self._source_arena = source_arena
        self._arena = arena
        self._choice = choice
        self._ptime = ptime
        self._at_once = at_once
        self._limiters = np.ones(len(arena.data), np.float32)
        self._gains: GainTable = {}
        self._solos: dict[str, frozenset[str]] = {}  # by those listeners who solo anybody
        self._soloed: frozenset[str] = frozenset()  # in some mix because somebody solos them
        self._mixed: MixPlan | None = None  # what the last block was mixed by

    # ---- who listens -----------------------------------------------------------------------

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
        self.stale = True
        return listener

    def remove_listener(self, listener_id: str) -> None:
        """Remove a listener at once; unknown ids are ignored."""
        listener = self.listeners.pop(listener_id, None)
        self._solos.pop(listener_id, None)
        if listener is not None:
            self._leave_output(listener)
            self.stale = True

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
            self.stale = True

    def set_deafened(self, listener_id: str, deafened: bool) -> None:
        """Send a listener nothing but silence, or its mix again."""
        listener = self.listeners.get(listener_id)
        if listener is not None:
            listener.deafened = deafened
            self.stale = True

    def set_tier(self, listener_id: str, tier: int) -> None:
        """Move a listener to another bitrate tier."""
        listener = self.listeners.get(listener_id)
        if listener is not None:
            listener.tier = tier
            self.stale = True

    # ---- who hears what --------------------------------------------------------------------

    def assign(self, *, brief: bool) -> None:
        """Put every listener on the output it should hear, where a 20 ms packet begins.

        Args:
            brief: Whether those who talk and send short packets get short ones.
        """
        self.stale = False
        self.plan = None
        engaged = {source.source_id for source in self._choice.main}
        for listener in self.listeners.values():
            key = self._output_key(listener, engaged, brief=brief)
            current = listener.output
            if current is None:
                needs_own = self._exists(key.mix) and (key.mix, listener.listener_id) in self._gains
            else:
                needs_own = not self._is_seamless(current.key.mix, key.mix)
            if needs_own:  # until its own source has faded out there, or both sound alike
                ptime_ms = key.ptime_ms if current is None else current.key.ptime_ms
                key = OutputKey(MixKey(listener.listener_id), ptime_ms, listener.tier)
                self.stale = True
            if current is None or current.key != key:
                output = self.outputs.get(key) or self._make_output(key, current)
                self._leave_output(listener)
                output.add(listener.handle, listener.level_id)
                listener.output = output
                self.serial += 1

    def _is_seamless(self, origin: MixKey, goal: MixKey) -> bool:
        """Whether a listener may go from one mix to the other without hearing it."""
        if origin == goal or not (goal.silent or self._exists(goal)):
            return True
        gains = self._gains
        return all(gains.get((origin, name)) == gains.get((goal, name)) for name in self._sources)

    def _exists(self, mix: MixKey) -> bool:
        return any(key.mix == mix for key in self.outputs)

    def _output_key(self, listener: Listener, engaged: set[str], *, brief: bool) -> OutputKey:
        if listener.deafened:
            if listener.tier == SAMPLES:
                return OutputKey(MixKey(silent=True), 10, SAMPLES)
            return OutputKey(MixKey(silent=True), 20, 0)
        speaks = listener.listener_id in engaged
        if self._ptime != "auto":
            ptime = self._ptime
        elif listener.tier == SAMPLES and not listener.patient:
            ptime = 10  # no packets, but as soon as they would be
        elif brief and speaks and self._sources[listener.listener_id].brief:
            ptime = 10
        else:
            ptime = 20
        own = speaks or not engaged.isdisjoint(listener.gains)
        own = own or not listener.solos.isdisjoint(self._sources)
        return OutputKey(MixKey(listener.listener_id if own else ""), ptime, listener.tier)

    def _make_output(self, key: OutputKey, origin: Output | None) -> Output:
        """Make an output for a listener that comes from `origin` and should not notice."""
        known = self._exists(key.mix)
        row = self._arena.take()
        if row >= len(self._limiters):
            grown = np.ones(len(self._arena.data), np.float32)
            grown[: len(self._limiters)] = self._limiters
            self._limiters = grown
        self._limiters[row] = 1.0
        output = self.outputs[key] = Output(key, row)
        if not known:  # what is left of a mix of that name is out of date
            self._gains = {at: gain for at, gain in self._gains.items() if at[0] != key.mix}
        if origin is not None:
            self._limiters[row] = self._limiters[origin.row]
            output.history = self._arena.data[origin.row].copy()  # at an even block: in order
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
        self.serial += 1
        if output.is_empty:
            del self.outputs[output.key]
            self._arena.give_back(output.row)
            self.plan = None

    # ---- what is in it ---------------------------------------------------------------------

    def mix(self, first: int, count: int) -> None:
        """Mix a block of `count` samples to samples `first` and following of the arena."""
        plan = self.plan
        if plan is None or self.moved or not plan.steady:
            plan = self._make_plan()
        self._mixed = plan
        if len(plan.mix_rows):
            kernels.mix(
                self._source_arena.data,
                0,
                self._arena.data,
                first,
                count,
                plan.mix_rows,
                plan.starts,
                plan.terms,
                plan.gains,
                self._limiters,
                CEILING,
                LIMITER_RELEASE,
            )

    def _make_plan(self) -> MixPlan:
        """Work out what is mixed in this block and, if it is steady, in those that follow."""
        heard, fading = [], []
        solos = self.solos()
        for source in self._sources.values():
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
            self._choice.left_out,
            self._sources.keys(),
            at_once=self._at_once,
        )
        self.plan = plan
        self._gains = plan.gains_after
        self.moved = False
        self.serial += 1
        for source in list(self._sources.values()):
            source.heard = source.present and (source.engaged or source.in_reserve)
            if source.leaving and not (source.engaged or source.in_reserve):
                self.faded.append(source)
        return plan

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

    def contributors(self, mix: MixKey) -> list[Source]:
        """Return the sources heard in a mix just now, loudest first."""
        if mix.silent:
            return []
        left_out = self._choice.left_out(mix)
        heard = [s for s in self._sources.values() if s.heard and s.source_id != left_out]
        return sorted(heard, key=lambda source: (source.level, source.csrc))

    @property
    def limiter_db(self) -> float:
        """Gain of that mix's limiter which works hardest at the moment, 0 or less."""
        gains = [self._limiters[output.row] for output in self.outputs.values()]
        return float(20.0 * np.log10(min(gains, default=1.0)))

    def solos(self) -> frozenset[str]:
        """Return whom somebody here hears alone."""
        return frozenset[str]().union(*self._solos.values())
