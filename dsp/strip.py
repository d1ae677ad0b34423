"""Channel strips: one for each publisher, all of a worker's in one call.

A strip is

    input trim -> high-pass -> gate -> compressor -> equaliser
        -> chorus -> delay -> reverb -> width and pan -> limiter -> fader

The limiter stands behind everything that adds sound, so that its ceiling holds for echoes and width
too, and looks ahead once for all of them; the fader, as on every desk, moves what leaves.

Rules:
- A strip in which nothing is set is *flat*: it costs nothing, delays nothing and changes no bit.
  Any other delays by `LATENCY_SAMPLES`, whatever is set.
- New settings take effect at the next sample and fade in over `FADE_SAMPLES`: old and new strip run
  side by side, and one is crossfaded into the other, so that no setting, from a threshold to the
  shape of a band, can click. Settings that come meanwhile wait for the end of the fade; only the
  newest are kept. A strip that leaves or becomes flat fades over the plain sound likewise.
- What effects hold goes on sounding when nothing more comes in: `rings` tells for how long. They
  take memory only while they sound.
- A row's output depends on its own input and settings only, bit by bit: not on how the sound is cut
  into blocks, nor on other rows.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp import compressor, effects, equaliser, gate, high_pass, limiter, stereo
from dsp.chorus import ChorusSettings
from dsp.compressor import CompressorSettings
from dsp.delay import DelaySettings
from dsp.effects import EffectSettings
from dsp.engine import Engine, Lanes, load_engine
from dsp.equaliser import EqualiserSettings
from dsp.gate import GateSettings
from dsp.high_pass import HighPassSettings
from dsp.limiter import LimiterSettings
from dsp.reductions import NO_REDUCTIONS, Reductions, reductions
from dsp.reverb import ReverbSettings
from dsp.stereo import StereoSettings
from dsp.tables import FADE_SAMPLES, StripTables
from dsp.units import check_range, gain_of

LATENCY_SAMPLES: Final = limiter.DELAY
"""By how much a strip that is not flat delays: 71 samples, 1.48 ms."""
SILENT_FADER_DB: Final = -60.0
"""Where the fader is shut."""


@dataclass(frozen=True, slots=True)
class StripSettings:
    """Settings of a strip; a stage that is None is off.

    Attributes:
        trim_db: Gain before everything else, −24 to 24 dB.
        high_pass: The low cut.
        gate: The noise gate.
        compressor: The compressor.
        equaliser: The five bands.
        stereo: Width and pan.
        limiter: The limiter; None keeps true peaks under 0 dBTP when another stage is in use.
        chorus: The chorus.
        delay: The delay.
        reverb: The reverb.
        fader_db: Gain behind everything else, −60 to 12 dB; −60 is silence.
    """

    trim_db: float = 0.0
    high_pass: HighPassSettings | None = None
    gate: GateSettings | None = None
    compressor: CompressorSettings | None = None
    equaliser: EqualiserSettings | None = None
    stereo: StereoSettings | None = None
    limiter: LimiterSettings | None = None
    chorus: ChorusSettings | None = None
    delay: DelaySettings | None = None
    reverb: ReverbSettings | None = None
    fader_db: float = 0.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("trim_db", self.trim_db, -24, 24, "dB")
        check_range("fader_db", self.fader_db, SILENT_FADER_DB, 12, "dB")

    @property
    def effects(self) -> EffectSettings:
        """The effects among its stages."""
        return EffectSettings(self.chorus, self.delay, self.reverb)

    @property
    def level(self) -> float:
        """The fader's factor."""
        return 0.0 if self.fader_db == SILENT_FADER_DB else gain_of(self.fader_db)

    @property
    def is_flat(self) -> bool:
        """Whether the strip would leave the sound as it is."""
        return self.trim_db == self.fader_db == 0.0 and not any(
            (
                self.high_pass,
                self.gate,
                self.compressor,
                self.equaliser is not None and not self.equaliser.is_flat,
                self.stereo is not None and stereo.matrix(self.stereo) != stereo.AS_IS,
                self.limiter,
                *self.effects.used,
            )
        )


FLAT: Final = StripSettings()

_LONG: Final = 1 << 30

_PER_ROW: Final = (
    "_working", "_sounded", "_slot", "_incoming", "_fade", "_elapsed", "_lasting"
)  # fmt: skip


class StripBank:
    """The strips of a worker, by the rows of its arena."""

    latency_samples = LATENCY_SAMPLES

    def __init__(self, engine: Engine | None = None) -> None:
        """Make a bank without rows.

        Args:
            engine: Who computes; the best that there is by default.
        """
        self.engine = engine or load_engine()
        self._tables = StripTables(self.engine.dtype)
        self._settings: dict[int, StripSettings] = {}
        self._pending: dict[int, StripSettings] = {}
        self._working = np.zeros(0, np.bool_)  # whether a row needs processing
        self._sounded = np.zeros(0, np.bool_)  # whether it has been processed since it rested
        self._slot = np.zeros(0, np.int32)
        self._incoming = np.zeros(0, np.int32)
        self._fade = np.zeros(0, np.int8)
        self._elapsed = np.zeros(0, np.int32)
        self._moving: set[int] = set()  # rows that change or fade
        self._lasting = np.zeros(0, np.int64)  # samples of quiet after which they are empty

    def take(self, row: int) -> None:
        """Hold a row of the arena, with a flat strip."""
        if row >= len(self._working):
            self._grow(max(row + 1, 2 * len(self._working), 16))
        self._settings[row] = FLAT
        self._stop(row)

    def give_back(self, row: int) -> None:
        """Hold a row no longer."""
        del self._settings[row]
        self._stop(row)

    def settings(self, row: int) -> StripSettings:
        """Return the newest settings of a row, which may still be waiting for a fade."""
        return self._pending.get(row, self._settings[row])

    def is_flat(self, row: int) -> bool:
        """Whether a row's sound passes untouched and undelayed just now."""
        return not self._working[row]

    def reductions(self, row: int) -> Reductions:
        """Return how far a row's strip turned the sound down at the end of its last block."""
        if not self._working[row]:
            return NO_REDUCTIONS
        return reductions(self._tables, row, int(self._slot[row]))

    def rings(self, row: int) -> bool:
        """Whether a row's effects still sound, or will, though nothing more comes in.

        Then the row wants to be processed with silence; afterwards it may `rest`.
        """
        sounds = self._sounded[row] and self._working[row]
        return bool(sounds and self._tables.memory.quiet[row] < self._lasting[row])

    def set(self, row: int, settings: StripSettings) -> None:
        """Change a row's settings, from its next sample on and without a click."""
        if self._incoming[row] >= 0 or self._fade[row]:
            self._pending[row] = settings
            return
        old = self._settings[row]
        self._settings[row] = settings
        if not self._sounded[row]:
            self._start(row, settings)
        elif old.is_flat and not settings.is_flat:
            self._appear(row, settings)
        elif settings.is_flat and not old.is_flat:
            self._begin(row, fade=-1)
        elif settings != old and not settings.is_flat:
            self._change(row, old, settings)

    def rest(self, row: int) -> None:
        """Forget a row's sound: it has ended, and what comes next has nothing to do with it."""
        settings = self.settings(row)
        self._stop(row)
        self._settings[row] = settings
        self._start(row, settings)

    def join(self, row: int) -> None:
        """Have a row that rested begin in the middle of a sound, which it fades in over."""
        settings = self.settings(row)
        self._stop(row)
        self._settings[row] = FLAT
        self._sounded[row] = True
        self.set(row, settings)

    def process(
        self, arena: npt.NDArray[np.float32], rows: npt.NDArray[np.int32], first: int, count: int
    ) -> None:
        """Run the strips of some rows over one block, in place.

        Args:
            arena: float32 (rows, samples, 2), contiguous.
            rows: int32 (k,), rows that sound; each at most once. Flat ones cost nothing.
            first: First sample of the block.
            count: Samples of the block, any number.
        """
        self._sounded[rows] = True
        end = first + count
        while first < end:
            working = rows[self._working[rows]]
            if not len(working):
                return
            memory = self._tables.memory
            if not memory.is_complete:
                memory.furnish(working.tolist())
            step = min(end - first, self._until_pending(working))
            self.engine.process(arena, first, step, self._lanes(working), self._tables)
            first += step
            self._advance(working, step)

    # ---- how rows change -------------------------------------------------------------------

    def _lanes(self, rows: npt.NDArray[np.int32]) -> Lanes:
        return Lanes(
            rows, self._slot[rows], self._incoming[rows], self._fade[rows], self._elapsed[rows]
        )

    def _until_pending(self, rows: npt.NDArray[np.int32]) -> int:
        """Return how many samples it is until waiting settings can be taken up."""
        here = [row for row in rows.tolist() if row in self._pending] if self._pending else []
        return min((FADE_SAMPLES - int(self._elapsed[row]) for row in here), default=_LONG)

    def _advance(self, rows: npt.NDArray[np.int32], count: int) -> None:
        """Let time go on for rows that change, and end what has come to its end."""
        if not self._moving:
            return
        changing = rows[(self._incoming[rows] >= 0) | (self._fade[rows] != 0)]
        self._elapsed[changing] += count
        for row in changing[self._elapsed[changing] >= FADE_SAMPLES].tolist():
            if self._incoming[row] >= 0:
                self._slot[row] = self._incoming[row]
                self._incoming[row] = -1
                self._use_effects(row, self._settings[row].effects)
            elif self._fade[row] < 0:
                self._working[row] = False
                self._use_effects(row, effects.OFF)
            self._fade[row] = 0
            self._moving.discard(row)
            pending = self._pending.pop(row, None)
            if pending is not None:
                self.set(row, pending)

    def _use_effects(self, row: int, *used: EffectSettings) -> None:
        """Let a row have the memory, and the time to ring out, of effects old and new."""
        flags = np.any([each.used for each in used], axis=0).tolist()
        self._tables.memory.want(row, (flags[0], flags[1], flags[2]))
        self._lasting[row] = max(map(effects.lasting_samples, used))

    def _start(self, row: int, settings: StripSettings) -> None:
        """Have a row begin its sound with these settings."""
        self._working[row] = not settings.is_flat
        self._write(int(self._slot[row]), settings)
        self._use_effects(row, settings.effects)

    def _begin(self, row: int, fade: int = 0, elapsed: int = 0) -> None:
        self._moving.add(row)
        self._fade[row] = fade
        self._elapsed[row] = elapsed

    def _appear(self, row: int, settings: StripSettings) -> None:
        """Let a strip begin in the middle of a sound."""
        self._tables.rest(row)
        self._start(row, settings)
        if settings.effects != effects.OFF:  # they fill from silence, lest their echo begin hard
            slot = int(self._slot[row])
            self._write(slot ^ 1, settings)
            self._tables.coefficients[4][slot] = effects.coefficients(effects.OFF, settings.effects)
            self._incoming[row] = slot ^ 1
        # Its first sound comes out after its latency; until then the plain sound goes on.
        self._begin(row, fade=1, elapsed=-LATENCY_SAMPLES)

    def _change(self, row: int, old: StripSettings, new: StripSettings) -> None:
        """Let a second strip begin where the first one is, but for stages that come or go."""
        sections, dynamics, _ = self._tables.states
        source = int(self._slot[row])
        target = source ^ 1
        curves = self._tables.coefficients[0]
        self._write(target, new)
        changing = self._tables.coefficients[4]
        changing[source] = effects.coefficients(old.effects, new.effects)
        changing[target] = effects.coefficients(new.effects, old.effects)
        self._use_effects(row, old.effects, new.effects)
        sections[target] = self.engine.carry(sections[source], curves[source], curves[target])
        sections[target, (curves[source, :, 0] == 0.0) != (curves[target, :, 0] == 0.0)] = 0.0
        dynamics[target] = dynamics[source]
        if (old.gate is None) != (new.gate is None):
            dynamics[target, :2] = 1.0, gate.coefficients(new.gate)[2]  # open
        if (old.compressor is None) != (new.compressor is None):
            dynamics[target, 2:] = 0.0
        self._incoming[row] = target
        self._begin(row)

    def _write(self, slot: int, settings: StripSettings) -> None:
        sections, dynamics, matrices, outputs, sends = self._tables.coefficients
        sections[slot] = _sections(settings)
        dynamics[slot, 0] = gain_of(settings.trim_db)
        dynamics[slot, 1:7] = gate.coefficients(settings.gate)
        dynamics[slot, 7:] = compressor.coefficients(settings.compressor)
        matrices[slot] = stereo.matrix(settings.stereo)
        outputs[slot] = *limiter.coefficients(settings.limiter), settings.level
        sends[slot] = effects.coefficients(settings.effects)

    def _stop(self, row: int) -> None:
        self._pending.pop(row, None)
        self._tables.rest(row)
        self._working[row] = False
        self._sounded[row] = False
        self._incoming[row] = -1
        self._fade[row] = 0
        self._moving.discard(row)
        self._lasting[row] = 0  # its effects have gone with the tables

    def _grow(self, rows: int) -> None:
        known = len(self._working)
        self._tables.grow(rows)
        for name in _PER_ROW:
            old = getattr(self, name)
            new = np.zeros(rows, old.dtype)
            new[:known] = old
            setattr(self, name, new)
        self._slot[known:] = np.arange(2 * known, 2 * rows, 2)
        self._incoming[known:] = -1


def _sections(settings: StripSettings) -> npt.NDArray[np.float64]:
    """Return the coefficients of the high-pass and the five bands."""
    bands = (settings.equaliser or EqualiserSettings()).bands
    first = high_pass.section(settings.high_pass)
    return np.array([first, *(equaliser.section(band) for band in bands)])
