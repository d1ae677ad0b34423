"""How much later sound of another worker is played than it comes, and what that costs in holes."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixer.exchange_neighbour import SETTINGS
from mixer.jitter import TransitSettings
from mixer.playout import Playout
from mixer.playout_packet import MediaPacket
from mixer.playout_settings import PlayoutSettings
from tests.mixer.playout_world import RATE, ToneDecoder, payload_of

BLOCK = 480
BLOCK_S = BLOCK / RATE
AS_FOR_PUBLISHERS = replace(SETTINGS, transits=TransitSettings())


@dataclass
class Played:
    """What came of a stream, by block: how long its packets waited, and how many were made up."""

    waits_s: np.ndarray
    concealed: np.ndarray


def calm(seed: int, count: int) -> np.ndarray:
    """Ways as measured, in s: 1 to 2 ms, and of one in 200 up to 5."""
    rng = np.random.default_rng(seed)
    ways = 0.0004 + rng.gamma(4.0, 0.00025, count)
    late = rng.random(count) < 0.005
    ways[late] += rng.uniform(0.001, 0.0035, np.count_nonzero(late))
    return ways


def disturbed(seed: int, count: int, at: int, blocks: int = 30) -> np.ndarray:
    """The same, but that for 300 ms other work holds up every other block by up to 40 ms."""
    ways = calm(seed, count)
    rng = np.random.default_rng(seed + 1)
    held_up = rng.random(blocks) < 0.5
    ways[at : at + blocks][held_up] += rng.uniform(0.005, 0.04, np.count_nonzero(held_up))
    return ways


def play(
    ways_s: np.ndarray,
    phase_s: float,
    how: PlayoutSettings = SETTINGS,
    moves: dict[int, float] | None = None,
    *,
    told: bool = True,
) -> Played:
    """Send a block every 10 ms and pull one as often, `phase_s` after.

    Args:
        ways_s: How long each is under way; none overtakes another.
        phase_s: As said.
        how: Of the playout.
        moves: From which block on the sender runs by how much later than before.
        told: Whether it says so.
    """
    playout = Playout(ToneDecoder(), how)
    sent_s = 100 + BLOCK_S * np.arange(len(ways_s))
    moves = moves or {}
    for block, by_s in moves.items():
        sent_s[block:] += by_s
    arrivals_s = np.maximum.accumulate(sent_s + ways_s).tolist()
    out = np.zeros((BLOCK, 2), np.float32)
    waits, concealed, came = [], [], 0
    for number in range(len(ways_s)):
        now_s = 100 + BLOCK_S * number + phase_s
        while came < len(ways_s) and arrivals_s[came] <= now_s:
            if told and came in moves:
                playout.move_path(moves[came])
            payload = payload_of(came * BLOCK, BLOCK)
            playout.push(MediaPacket(came & 0xFFFF, came * BLOCK, payload, arrivals_s[came]))
            came += 1
        playout.pull(out, now_s)
        waits.append(playout.mean_wait_s)
        concealed.append(playout.stats().concealed_samples // BLOCK)
    return Played(np.array(waits), np.array(concealed))


@pytest.mark.parametrize("phase_s", [0.0, 0.003, 0.006, 0.009])
def test_on_a_calm_bus_hardly_a_block_is_missed(phase_s: float) -> None:
    played = play(calm(1, 1500), phase_s)
    assert played.concealed[-1] - played.concealed[100] <= 3
    assert np.mean(played.waits_s[500:]) < BLOCK_S + 0.004


@given(seed=st.integers(0, 1000), phase_s=st.floats(0.0, BLOCK_S))
@settings(max_examples=10)
def test_less_is_waited_than_for_publishers_and_nothing_missed_but_what_is_held_up(
    seed: int, phase_s: float
) -> None:
    ways = disturbed(seed, 1000, 450)
    ours, theirs = play(ways, phase_s), play(ways, phase_s, AS_FOR_PUBLISHERS)
    assert ours.concealed[-1] <= 35  # it lasts for 30 blocks
    assert ours.waits_s[-1] < theirs.waits_s[-1] + 0.003


@pytest.mark.parametrize("phase_s", [0.0, 0.003, 0.006, 0.009])
def test_a_disturbance_is_forgotten_within_five_seconds(phase_s: float) -> None:
    ways = disturbed(1, 1000, 450)
    assert play(ways, phase_s).waits_s[-1] < BLOCK_S + 0.005
    assert play(ways, phase_s, AS_FOR_PUBLISHERS).waits_s[-1] > 0.025


@pytest.mark.parametrize("phase_s", [0.0, 0.003, 0.006, 0.009])
@pytest.mark.parametrize("by_s", [-0.0075, -0.01])
def test_that_a_sender_runs_earlier_now_is_no_jitter(by_s: float, phase_s: float) -> None:
    moves = {400: by_s}
    told, guessed = (
        play(calm(1, 600), phase_s, SETTINGS, moves, told=one) for one in (True, False)
    )
    assert told.waits_s[-1] < BLOCK_S + 0.004
    assert guessed.waits_s[-1] > told.waits_s[-1] - 0.001
    assert told.concealed[-1] <= guessed.concealed[-1] + 1


@pytest.mark.parametrize("phase_s", [0.0, 0.003, 0.006, 0.009])
def test_that_a_sender_runs_later_now_costs_no_more_than_the_hole(phase_s: float) -> None:
    played = play(calm(1, 600), phase_s, SETTINGS, {400: 0.005})
    assert played.concealed[-1] - played.concealed[390] <= 2
    assert played.waits_s[-1] < BLOCK_S + 0.004
