"""Tickets open one recording for a while, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.api.tickets import TICKET_S, Tickets

BEGIN = 1_700_000_000


class Clock:
    now = BEGIN + 0.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_ticket_is_good_for_its_time(clock: Clock) -> None:
    tickets = Tickets(clock)
    ticket = tickets.ticket("studio", "one")
    assert tickets.is_valid(ticket, "studio", "one")
    clock.now = BEGIN + TICKET_S
    assert tickets.is_valid(ticket, "studio", "one")
    clock.now += 0.1
    assert not tickets.is_valid(ticket, "studio", "one")


def test_a_ticket_is_good_for_nothing_else(clock: Clock) -> None:
    tickets = Tickets(clock)
    ticket = tickets.ticket("studio", "one")
    for room_id, recording_id in (("studio", "two"), ("other", "one"), ("one", "studio"), ("", "")):
        assert not tickets.is_valid(ticket, room_id, recording_id)
    assert not Tickets(clock).is_valid(ticket, "studio", "one"), "of before the last start"


def test_a_ticket_cannot_be_made_to_last(clock: Clock) -> None:
    tickets = Tickets(clock)
    end, _, signature = tickets.ticket("studio", "one").partition(".")
    clock.now += TICKET_S + 1
    for later in (int(end) + TICKET_S, 10**11, 10**20):
        assert not tickets.is_valid(f"{later}.{signature}", "studio", "one")


@pytest.mark.parametrize(
    "text", ["", ".", "x", "1.", ".x", "٣٤٥٦٧٨٩٠١٢.x", "²²²²²²²²²².x", "-1.x", "9" * 5000 + ".x"]
)
def test_what_is_no_ticket_is_refused(clock: Clock, text: str) -> None:
    assert Tickets(clock).is_valid(text, "studio", "one") is False


@given(st.text(max_size=100))
def test_no_text_is_taken_for_a_ticket_or_confuses_it(text: str) -> None:
    tickets = Tickets(Clock())
    end = tickets.ticket("studio", "one").partition(".")[0]
    assert not tickets.is_valid(text, "studio", "one")
    assert not tickets.is_valid(f"{end}.{text}", "studio", "one")
    assert not tickets.is_valid(f"{end}.\ud800{text}", "studio", "one")
