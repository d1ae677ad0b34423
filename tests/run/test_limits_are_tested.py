"""Every limit of the manual has a test that goes beyond it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = {
    "rooms, participants of a room, sockets": (
        "signaling/test_joining.py::test_full_rooms_and_servers_say_so"
    ),
    "participants in all": (
        "signaling/test_limits.py::test_a_full_server_takes_nobody_until_somebody_leaves"
    ),
    "rooms and participants of a tenant": (
        "signaling/test_limits.py::test_a_tenant_has_so_many_rooms_and_people"
    ),
    "voices of a room": "signaling/test_limits.py::test_a_room_has_room_for_so_many_voices",
    "HTTP connections that ask nothing": (
        "signaling/test_limits.py::test_a_connection_that_asks_nothing_is_closed"
    ),
    "bodies that do not come": (
        "api/test_problems.py::test_a_body_that_does_not_come_is_not_waited_for"
    ),
    "events of a connection": (
        "signaling/test_hostile_clients.py::test_a_flood_is_refused_and_then_disconnected"
    ),
    "REST requests of an address (IPv6: of a /64)": (
        "signaling/test_limits.py::test_an_address_that_asks_too_often_is_told_to_wait"
    ),
    "length of messages": (
        "signaling/test_hostile_clients.py::test_a_frame_that_is_too_large_closes_the_socket"
    ),
    "length of descriptions (SDP)": (
        "signaling/test_negotiation.py::test_a_description_has_a_longest_length"
    ),
    "length of REST bodies": "api/test_problems.py::test_bodies_that_are_too_large",
    "the media workers' time": (
        "signaling/test_limits.py::test_a_server_without_time_to_spare_takes_nobody_for_a_while"
    ),
    "a publisher's sound": (
        "media/test_allowance.py::test_over_any_time_no_more_passes_than_the_rate_and_one_burst"
    ),
    "memory of a session in Redis": (
        "archive/test_redis_store.py::test_a_session_takes_no_more_memory_than_its_bound"
    ),
    "memory of all sessions without Redis": (
        "archive/test_memory_store.py::test_all_sound_together_has_a_bound"
    ),
    "disk that recordings take, and leave": (
        "recording/test_recorder.py::test_it_ends_before_the_disk_is_full"
    ),
    "files that are uploaded": "api/test_playbacks.py::test_what_cannot_be_played_is_refused",
    "files that are played, or on their way": (
        "api/test_playbacks.py::test_files_that_are_on_their_way_count_as_played"
    ),
    "what a client does not read": (
        "signaling/test_levels.py::test_a_client_that_never_reads_is_disconnected"
    ),
}


def test_every_row_has_a_test() -> None:
    manual = (ROOT / "docs/operations.md").read_text("utf-8")
    table = manual.partition("| What is bounded | By | Who is over it |\n|---|---|---|\n")[2]
    rows = table.partition("\n\n")[0].splitlines()
    assert [row.split("|")[1].strip() for row in rows] == list(TESTS)


def test_the_tests_are_there() -> None:
    for place in TESTS.values():
        path, _, name = place.partition("::")
        source = (ROOT / "tests" / path).read_text("utf-8")
        assert re.search(rf"^ *(?:async )?def {name}\(", source, re.MULTILINE), place
