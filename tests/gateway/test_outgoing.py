"""Mixes cut into chunks."""

import numpy as np
import pytest

from gateway.wire.datagrams import CHUNK_BYTES
from gateway.wire.outgoing import ChunkStream


def tone(pitch_hz: float, count: int, first: int = 0) -> np.ndarray:
    phase = 2 * np.pi * pitch_hz * (first + np.arange(count)) / 48_000
    return np.repeat(0.3 * np.sin(phase)[:, None], 2, axis=1).astype(np.float32)


def chunks(stream: ChunkStream, sound: np.ndarray, block: int = 480) -> list[bytes | None]:
    return [stream.add(sound[i : i + block]) for i in range(0, len(sound), block)]


def test_a_tone_keeps_pitch_and_level() -> None:
    got = b"".join(filter(None, chunks(ChunkStream(), tone(1000, 48_000))))
    samples = np.frombuffer(got, "<i2")[2_000:] / 32767
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    assert spectrum.argmax() * 44_100 / len(samples) == pytest.approx(1000, abs=1)
    assert samples.std() * 2**0.5 == pytest.approx(0.3, rel=0.01)


@pytest.mark.slow
def test_a_second_gives_as_many_chunks_as_it_should() -> None:
    got = chunks(ChunkStream(), tone(500, 4_800_000))
    whole = [chunk for chunk in got if chunk is not None]
    assert len(whole) == 100 * 44_100 // 1024
    assert all(len(chunk) == CHUNK_BYTES for chunk in whole)


def test_a_fork_goes_on_in_step_and_without_a_click() -> None:
    stream = ChunkStream()
    sound = tone(700, 48_000)
    head = chunks(stream, sound[:24_000])
    other = stream.fork()
    ours, theirs = chunks(stream, sound[24_000:]), chunks(other, sound[24_000:])
    assert [chunk is None for chunk in ours] == [chunk is None for chunk in theirs]
    changed = np.frombuffer(b"".join(filter(None, [*head, *theirs])), "<i2") / 32767
    changed = changed[1_000:]  # the tone began all at once
    assert np.abs(np.diff(changed)).max() < 1.05 * 0.3 * 2 * np.pi * 700 / 44_100


@pytest.mark.parametrize("block", [480, 960])
def test_silence_is_silent(block: int) -> None:
    got = b"".join(filter(None, chunks(ChunkStream(), np.zeros((48_000, 2), np.float32), block)))
    assert got
    assert not any(got)


def test_what_is_too_loud_is_cut() -> None:
    got = b"".join(filter(None, chunks(ChunkStream(), np.full((4_800, 2), 3.0, np.float32))))
    assert np.abs(np.frombuffer(got, "<i2").astype(int)).max() == 32767
