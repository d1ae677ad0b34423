"""The spectrum behind the equaliser."""

import numpy as np
import pytest

from dsp.spectrum import BANDS, SILENCE_DB, Spectrum, centres_hz
from tests.dsp.signals import RATE, sine


def of(sound, size=480):
    spectrum = Spectrum()
    for first in range(0, len(sound), size):
        spectrum.push(sound[first : first + size])
    return spectrum.bands_db()


@pytest.mark.parametrize("frequency_hz", [31.5, 100, 440, 1000, 5000, 16_000])
@pytest.mark.parametrize("level_db", [-60, -12])
def test_a_sine_shows_its_peak_level_where_it_is(frequency_hz, level_db):
    bands = of(sine(frequency_hz, level_db, 0.3))
    near = abs(np.log2(centres_hz() / frequency_hz)) < 1 / 24 + 1e-9
    assert bands[near].max() == pytest.approx(level_db, abs=1.5)
    far = abs(np.log2(centres_hz() / frequency_hz)) > (0.25 if frequency_hz > 400 else 2)
    assert bands[far].max() < level_db - 30


def test_bands_are_a_twelfth_of_an_octave_and_span_the_range_of_hearing():
    centres = centres_hz()
    assert len(centres) == BANDS
    assert np.allclose(centres[12:] / centres[:-12], 2)
    assert centres[0] == pytest.approx(20)
    assert centres[-1] > 18_000


def test_white_noise_rises_by_three_decibels_per_octave():
    random = np.random.default_rng(0)
    runs = [of(0.1 * random.standard_normal((4096, 2)).astype(np.float32)) for _ in range(60)]
    mean = 10 * np.log10(np.mean(10 ** (np.array(runs) / 10), axis=0))
    slope = np.polyfit(np.log2(centres_hz()[70:]), mean[70:], 1)[0]
    assert slope == pytest.approx(3.0, abs=0.3)


def test_it_does_not_depend_on_how_sound_is_cut_and_forgets():
    sound = sine(700, -20, 0.2)
    assert np.array_equal(of(sound, 480), of(sound, 960))
    assert np.array_equal(of(sound, len(sound)), of(sound, 7))
    spectrum = Spectrum()
    spectrum.push(np.full((480, 2), np.nan, np.float32))
    assert (spectrum.bands_db() == SILENCE_DB).all()
    spectrum.push(sine(100, 0, 0.1))
    spectrum.rest()
    assert (spectrum.bands_db() == SILENCE_DB).all()
    assert RATE == 48_000


def held(left, right):
    spectrum = Spectrum()
    spectrum.push(np.stack([left, right], axis=1).astype(np.float32))
    return spectrum


def test_correlation_tells_the_same_from_the_unrelated_and_from_the_inverted():
    first, second = np.random.default_rng(1).standard_normal((2, 4096)) * 0.1
    assert held(first, first).correlation() == pytest.approx(1)
    assert held(first, 0.3 * first).correlation() == pytest.approx(1)
    assert held(first, -first).correlation() == pytest.approx(-1)
    assert held(first, second).correlation() == pytest.approx(0, abs=0.1)
    assert held(first, first + second).correlation() == pytest.approx(0.5**0.5, abs=0.05)
    assert held(first, 0 * first).correlation() == 0
    assert Spectrum().correlation() == 1


@pytest.mark.parametrize("phase", [0.0, 0.5, 1.0])
def test_the_true_peak_lies_between_the_samples(phase):
    t = np.arange(4096) / RATE
    tone = 0.5 * np.sin(2 * np.pi * 12_000 * t + np.pi / 4 * phase)
    assert held(tone, 0 * tone).true_peak_db() == pytest.approx(-6.02, abs=0.2)
    assert held(0 * tone, tone).picture().true_peak_db == pytest.approx(-6.02, abs=0.2)
    assert Spectrum().true_peak_db() == SILENCE_DB


def test_the_true_peak_is_never_below_the_highest_sample_and_forgets_old_ones():
    sound = np.zeros((4096, 2), np.float32)
    sound[-1, 1] = 1.0
    spectrum = Spectrum()
    spectrum.push(sound)
    assert spectrum.true_peak_db() >= 0
    spectrum.push(np.zeros((2100, 2), np.float32))
    assert spectrum.true_peak_db() == SILENCE_DB
