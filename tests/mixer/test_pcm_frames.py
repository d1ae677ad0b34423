"""Samples as payloads, and what stands in for those that are missing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.pcm_frames import PcmDecoder, pcm_payload
from mixer.playout_packet import DecodeError


def tone(count: int, period: int, start: int = 0) -> np.ndarray:
    phase = 2 * np.pi * (start + np.arange(count)) / period
    return np.repeat(0.3 * np.sin(phase)[:, None], 2, axis=1).astype(np.float32)


@given(st.integers(120, 5760))
def test_what_was_sent_comes_out(count: int) -> None:
    sound = np.random.default_rng(count).normal(size=(count, 2)).astype(np.float32)
    decoder = PcmDecoder()
    out = np.zeros((count, 2), np.float32)
    assert decoder.samples(pcm_payload(sound)) == count
    assert decoder.decode(pcm_payload(sound), out) == count
    assert np.array_equal(out, sound)


@pytest.mark.parametrize("size", [0, 8, 119 * 8, 960 * 8 + 1, 5761 * 8])
def test_what_is_no_block_is_refused(size: int) -> None:
    with pytest.raises(DecodeError):
        PcmDecoder().samples(bytes(size))


@given(st.integers(130, 500), st.integers(1, 12))
def test_a_tone_goes_on_through_a_hole(period: int, gap: int) -> None:
    """Concealment repeats the pitch, and what comes next is blended over: nothing clicks."""
    decoder = PcmDecoder()
    before, hole = np.zeros((1920, 2), np.float32), np.zeros((120 * gap, 2), np.float32)
    after = np.zeros((960, 2), np.float32)
    decoder.decode(pcm_payload(tone(1920, period)), before)
    decoder.conceal(hole)
    decoder.decode(pcm_payload(tone(960, period, 1920 + len(hole))), after)
    whole = np.concatenate([before, hole, after])[:, 0]
    # No step is beyond what the tone itself does, but for its period being whole samples.
    assert np.abs(np.diff(whole)).max() < 2 * 0.3 * 2 * np.pi / period
    assert np.abs(hole - tone(len(hole), period, 1920)).max() < 0.1


def test_before_anything_was_heard_there_is_silence() -> None:
    decoder = PcmDecoder()
    hole = np.ones((480, 2), np.float32)
    decoder.conceal(hole)
    assert not hole.any()


def test_a_reset_forgets() -> None:
    decoder = PcmDecoder()
    decoder.decode(pcm_payload(tone(960, 200)), np.zeros((960, 2), np.float32))
    decoder.reset()
    hole = np.ones((480, 2), np.float32)
    decoder.conceal(hole)
    assert not hole.any()
