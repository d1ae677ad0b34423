"""Noise suppression, by each engine that is installed."""

import numpy as np
import pytest
from scipy.signal import correlate

from dsp import denoiser, denoiser_rnnoise
from dsp.denoise_engines import COSTS
from dsp.denoiser import FRAME, Denoiser, make_denoiser
from tests.dsp.signals import RATE, click_dbfs, level_db, sine, speech
from tests.support import recordings

needs_voice = pytest.mark.skipif(not recordings.are_there(), reason="alsa-utils is not installed")


@pytest.fixture(params=["webrtc", "rnnoise"])
def engine(request):
    if request.param not in denoiser.engines():
        pytest.skip(f"{request.param} is not installed")
    return request.param


def noise(seconds, level):
    hiss = np.random.default_rng(3).standard_normal((int(seconds * RATE), 2))
    return (level * hiss).astype(np.float32)


def denoised(sound, engine, size=FRAME, made=None):
    made = made or make_denoiser(engine)
    out = sound[: len(sound) // size * size].copy()
    for first in range(0, len(out), size):
        made.process(out[first : first + size])
    return out


def voices():
    return np.concatenate([recordings.recording(name) for name in recordings.NAMES])


def test_steady_noise_goes_down(engine):
    hiss = noise(4, 0.01)
    less_db = {"webrtc": 15, "rnnoise": 28}[engine]
    assert level_db(denoised(hiss, engine)[2 * RATE :]) < level_db(hiss) - less_db


@needs_voice
@pytest.mark.parametrize("size", [FRAME, 2 * FRAME])
def test_a_voice_stays_and_comes_as_late_as_is_said(engine, size):
    voice = voices()
    made = make_denoiser(engine)
    out = denoised(voice, engine, size, made)
    assert level_db(out) == pytest.approx(level_db(voice), abs=1.5)
    likeness = correlate(out[:, 0], voice[: len(out), 0])
    late = int(np.argmax(likeness)) - (len(out) - 1)
    assert late == pytest.approx(made.latency_samples, abs=2)
    if size == FRAME:
        assert late * 1000 / RATE == pytest.approx(COSTS[engine].latency_ms, abs=0.1)


def test_it_does_not_depend_on_how_sound_is_cut(engine):
    sound = speech(1.0) + noise(1.0, 0.01)
    short, long = make_denoiser(engine), make_denoiser(engine)
    one, two = denoised(sound, engine, FRAME, short), denoised(sound, engine, 2 * FRAME, long)
    later = long.latency_samples - short.latency_samples
    settled = RATE // 5
    assert np.array_equal(one[settled : len(two) - later], two[settled + later :])


@pytest.mark.slow
@needs_voice
def test_left_and_right_are_two_sounds():
    if not denoiser_rnnoise.is_available():
        pytest.skip("rnnoise is not installed")
    voice = voices()
    sound = noise(len(voice) / RATE + 1, 0.01)[: len(voice)]
    sound[:, 1] = voice[:, 1]
    out = denoised(sound, "rnnoise")
    hiss = denoised(np.repeat(sound[:, :1], 2, axis=1), "rnnoise")
    assert np.array_equal(out[:, 0], hiss[:, 0])
    assert level_db(out[:, 0]) < level_db(sound[:, 0]) - 20
    assert level_db(out[:, 1]) == pytest.approx(level_db(voice), abs=1.5)


def test_it_comes_and_goes_without_a_click(engine):
    tone = sine(400, -20, 1.0)
    made = make_denoiser(engine)
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


def test_silence_and_what_is_no_number_do_no_harm(engine):
    assert not denoised(np.zeros((RATE, 2), np.float32), engine).any()
    made = make_denoiser(engine)
    denoised(speech(0.5), engine, made=made)
    bad = np.full((FRAME, 2), np.nan, np.float32)
    bad[:, 1] = np.inf
    made.process(bad)
    assert np.isfinite(denoised(speech(0.5), engine, made=made)).all()
    assert np.isfinite(bad).all()


def test_what_has_ended_is_not_heard_before_the_next_sound(engine):
    made = make_denoiser(engine)
    denoised(speech(1.0), engine, made=made)
    made.rest()
    silence = np.zeros((20 * FRAME, 2), np.float32)
    after = denoised(silence, engine, made=made)
    if engine == "rnnoise":  # of the other, 7 ms are left
        assert not after.any()
    assert not after[2 * FRAME :].any()


class Thread:
    """Does work when it is told to."""

    def __init__(self):
        self.waiting = []
        self.is_full = False

    def __call__(self, work):
        if not self.is_full:
            self.waiting.append(work)
        return not self.is_full

    def work(self):
        for work in self.waiting:
            work()
        self.waiting.clear()


@pytest.mark.skipif(not denoiser_rnnoise.is_available(), reason="pyrnnoise is not installed")
class TestBesideTheTick:
    """What RNNoise says comes from somebody else, who may be late."""

    def test_nothing_is_computed_in_the_tick(self):
        thread = Thread()
        made = make_denoiser("rnnoise", thread)
        sound = noise(1, 0.01)
        at_once = denoised(sound, "rnnoise")
        out = sound.copy()
        for first in range(0, len(sound), FRAME):
            made.process(out[first : first + FRAME])
            assert len(thread.waiting) == 1
            thread.work()
        assert np.array_equal(out, at_once)

    @pytest.mark.parametrize("trouble", ["late", "full", "longer blocks"])
    def test_what_is_not_there_in_time_stays_plain_and_comes_back(self, trouble):
        thread = Thread()
        made = make_denoiser("rnnoise", thread)
        tone = sine(400, -20, 4.0)
        out = tone.copy()
        first, size = 0, FRAME
        while first < len(out):
            made.process(out[first : first + size])
            first += size
            thread.is_full = trouble == "full" and RATE <= first < RATE + FRAME
            if trouble != "late" or not RATE <= first < RATE + FRAME:
                thread.work()
            if trouble == "longer blocks" and first == RATE:
                size = 2 * FRAME
        at = RATE + FRAME  # where it is heard first
        assert not np.array_equal(out[RATE - FRAME : RATE], tone[RATE - FRAME : RATE])
        assert np.array_equal(out[at : at + FRAME], tone[at : at + FRAME])
        assert level_db(out[-RATE:]) < level_db(tone) - 3
        assert click_dbfs(out) < -60


def test_an_engine_that_is_not_installed_is_not_offered(monkeypatch):
    monkeypatch.setattr(denoiser_rnnoise, "is_available", lambda: False)
    assert "rnnoise" not in denoiser.engines.__wrapped__()


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(denoiser_rnnoise, "_library_path", lambda: None)
    monkeypatch.setattr(denoiser_rnnoise, "_library", denoiser_rnnoise._library.__wrapped__)
    with pytest.raises(ImportError, match="pyrnnoise"):
        make_denoiser("rnnoise")
    assert isinstance(make_denoiser("webrtc"), Denoiser)
