"""Who of the old kind asks to be let in."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.datagrams import CHUNK_BYTES, SILENT_CHUNK, new_client_id
from gateway.wire.guard import Client, Guard
from gateway.wire.plain import AGAIN_S, MOST_ASKING, Knocks, is_private, plain_id

HOME = int(ipaddress.IPv4Address("192.168.1.7")) << 16 | 4000


def test_who_asks_is_named_by_what_stands_before_the_samples() -> None:
    knocks = Knocks()
    assert knocks.hear(b"Client_1" + SILENT_CHUNK, HOME, 0.0) == "Client_1"
    assert knocks.hear("Zoë".encode() + SILENT_CHUNK, HOME, 0.0) == "Zoë"


def test_who_has_a_control_line_never_asks() -> None:
    # Its first datagrams may come before the worker knows it, its last after it was forgotten.
    given = new_client_id()
    assert Knocks().hear(given.encode() + SILENT_CHUNK, HOME, 0.0) is None
    for chosen in (given[:-1], f"{given}0", given[:-1] + "F", f"{given[:-1]}-"):
        assert Knocks().hear(chosen.encode() + SILENT_CHUNK, HOME, 0.0) == chosen


def test_nobody_asks_again_at_once() -> None:
    knocks = Knocks()
    heard = [knocks.hear(b"ada" + SILENT_CHUNK, HOME, number * 0.023) for number in range(200)]
    assert heard.count("ada") == 1 + int(199 * 0.023 / AGAIN_S)


@pytest.mark.parametrize(
    "datagram",
    [
        SILENT_CHUNK,
        b"x" * 65 + SILENT_CHUNK,
        b"ada" + SILENT_CHUNK[:-1],
        b"\xff\xfe" + SILENT_CHUNK,
        b"a\nb" + SILENT_CHUNK,
        b"",
    ],
)
def test_what_is_no_such_datagram_asks_for_nothing(datagram: bytes) -> None:
    knocks = Knocks()
    name = knocks.hear(datagram, HOME, 0.0)
    assert name is None or name == "ad"  # a byte short: the id seems to be one byte shorter


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("10.1.2.3", True),
        ("172.31.0.1", True),
        ("172.32.0.1", False),
        ("192.168.0.1", True),
        ("127.0.0.1", True),
        ("169.254.9.9", True),
        ("8.8.8.8", False),
        ("192.169.0.1", False),
    ],
)
def test_only_private_addresses_may_ask(address: str, private: bool) -> None:
    host = int(ipaddress.IPv4Address(address))
    assert is_private(host) is private
    assert (Knocks().hear(b"ada" + SILENT_CHUNK, host << 16 | 1, 0.0) == "ada") is private


def test_a_flood_of_ids_is_bounded_and_passes() -> None:
    knocks = Knocks()
    names = [f"id{number}".encode() for number in range(1000)]
    assert sum(knocks.hear(name + SILENT_CHUNK, HOME, 1.0) is not None for name in names) == (
        MOST_ASKING
    )
    assert knocks.hear(b"ada" + SILENT_CHUNK, HOME, 1.0 + AGAIN_S) == "ada"


@given(st.binary(max_size=CHUNK_BYTES + 100))
def test_any_bytes_may_come(datagram: bytes) -> None:
    assert len(plain_id(datagram)) <= 64
    Knocks().hear(datagram, HOME, 0.0)


@given(st.binary(min_size=1, max_size=64))
def test_a_guard_knows_ids_of_any_length(name: bytes) -> None:
    guard = Guard()
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return
    client = Client("ada", "pcm", HOME >> 16)
    guard.add(text, client)
    assert guard.admit(name + SILENT_CHUNK, HOME, 1.0) == (client, SILENT_CHUNK)
    assert guard.admit(b"?" + name[1:] + b"?" + SILENT_CHUNK, HOME, 1.0) is None
    assert guard.knows(name + SILENT_CHUNK)
