"""What the tests of the desktop client share."""

import asyncio
import sys
import types
from collections.abc import AsyncIterator

import pytest

from tests.support.gateway_fakes import FakeStream, Server


@pytest.fixture
def sound_system(monkeypatch: pytest.MonkeyPatch) -> type[FakeStream]:
    module = types.ModuleType("sounddevice")
    module.InputStream = module.OutputStream = FakeStream  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    monkeypatch.setattr(FakeStream, "open_now", 0)
    monkeypatch.setattr(FakeStream, "broken", False)
    return FakeStream


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, int]]:
    made = Server()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: made, local_addr=("127.0.0.1", 0))
    listener = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    yield made, listener.sockets[0].getsockname()[1]
    listener.close()
    for writer in made.writers:
        writer.close()
    transport.close()
