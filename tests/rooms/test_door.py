"""Who is kept out of a room, and what is remembered of them."""

import hashlib
import hmac

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.door import MAX_BANS, OPEN_DOOR, Ban, Door, hidden, is_of


def without(address: object) -> Door:
    """Return a door with an address kept out."""
    return OPEN_DOOR.barring("", hidden(str(address)))


@given(address=st.ip_addresses(), other=st.ip_addresses())
def test_an_address_is_barred_and_no_other(address: object, other: object) -> None:
    door = without(address)
    assert door.bars("", str(address))
    assert door.bars("", str(other)) is (_place(address) == _place(other))
    assert is_of(hidden(str(address)), str(other)) is (_place(address) == _place(other))
    assert str(address).encode() not in repr(door).encode()


def _place(address: object) -> object:
    packed: bytes = address.packed  # type: ignore[attr-defined]
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped.packed if mapped else packed[:8] if len(packed) == 16 else packed


def test_an_ipv4_address_is_the_same_by_way_of_ipv6() -> None:
    assert without("192.0.2.1").bars("", "::ffff:192.0.2.1")


def test_a_subject_is_barred_wherever_it_comes_from() -> None:
    door = OPEN_DOOR.barring("eve", hidden("192.0.2.1"))
    assert door.bars("eve", "198.51.100.1")
    assert not door.bars("ada", "192.0.2.1"), "who shows a token is known by it"
    assert not door.bars("", "")


def test_no_two_hashes_of_an_address_are_alike() -> None:
    one, two = (hidden("192.0.2.1") for _ in range(2))
    assert (one[:16] == two[:16], one[16:] == two[16:]) == (False, False)


@pytest.mark.parametrize("address", ["", "nowhere", "192.0.2.300"])
def test_nobody_is_barred_for_an_address_that_nobody_knows(address: str) -> None:
    assert hidden(address) == b""
    assert OPEN_DOOR.barring("", hidden(address)) is OPEN_DOOR
    assert not without("192.0.2.1").bars("", address)
    assert not is_of(hidden(address), address)
    assert not is_of(b"", "192.0.2.1")


def test_bans_are_bounded_and_not_doubled() -> None:
    door = OPEN_DOOR
    for number in range(MAX_BANS + 1):
        door = door.barring(f"eve{number}", b"").barring(f"eve{number}", b"")
    assert len(door.bans) == MAX_BANS
    assert not door.bars("eve0", "")
    assert door.bars("eve1", "")


def test_who_was_banned_is_known_again_by_what_is_kept_of_them() -> None:
    origin = hidden("192.0.2.1")
    door = OPEN_DOOR.barring("", origin).barring("eve", b"")
    assert door.names("", origin)
    assert door.names("eve", b"")
    assert not door.names("", hidden("192.0.2.1")), "somebody else from there"
    assert not door.names("ada", b"")
    assert not door.names("", b"")


def test_an_open_door_bars_nobody_and_knows_of_nothing() -> None:
    assert not OPEN_DOOR.locked
    assert not OPEN_DOOR.waiting
    assert OPEN_DOOR.bars("eve", "192.0.2.1") is False
    assert (OPEN_DOOR.bans, OPEN_DOOR.key) == ((), b"")


def test_of_ipv6_the_first_64_bits_count_and_no_fewer() -> None:
    door = without("2001:db8:0:1::1")
    assert door.bars("", "2001:db8:0:1:ffff::")
    assert not door.bars("", "2001:db8:0:2::1")


def test_what_is_kept_of_an_address_is_a_hash_under_a_key_of_its_own() -> None:
    kept = hidden("192.0.2.1")
    key, digest = kept[:16], kept[16:]
    assert digest == hmac.new(key, bytes([192, 0, 2, 1]), hashlib.sha256).digest()[:16]


def test_bans_of_an_older_version_hold_under_the_key_of_their_room() -> None:
    key = bytes(range(16))
    digest = hmac.new(key, bytes([192, 0, 2, 1]), hashlib.sha256).digest()[:16]
    door = Door(bans=(Ban(address=digest),), key=key).barring("", hidden("192.0.2.2"))
    door = msgspec.msgpack.decode(msgspec.msgpack.encode(door), type=Door)
    assert [door.bars("", f"192.0.2.{last}") for last in (1, 2, 3)] == [True, True, False]


# ---- two doors that were one -----------------------------------------------------------------

bans = st.lists(st.sampled_from("abcdefgh").map(Ban), unique=True, max_size=8).map(tuple)
doors = st.builds(Door, locked=st.booleans(), waiting=st.booleans(), bans=bans)


@given(base=doors, ours=doors, theirs=doors)
def test_nobody_comes_in_whom_either_has_banned_since(base: Door, ours: Door, theirs: Door) -> None:
    healed = ours.healed(theirs, base)
    both = set(ours.bans) & set(theirs.bans)
    since = (set(ours.bans) | set(theirs.bans)) - set(base.bans)
    assert set(healed.bans) == both | since
    assert len(healed.bans) == len(set(healed.bans))
    for name in ("locked", "waiting"):
        one, other, former = (getattr(door, name) for door in (ours, theirs, base))
        assert getattr(healed, name) is (one if one is not former else other)


@given(base=doors, ours=doors)
def test_a_door_that_was_changed_in_one_place_is_as_it_was_changed(base: Door, ours: Door) -> None:
    assert base.healed(ours, base) == ours
    healed = ours.healed(base, base)
    assert set(healed.bans) == set(ours.bans)
    assert (healed.locked, healed.waiting) == (ours.locked, ours.waiting)


def test_of_too_many_bans_the_oldest_go() -> None:
    ours, theirs = (
        Door(bans=tuple(Ban(f"{place}{n}") for n in range(MAX_BANS))) for place in ("a", "b")
    )
    healed = ours.healed(theirs, OPEN_DOOR)
    assert len(healed.bans) == MAX_BANS
    assert healed.bans == ours.bans, "those of who comes back last are the latest"


def test_the_key_of_an_older_version_goes_on_whoever_has_it() -> None:
    keyed = Door(key=b"of the room")
    assert keyed.healed(OPEN_DOOR, OPEN_DOOR).key == keyed.key
    assert OPEN_DOOR.healed(keyed, OPEN_DOOR).key == keyed.key
