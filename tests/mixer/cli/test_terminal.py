"""What somebody at a terminal sees: levels that move, a bar, and an end when they want one."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.slow  # each starts a program

WITHIN_S = 60.0


class Terminal:
    """`python -m mixer` with a terminal for everything; a context manager."""

    def __init__(self, *arguments: str) -> None:
        self.shown = ""
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mixer", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
        )
        os.close(theirs)
        self._pieces = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def wait_for(self, text: str) -> None:
        until_s = time.monotonic() + WITHIN_S
        while text not in self.shown:
            assert time.monotonic() < until_s, self.shown
            self.shown += next(self._pieces)

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def status(self) -> int:
        for piece in self._pieces:
            self.shown += piece
        return self._process.wait(WITHIN_S)

    def _read(self) -> Iterator[str]:
        with contextlib.suppress(OSError):  # the other end is closed
            while data := os.read(self._ours, 4096):
                yield data.decode(errors="replace")


def test_the_demonstration_shows_levels_that_move() -> None:
    with Terminal("demo", "--no-play", "--seconds", "0.5") as terminal:
        assert terminal.status() == 0
        assert "Demo completed" in terminal.shown
        levels = re.findall(r"(user\d|mix) +\S*█\S* .*?−(\d+) dBFS", terminal.shown)
        assert {name for name, _ in levels} == {"user1", "user2", "user3", "mix"}
        assert len({level for name, level in levels if name == "mix"}) > 1
        assert re.search(r"[1-9]\d* lost", terminal.shown)


def test_a_bar_tells_how_far_a_mixdown_is(tmp_path: Path) -> None:
    sound = np.zeros(20 * 48_000, np.float32)
    soundfile.write(tmp_path / "a.wav", sound, 48_000)
    with Terminal("mix", f"{tmp_path}/a.wav", "-o", f"{tmp_path}/o.wav") as terminal:
        assert terminal.status() == 0
        percents = [int(text) for text in re.findall(r"mixing .*?(\d+) %", terminal.shown)]
        assert percents[0] < percents[-1]
        assert percents == sorted(percents)
        assert "Mixed 1 files into" in terminal.shown


def test_who_interrupts_it_is_told_so_and_finds_no_half_file(tmp_path: Path) -> None:
    arguments = ("demo", "--no-play", "--seconds", "120", "-o", f"{tmp_path}/o.wav")
    with Terminal(*arguments) as terminal:
        terminal.wait_for("Mixed audio max amplitude")
        terminal.interrupt()
        assert terminal.status() == 130
        assert "mixer: interrupted" in terminal.shown
        assert list(tmp_path.iterdir()) == []
