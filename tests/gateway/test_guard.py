"""Which datagrams are let in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.datagrams import (
    CHUNK_BYTES,
    CHUNK_S,
    SILENT_CHUNK,
    new_client_id,
    read_opus,
    write_opus,
)
from gateway.wire.guard import STALE_S, Client, Guard

HERE = 0x7F000001_0000 | 5000
ELSEWHERE = 0x7F000001_0000 | 5001
ANOTHER_HOST = 0x7F000002_0000 | 5000


def guarded(kind: str = "pcm", host: int = HERE >> 16) -> tuple[Guard, Client, bytes]:
    guard, client_id = Guard(), new_client_id()
    client = Client("me", kind, host)  # type: ignore[arg-type]
    guard.add(client_id, client)
    return guard, client, client_id.encode()


def test_the_first_datagram_binds_its_address() -> None:
    guard, client, client_id = guarded()
    assert guard.admit(client_id + SILENT_CHUNK, HERE, 0.0) == (client, SILENT_CHUNK)
    assert client.address == HERE
    assert guard.admit(client_id + SILENT_CHUNK, ELSEWHERE, 0.0) is None
    assert client.address == HERE
    assert guard.dropped == {"spoofed": 1}


def test_it_must_come_from_the_control_lines_host() -> None:
    guard, client, client_id = guarded()
    assert guard.admit(client_id + SILENT_CHUNK, ANOTHER_HOST, 0.0) is None
    assert client.address is None
    assert guard.dropped == {"spoofed": 1}


@pytest.mark.parametrize(
    ("kind", "size", "reason"),
    [
        ("pcm", 0, "short"),
        ("pcm", CHUNK_BYTES - 2, "short"),
        ("pcm", CHUNK_BYTES + 1, "oversized"),
        ("opus", 6, "short"),
        ("opus", 6 + 1276, "oversized"),
    ],
)
def test_payloads_have_their_size(kind: str, size: int, reason: str) -> None:
    guard, client, client_id = guarded(kind)
    assert guard.admit(client_id + bytes(size), HERE, 0.0) is None
    assert guard.dropped == {reason: 1}
    assert client.address is None


def test_unknown_ids_are_dropped() -> None:
    guard, _, client_id = guarded()
    for datagram in (b"", client_id[:-1], new_client_id().encode() + SILENT_CHUNK):
        assert guard.admit(datagram, HERE, 0.0) is None
    guard.remove(client_id.decode())
    assert guard.admit(client_id + SILENT_CHUNK, HERE, 0.0) is None
    assert guard.dropped == {"unknown": 4}


def test_a_flood_is_bounded_and_sound_is_not() -> None:
    guard, _, client_id = guarded()
    datagram = client_id + SILENT_CHUNK
    for number in range(10_000):  # four minutes of sound
        assert guard.admit(datagram, HERE, number * CHUNK_S) is not None
    now_s = 10_000 * CHUNK_S
    let_in = sum(guard.admit(datagram, HERE, now_s + i * 1e-4) is not None for i in range(10_000))
    assert let_in == pytest.approx(20 + 60, abs=3), "a burst, and a second of it"
    assert guard.dropped["flooded"] == 10_000 - let_in


def test_who_is_silent_is_unbound_and_may_come_back_from_elsewhere() -> None:
    guard, client, client_id = guarded()
    guard.admit(client_id + SILENT_CHUNK, HERE, 0.0)
    assert guard.stale(STALE_S) == []
    assert guard.stale(STALE_S + 0.1) == [client]
    assert guard.stale(STALE_S + 0.2) == []
    assert guard.admit(client_id + SILENT_CHUNK, ELSEWHERE, 20.0) is not None
    assert client.address == ELSEWHERE


@given(st.binary(max_size=4000), st.sampled_from(["pcm", "opus"]), st.booleans())
def test_anything_may_come(datagram: bytes, kind: str, known: bool) -> None:
    guard, _, client_id = guarded(kind)
    admitted = guard.admit(client_id + datagram if known else datagram, HERE, 0.0)
    assert (admitted is None) == (sum(guard.dropped.values()) == 1)


@given(st.integers(0, 70_000), st.integers(0, 2**33), st.binary(min_size=1, max_size=1275))
def test_opus_payloads_are_read_as_written(sequence: int, time: int, payload: bytes) -> None:
    assert read_opus(write_opus(sequence, time, payload)) == (
        sequence & 0xFFFF,
        time & 0xFFFF_FFFF,
        payload,
    )


@given(st.binary(max_size=1500))
def test_any_bytes_are_an_opus_payload_or_none(body: bytes) -> None:
    read = read_opus(body)
    assert (read is None) == (not 7 <= len(body) <= 6 + 1275)
