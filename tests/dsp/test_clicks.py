"""No setting clicks, however far it jumps."""

from dataclasses import replace

import numpy as np
import pytest

from dsp.chorus import ChorusSettings
from dsp.compressor import CompressorSettings
from dsp.delay import DelaySettings
from dsp.equaliser import BandSettings
from dsp.gate import GateSettings
from dsp.high_pass import HighPassSettings
from dsp.limiter import LimiterSettings
from dsp.reverb import ReverbSettings
from dsp.stereo import StereoSettings
from dsp.strip import FLAT, StripSettings
from tests.dsp.signals import RATE, click_dbfs, sine
from tests.dsp.strips import bands, run_one

COMPRESSOR = CompressorSettings(-40, 4)
GATE = GateSettings(-45)


def band(shape="peak", frequency_hz=1000.0, gain_db=12.0, q=1.0):
    return StripSettings(equaliser=bands(BandSettings(shape, frequency_hz, gain_db, q)))


def chorus(**settings):
    return StripSettings(chorus=ChorusSettings(**settings))


def delay(**settings):
    return StripSettings(delay=DelaySettings(**{"time_ms": 53.3, **settings}))


def reverb(**settings):
    return StripSettings(reverb=ReverbSettings(**{"decay_s": 0.5, **settings}))


JUMPS = {
    "trim": (StripSettings(-24), StripSettings(24)),
    "high-pass": (
        StripSettings(high_pass=HighPassSettings(20)),
        StripSettings(high_pass=HighPassSettings(400)),
    ),
    "gate threshold": (
        StripSettings(gate=GATE),
        StripSettings(gate=replace(GATE, threshold_db=0)),
    ),
    "gate range": (
        StripSettings(gate=GateSettings(0, range_db=0)),
        StripSettings(gate=GateSettings(0, range_db=-80)),
    ),
    "compressor threshold": (
        StripSettings(compressor=replace(COMPRESSOR, threshold_db=0)),
        StripSettings(compressor=replace(COMPRESSOR, threshold_db=-60, attack_ms=0.1)),
    ),
    "ratio": (
        StripSettings(compressor=replace(COMPRESSOR, ratio=1)),
        StripSettings(compressor=replace(COMPRESSOR, ratio=20, attack_ms=0.1)),
    ),
    "make-up": (
        StripSettings(compressor=COMPRESSOR),
        StripSettings(compressor=replace(COMPRESSOR, makeup_db=24)),
    ),
    "automatic make-up": (
        StripSettings(compressor=COMPRESSOR),
        StripSettings(compressor=replace(COMPRESSOR, auto_makeup=True)),
    ),
    "side-chain": (
        StripSettings(compressor=COMPRESSOR),
        StripSettings(compressor=replace(COMPRESSOR, sidechain_high_pass_hz=500)),
    ),
    "band gain": (band(gain_db=-18), band(gain_db=18)),
    "band frequency": (band(frequency_hz=20), band(frequency_hz=20_000)),
    "band frequency to the tone": (band(frequency_hz=20), band(frequency_hz=1000)),
    "band quality": (band(q=0.1, frequency_hz=700), band(q=10, frequency_hz=700)),
    "band shape": (band("low_shelf"), band("high_shelf")),
    "width": (
        StripSettings(stereo=StereoSettings(0)),
        StripSettings(stereo=StereoSettings(200)),
    ),
    "pan": (
        StripSettings(stereo=StereoSettings(pan=-1)),
        StripSettings(stereo=StereoSettings(pan=1)),
    ),
    "ceiling": (
        StripSettings(limiter=LimiterSettings(0)),
        StripSettings(limiter=LimiterSettings(-20)),
    ),
    "fader": (StripSettings(fader_db=-60), StripSettings(fader_db=12)),
    "chorus rate": (chorus(rate_hz=0.05), chorus(rate_hz=5)),
    "chorus depth": (chorus(depth_percent=0), chorus(depth_percent=100)),
    "chorus mix": (chorus(mix_percent=1), chorus(mix_percent=100)),
    "chorus": (StripSettings(trim_db=1), chorus()),
    "delay time": (delay(time_ms=1), delay(time_ms=120)),
    "delay feedback": (delay(feedback_percent=0), delay(feedback_percent=95)),
    "delay damping": (delay(damping_percent=0), delay(damping_percent=100)),
    "delay mix": (delay(mix_percent=1), delay(mix_percent=100)),
    "delay": (StripSettings(trim_db=1), delay()),
    "reverb size": (reverb(size_percent=0), reverb(size_percent=100)),
    "reverb decay": (reverb(decay_s=0.2), reverb(decay_s=10)),
    "reverb damping": (reverb(damping_percent=0), reverb(damping_percent=100)),
    "reverb pre-delay": (reverb(pre_delay_ms=0), reverb(pre_delay_ms=200)),
    "reverb mix": (reverb(mix_percent=1), reverb(mix_percent=100)),
    "reverb": (StripSettings(trim_db=1), reverb()),
    "whole strip": (
        FLAT,
        StripSettings(
            12, HighPassSettings(), GATE, COMPRESSOR, band().equaliser, None, LimiterSettings(-6)
        ),
    ),
}


@pytest.mark.parametrize("phase", range(0, 48, 7))
def test_a_strip_comes_and_goes_without_a_click(compiled, phase):
    # What it delays comes late: it must not begin in the middle of a wave.
    strip = band().equaliser
    out = run_one(
        compiled,
        sine(1000, -20, 1.0),
        FLAT,
        changes={RATE // 2 + phase: [StripSettings(equaliser=strip)], RATE * 3 // 4: [FLAT]},
    )
    assert click_dbfs(out) <= -80


@pytest.mark.slow
@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("name", JUMPS)
def test_a_jump_across_the_range_does_not_click(engine, name, back):
    before, after = reversed(JUMPS[name]) if back else JUMPS[name]
    tone = sine(1000, -20, 1.0)
    tone[:, 1] *= -0.5
    tone[:4800] *= np.sin(np.linspace(0, np.pi / 2, 4800, dtype=np.float32))[:, None] ** 2
    at = RATE // 2 + 11  # beside a zero crossing
    out = run_one(engine, tone, before, changes={at: [after]})
    steady = max(
        click_dbfs(run_one(engine, tone, strip)[RATE // 4 : -RATE // 4])
        for strip in (before, after)
    )
    assert steady < -75
    assert click_dbfs(out[RATE // 4 : -RATE // 4]) <= -65
    assert np.isfinite(out).all()
