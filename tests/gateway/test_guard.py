"""Which datagrams are let in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.datagrams import (
    CHUNK_BYTES,
    CHUNK_S,
    CHUNK_SAMPLES,
    ID_BYTES,
    MOST_ID_BYTES,
    MOST_OPUS_BYTES,
    RATE_HZ,
    SILENT_CHUNK,
    OpusPacket,
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
        ("opus", 6 + 5000, "oversized"),
    ],
)
def test_payloads_have_their_size(kind: str, size: int, reason: str) -> None:
    guard, client, client_id = guarded(kind)
    assert guard.admit(client_id + bytes(size), HERE, 0.0) is None
    assert guard.dropped == {reason: 1}
    assert client.address is None


@pytest.mark.parametrize(("kind", "size"), [("pcm", 2048), ("opus", 7), ("opus", 6 + 1275)])
def test_payloads_of_the_documented_sizes_come_in(kind: str, size: int) -> None:
    guard, client, client_id = guarded(kind)
    assert guard.admit(client_id + bytes(size), HERE, 0.0) == (client, bytes(size))
    assert not guard.dropped


def test_figures_and_bytes_are_those_of_the_documentation() -> None:
    assert (RATE_HZ, CHUNK_SAMPLES, CHUNK_BYTES, len(SILENT_CHUNK)) == (44_100, 1024, 2048, 2048)
    assert (ID_BYTES, MOST_ID_BYTES, MOST_OPUS_BYTES) == (32, 64, 1275)
    assert pytest.approx(1024 / 44_100) == CHUNK_S
    assert not any(SILENT_CHUNK)
    ids = {new_client_id() for _ in range(50)}
    assert len(ids) == 50
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)
    assert write_opus(0x1FFFE, 0x1_2345_6789, b"ab") == b"\xff\xfe\x23\x45\x67\x89ab"
    assert read_opus(b"\x00\x01\x00\x00\x00\x02x") == OpusPacket(1, 2, b"x")
    assert read_opus(bytes(6)) is None


@pytest.mark.parametrize(("kind", "burst", "rate"), [("pcm", 20, 60), ("opus", 50, 150)])
def test_so_much_at_once_and_so_much_a_second_is_let_in(kind: str, burst: int, rate: int) -> None:
    guard, client, client_id = guarded(kind)
    datagram = client_id + bytes(CHUNK_BYTES if kind == "pcm" else 100)
    at_once = sum(guard.admit(datagram, HERE, 1.0) is not None for _ in range(500))
    a_second = sum(guard.admit(datagram, HERE, 1.0 + i / 1000) is not None for i in range(1, 4001))
    assert at_once == burst
    assert a_second == pytest.approx(4 * rate, abs=1)
    assert client.takes(10.0) is True
    while client.takes(10.0):
        pass
    assert client.takes(10.0) is False
    assert client.takes(10.0 + 1.01 / rate) is True


def test_whom_it_knows() -> None:
    guard, _, client_id = guarded()
    assert guard.knows(client_id + SILENT_CHUNK) is True
    assert guard.knows(b"x" * 100) is False
    assert Client("me", "pcm", 0).id_bytes == 32


def test_without_a_host_any_may_be_first() -> None:
    guard, client, client_id = guarded(host=0)
    assert guard.admit(client_id + SILENT_CHUNK, ANOTHER_HOST, 0.0) == (client, SILENT_CHUNK)


def test_only_those_who_are_bound_fall_silent() -> None:
    guard, client, client_id = guarded()
    assert guard.stale(1000.0) == []
    guard.admit(client_id + SILENT_CHUNK, HERE, 1000.0)
    assert guard.stale(1000.0 + STALE_S) == []
    assert guard.stale(1001.0 + STALE_S) == [client]
    assert client.address is None
    guard.remove("nobody")


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
