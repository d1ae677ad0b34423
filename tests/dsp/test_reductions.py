"""What the strips' meters say of gate, compressor and limiter."""

import numpy as np
import pytest

from dsp.compressor import CompressorSettings
from dsp.gate import GateSettings
from dsp.limiter import LimiterSettings
from dsp.strip import StripBank, StripSettings
from tests.dsp.signals import level_db, sine

ROW = np.zeros(1, np.int32)


def after(engine, settings, sound):
    bank = StripBank(engine)
    bank.take(0)
    bank.set(0, settings)
    arena = sound[None].copy()
    for first in range(0, len(sound), 480):
        bank.process(arena, ROW, first, 480)
    return bank.reductions(0), arena[0]


@pytest.mark.parametrize(
    ("settings", "stage"),
    [
        (StripSettings(gate=GateSettings(-20, range_db=-40)), "gate_db"),
        (StripSettings(compressor=CompressorSettings(-50, 4, knee_db=0)), "compressor_db"),
        (StripSettings(limiter=LimiterSettings(-20)), "limiter_db"),
    ],
)
def test_each_stage_shows_by_how_much_the_sound_is_lower(engine, settings, stage):
    level = -10 if stage == "limiter_db" else -30
    sound = sine(1000, level, 1.0)
    shown, out = after(engine, settings, sound)
    lowered_db = level_db(out[-4800:]) - level
    assert lowered_db < -5
    assert getattr(shown, stage) == pytest.approx(lowered_db, abs=0.3)
    assert sum(shown) == pytest.approx(getattr(shown, stage), abs=0.01)


def test_nothing_is_shown_where_nothing_is_done(engine):
    assert after(engine, StripSettings(), sine(1000, -3, 0.1))[0] == (0, 0, 0)
    quiet = StripSettings(compressor=CompressorSettings(0, 20), gate=GateSettings(-80))
    assert sum(after(engine, quiet, sine(1000, -40, 0.5))[0]) == pytest.approx(0, abs=0.01)
