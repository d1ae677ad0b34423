"""Automatic level: brings a voice to a loudness, slowly enough not to be heard at work.

How loud a voice is, is estimated as the standard defines it for a programme (`loudness.py`): the
mean of all momentary values that are above a threshold and above 10 LU below the mean so far, here
with a memory that fades. The gain goes towards what the estimate asks for, faster in the first
three seconds of a voice, and stays where it is while nobody speaks. Who stays more than 10 LU
below the estimate for two seconds is taken for another voice, and the estimate begins anew.

What is no voice does not count: a fan or a hum is as loud now as a second ago, while a voice rises
and falls by more than `spread_db`. So a quiet room is not made a loud one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from dsp import gain_kernels as kernels
from dsp.loudness import LoudnessBank, Rows, Values
from dsp.units import SAMPLE_RATE_HZ, check_range

LOOK_BACK: Final = 15
"""Parts of 100 ms within which a voice rises and falls."""
_BACK_DB_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class LevellerSettings:
    """Settings of automatic level.

    Attributes:
        target_lufs: Loudness that is aimed at, −36 to −10 LUFS.
        most_db: Largest gain, 0 to 40 dB.
        least_db: Smallest gain, −40 to 0 dB.
        threshold_lufs: What is quieter is no voice, −70 to −20 LUFS.
        spread_db: By how much a voice rises and falls, 0 to 20 dB; 0 levels everything.
        memory_s: For how long the past counts, 1 to 60 s.
        rise_db_s: How fast the gain rises, 0.1 to 60 dB per second.
        fall_db_s: How fast it falls, 0.1 to 60 dB per second.
        young_rise_db_s: How fast it rises in the first three seconds of a voice, likewise.
    """

    target_lufs: float = -20.0
    most_db: float = 24.0
    least_db: float = -24.0
    threshold_lufs: float = -55.0
    spread_db: float = 6.0
    memory_s: float = 5.0
    rise_db_s: float = 3.0
    fall_db_s: float = 20.0
    young_rise_db_s: float = 20.0

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("target_lufs", self.target_lufs, -36, -10, "LUFS")
        check_range("most_db", self.most_db, 0, 40, "dB")
        check_range("least_db", self.least_db, -40, 0, "dB")
        check_range("threshold_lufs", self.threshold_lufs, -70, -20, "LUFS")
        check_range("spread_db", self.spread_db, 0, 20, "dB")
        check_range("memory_s", self.memory_s, 1, 60, "s")
        for name in ("rise_db_s", "fall_db_s", "young_rise_db_s"):
            check_range(name, getattr(self, name), 0.1, 60, "dB/s")

    def row(self) -> Values:
        """Return the settings as the kernels want them: float64 (9,)."""
        keep = 1.0 - 0.1 / self.memory_s
        limits = (self.target_lufs, self.most_db, self.least_db, self.threshold_lufs)
        speeds = (self.rise_db_s, self.fall_db_s, self.young_rise_db_s)
        return np.array([*limits, self.spread_db, keep, *speeds])


class Leveller:
    """A gain that follows loudness which somebody else measures, ten times a second."""

    def __init__(self, settings: LevellerSettings) -> None:
        """Begin with a gain of 0 dB."""
        self._settings = settings.row()[None]
        self._state = np.zeros((1, kernels.STATE))
        self._row = np.zeros(1, np.int32)

    def set(self, settings: LevellerSettings) -> None:
        """Change the settings; the gain goes on from where it is."""
        self._settings = settings.row()[None]

    @property
    def gain_db(self) -> float:
        """The gain just now."""
        return float(self._state[0, kernels.GAIN_DB])

    def observe(self, momentary_lufs: float, spread_db: float) -> None:
        """Take in what was measured over the last 100 ms."""
        measured = np.array([[momentary_lufs], [spread_db]])
        kernels.follow(self._row, measured[0], measured[1], self._settings, self._state)

    def advance(self, seconds: float) -> tuple[float, float]:
        """Let time go by and return the factors before and after."""
        ramps = np.ones((1, 2))
        kernels.glide(self._row, seconds, self._state, ramps)
        return float(ramps[0, 0]), float(ramps[0, 1])


class LevellerBank:
    """Levellers of some rows of an arena; nothing depends on other rows."""

    def __init__(self) -> None:
        """Make a bank without rows."""
        self._meters = LoudnessBank()
        self._levelled: set[int] = set()
        self._leaving: set[int] = set()
        self._settings = np.zeros((0, kernels.SETTINGS))
        self._states = np.zeros((0, kernels.STATE))

    def set(self, row: int, settings: LevellerSettings | None) -> None:
        """Level a row from now on; with None, let its gain go back to 0 dB and leave it alone."""
        if settings is None:
            if row in self._levelled:
                self._leaving.add(row)
                self._states[row, kernels.GOAL_DB] = 0.0
                self._states[row, [kernels.RISE, kernels.FALL]] = _BACK_DB_S
            return
        self._leaving.discard(row)
        if row >= len(self._states):
            self._grow(max(row + 1, 2 * len(self._states), 16))
        if row not in self._levelled:
            self._levelled.add(row)
            self._meters.take(row)
            self._states[row] = 0.0
        self._settings[row] = settings.row()

    def drop(self, row: int) -> None:
        """Leave a row alone at once: it is somebody else's from now on."""
        self._levelled.discard(row)
        self._leaving.discard(row)

    def levels(self, row: int) -> bool:
        """Whether a row is levelled, or on its way back."""
        return row in self._levelled

    def gain_db(self, row: int) -> float:
        """Return the gain of a row just now."""
        return float(self._states[row, kernels.GAIN_DB]) if row in self._levelled else 0.0

    def rest(self, row: int) -> None:
        """Take note that a row's sound has ended; its gain waits for it to come back."""
        if row in self._levelled:
            self._meters.rest(row)

    def process(self, arena: npt.NDArray[np.float32], rows: Rows, first: int, count: int) -> None:
        """Level a block of some rows, in place.

        Args:
            arena: float32 (rows, samples, 2).
            rows: int32 (k,), each at most once and levelled.
            first: First sample.
            count: Samples, at most 4800: the gain is given a new goal once in a block.
        """
        _, fresh = self._meters.process(arena, rows, first, count)
        new = rows[fresh]
        if self._leaving:
            new = np.array([row for row in new.tolist() if row not in self._leaving], np.int32)
        if len(new):
            spreads = self._meters.spread_db(new, LOOK_BACK)
            loudness = self._meters.momentary(new)
            kernels.follow(new, loudness, spreads, self._settings, self._states)
        ramps = np.ones((len(rows), 2))
        kernels.glide(rows, count / SAMPLE_RATE_HZ, self._states, ramps)
        kernels.ride(arena, first, count, rows, ramps)
        for row in [one for one in self._leaving if self._states[one, kernels.GAIN_DB] == 0.0]:
            self.drop(row)

    def _grow(self, rows: int) -> None:
        for name in ("_settings", "_states"):
            old = getattr(self, name)
            new = np.zeros((rows, old.shape[1]))
            new[: len(old)] = old
            setattr(self, name, new)
