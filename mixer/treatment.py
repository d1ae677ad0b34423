"""What is done to a room's sources, besides their strips, between fetching and mixing.

    fetched -> noise suppression -> automatic level -> strip
        -> [levels, who is heard] -> balance -> mixes

Meters look at what was fetched and at what comes out of the strip. Whatever nobody
asked for is not computed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from dsp.beside import Beside, at_once
from dsp.denoise_engines import DenoiseEngine
from dsp.denoiser import Denoiser, engines, make_denoiser
from dsp.leveller import LevellerBank, LevellerSettings
from dsp.loudness import LoudnessBank, Rows, Values
from dsp.strip import StripBank
from mixer.arena import Arena
from mixer.balance import BalanceSettings, RoomBalance
from mixer.meters import Meter, RoomMeters, Spectra
from mixer.source import Source


@dataclass(frozen=True, slots=True)
class Character:
    """What a source is, and what is done to it in front of its strip.

    Attributes:
        is_music: Whether it is no voice: ducked under speech, and no part of automix.
        leveller: How it is levelled; None leaves it as loud as it is.
        denoise: Who takes the noise from it; without that package nobody does.
        follows: Whether it is treated by what it is recognised as.
    """

    is_music: bool = False
    leveller: LevellerSettings | None = None
    denoise: DenoiseEngine | None = None
    follows: bool = False


class Automatics:
    """What measures, levels and denoises the rows of an arena; one for all rooms of a worker.

    Attributes:
        levellers: Automatic level.
        loudness: Meters.
        beside: Where neural networks run.
    """

    def __init__(self, beside: Beside = at_once) -> None:
        """Make one without rows."""
        self.levellers = LevellerBank()
        self.loudness = LoudnessBank()
        self.beside = beside


class Treatment:
    """Automatic level, balance and meters of one room."""

    def __init__(
        self, arena: Arena, strips: StripBank | None = None, automatics: Automatics | None = None
    ) -> None:
        """Leave everything as it is.

        Args:
            arena: Where the sources stand.
            strips: Their strips, for the meters.
            automatics: Shared by all rooms of the arena.
        """
        automatics = automatics or Automatics()
        self._arena = arena
        self._strips = strips
        self._levellers = automatics.levellers
        self._loudness = automatics.loudness
        self._beside = automatics.beside
        self._balance = RoomBalance()
        self._meters = RoomMeters(arena, automatics.loudness, automatics.beside)
        self._levelled: dict[str, int] = {}
        self._denoisers: dict[str, Denoiser] = {}
        self._denoise_by: dict[str, DenoiseEngine] = {}
        self._following: set[str] = set()
        self._measured: set[int] = set()  # rows that the loudness meter knows
        self._powers: dict[int, float] = {}

    # ---- what is asked for -----------------------------------------------------------------

    @property
    def balance(self) -> BalanceSettings:
        """What moves by itself in the room; may be set at any time."""
        return self._balance.settings

    @balance.setter
    def balance(self, settings: BalanceSettings) -> None:
        self._balance.settings = settings

    def set_character(self, source: Source, character: Character) -> None:
        """Treat a source as `character` says from now on."""
        source.is_music = character.is_music
        (self._following.add if character.follows else self._following.discard)(source.source_id)
        self._levellers.set(source.row, character.leveller)
        if character.leveller is not None:
            self._levelled[source.source_id] = source.row
        self._set_denoiser(source.source_id, character.denoise)

    def latency_samples(self, source_id: str) -> int:
        """Return by how much a source is delayed in front of its strip."""
        denoiser = self._denoisers.get(source_id)
        return 0 if denoiser is None else denoiser.latency_samples

    def watch(self, strips: Collection[str], spectra: Collection[str]) -> None:
        """Measure these sources' strips from now on, and these ones' spectra; nobody else's."""
        self._meters.watch(strips, spectra)

    @property
    def is_watched(self) -> bool:
        """Whether anybody looks at a meter."""
        return bool(self._meters.watched)

    def to_recognise(self, present: Sequence[Source]) -> list[Source]:
        """Return those of whom somebody wants to know what they are: watched, or following it.

        To recognise one costs as much as to mix ten.
        """
        watched, following = self._meters.watched, self._following
        if not (watched or following):
            return []
        return [one for one in present if one.source_id in watched or one.source_id in following]

    def take_meters(self, sources: dict[str, Source]) -> tuple[list[Meter], Spectra]:
        """Return the watched meters and spectra since the last time; see `RoomMeters`."""
        level_db = {name: self._levellers.gain_db(row) for name, row in self._levelled.items()}
        mix_db = {name: self._balance.gain_db(one.row) for name, one in sources.items()}
        return self._meters.take(sources, level_db, mix_db), self._meters.spectra(sources)

    # ---- a source's life -------------------------------------------------------------------

    def rest(self, source: Source) -> None:
        """Take note that a source's sound has ended."""
        self._levellers.rest(source.row)
        if (denoiser := self._denoisers.get(source.source_id)) is not None:
            denoiser.rest()
        if source.row in self._measured:
            self._loudness.rest(source.row)

    def forget(self, source: Source) -> None:
        """Take note that a source is gone, and its row with it."""
        self._levelled.pop(source.source_id, None)
        self._denoisers.pop(source.source_id, None)
        self._denoise_by.pop(source.source_id, None)
        self._following.discard(source.source_id)
        self._levellers.drop(source.row)
        self._measured.discard(source.row)
        self._meters.forget(source.source_id)

    # ---- one block -------------------------------------------------------------------------

    def before_strips(self, present: Sequence[Source], count: int) -> None:
        """Denoise and level the sources that sound, `count` samples of each."""
        if self._meters.watched:
            self._meters.before(self._meters.seen(present), count)
        if self._denoisers:
            self._denoise(present, count)
        if self._levelled:
            self._level(present, count)

    def after_strips(self, sources: Collection[Source], count: int) -> None:
        """Measure what has come out of the strips.

        Args:
            sources: All of the room.
            count: Samples of the block.
        """
        if not (self._meters.watched or self._balance.is_on):
            return
        seen = self._meters.seen(sources)
        wanted = self._mixed(sources) if self._balance.is_on else []
        self._powers = {}
        self._measure({one.row for one in (*wanted, *seen) if one.present}, count)
        silent = [one.row for one in seen if not one.present and one.row in self._measured]
        if silent:
            self._loudness.wait(_rows(silent), count)
        self._meters.after([one for one in seen if one.present], count, self._strips)

    def settle(self, sources: Collection[Source], count: int) -> None:
        """Balance what goes into the mixes."""
        if not self._balance.is_on:
            return
        mixed = self._mixed(sources)
        if mixed:
            self._measure({one.row for one in mixed} - self._powers.keys(), count)
            powers: Values = np.array([self._powers[one.row] for one in mixed])
            self._balance.process(self._arena, mixed, powers, count)

    def _set_denoiser(self, source_id: str, engine: DenoiseEngine | None) -> None:
        """Let `engine` take the noise; another one that does leaves first."""
        if engine in engines():
            self._denoise_by[source_id] = engine
        else:
            engine = None
            self._denoise_by.pop(source_id, None)
        denoiser = self._denoisers.get(source_id)
        if denoiser is not None:
            (denoiser.stay if denoiser.engine == engine else denoiser.leave)()
        elif engine is not None:
            self._denoisers[source_id] = make_denoiser(engine, self._beside)

    def _denoise(self, present: Sequence[Source], count: int) -> None:
        for source in present:
            denoiser = self._denoisers.get(source.source_id)
            if denoiser is not None:
                denoiser.process(source.view[:count])
                if denoiser.has_left:
                    del self._denoisers[source.source_id]
                    self._set_denoiser(source.source_id, self._denoise_by.get(source.source_id))

    def _level(self, present: Sequence[Source], count: int) -> None:
        levels = self._levellers.levels
        for name in [name for name, row in self._levelled.items() if not levels(row)]:
            del self._levelled[name]
        rows = [one.row for one in present if one.source_id in self._levelled]
        if rows:
            self._levellers.process(self._arena.data, _rows(rows), 0, count)

    @staticmethod
    def _mixed(sources: Collection[Source]) -> list[Source]:
        """Return who sounds in any mix, comes in, or goes out."""
        return [
            one for one in sources if one.present and (one.engaged or one.in_reserve or one.heard)
        ]

    def _measure(self, rows: set[int], count: int) -> None:
        if not rows:
            return
        for row in rows:
            if row not in self._measured:
                self._measured.add(row)
                self._loudness.take(row)
        powers, _ = self._loudness.process(self._arena.data, _rows(list(rows)), 0, count)
        self._powers.update(zip(rows, powers.tolist(), strict=True))


def _rows(rows: list[int]) -> Rows:
    return np.array(rows, np.int32)
