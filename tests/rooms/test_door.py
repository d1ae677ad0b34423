"""Who is kept out of a room, and what is remembered of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.door import MAX_BANS, OPEN_DOOR


@given(address=st.ip_addresses(), other=st.ip_addresses())
def test_an_address_is_barred_and_no_other(address: object, other: object) -> None:
    door = OPEN_DOOR.barring("", str(address))
    assert door.bars("", str(address))
    assert door.bars("", str(other)) is (_place(address) == _place(other))
    assert str(address).encode() not in repr(door).encode()


def _place(address: object) -> object:
    packed: bytes = address.packed  # type: ignore[attr-defined]
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped.packed if mapped else packed[:8] if len(packed) == 16 else packed


def test_an_ipv4_address_is_the_same_by_way_of_ipv6() -> None:
    assert OPEN_DOOR.barring("", "192.0.2.1").bars("", "::ffff:192.0.2.1")


def test_a_subject_is_barred_wherever_it_comes_from() -> None:
    door = OPEN_DOOR.barring("eve", "192.0.2.1")
    assert door.bars("eve", "198.51.100.1")
    assert not door.bars("ada", "192.0.2.1"), "who shows a token is known by it"
    assert not door.bars("", "")


def test_rooms_do_not_share_hashes() -> None:
    one, two = (OPEN_DOOR.barring("", "192.0.2.1") for _ in range(2))
    assert one.bans != two.bans


@pytest.mark.parametrize("address", ["", "nowhere", "192.0.2.300"])
def test_nobody_is_barred_for_an_address_that_nobody_knows(address: str) -> None:
    assert not OPEN_DOOR.barring("", address).bars("", address)
    assert not OPEN_DOOR.barring("", "192.0.2.1").bars("", address)


def test_bans_are_bounded_and_not_doubled() -> None:
    door = OPEN_DOOR
    for number in range(MAX_BANS + 1):
        door = door.barring(f"eve{number}", "").barring(f"eve{number}", "")
    assert len(door.bans) == MAX_BANS
    assert not door.bars("eve0", "")
    assert door.bars("eve1", "")


def test_an_open_door_bars_nobody_and_knows_of_nothing() -> None:
    assert not OPEN_DOOR.locked
    assert not OPEN_DOOR.waiting
    assert OPEN_DOOR.bars("eve", "192.0.2.1") is False
    assert (OPEN_DOOR.bans, OPEN_DOOR.key) == ((), b"")


def test_of_ipv6_the_first_64_bits_count_and_no_fewer() -> None:
    door = OPEN_DOOR.barring("", "2001:db8:0:1::1")
    assert door.bars("", "2001:db8:0:1:ffff::")
    assert not door.bars("", "2001:db8:0:2::1")


def test_keys_and_hashes_are_long_enough_not_to_be_tried_out() -> None:
    door = OPEN_DOOR.barring("", "192.0.2.1")
    assert len(door.key) == 16
    assert (door.bans[0].subject, len(door.bans[0].address)) == ("", 16)
