"""The way to a server: a TCP relay that can go silent, as a network does that is cut.

Nothing is closed and nothing refused while it is cut: connections stay open and new ones are made,
but nothing gets through. A connection over which something was said meanwhile is lost with it when
the wire is mended; by then whoever cares has given it up.
"""

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class Wire:
    """An async context manager.

    Attributes:
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        """Prepare one to a port of 127.0.0.1."""
        self.port = 0
        self._to = port
        self._whole = asyncio.Event()
        self._whole.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Let nothing through from now on."""
        self._whole.clear()

    def mend(self) -> None:
        """Let everything through again."""
        self._whole.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._whole.wait()
            theirs, ours = await asyncio.open_connection("127.0.0.1", self._to)
            try:
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._carry(reader, ours))
                    ways.create_task(self._carry(theirs, writer))
            finally:
                ours.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass  # nobody is there, or it is the end
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while (data := await reader.read(65536)) and self._whole.is_set():
                writer.write(data)
                await writer.drain()
        await self._whole.wait()
        writer.transport.abort()
