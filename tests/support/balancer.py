"""One address for several servers: TCP, to the first of them that takes the connection."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class Balancer:
    """An async context manager.

    Attributes:
        ports: of the servers on 127.0.0.1, the preferred one first; may be changed at any time.
    """

    def __init__(self, ports: list[int]) -> None:
        """Prepare one for these servers."""
        self.ports = ports
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Its address."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
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
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            for port in self.ports:
                try:
                    theirs, ours = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    continue
                ways = [asyncio.ensure_future(_carry(reader, ours))]
                ways.append(asyncio.ensure_future(_carry(theirs, writer)))
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    ours.transport.abort()
                return
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        await asyncio.sleep(0.05)  # what was written last is on its way
