"""Voice activity, by each engine that is installed."""

import os
import subprocess
import sys

import numpy as np
import pytest

from dsp import denoiser_webrtc, voice_detector, voice_silero
from dsp.denoiser import FRAME
from dsp.voice_detector import make_detector
from dsp.voice_silero import SileroDetector
from dsp.voice_webrtc import WebrtcDetector
from tests.dsp.signals import RATE, sine, speech
from tests.support import recordings

needs_voice = pytest.mark.skipif(not recordings.are_there(), reason="alsa-utils is not installed")
needs_silero = pytest.mark.skipif(
    not voice_silero.is_available(), reason="silero-vad or onnxruntime is not installed"
)


@pytest.fixture(params=["webrtc", "silero"])
def detector(request):
    if request.param == "silero":
        if not voice_silero.is_available():
            pytest.skip("silero-vad or onnxruntime is not installed")
        return SileroDetector
    if not denoiser_webrtc.is_available():
        pytest.skip("pywebrtc-audio is not installed")
    return WebrtcDetector


def noise(seconds, level):
    hiss = np.random.default_rng(3).standard_normal((int(seconds * RATE), 2))
    return (level * hiss).astype(np.float32)


def heard(made, sound, size=FRAME):
    """Return the probabilities behind each block."""
    blocks = range(0, len(sound) - size + 1, size)
    return np.array([made.process(sound[first : first + size]) for first in blocks])


@needs_voice
def test_voices_are_told_from_noise_and_tones(detector):
    spoken = np.concatenate([recordings.recording(name) for name in recordings.NAMES])
    voice = spoken + noise(len(spoken) / RATE + 1, 0.003)[: len(spoken)]
    sounds = {"voice": voice, "hiss": noise(4, 0.1), "tone": sine(440, -12, 4.0)}
    shares = {name: np.mean(heard(detector(), sound)[50:] > 0.5) for name, sound in sounds.items()}
    assert shares["voice"] > 0.4
    assert shares["hiss"] < 0.05
    assert shares["tone"] < 0.05


def test_it_forgets_what_is_no_number(detector):
    made = detector()
    heard(made, np.full((10 * FRAME, 2), np.nan, np.float32))
    assert np.isfinite(heard(made, speech(0.3))).all()


@needs_voice
@needs_silero
def test_silero_does_not_depend_on_how_sound_is_cut():
    voice = recordings.recording("Front_Center")
    short, long = heard(SileroDetector(), voice), heard(SileroDetector(), voice, 2 * FRAME)
    assert np.array_equal(short[1::2][: len(long)], long)


@needs_voice
@needs_silero
def test_silero_looks_beside_the_tick_once_in_32_ms():
    looks = []
    made = SileroDetector(lambda look: looks.append(look) or True)
    voice = recordings.recording("Front_Center")[:RATE]
    assert not heard(made, voice).any()
    assert len(looks) == RATE // 3 // 512
    for look in looks:
        look()
    assert made.process(np.zeros((FRAME, 2), np.float32)) > 0


def test_the_best_that_is_installed_is_used(monkeypatch):
    best = voice_detector.voice_engine.__wrapped__
    monkeypatch.setattr(voice_silero, "is_available", lambda: True)
    assert best() == "silero"
    monkeypatch.setattr(voice_silero, "is_available", lambda: False)
    monkeypatch.setattr(denoiser_webrtc, "is_available", lambda: True)
    assert best() == "webrtc"
    monkeypatch.setattr(denoiser_webrtc, "is_available", lambda: False)
    assert best() == "level"
    monkeypatch.setattr(voice_detector, "voice_engine", best)
    assert make_detector() is None


@pytest.mark.slow
@needs_silero
def test_nothing_is_told_to_the_maker_of_the_runtime(tmp_path):
    """It would keep a device's number and a queue of events in the home directory."""
    listen = (
        "import os, numpy\n"
        "from dsp.voice_silero import SileroDetector\n"
        "SileroDetector().process(numpy.zeros((4800, 2), numpy.float32))\n"
        "assert 'onnxruntime.db' not in open('/proc/self/maps').read()\n"
    )
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ORT_")}
    subprocess.run([sys.executable, "-c", listen], env=environment | home, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []
