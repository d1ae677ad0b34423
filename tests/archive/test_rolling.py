"""From pieces to chunks, and back to sound."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.memory_store import MemorySessionStore
from archive.reading import frames_of, read_sound
from archive.rolling import CHUNK_PACKETS, PACKET_FRAMES, Roll
from archive.sessions import MAX_CHUNK_BYTES, Chunk, pack, unpack
from archive.wire import Piece, read_piece, write_piece
from tests.archive.store_contract import a_session


def plain(sound: np.ndarray) -> bytes:
    """An encoder that loses nothing."""
    return np.round(sound * 32768).astype("<i2").tobytes()[: 2**16 - 1]


class Plain:
    """Its decoder."""

    def decode(self, payload: bytes, out: np.ndarray) -> int:
        out[:] = np.frombuffer(payload, "<i2").reshape(-1, 2) / 32768
        return len(out)

    def reset(self) -> None:
        pass


def ramp(first: int, count: int) -> np.ndarray:
    line = (np.arange(first, first + count) % 20_000 + 1).astype(np.int16)
    return np.stack([line, -line], axis=1)


def pieces(begin: int, end: int, step: int = 4800) -> list[Piece]:
    return [Piece("a", at, ramp(at, min(step, end - at))) for at in range(begin, end, step)]


async def kept(chunks: list[Chunk], first: int, end: int) -> np.ndarray:
    store = MemorySessionStore()
    await store.put(a_session(), 60)
    for chunk in chunks:
        assert await store.append("ab12", chunk, 10_000, 60)
    blocks = [block async for block in read_sound(store, "ab12", Plain(), first, end)]
    return np.round(np.concatenate(blocks) * 32768).astype(np.int16)


def rolled(given_pieces: list[Piece], late_ms: int = 0) -> list[Chunk]:
    roll = Roll(plain)
    chunks = []
    for piece in given_pieces:
        end_ms = (piece.media_time + len(piece.pcm)) // 48
        chunks += roll.push(piece, end_ms + late_ms)
    return chunks + roll.flush()


async def test_sound_comes_back_where_it_was():
    chunks = rolled(pieces(0, 480_000))
    assert np.array_equal(await kept(chunks, 0, 480_000), ramp(0, 480_000))


@given(st.integers(0, 96_000), st.integers(1, 60_000))
async def test_any_part_is_as_in_the_whole(first, count):
    chunks = rolled(pieces(0, 144_000))
    end = min(first + count, 144_000)
    assert np.array_equal(await kept(chunks, first, end), ramp(first, end - first))


async def test_what_is_missing_is_silence_of_the_same_length():
    chunks = rolled(pieces(0, 48_000) + pieces(96_000, 192_000))
    sound = await kept(chunks, 0, 240_000)
    assert len(sound) == 240_000
    assert np.array_equal(sound[:48_000], ramp(0, 48_000))
    assert not sound[48_000:96_000].any()
    assert np.array_equal(sound[96_000:192_000], ramp(96_000, 96_000))
    assert not sound[192_000:].any()


async def test_a_worker_that_was_restarted_goes_on_behind_what_was_said():
    roll = Roll(lambda sound: b"x")
    chunks = []
    for piece in pieces(480_000, 528_000):
        chunks += roll.push(piece, (piece.media_time - 480_000) // 48 + 100)
    for piece in pieces(0, 48_000):  # its clock begins anew, three seconds later
        chunks += roll.push(piece, 4000 + piece.media_time // 48 + 100)
    chunks += roll.flush()
    assert [chunk.at_ms for chunk in chunks] == [0, 4000]


def test_chunks_never_overlap_whatever_clocks_say():
    random = np.random.default_rng(1)
    roll = Roll(plain)
    chunks: list[Chunk] = []
    for _ in range(400):
        piece = Piece("a", int(random.integers(0, 10**6)) * 480, ramp(0, 4800))
        chunks += roll.push(piece, int(random.integers(0, 10**5)))
    for one, after in pairwise(chunks):
        assert after.at_ms >= one.end_ms


def test_a_chunk_is_a_second_at_most():
    small = Roll(lambda sound: b"x")
    chunks = [c for piece in pieces(0, 480_000) for c in small.push(piece, piece.media_time // 48)]
    assert {chunk.length_ms for chunk in chunks} == {20 * CHUNK_PACKETS}


def test_a_chunk_of_large_packets_is_shorter():
    for chunk in rolled(pieces(0, 480_000)):
        assert len(chunk.packets) <= MAX_CHUNK_BYTES


def test_mono_is_on_both_channels():
    seen = []
    roll = Roll(lambda sound: seen.append(sound.copy()) or b"x")
    roll.push(Piece("a", 0, ramp(0, PACKET_FRAMES)[:, :1]), 20)
    assert np.array_equal(seen[0][:, 0], seen[0][:, 1])


@given(st.binary(max_size=400))
def test_no_datagram_does_any_harm(data):
    for datagram in (data, b"AGa1" + data):
        piece = read_piece(datagram)
        assert piece is None or piece.pcm.shape[1] in (1, 2)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_piece_comes_back(channels):
    piece = Piece("ab12", -480, ramp(3, 4800)[:, :channels])
    back = read_piece(write_piece(piece))
    assert back is not None
    assert (back.source_id, back.media_time) == ("ab12", -480)
    assert np.array_equal(back.pcm, piece.pcm)


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(0, 50))
def test_packets_come_back_and_cut_off_ones_do_not(packets, cut):
    packed = pack(packets)
    assert list(unpack(packed)) == packets
    part = list(unpack(packed[: max(0, len(packed) - cut)]))
    assert part == packets[: len(part)]


async def test_frames_are_counted_from_milliseconds():
    assert frames_of(20) == 960
