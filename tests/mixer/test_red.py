"""RED payloads taken apart, packed here as RFC 2198 describes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.playout_packet import MediaPacket
from mixer.red import MAX_BLOCKS, unpack_red

PACKET = MediaPacket(1000, 96_000, b"", 5.0, True, 30, True)


def red(primary, redundant=(), *, kind=111):
    """Return a payload with `redundant` blocks of (timestamp offset, data), the oldest first."""
    headers = b"".join(
        (1 << 31 | kind << 24 | offset << 10 | len(data)).to_bytes(4, "big")
        for offset, data in redundant
    )
    return headers + bytes([kind]) + b"".join(data for _, data in redundant) + primary


def unpack(payload, **changes):
    return unpack_red(PACKET._replace(payload=payload, **changes))


def test_the_primary_packet_is_what_was_sent():
    assert unpack(red(b"now")) == [PACKET._replace(payload=b"now")]


def test_earlier_packets_count_back_in_sequence_and_time():
    packets = unpack(red(b"now", [(1920, b"older"), (960, b"old")]))
    assert [(p.sequence, p.timestamp, p.payload, p.redundant) for p in packets] == [
        (998, 94_080, b"older", True),
        (999, 95_040, b"old", True),
        (1000, 96_000, b"now", False),
    ]
    assert [p.marker for p in packets] == [False, False, True]


@pytest.mark.parametrize("sequence", [0, 1, 32767, 65534, 65535])
def test_counting_back_wraps(sequence):
    first, second, _ = unpack(red(b"n", [(960, b"a"), (480, b"b")]), sequence=sequence, timestamp=0)
    assert (first.sequence, second.sequence) == ((sequence - 2) % 65536, (sequence - 1) % 65536)
    assert (first.timestamp, second.timestamp) == (2**32 - 960, 2**32 - 480)


def test_an_empty_redundant_block_stands_for_nothing():
    packets = unpack(red(b"now", [(1920, b""), (960, b"old")]))
    assert [(p.sequence, p.payload) for p in packets] == [(999, b"old"), (1000, b"now")]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x6f",  # a primary header and no primary
        red(b"", [(960, b"old")]),
        b"\xef\x0f\x00",  # cut off within a header
        (1 << 31 | 111 << 24 | 960 << 10 | 1023).to_bytes(4, "big") + b"\x6fshort",
        red(b"now", [(10, b"x")] * (MAX_BLOCKS + 1)),
    ],
)
def test_malformed_payloads_give_nothing(payload):
    assert unpack(payload) == []


@given(st.binary(max_size=200))
def test_garbage_never_raises_and_is_never_longer_than_it_came(payload):
    packets = unpack(payload)
    assert sum(len(p.payload) for p in packets) < max(1, len(payload))
    assert len(packets) <= MAX_BLOCKS + 1


@given(
    blocks=st.lists(
        st.tuples(st.integers(0, 2**14 - 1), st.binary(min_size=1, max_size=50)),
        max_size=MAX_BLOCKS,
    ),
    primary=st.binary(min_size=1, max_size=50),
)
def test_what_is_packed_comes_out(blocks, primary):
    packets = unpack(red(primary, blocks))
    assert [p.payload for p in packets] == [*(data for _, data in blocks), primary]
