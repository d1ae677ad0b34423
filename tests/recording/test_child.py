"""How processes that empty rings are started."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import threading

import pytest

from webrtc.recording import child

pytestmark = pytest.mark.slow  # starts processes

MODULE = "webrtc.broadcast.broadcaster"


def test_a_loop_may_end_before_a_process_that_it_started(tmp_path, monkeypatch):
    complaints = []
    monkeypatch.setattr(sys, "unraisablehook", lambda one: complaints.append(one.exc_value))
    process, told = asyncio.run(child.launch(MODULE, tmp_path, 1, os.getpid()))
    try:
        assert len(told["rings"]) == 1
        assert child.lives(process.pid, MODULE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        for thread in threading.enumerate():
            if thread.name.startswith("waitpid"):  # asyncio's, which tells of the end
                thread.join(10)
    del process
    gc.collect()
    assert not complaints


async def test_what_says_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Expecting value"):
        await child.launch("webrtc.no_such_module", tmp_path, 1, os.getpid())


def test_such_a_process_logs_as_the_server_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "json")
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    with child.logging_as("recorder"):
        logging.getLogger("webrtc.recording").info("unseen")
        logging.getLogger("webrtc.recording").error("seen")
    line = json.loads(capsys.readouterr().err)
    assert (line["process"], line["level"], line["message"]) == ("recorder", "ERROR", "seen")
