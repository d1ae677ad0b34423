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


@given(st.lists(st.integers(120, 2000), min_size=1, max_size=30), st.integers(0, 29))
def test_what_stands_in_is_the_same_however_sound_was_cut(sizes: list[int], hole_at: int) -> None:
    """The last 25 ms count, in whichever blocks they came, with a hole before or without."""
    hole_at = min(hole_at, len(sizes) - 1)
    whole = tone(sum(sizes), 217)
    decoder, start = PcmDecoder(), 0
    heard = []
    for number, size in enumerate(sizes):
        if number == hole_at:
            decoder.conceal(np.zeros((120, 2), np.float32))
        out = np.zeros((size, 2), np.float32)
        decoder.decode(pcm_payload(whole[start : start + size]), out)
        heard.append(out)
        start += size
    last = np.concatenate(heard)[-1200:]
    at_once = PcmDecoder()
    at_once.decode(pcm_payload(last), np.zeros_like(last))
    ours, theirs = np.zeros((960, 2), np.float32), np.zeros((960, 2), np.float32)
    decoder.conceal(ours)
    at_once.conceal(theirs)
    assert np.array_equal(ours, theirs)
