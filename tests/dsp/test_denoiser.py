"""Noise suppression and voice activity."""

import numpy as np
import pytest
from scipy.signal import correlate

from dsp import denoiser
from dsp.denoiser import FRAME, LATENCY_SAMPLES, Denoiser
from dsp.voice_detector import VoiceDetector
from tests.dsp.signals import RATE, click_dbfs, level_db, sine, speech
from tests.support import recordings

pytestmark = pytest.mark.skipif(not denoiser.is_available(), reason="pywebrtc-audio is missing")
needs_voice = pytest.mark.skipif(not recordings.are_there(), reason="alsa-utils is not installed")


def noise(seconds, level):
    hiss = np.random.default_rng(3).standard_normal((int(seconds * RATE), 2))
    return (level * hiss).astype(np.float32)


def denoised(sound, size=FRAME, made=None):
    made = made or Denoiser()
    out = sound[: len(sound) // size * size].copy()
    for first in range(0, len(out), size):
        made.process(out[first : first + size])
    return out


def voices():
    return np.concatenate([recordings.recording(name) for name in recordings.NAMES])


def test_steady_noise_goes_down_by_15_decibels():
    hiss = noise(4, 0.01)
    assert level_db(denoised(hiss)[2 * RATE :]) < level_db(hiss) - 15


@needs_voice
def test_a_voice_stays_and_comes_as_late_as_is_said():
    voice = voices()
    out = denoised(voice)
    assert level_db(out) == pytest.approx(level_db(voice), abs=1.5)
    likeness = correlate(out[:, 0], voice[: len(out), 0])
    assert int(np.argmax(likeness)) - (len(out) - 1) == pytest.approx(LATENCY_SAMPLES, abs=2)


def test_it_does_not_depend_on_how_sound_is_cut():
    sound = speech(1.0) + noise(1.0, 0.01)
    assert np.array_equal(denoised(sound, FRAME), denoised(sound, 2 * FRAME))


def test_it_comes_and_goes_without_a_click():
    tone = sine(400, -20, 1.0)
    made = Denoiser()
    parts = []
    for number, first in enumerate(range(0, len(tone), FRAME)):
        block = tone[first : first + FRAME].copy()
        if number == 40:
            made.leave()
        made.process(block)
        parts.append(block)
        if number == 60:
            assert made.has_left
            assert np.array_equal(block, tone[first : first + FRAME])
            made.stay()
            assert not made.has_left
    assert np.allclose(parts[0][:10], tone[:10], rtol=0.02)
    assert click_dbfs(np.concatenate(parts)) < -60


def test_silence_and_what_is_no_number_do_no_harm():
    assert not denoised(np.zeros((RATE, 2), np.float32)).any()
    made = Denoiser()
    denoised(speech(0.5), made=made)
    bad = np.full((FRAME, 2), np.nan, np.float32)
    bad[:, 1] = np.inf
    made.process(bad)
    assert np.isfinite(denoised(speech(0.5), made=made)).all()
    assert np.isfinite(bad).all()


def test_a_detector_forgets_what_is_no_number():
    detector = VoiceDetector()
    detector.process(np.full((FRAME, 2), np.nan, np.float32))
    assert 0 <= detector.process(speech(0.01)) <= 1


@needs_voice
def test_voices_are_told_from_noise_and_tones():
    voice = voices() + noise(len(voices()) / RATE + 1, 0.003)[: len(voices())]
    shares = {}
    for name, sound in (("voice", voice), ("hiss", noise(4, 0.1)), ("tone", sine(440, -12, 4.0))):
        detector = VoiceDetector()
        found = [
            detector.process(sound[first : first + FRAME])
            for first in range(0, len(sound) - FRAME + 1, FRAME)
        ]
        shares[name] = np.mean(np.array(found[50:]) > 0.5)
    assert shares["voice"] > 0.4
    assert shares["hiss"] < 0.05
    assert shares["tone"] < 0.05
