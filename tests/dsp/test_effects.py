"""What all effects have in common: tails, memory, and what they cost when nobody needs them."""

import numpy as np
import pytest

from dsp import reverb
from dsp.chorus import ChorusSettings
from dsp.delay import DelaySettings
from dsp.effects import MEMORIES
from dsp.reverb import ReverbSettings
from dsp.strip import FLAT, StripBank, StripSettings
from dsp.tables import FADE_SAMPLES
from tests.dsp.signals import click_dbfs, sine, speech, true_peak_db
from tests.dsp.strips import run_one

BLOCK = 480
ROW = np.zeros(1, np.int32)
EFFECTS = {
    "chorus": StripSettings(chorus=ChorusSettings()),
    "delay": StripSettings(delay=DelaySettings(150, 50)),
    "reverb": StripSettings(reverb=ReverbSettings(decay_s=0.6)),
}


def bank_with(engine, settings):
    bank = StripBank(engine)
    bank.take(0)
    bank.set(0, settings)
    return bank


def process(bank, sound):
    arena = sound[None].copy()
    bank.process(arena, ROW, 0, arena.shape[1])
    return arena[0]


def ring_out(bank, limit=1000):
    """Return what sounds after the end of what went in, as long as the bank says."""
    blocks = []
    while bank.rings(0):
        blocks.append(process(bank, np.zeros((BLOCK, 2), np.float32)))
        assert len(blocks) < limit
    return np.concatenate(blocks)


@pytest.mark.parametrize("name", EFFECTS)
def test_tails_ring_out_and_then_no_more(engine, name):
    bank = bank_with(engine, EFFECTS[name])
    assert not bank.rings(0)
    process(bank, speech(0.2))
    tail = ring_out(bank)
    assert np.abs(tail[:BLOCK]).max() > 1e-3
    assert np.abs(tail[-2 * BLOCK :]).max() < 3e-5
    bank.rest(0)
    assert not bank.rings(0)


def test_an_echo_that_is_still_to_come_keeps_a_row_ringing(engine):
    bank = bank_with(engine, StripSettings(delay=DelaySettings(2000, 0)))
    process(bank, np.zeros((3 * 48_000, 2), np.float32))
    process(bank, speech(0.05))
    tail = ring_out(bank)
    assert np.abs(tail[100:80_000]).max() < 1e-3
    assert np.abs(tail[90_000:]).max() > 1e-3


def test_a_strip_without_effects_does_not_ring(engine):
    bank = bank_with(engine, StripSettings(trim_db=6))
    process(bank, speech(0.1))
    assert not bank.rings(0)


@pytest.mark.parametrize("name", EFFECTS)
def test_memory_is_there_while_an_effect_sounds(engine, name):
    bank = bank_with(engine, EFFECTS[name])
    held = bank._tables.memory.arrays
    assert not held
    process(bank, speech(0.1))
    assert [len(memory) for memory in held.values()] == [MEMORIES[list(EFFECTS).index(name)]]
    bank.rest(0)  # silent
    assert not held
    process(bank, speech(0.1))
    bank.set(0, StripSettings(trim_db=6))
    process(bank, speech(FADE_SAMPLES / 48_000))
    assert not held
    bank.set(0, EFFECTS[name])
    process(bank, speech(0.1))
    assert held
    bank.give_back(0)
    assert not held


def test_a_share_of_nothing_is_flat(engine):
    settings = StripSettings(
        chorus=ChorusSettings(mix_percent=0),
        delay=DelaySettings(mix_percent=0),
        reverb=ReverbSettings(mix_percent=0),
    )
    assert settings.is_flat
    assert np.array_equal(run_one(engine, speech(0.1), settings), speech(0.1))


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("before", [FLAT, StripSettings(trim_db=1)], ids=["plain", "strip"])
def test_an_effect_comes_into_a_tone_and_goes_without_a_click(compiled, name, before):
    tone = sine(1000, -20, 1.5)
    tone[:4800] *= np.linspace(0, 1, 4800, dtype=np.float32)[:, None]
    changes = {24_000 + 17: [EFFECTS[name]], 48_000 + 5: [before]}
    out = run_one(compiled, tone, before, changes=changes)
    assert click_dbfs(out[9600:]) < -65


def test_the_ceiling_holds_for_all_that_effects_add(engine):
    settings = StripSettings(
        chorus=ChorusSettings(mix_percent=50),
        delay=DelaySettings(3, 95, 0, 60),
        reverb=ReverbSettings(mix_percent=60),
        fader_db=0,
    )
    out = run_one(engine, speech(1.0, level=4), settings)
    assert true_peak_db(out[:-960]) <= 0


def test_the_fader_is_shut_at_its_end(engine):
    assert not run_one(engine, speech(0.1), StripSettings(fader_db=-60)).any()
    plain = run_one(engine, speech(0.1, level=0.1), StripSettings(trim_db=1e-9))
    louder = run_one(engine, speech(0.1, level=0.1), StripSettings(fader_db=6))
    assert np.abs(louder - plain * 10 ** (6 / 20)).max() < 1e-6


def test_the_rings_of_the_reverb_hold_its_longest_delay_and_a_chunk():
    assert 200 * 48 + min(map(min, reverb.ALLPASSES)) <= reverb.PRE_RING
    assert max(reverb.LENGTHS) <= reverb.LINE_RING
    assert max(map(max, reverb.ALLPASSES)) <= reverb.ALLPASS_RING
