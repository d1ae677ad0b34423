"""What can be played into a room: anything that yields samples; files through a decoder process."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import IO, Final, Protocol

import numpy as np
import numpy.typing as npt

from webrtc.errors import ClientError
from webrtc.supervisor_process import ROOT

Samples = npt.NDArray[np.float32]

_FRAME_BYTES: Final = 8  # two float32
_READ_BYTES: Final = 4800 * _FRAME_BYTES
_ANSWER_S: Final = 15.0


class PcmSource(Protocol):
    """Sound to be played into a room."""

    @property
    def duration_s(self) -> float | None:
        """Return how long it is, None where that is not known."""

    def frames(self, start_s: float) -> AsyncGenerator[Samples, None]:
        """Yield samples from a place on: float32 (n, 2), 48 kHz, any n; may be called again."""

    async def close(self) -> None:
        """Let go of everything; called once, after the last iterator is closed."""


class FileSource:
    """An uploaded file, which FFmpeg reads in a process of its own (`webrtc.playback.decode`)."""

    def __init__(self, file: IO[bytes], longest_s: float) -> None:
        """Play a file without a name, which is closed in the end.

        Args:
            file: what was uploaded.
            longest_s: longest sound that is played.
        """
        self._file = file
        self._longest_s = longest_s
        self._duration_s: float | None = None
        self._opened: asyncio.subprocess.Process | None = None

    @property
    def duration_s(self) -> float | None:
        """See `PcmSource`."""
        return self._duration_s

    async def open(self) -> None:
        """Find out whether it can be played, and how long it is.

        Raises:
            ClientError: `unplayable` says why.
        """
        self._opened, self._duration_s = await self._decode(0.0)

    async def frames(self, start_s: float) -> AsyncGenerator[Samples, None]:
        """See `PcmSource`."""
        process, self._opened = self._opened, None
        if process is not None and start_s > 0:
            await _end(process)
            process = None
        if process is None:
            process, _ = await self._decode(start_s)
        assert process.stdout is not None
        rest = b""
        try:
            while data := await process.stdout.read(_READ_BYTES):
                data = rest + data
                whole = len(data) - len(data) % _FRAME_BYTES
                rest = data[whole:]
                yield np.frombuffer(data[:whole], "<f4").reshape(-1, 2)
        finally:
            await _end(process)

    async def close(self) -> None:
        """See `PcmSource`."""
        if self._opened is not None:
            await _end(self._opened)
        self._file.close()

    async def _decode(self, start_s: float) -> tuple[asyncio.subprocess.Process, float | None]:
        """Start a decoder and return it with the duration that it tells."""
        descriptor = self._file.fileno()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "webrtc.playback.decode", "--fd", str(descriptor)),
            *("--start", str(start_s), "--longest", str(self._longest_s)),
            *("--parent", str(os.getpid())),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=[descriptor],
            cwd=ROOT,
            limit=2 * _READ_BYTES,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_ANSWER_S):
                told = json.loads(await process.stdout.readline() or b'{"error": "it ended"}')
        except BaseException as error:
            await _end(process)
            if isinstance(error, (TimeoutError, ValueError)):
                raise ClientError("unplayable", "this file takes too long to open") from None
            raise
        if "error" in told:
            await _end(process)
            raise ClientError("unplayable", str(told["error"]))
        return process, told["duration_s"]


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    # A pipe that nobody empties would keep it waiting.
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()
    await process.wait()
