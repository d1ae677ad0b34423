"""Compression and expansion: lengths, periods, and no click."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mixer import stretch

OVERLAP = stretch.OVERLAP_SAMPLES


def tone(hertz: float, samples: int) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(samples) / 48_000)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


def vowel(hertz: float, samples: int) -> np.ndarray:
    return sum(tone(hertz * k, samples) / k for k in range(1, 12))  # type: ignore[return-value]


def largest_step(pcm: np.ndarray) -> float:
    return float(np.abs(np.diff(pcm, axis=0)).max())


@pytest.mark.parametrize("hertz", [85.0, 110.0, 187.5, 230.0, 390.0])
def test_the_period_of_a_voice_is_found(hertz: float) -> None:
    period = stretch.find_period(vowel(hertz, 1_500), 1_000)
    assert period is not None
    ratio = period.samples * hertz / 48_000
    assert ratio == pytest.approx(round(ratio), abs=0.02)
    assert period.samples <= stretch.LONGEST_PERIOD
    assert period.similarity > 0.99


@pytest.mark.parametrize("hertz", [85.0, 187.5, 390.0, 1_000.0])
def test_a_tone_stays_a_tone(hertz: float) -> None:
    pcm = tone(hertz, 2_700)
    played, coming = pcm[:700], pcm[700:]
    period = stretch.find_period(coming, 800)
    assert period is not None
    shorter = np.concatenate([played, stretch.compress(coming.copy(), period)])
    repeat = stretch.find_repeat(played, coming, 480)
    assert repeat is not None
    longer = np.empty((2_000 + repeat.samples, 2), np.float32)
    stretch.expand(played, coming, repeat.samples, longer)
    longer = np.concatenate([played, longer])
    assert len(shorter) == 2_700 - period.samples
    assert len(longer) == 2_700 + repeat.samples
    for changed in (shorter, longer):
        assert largest_step(changed) < 1.05 * largest_step(pcm)
        window = np.hanning(len(changed))[:, None]
        spectrum = np.abs(np.fft.rfft(changed * window, axis=0)) ** 2
        peak = int(np.argmax(spectrum[:, 0]))
        near = spectrum[max(0, peak - 6) : peak + 7].sum()
        assert near / spectrum.sum() > 0.999


def test_quiet_sound_gives_way_by_any_length() -> None:
    noise = np.random.default_rng(1).standard_normal((900, 2)).astype(np.float32) * 0.001
    period = stretch.find_period(noise, 37)
    assert period == stretch.Period(37, 1.0)


def test_loud_sound_gives_way_by_whole_periods_only() -> None:
    assert stretch.find_period(tone(200, 900), stretch.SHORTEST_PERIOD - 1) is None
    assert stretch.find_period(tone(200, OVERLAP), 600) is None


def test_in_quiet_just_what_is_wanted_is_repeated() -> None:
    noise = np.random.default_rng(1).standard_normal((1_100, 2)).astype(np.float32) * 0.001
    assert stretch.find_repeat(noise[:600], noise[600:], 77) == stretch.Period(77, 1.0)


def breath(samples: int) -> np.ndarray:
    noise = np.random.default_rng(1).standard_normal((samples, 1)).astype(np.float32) * 0.1
    return np.repeat(noise, 2, axis=1)


@pytest.mark.parametrize("wanted", [1, 37, stretch.SHORTEST_PERIOD, 500])
def test_all_goes_at_once_where_the_sound_lets_it(wanted: int) -> None:
    pcm = np.concatenate([vowel(150, 400), breath(wanted + 300) * 0.01, vowel(170, 300)])
    cut = stretch.find_cut(pcm, wanted, 600, 0.9)
    assert cut is not None
    assert cut.samples == wanted
    assert cut.similarity > 0.9
    assert 400 <= cut.start <= 460  # in the pause


def test_a_cut_is_put_where_the_ends_are_most_alike() -> None:
    pcm = np.concatenate([breath(500), vowel(150, 640), breath(500)])
    cut = stretch.find_cut(pcm, 320, 600, 0.9)  # just the period of 150 Hz
    assert cut is not None
    assert (cut.samples, cut.start) == (320, 500)
    assert cut.similarity == pytest.approx(1.0, abs=1e-3)


def test_of_what_does_not_go_at_once_a_period_goes() -> None:
    pcm = vowel(150, 1_560)
    cut = stretch.find_cut(pcm, 480, 600, 0.9)  # one period and a half
    assert cut is not None
    assert cut.samples == pytest.approx(320, abs=1)
    assert stretch.find_cut(pcm, 480, 330, 0.9) == cut  # no room for all of it


def test_of_a_rest_shorter_than_a_period_as_much_goes_as_is_alike() -> None:
    pcm = tone(1_000, 1_056)  # 24 samples: half a period, the opposite of what is wanted
    cut = stretch.find_cut(pcm, 24, 96, 0.9)
    assert cut is not None
    assert cut.samples == 3
    assert cut.similarity > 0.9
    whole = stretch.find_cut(pcm, 24, 96, -1.1)
    assert whole is not None
    assert whole.samples == 24
    assert whole.similarity == pytest.approx(-1.0, abs=0.05)


def test_white_noise_gives_way_only_when_less_is_asked_for() -> None:
    cut = stretch.find_cut(breath(1_000), 40, 40, 0.9)
    assert cut is not None
    assert cut.similarity < 0.9
    lenient = stretch.find_cut(breath(1_000), 40, 40, 0.0)
    assert lenient is not None
    assert lenient.samples == 40


def test_nothing_goes_where_there_is_no_room() -> None:
    assert stretch.find_cut(vowel(150, 900), 100, 0, 0.9) is None
    assert stretch.find_cut(vowel(150, 900), 100, -60, 0.9) is None
    assert stretch.find_cut(vowel(150, OVERLAP), 100, 600, 0.9) is None


def test_too_little_sound_is_not_repeated() -> None:
    pcm = tone(200, 1_000)
    assert stretch.find_repeat(pcm[: stretch.SHORTEST_PERIOD - 1], pcm, 100) is None
    assert stretch.find_repeat(pcm, pcm[: OVERLAP - 1], 100) is None


@pytest.mark.parametrize("hertz", [85.0, 110.0, 187.5, 230.0, 390.0])
def test_what_is_repeated_is_whole_periods(hertz: float) -> None:
    pcm = vowel(hertz, 1_200)
    repeat = stretch.find_repeat(pcm[:700], pcm[700:], 480)
    assert repeat is not None
    ratio = repeat.samples * hertz / 48_000
    assert ratio == pytest.approx(round(ratio), abs=0.02)
    assert repeat.similarity > 0.99


def test_noise_resembles_itself_less_than_a_voice() -> None:
    noise = np.random.default_rng(1).standard_normal((1_500, 2)).astype(np.float32) * 0.1
    period = stretch.find_period(noise, 600)
    assert period is not None
    assert period.similarity < 0.6


finite = st.floats(-1, 1, width=32)


@given(
    pcm=hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=1, max_dims=1, max_side=50), elements=finite
    ),
    repeats=st.integers(1, 30),
    longest=st.integers(-5, 2_000),
)
def test_any_sound_gives_a_usable_period_or_none(
    pcm: np.ndarray, repeats: int, longest: int
) -> None:
    block = np.repeat(np.tile(pcm, repeats)[:, None], 2, axis=1)
    period = stretch.find_period(block, longest)
    if period is None:
        return
    assert 1 <= period.samples <= min(longest, stretch.LONGEST_PERIOD)
    assert period.samples + OVERLAP <= len(block)
    assert -1.01 <= period.similarity <= 1.01
    rest = stretch.compress(block.copy(), period)
    assert rest.shape == (len(block) - period.samples, 2)
    assert np.abs(rest).max() <= np.abs(block).max() + 1e-6
    assert np.array_equal(rest[OVERLAP:], block[period.samples + OVERLAP :])
    assert rest[0] == pytest.approx(block[0], abs=1e-3)  # goes on from what was before


@given(
    pcm=hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=1, max_dims=1, max_side=50), elements=finite
    ),
    repeats=st.integers(1, 30),
    wanted=st.integers(1, 2_000),
    longest=st.integers(-5, 2_000),
    enough=st.floats(-1, 1),
)
def test_any_sound_gives_a_usable_cut_or_none(
    pcm: np.ndarray, repeats: int, wanted: int, longest: int, enough: float
) -> None:
    block = np.repeat(np.tile(pcm, repeats)[:, None], 2, axis=1)
    cut = stretch.find_cut(block, wanted, longest, enough)
    if cut is None:
        return
    assert 1 <= cut.samples <= min(wanted, longest, stretch.LONGEST_PERIOD)
    assert 0 <= cut.start <= len(block) - cut.samples - OVERLAP
    assert cut.similarity <= 1.01
    rest = stretch.compress(block.copy(), cut)
    assert rest.shape == (len(block) - cut.samples, 2)
    after = cut.start + OVERLAP
    assert np.array_equal(rest[: cut.start], block[: cut.start])
    assert np.array_equal(rest[after:], block[cut.samples + after :])
    assert rest[cut.start] == pytest.approx(block[cut.start], abs=1e-3)


@pytest.mark.parametrize("samples", [37, 320])
def test_an_expansion_says_what_was_played_and_then_what_comes(samples: int) -> None:
    pcm = vowel(150, 1_200)
    played, coming = pcm[:600], pcm[600:]
    out = np.empty((600 + samples, 2), np.float32)
    stretch.expand(played, coming, samples, out)
    untouched = np.concatenate([played[-samples:], coming])
    assert np.array_equal(out[OVERLAP:], untouched[OVERLAP:])
    assert out[0] == pytest.approx(coming[0], abs=1e-3)  # goes on from what was played


@pytest.mark.parametrize("count", [0, 1, 100, OVERLAP, 500])
def test_a_crossfade_goes_from_one_to_the_other(count: int) -> None:
    ending = np.full((count, 2), -1.0, np.float32)
    beginning = np.full((600, 2), 1.0, np.float32)
    stretch.crossfade(ending, beginning)
    faded = min(count, OVERLAP)
    assert (beginning[faded:] == 1.0).all()
    if faded > 1:
        assert beginning[0, 0] == pytest.approx(-1.0)
        assert (np.diff(beginning[:faded, 0]) > 0).all()
