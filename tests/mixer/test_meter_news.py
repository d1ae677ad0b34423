"""Meters and spectra as they travel between servers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from dsp.reductions import Reductions
from dsp.spectrum import BANDS, Picture
from mixer.meter_news import meter_of, picture_of, spectrum_news, strip_news
from mixer.meters import Meter

figures = st.floats(-120, 40)


@given(st.lists(figures, min_size=10, max_size=10), st.booleans())
def test_a_meter_arrives_to_a_tenth_of_a_db(values: list[float], speaking: bool) -> None:
    meter = Meter("anna", *values[:4], Reductions(*values[4:7]), *values[7:], speaking)
    told = meter_of(strip_news(meter))
    assert (told.source_id, told.speaking) == ("anna", speaking)
    for name in ("in_peak_db", "in_rms_db", "out_peak_db", "out_rms_db", "level_db", "mix_db"):
        assert getattr(told, name) == pytest.approx(getattr(meter, name), abs=0.051)
    assert told.reductions == pytest.approx(meter.reductions, abs=0.051)
    assert told.short_term_lufs == pytest.approx(meter.short_term_lufs, abs=0.051)


def test_a_spectrum_arrives_as_it_is_drawn() -> None:
    bands = np.arange(BANDS, dtype=np.int16) - 120
    told = picture_of(spectrum_news("anna", Picture(bands, -0.254, -3.24)))
    assert told.bands_db.tolist() == bands.tolist()
    assert (told.correlation, told.true_peak_db) == (-0.25, -3.2)
    loud = Picture(np.full(BANDS, 300, np.int16), 1.0, 0.0)
    assert set(picture_of(spectrum_news("anna", loud)).bands_db.tolist()) == {127}


def test_what_is_none_is_refused() -> None:
    strip = strip_news(Meter("anna"))
    with pytest.raises(ValueError, match="ten figures"):
        meter_of(replace(strip, tenths=strip.tenths[1:]))
    spectrum = spectrum_news("anna", Picture(np.zeros(BANDS, np.int16), 1.0, 0.0))
    with pytest.raises(ValueError, match="120 bands"):
        picture_of(replace(spectrum, bands=b"\x00"))
