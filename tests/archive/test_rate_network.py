"""The networks that tell sample rates, and the picture that one of them sees."""

from importlib import resources

import numpy as np
import pytest

from archive import rate_network
from archive.encodings import RATES_HZ
from archive.guess_rate import rate_shares
from archive.rate_picture import BANDS, HOP, picture

MOST_BYTES = 2_500_000


def tone(share: float, count: int) -> np.ndarray:
    """Return a tone of a frequency that is given as a share of the rate."""
    return np.sin(2 * np.pi * share * np.arange(count)).astype(np.float32)


@pytest.mark.parametrize("share", [0.004, 0.016, 0.05, 0.11])
def test_at_half_the_rate_a_tone_stands_an_octave_higher(share):
    places = [
        int(picture(tone(each, 50_000), 40).mean(axis=0).argmax()) for each in (share, 2 * share)
    ]
    octave = BANDS / np.log2(0.5 / 0.0015)
    assert places[1] - places[0] == pytest.approx(octave, abs=1)


def test_a_full_tone_is_0_db_less_what_its_bands_share_and_silence_is_the_floor():
    assert -12 < picture(tone(0.01, 50_000), 40)[10:-10].max() < 0
    assert (picture(np.zeros(50_000, np.float32), 40) == -110).all()


@pytest.mark.parametrize(("count", "frames"), [(1, 1), (HOP, 2), (10 * HOP, 11), (100 * HOP, 40)])
def test_a_picture_has_a_row_for_every_hop_but_no_more_than_wanted(count, frames):
    assert picture(tone(0.01, count), 40).shape == (frames, BANDS)


def test_a_convolution_is_that_of_its_definition():
    draw = np.random.default_rng(1)
    kernel = draw.normal(size=(4, 3, 3, 3)).astype(np.float32)
    bias = draw.normal(size=4).astype(np.float32)
    maps = draw.normal(size=(3, 6, 9)).astype(np.float32)
    found = rate_network._Layer(kernel, bias).convolve(maps, (2, 1))
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
    assert found.shape == (4, 3, 9)
    for output in range(4):
        for row in range(3):
            for column in range(9):
                part = padded[:, 2 * row : 2 * row + 3, column : column + 3]
                wanted = max(0.0, float((part * kernel[output]).sum() + bias[output]))
                assert found[output, row, column] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("count", [4096, 30_000, 700_000])
@pytest.mark.parametrize("level", [1e-6, 1.0, 1e6])
def test_any_length_and_level_gives_shares(count, level):
    sound = level * np.random.default_rng(count).normal(size=count).cumsum()
    shares = rate_shares(sound - sound.mean())
    assert shares.shape == (len(RATES_HZ),)
    assert shares.sum() == pytest.approx(1)
    assert (shares > 0).all()


def test_a_short_sound_is_heard_as_a_whole():
    sound = np.random.default_rng(3).normal(size=400_000)
    [whole] = rate_network._parts(sound)
    assert whole is sound


def test_a_long_sound_is_heard_in_parts_from_its_beginning_to_its_end():
    sound = np.random.default_rng(4).normal(size=3_000_000)
    parts = rate_network._parts(sound)
    assert len(parts) > 2
    assert len({len(part) for part in parts}) == 1
    assert (parts[0][0], parts[-1][-1]) == (sound[0], sound[-1])


def test_silence_is_no_part_but_where_there_is_nothing_else():
    sound = np.zeros(3_000_000)
    assert len(rate_network._parts(sound)) == 1
    sound[:100_000] = np.random.default_rng(5).normal(size=100_000)
    [part] = rate_network._parts(sound)
    assert (part[:100_000] == sound[:100_000]).all()


def test_all_parts_count():
    """What is told of a long sound does not hang on the order of its parts."""
    draw = np.random.default_rng(6)
    pieces = [draw.normal(size=600_000), draw.normal(size=600_000).cumsum() / 1000]
    first, last = (np.concatenate(order) for order in (pieces, pieces[::-1]))
    told = [rate_shares(sound - sound.mean()) for sound in (first, last)]
    assert told[0] == pytest.approx(told[1], abs=0.05)


def test_level_tells_nothing():
    sound = np.random.default_rng(2).normal(size=60_000).cumsum()
    sound = (sound - sound.mean()) / 1000
    assert rate_shares(sound * 300) == pytest.approx(rate_shares(sound), abs=1e-6)


@pytest.mark.parametrize(
    "sound", [np.zeros(50_000), np.ones(50_000), np.zeros(0), np.full(9000, np.nan)]
)
def test_nothing_to_hear_leaves_what_is_common(sound):
    shares = rate_shares(sound)
    assert shares.sum() == pytest.approx(1)
    assert shares[RATES_HZ.index(48_000)] == shares.max()


def test_the_weights_are_small():
    with resources.files("archive").joinpath(rate_network.MODEL_FILE).open("rb") as file:
        assert len(file.read()) < MOST_BYTES
