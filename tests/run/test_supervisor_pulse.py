"""Signs of life, through real files."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from webrtc.supervisor_pulse import keep_beating, last_beat


async def test_an_event_loop_that_turns_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "pulse"
    assert last_beat(path) is None
    before = time.monotonic()
    task = asyncio.create_task(keep_beating(path))
    await asyncio.sleep(0)
    beat = last_beat(path)
    assert beat is not None
    assert beat.pid == os.getpid()
    assert before <= beat.at_s <= time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("record", [b"", b"\0" * 7, b"\0" * 100])
def test_a_file_that_is_no_record_is_no_sign(tmp_path: Path, record: bytes) -> None:
    path = tmp_path / "pulse"
    path.write_bytes(record)
    assert last_beat(path) is None
