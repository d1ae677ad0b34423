"""A pretended sound system and a pretended gateway, for the desktop client."""

import asyncio
import contextlib
from typing import Any

from gateway.wire.lines import Error, Hello, Welcome, read_client_line, write_line


class FakeStream:
    """A stream of PortAudio's."""

    open_now = 0
    broken = False

    def __init__(self, **given: Any) -> None:
        if FakeStream.broken:
            raise OSError("no such device")
        self.callback = given["callback"]
        self.active = False

    def start(self) -> None:
        self.active = True
        FakeStream.open_now += 1

    def close(self) -> None:
        self.active = False
        FakeStream.open_now -= 1


class Server(asyncio.DatagramProtocol):
    """Answers every hello; keeps what it hears."""

    def __init__(self) -> None:
        self.hellos: list[Hello] = []
        self.datagrams: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()
        self.writers: list[asyncio.StreamWriter] = []
        self.refuse: list[Error] = []
        self.said: list[Any] = []

    def connection_made(self, transport: Any) -> None:
        self.udp = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.datagrams.put_nowait((data, addr))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(ConnectionError):
            while text := await reader.readline():
                said = read_client_line(text)
                self.said.append(said)
                if isinstance(said, Hello):
                    self.hellos.append(said)
                    writer.write(write_line(self._answer()))
        writer.close()

    def _answer(self) -> Any:
        if self.refuse:
            return self.refuse.pop()
        return Welcome(
            client_id=f"{len(self.hellos):032d}",
            participant_id="me",
            udp_port=self.udp.get_extra_info("sockname")[1],
            room_id="room",
            payload="pcm",
            resume_token="token",
        )
