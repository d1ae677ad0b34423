"""The port of musicnn against what TensorFlow gives for the same sound."""

from pathlib import Path

import numpy as np
import pytest

from dsp.genre import musicnn
from dsp.genre.log_mel import BANDS, log_mel

VECTORS = Path(__file__).parent.parent / "vectors" / "musicnn_reference_io.npz"


@pytest.fixture(scope="module")
def reference():
    with np.load(VECTORS) as stored:
        return {name: stored[name] for name in stored.files}


@pytest.mark.parametrize("clip", range(4))
def test_the_spectrogram_is_the_one_that_the_network_was_trained_on(reference, clip):
    sound = reference["audio_16k_s16"][clip].astype(np.float32) / 32768
    ours = log_mel(sound)[: musicnn.FRAMES]
    # half precision may round a band to its neighbour
    assert np.abs(ours - reference["logmel"][clip]).max() < 1e-3


@pytest.mark.parametrize("clip", range(4))
def test_tags_are_those_of_tensorflow(reference, clip):
    network = musicnn.load("msd")
    expected = reference["msd_tags_tensorflow"][clip]
    assert np.abs(network(reference["logmel"][clip]).tags - expected).max() < 1e-5
    sound = reference["audio_16k_s16"][clip].astype(np.float32) / 32768
    assert np.abs(network(log_mel(sound)[: musicnn.FRAMES]).tags - expected).max() < 1e-5


@pytest.mark.parametrize("name", musicnn.NAMES)
@pytest.mark.parametrize("level", [0.0, 1e-6, 1.0])
def test_silence_and_noise_give_numbers(name, level):
    sound = level * np.random.default_rng(1).uniform(-1, 1, 48_000).astype(np.float32)
    look = musicnn.load(name)(log_mel(sound)[: musicnn.FRAMES])
    assert look.tags.shape == (musicnn.TAGS,)
    assert look.inner.shape == (musicnn.INNER,)
    assert np.isfinite(look.inner).all()
    assert ((look.tags >= 0) & (look.tags <= 1)).all()


def test_a_spectrogram_needs_sound_to_mirror():
    assert log_mel(np.zeros(257, np.float32)).shape == (2, BANDS)
    with pytest.raises(ValueError, match="too short"):
        log_mel(np.zeros(256, np.float32))
