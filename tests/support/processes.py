"""A program under test with everything it starts, found by a mark in the environment.

A process keeps the environment it was started with, whoever adopts it later, so nothing that a
server leaves behind can hide from `members`.
"""

import asyncio
import contextlib
import os
import signal
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_MARK = "AG06_TEST_RUN"
_OUTPUT_S = 3.0


class Program:
    """A running program whose output is collected line by line.

    Attributes:
        output: lines of stdout and stderr so far, in the order they were written.
    """

    def __init__(self, process: asyncio.subprocess.Process, mark: str) -> None:
        self.output: list[str] = []
        self._process = process
        self._mark = mark
        self._grew = asyncio.Condition()
        self._reader = asyncio.create_task(self._read(), name="read program output")

    @classmethod
    async def start(cls, arguments: Sequence[str], environment: Mapping[str, str]) -> "Program":
        """Start `python arguments…` in the project's folder, with these variables set besides."""
        mark = uuid.uuid4().hex
        inherited = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("WEBRTC_", "REDIS_"))
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=ROOT,
            env={**inherited, **environment, _MARK: mark, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        return cls(process, mark)

    @property
    def pid(self) -> int:
        """Process id of the program itself."""
        return self._process.pid

    @property
    def text(self) -> str:
        """All output so far."""
        return "\n".join(self.output)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program itself, not to what it started."""
        self._process.send_signal(number)

    def send_all(self, number: signal.Signals) -> None:
        """Send a signal to everything of this run, the program itself first."""
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def press_ctrl_c(self) -> None:
        """Send SIGINT as a terminal does: to the program's whole process group."""
        os.killpg(self.pid, signal.SIGINT)

    async def line_with(self, part: str, timeout_s: float = 30.0) -> str:
        """Return the first line that contains `part`, waiting for it.

        Raises:
            AssertionError: the program ended, or the time ran out, without that line.
        """
        seen = 0
        try:
            async with asyncio.timeout(timeout_s), self._grew:
                while True:
                    for line in self.output[seen:]:
                        if part in line:
                            return line
                    seen = len(self.output)
                    assert not self._reader.done(), f"ended without {part!r}:\n{self.text}"
                    await self._grew.wait()
        except TimeoutError:
            raise AssertionError(f"no {part!r} within {timeout_s} s:\n{self.text}") from None

    async def wait(self, timeout_s: float = 15.0) -> int:
        """Return the exit status of the program once it has ended and its output is here."""
        async with asyncio.timeout(timeout_s):
            status = await self._process.wait()
        # The end of the output comes with the last process that holds the pipe; one that is left
        # behind must not keep a test from saying so.
        await asyncio.wait([self._reader], timeout=_OUTPUT_S)
        return status

    def members(self) -> dict[int, str]:
        """Return the command line of every living process of this run, by process id."""
        return {
            pid: _command_line(pid)
            for pid in (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
            if _has_mark(pid, self._mark)
        }

    async def nothing_left(self, timeout_s: float = 5.0) -> None:
        """Wait until no process of this run lives.

        Raises:
            AssertionError: one still lives when the time has run out.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while self.members():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"left behind: {self.members()}\n{self.text}") from None

    async def end(self) -> None:
        """End whatever still lives, without grace; for clean-up."""
        self.send_all(signal.SIGKILL)
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            await self._append(raw.decode(errors="replace").rstrip("\n"))
        async with self._grew:
            self._grew.notify_all()

    async def _append(self, line: str) -> None:
        async with self._grew:
            self.output.append(line)
            self._grew.notify_all()


def _has_mark(pid: int, mark: str) -> bool:
    try:
        return f"{_MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # gone, or not ours
        return False


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except OSError:
        return "(ended meanwhile)"
