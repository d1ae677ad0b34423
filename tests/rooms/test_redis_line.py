"""A line to Redis, with somebody at its other end who reads when it suits."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from rooms.redis_connection import Place, RedisAddress
from rooms.redis_line import RedisLine
from tests.support.patience import PATIENCE_S


@pytest.fixture
async def ends() -> AsyncIterator[tuple[RedisLine, socket.socket]]:
    """A line that is there, and the socket at its other end."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.setblocking(False)
        port = listener.getsockname()[1]

        async def find() -> Place:
            return "127.0.0.1", port

        address = RedisAddress.parse(f"redis://127.0.0.1:{port}")
        line = RedisLine(address, find, [], lambda _: None)
        async with asyncio.timeout(PATIENCE_S):
            server, _ = await loop.sock_accept(listener)
            greeting = b""
            while b"PING" not in greeting:
                greeting += await loop.sock_recv(server, 4096)
            await loop.sock_sendall(server, b"+OK\r\n+PONG\r\n")
            await line.there.wait()
        with server:
            yield line, server
        await asyncio.wait_for(line.close(), PATIENCE_S)


async def everything(server: socket.socket) -> int:
    """Read to the end; return how many bytes came."""
    loop, count = asyncio.get_running_loop(), 0
    while data := await loop.sock_recv(server, 65536):
        count += len(data)
    return count


async def test_what_redis_has_not_got_is_thrown_away_with_the_connection(
    ends: tuple[RedisLine, socket.socket],
) -> None:
    line, server = ends
    # More than can be on its way, less than the line takes.
    assert line.send(lambda _: None, "PUBLISH", "channel", bytes(400_000))
    line.reconnect()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(everything(server), PATIENCE_S)


async def test_a_line_that_is_lost_while_it_is_closed_is_closed(
    ends: tuple[RedisLine, socket.socket],
) -> None:
    line, _ = ends
    line.reconnect()
    while line.there.is_set():
        await asyncio.sleep(0)  # its keeper is about to be told, and then cancelled instead
    await asyncio.wait_for(line.close(), PATIENCE_S)
