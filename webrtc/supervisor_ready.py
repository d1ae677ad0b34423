"""Asks the front process whether the whole server is ready."""

import asyncio
import contextlib
import ssl
from typing import Final

_PAUSE_S: Final = 0.03
_ANSWER_S: Final = 2.0
_REQUEST: Final = (
    b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n\r\n"
)


async def until_ready(host: str, port: int, *, tls: bool = False) -> None:
    """Return once `GET /health/ready` answers 200; the listener exists already."""
    address = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 — compared, not bound
    while not await _is_ready(address, port, tls=tls):  # noqa: ASYNC110 — another process becomes ready
        await asyncio.sleep(_PAUSE_S)


def _own_server() -> ssl.SSLContext:
    """Return what talks to a server on this machine, whatever name its certificate has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _is_ready(host: str, port: int, *, tls: bool) -> bool:
    context = _own_server() if tls else None
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
            try:
                writer.write(_REQUEST)
                status_line = await reader.readline()
            finally:
                writer.close()
        return status_line.split(b" ")[1:2] == [b"200"]
    return False
