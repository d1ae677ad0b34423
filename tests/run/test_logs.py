"""Log lines are written by a thread of their own, and a stalled reader costs lines, not time."""

import asyncio
import io
import json
import logging
import re
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.log_context import LogContext, about, current, learn, usable_request_id
from webrtc.logs import writing


class StalledStream(io.StringIO):
    """A stream whose reader does not read until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.writing = threading.Event()
        self.released = threading.Event()

    def write(self, text: str) -> int:
        self.writing.set()
        self.released.wait()
        return super().write(text)


@pytest.fixture
def stalled() -> Iterator[StalledStream]:
    stream = StalledStream()
    yield stream
    stream.released.set()


def test_a_line_says_when_how_grave_who_and_what() -> None:
    stream = io.StringIO()
    with writing("worker 0", "INFO", stream):
        logging.getLogger("webrtc.media").info("%d peers", 3)
        logging.getLogger("webrtc.media").debug("unseen")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO    worker 0   webrtc\.media: 3 peers\n",
        stream.getvalue(),
    )


def test_a_traceback_is_written_whole() -> None:
    stream = io.StringIO()
    with writing("front", "INFO", stream):
        try:
            raise RuntimeError("planted")
        except RuntimeError:
            logging.getLogger("x").exception("a defect")
    assert "RuntimeError: planted" in stream.getvalue()


def test_a_stalled_reader_costs_lines_and_never_time(stalled: StalledStream) -> None:
    with writing("worker 0", "INFO", stalled) as lines:
        log = logging.getLogger("x")
        log.info("first")
        stalled.writing.wait()  # the writer holds one line and waits for the reader
        for number in range(lines.capacity_lines + 7):
            log.info("line %d", number)
        assert lines.dropped == 7
        stalled.released.set()
    written = stalled.getvalue()
    assert "(7 log lines were dropped here)" in written
    assert written.count(": line ") == lines.capacity_lines


def test_a_vanished_reader_is_no_error() -> None:
    stream = io.StringIO()
    stream.close()
    with writing("front", "INFO", stream) as lines:
        logging.getLogger("x").info("to nobody")
    assert lines.dropped == 1


def test_libraries_that_tell_addresses_are_silenced() -> None:
    stream = io.StringIO()
    with writing("worker 0", "DEBUG", stream):
        logging.getLogger("aioice.ice").info("Check CandidatePair(192.0.2.1)")
        logging.getLogger("aiohttp.access").info("192.0.2.1 GET /")
    assert stream.getvalue() == ""


def test_afterwards_logging_is_as_before() -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    with writing("front", "DEBUG", io.StringIO()):
        pass
    assert (root.handlers, root.level) == before


def lines_of(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines_say_what_they_are_about_and_hold_whole_tracebacks() -> None:
    stream = io.StringIO()
    with writing("worker 0", "INFO", stream, "json"):
        log = logging.getLogger("x")
        log.info("%d peers", 3, extra={"fields": {"took_ms": 1.5}})
        with about("4bf9", "studio"):
            learn(participant_id="p1")
            try:
                raise RuntimeError("plan\nted")
            except RuntimeError:
                log.exception("a defect")
        log.warning("after it")
    first, defect, after = lines_of(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(first.pop("time")))
    assert first == {
        **{"level": "INFO", "process": "worker 0", "logger": "x"},
        **{"message": "3 peers", "took_ms": 1.5},
    }
    ids = {name: defect[name] for name in ("request_id", "room_id", "participant_id")}
    assert ids == {"request_id": "4bf9", "room_id": "studio", "participant_id": "p1"}
    assert str(defect["exception"]).endswith("RuntimeError: plan\nted")
    assert "request_id" not in after


def test_what_was_dropped_is_told_as_json_too(stalled: StalledStream) -> None:
    with writing("worker 0", "INFO", stalled, "json") as lines:
        log = logging.getLogger("x")
        log.info("first")
        stalled.writing.wait()
        for number in range(lines.capacity_lines + 7):
            log.info("line %d", number)
        stalled.released.set()
    told = [line["message"] for line in lines_of(stalled)]
    assert "(7 log lines were dropped here)" in told


def test_text_lines_end_with_what_they_are_about() -> None:
    stream = io.StringIO()
    with writing("front", "INFO", stream), about("4bf9", "studio", "p1"):
        logging.getLogger("x").info("said")
    end = "said [request 4bf9, room studio, participant p1]\n"
    assert stream.getvalue().endswith(end)


async def test_tasks_that_a_request_begins_belong_to_it() -> None:
    async def work() -> LogContext:
        await asyncio.sleep(0)
        return current()

    with about("4bf9", "studio"):
        task = asyncio.create_task(work())
    assert current() == LogContext()
    assert await task == LogContext("4bf9", "studio")


@given(st.text(max_size=80) | st.from_regex(r"[0-9A-Fa-f-]{1,70}", fullmatch=True) | st.none())
def test_a_request_keeps_an_id_that_can_hold_no_name(given_id: str | None) -> None:
    used = usable_request_id(given_id)
    if given_id is not None and re.fullmatch(r"[0-9A-Fa-f-]{8,64}", given_id):
        assert used == given_id
    else:
        assert re.fullmatch(r"[0-9a-f]{32}", used)
