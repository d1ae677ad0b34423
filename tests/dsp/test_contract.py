"""What every stage keeps, alone and together, on both engines."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp.compressor import CompressorSettings
from dsp.engine import load_engine
from dsp.gate import GateSettings
from dsp.high_pass import HighPassSettings
from dsp.strip import FLAT, LATENCY_SAMPLES, StripBank, StripSettings
from dsp.tables import FADE_SAMPLES
from tests.dsp.signals import impulse, level_db, music, sine, speech
from tests.dsp.strips import STAGES, run, run_one, strip_settings

stages = pytest.mark.parametrize("stage", STAGES)


@pytest.mark.slow
@stages
@pytest.mark.parametrize("block", [48, 77, 480, 4096])
def test_output_does_not_depend_on_the_blocks(engine, stage, block):
    sound = speech(0.35, seed=2)
    whole = run_one(engine, sound, STAGES[stage], blocks=[len(sound)])
    assert np.array_equal(run_one(engine, sound, STAGES[stage], blocks=[block]), whole)


@given(st.lists(st.integers(1, 1500), min_size=1, max_size=12), st.integers(0, 9000))
@settings(max_examples=25)
def test_changes_do_not_depend_on_the_blocks(blocks, where):
    # The second change comes while the first one fades, so it has to wait for its end.
    engine = load_engine("numba")
    sound = speech(0.3, seed=5)
    changes = {
        where: [STAGES["equaliser"]],
        where + 400: [FLAT],
        where + 500: [STAGES["compressor"]],
        where + 3000: [FLAT],
    }
    whole = run_one(engine, sound, STAGES["all"], blocks=[len(sound)], changes=changes)
    split = run_one(engine, sound, STAGES["all"], blocks=blocks, changes=changes)
    assert np.array_equal(split, whole)


def test_changes_do_not_depend_on_the_blocks_in_either_engine(engine):
    sound = speech(0.2, seed=5)
    changes = {100: [STAGES["equaliser"]], 333: [FLAT], 4000: [STAGES["gate"]]}
    whole = run_one(engine, sound, STAGES["all"], blocks=[len(sound)], changes=changes)
    split = run_one(engine, sound, STAGES["all"], blocks=[77, 960, 3], changes=changes)
    assert np.array_equal(split, whole)


@pytest.mark.parametrize("rows", [2, 7, 8, 9, 20])
def test_output_does_not_depend_on_neighbours(engine, rows):
    if engine.name == "numpy" and rows > 2:
        pytest.skip("rows are processed one by one")
    names = list(STAGES)
    chosen = [STAGES[names[row % len(names)]] for row in range(rows)]
    sounds = [speech(0.1, seed=row, level=0.1 * (row + 1)) for row in range(rows)]
    changes = {960: list(reversed(chosen))}
    together = run(engine, sounds, chosen, changes=changes)
    for row in range(rows):
        alone = run(engine, sounds[row : row + 1], chosen[row : row + 1],
                    changes={960: [changes[960][row]]})  # fmt: skip
        assert np.array_equal(together[row], alone[0])


@stages
def test_shape_and_kind_are_kept_and_output_is_finite(engine, stage):
    out = run_one(engine, music(0.1), STAGES[stage])
    assert out.shape == (4800, 2)
    assert out.dtype == np.float32
    assert np.isfinite(out).all()


@stages
def test_silence_in_gives_silence_out(engine, stage):
    assert not run_one(engine, np.zeros((2000, 2), np.float32), STAGES[stage]).any()


@stages
def test_sound_ends_in_silence_without_a_remnant(compiled, stage):
    sound = np.concatenate([speech(0.1), np.zeros((150_000, 2), np.float32)])
    assert not run_one(compiled, sound, STAGES[stage])[-960:].any()


@stages
def test_rest_equals_a_new_strip(engine, stage):
    bank = StripBank(engine)
    bank.take(0)
    bank.set(0, STAGES["all"])
    rows = np.zeros(1, np.int32)
    bank.process(music(0.05)[None].copy(), rows, 0, 2400)
    bank.set(0, STAGES[stage])  # still fading when the sound ends
    bank.rest(0)
    arena = speech(0.1)[None].copy()
    bank.process(arena, rows, 0, 4800)
    assert np.array_equal(arena[0], run_one(engine, speech(0.1), STAGES[stage]))


def test_a_row_that_is_taken_again_knows_nothing_of_the_last(engine):
    bank = StripBank(engine)
    rows = np.zeros(1, np.int32)
    bank.take(0)
    bank.set(0, STAGES["all"])
    bank.process(music(0.05)[None].copy(), rows, 0, 2400)
    bank.give_back(0)
    bank.take(0)
    arena = speech(0.05)[None].copy()
    bank.process(arena, rows, 0, 2400)
    assert np.array_equal(arena[0], speech(0.05))
    bank.rest(0)
    bank.set(0, STAGES["all"])
    bank.process(arena, rows, 0, 2400)
    assert np.array_equal(arena[0], run_one(engine, speech(0.05), STAGES["all"]))


@stages
def test_latency_is_as_declared(engine, stage):
    out = run_one(engine, impulse(2400, 0.05), STAGES[stage])
    assert not out[:LATENCY_SAMPLES].any()
    assert out[LATENCY_SAMPLES].any()
    assert LATENCY_SAMPLES <= 0.0015 * 48_000


def test_flat_strips_change_no_bit_and_reach_no_engine(engine):
    class Counting:
        name, dtype, carry = engine.name, engine.dtype, engine.carry
        calls = 0

        def process(self, *args):
            self.calls += 1
            engine.process(*args)

    counting = Counting()
    sound = music(0.1)
    assert np.array_equal(run_one(counting, sound, FLAT), sound)
    assert counting.calls == 0
    run_one(counting, sound, STAGES["all"])
    assert counting.calls == 5


def test_a_strip_that_became_flat_costs_nothing_after_its_fade(engine):
    bank = StripBank(engine)
    bank.take(0)
    bank.set(0, STAGES["all"])
    rows = np.zeros(1, np.int32)
    sound = music(0.1)
    arena = sound[None].copy()
    bank.process(arena, rows, 0, 960)
    bank.set(0, FLAT)
    bank.process(arena, rows, 960, FADE_SAMPLES)
    assert bank.is_flat(0)
    bank.process(arena, rows, 960 + FADE_SAMPLES, 960)
    assert np.array_equal(arena[0, 960 + FADE_SAMPLES :], sound[960 + FADE_SAMPLES :])


@pytest.mark.slow
def test_both_engines_agree_within_80_db():
    for stage, strip in STAGES.items():
        for sound in (speech(0.5), music(0.5), sine(997, -3, 0.3)):
            changes = {4800: [STAGES["all"]], 9600: [STAGES["limiter"]]}
            a, b = (
                run_one(load_engine(name), sound, strip, changes=changes)
                for name in ("numba", "numpy")
            )
            assert np.abs(a - b).max() < 1e-4 * np.abs(b).max(), stage


@pytest.mark.slow
@given(strip_settings(), strip_settings(), st.integers(0, 99), st.floats(0, 8))
@settings(max_examples=60)
def test_every_setting_in_range_gives_finite_output_under_the_ceiling(first, second, seed, level):
    out = run_one(
        load_engine("numba"),
        music(0.2, seed, level),
        first,
        changes={3000: [second]},
    )
    assert np.isfinite(out).all()
    ceilings = [strip.limiter.ceiling_dbtp for strip in (first, second)]
    level = max(strip.level for strip in (first, second))
    assert np.abs(out).max() <= level * 10 ** (max(ceilings) / 20)


@pytest.mark.slow
@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf, 1e30])
def test_broken_samples_do_not_stay(engine, poison):
    sound = speech(2.0)
    sound[1000, 0] = poison
    out = run_one(engine, sound, STAGES["all"])
    assert np.isfinite(out).all()
    clean = run_one(engine, speech(2.0), STAGES["all"])
    assert np.abs(out[-4800:] - clean[-4800:]).max() < 0.02


def test_gate_and_compressor_go_on_when_something_else_changes(engine):
    slow = CompressorSettings(-40, 10, attack_ms=200, release_ms=2000)
    before = StripSettings(gate=GateSettings(-50, attack_ms=50), compressor=slow)
    after = replace(before, high_pass=HighPassSettings(20))
    tone = sine(997, -6, 2.0)
    out = run_one(engine, tone, before, changes={72_000: [after]})
    assert level_db(out[72_000:74_400]) == pytest.approx(level_db(out[69_600:72_000]), abs=0.1)


def test_the_newest_of_several_settings_wins(engine):
    sound = speech(0.2)
    changes = {960: [STAGES["gate"]], 1000: [STAGES["limiter"]], 1100: [STAGES["equaliser"]]}
    out = run_one(engine, sound, FLAT, changes=changes)
    steady = run_one(engine, sound, STAGES["equaliser"])
    assert np.allclose(out[-2000:], steady[-2000:], atol=1e-5)


def test_settings_are_told_even_while_they_wait(compiled):
    bank = StripBank(compiled)
    bank.take(3)
    bank.process(np.zeros((4, 960, 2), np.float32), np.array([3], np.int32), 0, 960)
    bank.set(3, STAGES["gate"])
    bank.set(3, StripSettings(trim_db=1))
    assert bank.settings(3) == StripSettings(trim_db=1)
