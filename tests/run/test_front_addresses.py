"""Where requests come from, and how many may come from one place."""

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from webrtc import front_addresses
from webrtc.front_addresses import Addresses, Crowd

PROXIES = Addresses(["10.0.0.0/8", "fd00::/8"])


def asked(peer: str | None, *forwarded: str) -> object:
    headers = [("X-Forwarded-For", value) for value in forwarded]
    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers))
    return request.clone(remote=peer) if peer is not None else request


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7", "10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["198.51.100.7, nonsense"], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
        ("fd00::1", ["198.51.100.7"], "198.51.100.7"),
        ("", ["198.51.100.7"], ""),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: list[str], expected: str) -> None:
    assert PROXIES.of(asked(peer, *forwarded)) == expected  # type: ignore[arg-type]


@given(st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=100))
def test_no_header_confuses_it(header: str) -> None:
    assert PROXIES.of(asked("10.0.0.1", header)) != ""  # type: ignore[arg-type]


def test_each_place_has_its_own_share() -> None:
    crowd = Crowd(rate_per_s=1, burst=2)
    assert [crowd.take("192.0.2.1", 0.0) for _ in range(3)] == [0, 0, 1]
    assert crowd.take("192.0.2.2", 0.0) == 0
    assert crowd.take("192.0.2.1", 1.0) == 0


def test_a_household_is_one_place() -> None:
    crowd = Crowd(rate_per_s=1, burst=1)
    assert crowd.take("2001:db8::1", 0.0) == 0
    assert crowd.take("2001:db8::2", 0.0) > 0
    assert crowd.take("2001:db8:0:1::1", 0.0) == 0


def test_so_many_places_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_addresses, "MAX_PLACES", 2)
    crowd = Crowd(rate_per_s=1, burst=1)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        assert crowd.take(address, 0.0) == 0
    assert crowd.take("192.0.2.3", 0.0) > 0
    assert crowd.take("192.0.2.2", 0.0) > 0
    assert crowd.take("192.0.2.1", 0.0) == 0, "it was forgotten"


def test_who_goes_on_asking_is_not_forgotten_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_addresses, "MAX_PLACES", 2)
    crowd = Crowd(rate_per_s=1, burst=1)
    assert crowd.take("192.0.2.1", 0.0) == 0
    for last in range(2, 9):
        assert crowd.take(f"192.0.2.{last}", 0.0) == 0
        assert crowd.take("192.0.2.1", 0.0) > 0
