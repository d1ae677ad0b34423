import asyncio

import pytest
from aiohttp import WSMsgType, web

from benchmarks.load.websocket import Websocket, WebsocketError
from tests.support.patience import PATIENCE_S


async def serve(handler) -> tuple[web.AppRunner, str]:
    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    return runner, f"ws://{host}:{port}/?x=1"


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(protocols=["test"])
    await socket.prepare(request)
    await socket.send_str("hello")
    await socket.ping()
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
    return socket


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536, 200_000])
async def test_texts_of_every_length_come_back(length):
    runner, url = await serve(echo)
    texts: asyncio.Queue[str] = asyncio.Queue()
    closed = asyncio.Event()
    websocket = Websocket(texts.put_nowait, closed.set)
    await websocket.connect(url, "test")
    assert await texts.get() == "hello"
    websocket.send_text("ä" * length)
    async with asyncio.timeout(PATIENCE_S):
        assert await texts.get() == "ä" * length
        websocket.close()
        await closed.wait()
    await runner.cleanup()


async def test_a_server_that_is_no_websocket_is_an_error():
    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=403)

    runner, url = await serve(refuse)
    websocket = Websocket(lambda _text: None, lambda: None)
    with pytest.raises(WebsocketError, match="403"):
        await websocket.connect(url)
    await runner.cleanup()


async def test_a_server_that_hangs_up_is_noticed():
    async def hang_up(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close()
        return socket

    runner, url = await serve(hang_up)
    closed = asyncio.Event()
    websocket = Websocket(lambda _text: None, closed.set)
    await websocket.connect(url)
    async with asyncio.timeout(PATIENCE_S):
        await closed.wait()
    await runner.cleanup()
