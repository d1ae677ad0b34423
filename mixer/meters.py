"""Meters of the strips that somebody looks at; for all others nothing is measured.

Peaks and mean squares are gathered block by block, before and after the strip; `take` gives what
came together since the last time. A source that falls silent says so at once, then now and then:
whoever missed it would see its last level for ever.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsp.beside import Beside, at_once
from dsp.loudness import LoudnessBank
from dsp.reductions import NO_REDUCTIONS, Reductions
from dsp.spectrum import Picture, Spectrum
from dsp.strip import StripBank
from dsp.voice_detector import make_detector
from mixer import kernels
from mixer.arena import Arena
from mixer.source import Source

SILENCE_DB: Final = -120.0
_VOICE: Final = 0.5
_AGAIN: Final = 25  # so many meters of silence, one is told: every second, as they are taken

Spectra = list[tuple[str, Picture]]
"""Ids, and what there is to draw of them."""


@dataclass(frozen=True, slots=True)
class Meter:
    """What a strip did since the last time; levels in dBFS, gains in dB.

    Attributes:
        source_id: Whose.
        in_peak_db: Highest sample before the strip.
        in_rms_db: Mean level before the strip.
        out_peak_db: Highest sample after it.
        out_rms_db: Mean level after it.
        reductions: The least that gate, compressor and limiter let through.
        level_db: Gain of automatic level.
        mix_db: Gain of automix, ducking and the room's target.
        short_term_lufs: Loudness of the last 3 s after the strip.
        speaking: Whether there is a voice, by its spectrum where `dsp.voice_detector` can tell.
    """

    source_id: str
    in_peak_db: float = SILENCE_DB
    in_rms_db: float = SILENCE_DB
    out_peak_db: float = SILENCE_DB
    out_rms_db: float = SILENCE_DB
    reductions: Reductions = NO_REDUCTIONS
    level_db: float = 0.0
    mix_db: float = 0.0
    short_term_lufs: float = SILENCE_DB
    speaking: bool = False

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to see."""
        return max(self.in_peak_db, self.out_peak_db, self.short_term_lufs) <= SILENCE_DB


class _Gauge:
    """What came together of one source since the last time."""

    __slots__ = (
        "blocks",
        "detector",
        "measured",
        "peaks",
        "powers",
        "reductions",
        "row",
        "silent",
        "voice",
    )

    def __init__(self, row: int, beside: Beside) -> None:
        self.row = row
        self.detector = make_detector(beside)
        self.silent = 0  # meters in a row that showed nothing
        self.measured = False  # what is not measured has no loudness yet
        self.clear()

    def clear(self) -> None:
        self.blocks = 0
        self.peaks = [0.0, 0.0]
        self.powers = [0.0, 0.0]
        self.reductions = NO_REDUCTIONS
        self.voice = 0.0  # the highest probability


class RoomMeters:
    """Meters of one room."""

    def __init__(self, arena: Arena, loudness: LoudnessBank, beside: Beside = at_once) -> None:
        """Begin with nobody looking.

        Args:
            arena: Where the sources stand.
            loudness: Meters of what leaves the strips, which are fed by somebody else.
            beside: Where neural networks run.
        """
        self._arena = arena
        self._loudness = loudness
        self._beside = beside
        self._watched: frozenset[str] = frozenset()
        self._gauges: dict[str, _Gauge] = {}
        self._spectra: dict[str, Spectrum] = {}
        self._buffers = np.zeros(0, np.float32), np.zeros(0, np.float32)

    @property
    def watched(self) -> frozenset[str]:
        """Whose meters somebody looks at."""
        return self._watched

    def watch(self, strips: Iterable[str], spectra: Iterable[str]) -> None:
        """Look at the meters of these sources from now on, and at these ones' spectra."""
        self._spectra = {name: self._spectra.get(name) or Spectrum() for name in spectra}
        self._watched = frozenset(strips) | self._spectra.keys()
        self._gauges = {k: gauge for k, gauge in self._gauges.items() if k in self._watched}

    def forget(self, source_id: str) -> None:
        """Take note that a source is gone."""
        self._gauges.pop(source_id, None)

    def seen(self, sources: Iterable[Source]) -> list[Source]:
        """Return those of `sources` that somebody looks at and may."""
        watched = self._watched
        return [
            one for one in sources if one.source_id in watched and not one.muted and not one.remote
        ]

    def before(self, sources: list[Source], count: int) -> None:
        """Take in what goes into the strips of watched sources, `count` samples."""
        self._gather(sources, count, 0)
        for source in sources:
            gauge = self._gauges[source.source_id]
            if gauge.detector is not None:
                voice = gauge.detector.process(source.view[:count])
                gauge.voice = max(gauge.voice, voice)

    def after(self, sources: list[Source], count: int, strips: StripBank | None) -> None:
        """Take in what has come out of the strips of watched sources."""
        self._gather(sources, count, 1)
        for source in sources:
            gauge = self._gauges[source.source_id]
            gauge.blocks += 1
            gauge.measured = True
            if strips is not None:
                found = strips.reductions(source.row)
                gauge.reductions = Reductions(*map(min, gauge.reductions, found))
            spectrum = self._spectra.get(source.source_id)
            if spectrum is not None:
                spectrum.push(source.view[:count])

    def take(
        self,
        sources: Mapping[str, Source],
        level_db: Mapping[str, float],
        mix_db: Mapping[str, float],
    ) -> list[Meter]:
        """Return what is new, and begin anew.

        Args:
            sources: The room's, by id.
            level_db: Gains of automatic level, by id; missing is 0.
            mix_db: Gains of the room's balance, likewise.
        """
        meters = []
        for name in self._watched & sources.keys():
            source = sources[name]
            if source.remote:
                continue
            gauge = self._gauge(source)
            if source.present and not gauge.blocks and not source.muted:
                continue  # no block since the last time
            meter = self._meter(source, gauge, level_db.get(name, 0.0), mix_db.get(name, 0.0))
            if not (meter.is_silent and gauge.silent % _AGAIN):
                meters.append(meter)
            gauge.silent = gauge.silent + 1 if meter.is_silent else 0
            gauge.clear()
        return meters

    def spectra(self, sources: Mapping[str, Source]) -> Spectra:
        """Return the watched spectra; those of sources that are silent are left out."""
        found = []
        for name, spectrum in self._spectra.items():
            source = sources.get(name)
            if source is not None and source.remote:
                continue
            if source is not None and source.present and not source.muted:
                found.append((name, spectrum.picture()))
            else:
                spectrum.rest()
        return found

    def _gauge(self, source: Source) -> _Gauge:
        gauge = self._gauges.get(source.source_id)
        if gauge is None:
            gauge = self._gauges[source.source_id] = _Gauge(source.row, self._beside)
        return gauge

    def _gather(self, sources: list[Source], count: int, side: int) -> None:
        size = len(sources)
        if not size:
            return
        if len(self._buffers[0]) < size:
            self._buffers = np.zeros(size, np.float32), np.zeros(size, np.float32)
        peaks, powers = self._buffers
        rows = np.array([source.row for source in sources], np.int32)
        kernels.measure(self._arena.data, rows, 0, count, peaks, powers)
        for i, source in enumerate(sources):
            gauge = self._gauge(source)
            gauge.peaks[side] = max(gauge.peaks[side], float(peaks[i]))
            gauge.powers[side] += float(powers[i])

    def _meter(self, source: Source, gauge: _Gauge, level_db: float, mix_db: float) -> Meter:
        if source.muted or not gauge.measured:
            return Meter(source.source_id)
        blocks = max(gauge.blocks, 1)
        one = np.array([source.row], np.int32)
        return Meter(
            source.source_id,
            _decibels(gauge.peaks[0] ** 2),
            _decibels(gauge.powers[0] / blocks),
            _decibels(gauge.peaks[1] ** 2),
            _decibels(gauge.powers[1] / blocks),
            gauge.reductions,
            level_db,
            mix_db,
            float(self._loudness.short_term(one)[0]),
            gauge.voice > _VOICE if gauge.detector is not None else source.speaking,
        )


def _decibels(power: float) -> float:
    return max(float(10.0 * np.log10(max(power, 1e-12))), SILENCE_DB)
