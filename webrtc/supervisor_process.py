"""One child process: started, signalled, awaited; and the spare that waits to become one.

A spare has imported everything already and waits for its assignment, so that a child that died is
replaced within milliseconds and not after a second of imports.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = (sys.executable, "-m", "webrtc.app")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the server that one process fills.

    Attributes:
        role: "front", "worker" or "classifier", as `webrtc.app` names it.
        arguments: what else the process is told, apart from its sockets.
        sockets: the sockets it works on, with the argument that carries each one's descriptor.
        pulse: where it shows that it lives (supervisor_pulse.py).
        is_optional: whether the server does without it, and without a spare for it.
        environment: what it finds in its environment besides.
    """

    name: str
    role: str
    arguments: tuple[str, ...]
    sockets: tuple[tuple[str, socket.socket], ...]
    pulse: Path
    is_optional: bool = False
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def descriptors(self) -> list[int]:
        """File descriptors of the sockets, in their order."""
        return [one.fileno() for _, one in self.sockets]

    def command_line(self) -> list[str]:
        """Return role and arguments for a process that inherits the sockets."""
        flags = [text for flag, one in self.sockets for text in (flag, str(one.fileno()))]
        return [self.role, *self.arguments, *flags]

    def assignment(self) -> bytes:
        """Return what a spare is sent, beside the sockets, to fill this place."""
        flags = [flag for flag, _ in self.sockets]
        return json.dumps({"arguments": self.arguments, "sockets": flags}).encode()


class Process:
    """A running child in a process group of its own, so that Ctrl-C reaches only the supervisor.

    Its output goes where ours goes; its input is empty.

    Attributes:
        on_exit: called once, from the event loop, with the exit status (negative: the signal).
            Whoever started the process sets it before returning to the loop.
    """

    on_exit: Callable[[int], None]

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], inherit: Sequence[int]
    ) -> None:
        self._popen = subprocess.Popen(  # noqa: S603 — our own program and our own arguments
            command,
            env=dict(environment),
            cwd=ROOT,
            pass_fds=inherit,
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        self.pid = self._popen.pid
        self._pidfd = os.pidfd_open(self.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; harmless when the process has ended."""
        self._popen.send_signal(number)

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.on_exit(self._popen.wait())


def start(program: Sequence[str], place: Place, environment: Mapping[str, str]) -> Process:
    """Start a cold process for a place.

    Raises:
        OSError: the system has no process or memory to give.
    """
    command = [*program, *place.command_line(), "--parent", str(os.getpid())]
    return Process(command, {**environment, **dict(place.environment)}, place.descriptors)


class Spare:
    """A warm process without a place yet."""

    def __init__(self, program: Sequence[str], role: str, environment: Mapping[str, str]) -> None:
        """Start a process that imports everything of `role` and waits for its place.

        Raises:
            OSError: the system has no process or memory to give.
        """
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [*program, "spare", role, "--assignment-fd", str(theirs.fileno())]
            command += ["--parent", str(os.getpid())]
            try:
                self.process = Process(command, environment, [theirs.fileno()])
            except OSError:
                self._line.close()
                raise

    def assign(self, place: Place) -> bool:
        """Let it fill a place; return whether it was still there to be told."""
        with self._line:
            try:
                socket.send_fds(self._line, [place.assignment()], place.descriptors)
            except OSError:
                return False
        return True

    def dismiss(self) -> None:
        """End it."""
        self._line.close()
        self.process.send(signal.SIGKILL)
