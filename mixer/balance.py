"""The balance of a room: gains that move by themselves, the same in everybody's mix.

- *Automix* shares one gain among the microphones (`dsp.automix`).
- *Ducking* turns music down while somebody speaks (`dsp.ducker`).
- *Target*: the mix of everybody is brought to a loudness, slowly, by one gain for all sources. Its
  loudness is that of the sum of the sources' powers: different sources do not cancel each other.

The gains are applied to the sources where they stand in the arena, in front of all mixes: so a mix
costs as much as before, and mixes that were alike stay alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsp import gain_kernels
from dsp.automix import GainSharing
from dsp.ducker import Ducker
from dsp.leveller import Leveller, LevellerSettings
from dsp.loudness import Values, lufs
from dsp.units import check_range, gain_of
from mixer.arena import BLOCK_10MS, SAMPLE_RATE_HZ, Arena
from mixer.source import Source

_PART: Final = 10 * BLOCK_10MS  # loudness is looked at each 100 ms,
_PARTS: Final = 4  # as that of the last 400 ms
_OFF: Final = 0.99999


@dataclass(frozen=True, slots=True)
class BalanceSettings:
    """What moves by itself in a room.

    Attributes:
        automix: Whether microphones share one gain.
        ducking_db: How far music goes down under speech, 0 (off) to 40 dB.
        target_lufs: Loudness of the mix, −36 to −10 LUFS; None leaves it as it is.
    """

    automix: bool = False
    ducking_db: float = 0.0
    target_lufs: float | None = None

    def __post_init__(self) -> None:
        """Raise `SettingsError` for a value out of range."""
        check_range("ducking_db", self.ducking_db, 0, 40, "dB")
        if self.target_lufs is not None:
            check_range("target_lufs", self.target_lufs, -36, -10, "LUFS")


AS_IT_IS: Final = BalanceSettings()


def _bus_settings(target_lufs: float) -> LevellerSettings:
    """Return how the mix of a room is levelled: slower than a voice, and never by much."""
    return LevellerSettings(
        target_lufs=target_lufs,
        most_db=12.0,
        least_db=-12.0,
        spread_db=0.0,
        memory_s=20.0,
        rise_db_s=1.5,
        fall_db_s=6.0,
        young_rise_db_s=6.0,
    )


class RoomBalance:
    """The automatic gains of one room.

    Attributes:
        is_on: Whether any gain moves, or is on its way back.
    """

    def __init__(self) -> None:
        """Leave everything as it is."""
        self.is_on = False
        self._settings = AS_IT_IS
        self._sharing = GainSharing()
        self._ducker = Ducker()
        self._bus: Leveller | None = None
        self._bus_factor = 1.0
        self._gains: dict[int, float] = {}  # by row, at the end of the last block
        self._energy, self._samples = 0.0, 0
        self._parts: list[float] = []

    @property
    def settings(self) -> BalanceSettings:
        """What moves by itself; may be set at any time."""
        return self._settings

    @settings.setter
    def settings(self, settings: BalanceSettings) -> None:
        self._settings = settings
        if settings.target_lufs is None:
            self._bus = None
        elif self._bus is None:
            self._bus = Leveller(_bus_settings(settings.target_lufs))
            self._parts = []
        else:
            self._bus.set(_bus_settings(settings.target_lufs))
        self.is_on = self.is_on or settings != AS_IT_IS

    def gain_db(self, row: int) -> float:
        """Return the gain of a row at the end of the last block."""
        return float(20.0 * np.log10(max(self._gains.get(row, 1.0), 1e-6)))

    def process(self, arena: Arena, sources: Sequence[Source], powers: Values, count: int) -> None:
        """Apply the gains to a block of the sources in the mixes, in place.

        Args:
            arena: Where they stand.
            sources: Those that sound and are in the mixes.
            powers: Weighted power of each one's block, both channels added, float64 (k,).
            count: Samples of the block, from the row's first one.
        """
        seconds = count / SAMPLE_RATE_HZ
        gains = self._shares(sources, powers, seconds)
        speaking = any(source.speaking and not source.is_music for source in sources)
        depth_db = self._settings.ducking_db
        duck = gain_of(self._ducker.advance(depth_db, speaking=speaking, seconds=seconds))
        gains[[source.is_music for source in sources]] *= duck
        gains *= self._follow_target(float(powers @ gains**2), count)
        rows = [source.row for source in sources]
        before = self._gains
        self._gains = dict(zip(rows, gains.tolist(), strict=True))
        begins = [
            # Who has just come fades in by the mix, and has no former gain to come from.
            before.get(source.row, 1.0 if source.heard else gain)
            for source, gain in zip(sources, gains.tolist(), strict=True)
        ]
        ramps = np.stack([np.array(begins), gains], axis=1)
        gain_kernels.ride(arena.data, 0, count, np.array(rows, np.int32), ramps)
        if self._settings == AS_IT_IS:
            self.is_on = bool((gains < _OFF).any() or (gains > 1.0 / _OFF).any())
            if not self.is_on:
                self._gains = {}

    def _shares(self, sources: Sequence[Source], powers: Values, seconds: float) -> Values:
        gains = np.ones(len(sources))
        if self._settings.automix:
            open_ = np.array([not source.is_music for source in sources], np.bool_)
            numbers = [source.row for source in sources if not source.is_music]
            gains[open_] = self._sharing.process(numbers, powers[open_], seconds)
        return gains

    def _follow_target(self, power: float, count: int) -> float:
        """Return the gain of the whole mix, whose power without it is known."""
        seconds = count / SAMPLE_RATE_HZ
        if self._bus is None:  # back to 0 dB, as fast as the bus falls
            step = gain_of(6.0 * seconds)
            self._bus_factor = min(max(1.0, self._bus_factor / step), self._bus_factor * step)
            return self._bus_factor
        self._energy += power * count
        self._samples += count
        if self._samples >= _PART:
            self._parts = [*self._parts[-_PARTS + 1 :], self._energy / self._samples]
            self._energy, self._samples = 0.0, 0
            if len(self._parts) == _PARTS:
                momentary = float(lufs(np.array([sum(self._parts) / _PARTS]))[0])
                self._bus.observe(momentary, spread_db=0.0)
        self._bus_factor = self._bus.advance(seconds)[1]
        return self._bus_factor
