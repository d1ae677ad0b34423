"""The compiled loops against plain numpy, and the limiter against its promise."""

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer import kernels
from mixer.arena import METER, SourceArena
from mixer.exchange_frames import LEVEL, MUTED, SPEAKING, WANTS_IN

CEILING = np.float32(0.9)
RELEASE = np.float32(0.02)


def noise(rows, seed=0, scale=0.1):
    random = np.random.default_rng(seed)
    return (random.standard_normal((rows, 960, 2)) * scale).astype(np.float32)


def run_mix(sources, terms_of_mixes, *, first=0, target=0, count=480, limiter=None):
    """Mix `terms_of_mixes`, a list of [(source row, gains)] for each mix, into fresh rows."""
    mixes = np.full((len(terms_of_mixes), 960, 2), 7.0, np.float32)
    starts = np.cumsum([0, *(len(terms) for terms in terms_of_mixes)]).astype(np.int32)
    flat = [term for terms in terms_of_mixes for term in terms]
    if limiter is None:
        limiter = np.ones(len(mixes), np.float32)
    kernels.mix(
        sources,
        first,
        mixes,
        target,
        count,
        np.arange(len(mixes), dtype=np.int32),
        starts,
        np.array([row for row, _ in flat], np.int32),
        np.array([gains for _, gains in flat], np.float32).reshape(-1, 4),
        limiter,
        CEILING,
        RELEASE,
    )
    return mixes


@pytest.mark.parametrize(("first", "count"), [(0, 480), (480, 480), (0, 960)])
def test_measure_gives_peak_and_mean_square(first, count):
    sources = noise(5)
    rows = np.array([3, 0], np.int32)
    peaks, powers = np.zeros(2, np.float32), np.zeros(2, np.float32)
    kernels.measure(sources, rows, first, count, peaks, powers)
    part = sources[rows, first : first + count]
    np.testing.assert_array_equal(peaks, np.abs(part).max(axis=(1, 2)))
    np.testing.assert_allclose(powers, (part.astype(float) ** 2).mean(axis=(1, 2)), rtol=1e-4)


@pytest.mark.parametrize("count", [480, 960])
def test_the_level_is_the_mean_square_of_both_channels_of_that_many_samples(count):
    arena = SourceArena(5)
    rows = [arena.take() for _ in range(5)]
    arena.data[:] = noise(5)
    arena.meters["present"] = [1, 1, 0, 1, 1]
    arena.meters["muted"] = [0, 0, 0, 0, 1]
    kernels.observe(arena.data, arena.meters, np.array(rows[1:], np.int32), count, 0.02, 0.0)
    for row in range(5):
        power = (arena.data[row, :count].astype(float) ** 2).mean()
        level = arena.meters[row]["level_dbov"]
        assert level == (
            round(-10 * np.log10(power)) if row in (0, 1, 3) and row in rows[1:] else 127
        )


def test_who_wants_in_is_told_once_when_it_changes():
    arena = SourceArena(2)
    rows = np.array([arena.take(), arena.take()], np.int32)

    def observe(now_s):
        return kernels.observe(arena.data, arena.meters, rows, 480, 0.02, now_s)

    assert observe(1.0) == 0
    arena.data[rows[1]] = 0.1
    arena.meters["present"] = 1
    assert observe(1.02) == ~1
    assert observe(1.04) == 1
    arena.data[rows[0]] = 0.1
    assert observe(1.06) == ~2
    arena.meters["present"] = 0
    assert observe(1.08) == 2
    assert observe(1.06 + kernels.HANGOVER_S) == ~0
    assert observe(1.10 + kernels.HANGOVER_S) == 0


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_mix_is_the_ramped_sum_of_its_terms(data):
    sources = noise(4, data.draw(st.integers(0, 9)), 0.02)  # the limiter sleeps
    gain = st.sampled_from([0.0, 0.25, 1.0, 2.0])
    term = st.tuples(st.integers(0, 3), st.tuples(gain, gain, gain, gain))
    layout = data.draw(st.lists(st.lists(term, max_size=4), min_size=1, max_size=3))
    count = data.draw(st.sampled_from([480, 960]))
    target = data.draw(st.sampled_from([0, 480])) if count == 480 else 0
    mixes = run_mix(sources, layout, target=target, count=count)
    ramp = np.arange(count)[:, None] / count
    for mix, terms in zip(mixes, layout, strict=True):
        expected = np.zeros((count, 2))
        for row, gains in terms:
            begin, end = np.array(gains[:2]), np.array(gains[2:])
            expected += sources[row, :count] * (begin + (end - begin) * ramp)
        np.testing.assert_allclose(mix[target : target + count], expected, atol=1e-6)
        untouched = np.delete(mix, np.s_[target : target + count], axis=0)
        assert (untouched == 7.0).all()


def test_a_mix_does_not_depend_on_its_neighbours():
    sources = noise(6, scale=0.5)
    unity = (1.0, 1.0, 1.0, 1.0)
    alone = run_mix(sources, [[(0, unity), (1, unity)]])
    among = run_mix(sources, [[(2, unity)], [(0, unity), (1, unity)], [(3, unity), (4, unity)]])
    np.testing.assert_array_equal(alone[0], among[1])


def limited(sound):
    """Return a long sound limited block by block, and the gain after each block."""
    state = np.ones(1, np.float32)
    blocks, gains = [], []
    for start in range(0, len(sound), 480):
        sources = np.zeros((1, 960, 2), np.float32)
        sources[0, :480] = sound[start : start + 480]
        mixes = run_mix(sources, [[(0, (1.0, 1.0, 1.0, 1.0))]], limiter=state)
        blocks.append(mixes[0, :480].copy())
        gains.append(float(state[0]))
    return np.concatenate(blocks), gains


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999), scale=st.floats(0.01, 8.0), burst=st.integers(0, 9))
def test_nothing_passes_the_ceiling(seed, scale, burst):
    sound = noise(5, seed, 0.05).reshape(-1, 2)
    sound[burst * 480 : (burst + 1) * 480] *= np.float32(scale * 20)
    out, _ = limited(sound)
    assert np.abs(out).max() <= CEILING


@given(seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_what_stays_below_the_ceiling_is_left_alone(seed):
    sound = noise(2, seed).reshape(-1, 2)
    sound *= np.float32(0.9999) * CEILING / np.abs(sound).max()
    out, _ = limited(sound)
    np.testing.assert_array_equal(out, sound)


def test_the_gain_comes_back_without_a_jump_and_all_the_way():
    time = np.arange(48_000) / 48_000
    sound = np.repeat(0.3 * np.sin(2 * np.pi * 300 * time)[:, None], 2, axis=1).astype(np.float32)
    sound[4800:9600] *= 6
    out, gains = limited(sound)
    assert min(gains) < 0.51
    assert gains[-1] == 1.0
    np.testing.assert_array_equal(out[-4800:], sound[-4800:])
    recovery = gains[20:]
    assert recovery == sorted(recovery)
    assert max(np.diff(recovery)) < 0.2
    # 63 % of the way back within 50 ms of the end of the loud part, as documented.
    assert gains[19] + 0.6 * (1 - gains[19]) < gains[24]


def test_both_channels_are_turned_down_alike():
    sound = np.zeros((4800, 2), np.float32)
    sound[:, 0] = 1.8 * np.sin(np.arange(4800) / 20)
    sound[:, 1] = 0.2
    out, gains = limited(sound)
    assert out[-1, 1] == pytest.approx(0.2 * gains[-1], rel=1e-3)


meters_of = st.lists(
    st.tuples(st.integers(0, 127), st.floats(0, 127), st.booleans(), st.booleans(), st.booleans()),
    max_size=6,
)


def a_meter(told: list[tuple[int, float, bool, bool, bool]]) -> np.ndarray:
    meters = np.zeros(8, METER)
    for row, (level, floor, speaking, wants_in, muted) in enumerate(told):
        meters["level_dbov"][row], meters["floor_dbov"][row] = level, floor
        meters["speaking"][row], meters["wants_in"][row] = speaking, wants_in
        meters["muted"][row] = muted
    return meters


@given(meters_of, st.randoms(use_true_random=False))
def test_levels_are_told_as_they_are(told: list, random: Random) -> None:
    meters = a_meter(told)
    rows = np.array(random.sample(range(len(told)), len(told)), np.int32)
    levels = np.zeros(3 * len(rows), np.uint8)
    anybody = kernels.tell_levels(meters, rows, levels)
    assert anybody == any(one[3] for one in told)
    written = levels.view(LEVEL)
    for place, row in enumerate(rows):
        level, floor, speaking, wants_in, muted = told[row]
        assert written["level_dbov"][place] == level
        assert written["floor_dbov"][place] == int(floor)
        flags = SPEAKING * speaking + WANTS_IN * wants_in + MUTED * muted
        assert written["flags"][place] == flags


@given(meters_of, st.data())
def test_what_is_told_of_levels_is_followed_and_mutes_come_first(told: list, data: Any) -> None:
    """Some of those told of are not followed here: their places are skipped."""
    sender = a_meter(told)
    levels = np.zeros(3 * len(told), np.uint8)
    kernels.tell_levels(sender, np.arange(len(told), dtype=np.int32), levels)
    message = np.frombuffer(levels.tobytes(), np.uint8)
    order = data.draw(st.permutations(range(len(told))))
    places = np.array(order[data.draw(st.integers(0, len(told))) :], np.intp)
    rows = np.arange(len(places), dtype=np.int32) + 1
    here = a_meter([(127, 65.0, False, data.draw(st.booleans()), False) for _ in range(8)])
    wanted = here["wants_in"][rows].copy()
    before = here.copy()
    mutes = bool(np.any(sender["muted"][places]))
    found = kernels.follow_levels(here, rows, places, message, True)
    if mutes:
        assert found == kernels.MUTES
        assert np.array_equal(here, before)  # the mixer is told of mutes before anything else
        found = kernels.follow_levels(here, rows, places, message, False)
    others = bool(np.any(wanted != sender["wants_in"][places]))
    assert found == (kernels.OTHERS_WANT_IN if others else kernels.ALL_AS_BEFORE)
    for name in ("level_dbov", "speaking", "wants_in"):
        assert np.array_equal(here[name][rows], sender[name][places])
    assert np.array_equal(here["floor_dbov"][rows], np.floor(sender["floor_dbov"][places]))
    untouched = np.setdiff1d(np.arange(8), rows)
    assert np.array_equal(here[untouched], before[untouched])
    assert np.array_equal(here["muted"], before["muted"])
