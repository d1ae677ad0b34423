"""Meters and spectra of watched strips as they travel between servers: a byte or two a figure."""

import numpy as np

from dsp.reductions import Reductions
from dsp.spectrum import BANDS, Picture
from mixer.exchange_frames import DrawnSpectrum, MeteredStrip
from mixer.meters import Meter

FIGURES = 10


def strip_news(meter: Meter) -> MeteredStrip:
    """Return a meter in tenths of dB."""
    figures = (
        *(meter.in_peak_db, meter.in_rms_db, meter.out_peak_db, meter.out_rms_db),
        *meter.reductions,
        *(meter.level_db, meter.mix_db, meter.short_term_lufs),
    )
    tenths = [round(10 * figure) for figure in figures]
    return MeteredStrip(meter.source_id, tenths, meter.speaking)


def meter_of(news: MeteredStrip) -> Meter:
    """Return what a meter showed.

    Raises:
        ValueError: it is none.
    """
    if len(news.tenths) != FIGURES:
        raise ValueError("a meter has ten figures")
    before_peak, before, after_peak, after, *rest = (tenths / 10 for tenths in news.tenths)
    gate, compressor, limiter, level, mix, loudness = rest
    reductions = Reductions(gate, compressor, limiter)
    levels = (before_peak, before, after_peak, after)
    return Meter(news.source_id, *levels, reductions, level, mix, loudness, news.speaking)


def spectrum_news(source_id: str, picture: Picture) -> DrawnSpectrum:
    """Return a spectrum in whole dB, a byte a band."""
    bands = np.clip(picture.bands_db, -128, 127).astype(np.int8)
    peak = round(10 * picture.true_peak_db)
    return DrawnSpectrum(source_id, bands.tobytes(), round(100 * picture.correlation), peak)


def picture_of(news: DrawnSpectrum) -> Picture:
    """Return what a spectrum showed.

    Raises:
        ValueError: it is none.
    """
    if len(news.bands) != BANDS:
        raise ValueError(f"a spectrum has {BANDS} bands")
    bands = np.frombuffer(news.bands, np.int8).astype(np.int16)
    return Picture(bands, news.correlation_percent / 100, news.true_peak_tenths / 10)
