"""The strip for scripts."""

import numpy as np
import pytest

from dsp.limiter import LimiterSettings
from dsp.mixing_system import MixingSystem
from dsp.strip import StripSettings
from dsp.units import SettingsError
from tests.dsp.signals import speech, true_peak_db


def test_one_stream_whatever_the_blocks(engine):
    sound = speech(0.3)
    whole = MixingSystem(engine=engine).process(sound)
    system = MixingSystem(engine=engine)
    parts = [system.process(part) for part in np.array_split(sound, 7)]
    assert np.array_equal(np.concatenate(parts), whole)
    system.reset()
    assert np.array_equal(system.process(sound), whole)


def test_mono_comes_back_in_mono_and_integers_are_understood(compiled):
    mono = speech(0.2)[:, 0]
    both = MixingSystem(engine=compiled).process(np.stack([mono, mono], axis=1))
    alone = MixingSystem(engine=compiled).process(mono)
    assert alone.shape == mono.shape
    assert np.array_equal(alone, both[:, 0])
    integers = np.round(mono * 32768).clip(-32768, 32767).astype(np.int16)[:, None]
    out = MixingSystem(engine=compiled).process(integers)
    assert out.shape == integers.shape
    assert np.abs(out[:, 0] - alone).max() < 1e-3


def test_automatic_settings_lift_what_is_quiet_and_hold_what_is_loud(compiled):
    quiet = speech(1.0, level=0.02)
    assert MixingSystem(engine=compiled).process(quiet).std() > 1.5 * quiet.std()
    loud = np.concatenate([speech(1.0, level=2.0), np.zeros((960, 2), np.float32)])
    assert true_peak_db(MixingSystem(engine=compiled).process(loud)) <= -1


def test_other_rates_and_shapes_are_refused():
    with pytest.raises(SettingsError, match="sample_rate_hz must be 48000"):
        MixingSystem(sample_rate_hz=44_100)
    with pytest.raises(ValueError, match="a block is"):
        MixingSystem().process(np.zeros((2, 960), np.float32))


def test_a_preset_rings_on_at_the_end(compiled):
    system = MixingSystem(settings="classical", engine=compiled)
    sound = speech(0.5)
    out = np.concatenate([system.process(sound), system.finish()])
    assert 1.5 < (len(out) - len(sound)) / 48_000 < 10
    assert np.abs(out[len(sound) :]).max() > 0.01
    assert np.abs(out[-480:]).max() < 1e-4
    assert np.array_equal(system.process(sound), out[: len(sound)])  # as new
    assert not MixingSystem(settings="flat", engine=compiled).finish().size
    with pytest.raises(SettingsError, match="one of flat, voice"):
        MixingSystem(settings="karaoke")


def test_the_last_samples_come_out_at_the_end(compiled):
    system = MixingSystem(settings=StripSettings(limiter=LimiterSettings(0)), engine=compiled)
    sound = speech(0.1, level=0.1)
    out = np.concatenate([system.process(sound), system.finish()])
    assert np.array_equal(out[system.latency_samples :], sound)
