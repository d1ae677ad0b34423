"""Log lines are written by a thread of their own, and a stalled reader costs lines, not time."""

import io
import logging
import re
import threading
from collections.abc import Iterator

import pytest

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
