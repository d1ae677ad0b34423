"""The contract with the pinned python-socketio and python-engineio, private names included.

When one of these fails after an upgrade, read the library's change and adapt
webrtc/signaling/socketio_adapter.py.
"""

import asyncio
import gc
import inspect
import weakref

import socketio
from engineio import async_socket
from engineio.async_drivers import aiohttp as driver

from tests.support.front import RunningFront
from tests.support.patience import PATIENCE_S
from tests.support.raw_socket import raw_socket
from webrtc.signaling.socketio_adapter import PING_INTERVAL_S, PING_TIMEOUT_S


def test_the_names_that_we_override_are_those_that_the_library_calls() -> None:
    for name in ("_handle_eio_message", "_handle_connect", "_handle_disconnect", "_send_packet"):
        assert inspect.iscoroutinefunction(getattr(socketio.AsyncServer, name))
    assert "self.eio.on('message', self._handle_eio_message)" in inspect.getsource(
        socketio.base_server.BaseServer.__init__
    )


def test_the_driver_is_asked_for_a_websocket_with_the_sockets_own_handler() -> None:
    assert set(driver._async) >= {"websocket", "translate_request", "make_response"}
    source = inspect.getsource(async_socket.AsyncSocket._upgrade_websocket)
    assert "self.server._async['websocket'](" in source
    assert "self._websocket_handler, self.server" in source
    assert "'aiohttp.request': request" in inspect.getsource(driver.translate_request)


def test_the_shared_driver_is_not_changed_for_other_servers(front: RunningFront) -> None:
    assert driver._async["websocket"] is driver.WebSocket
    assert front.front.signaling.eio._async["websocket"] is not driver.WebSocket


def test_a_silent_websocket_ends_by_itself() -> None:
    source = inspect.getsource(async_socket.AsyncSocket._websocket_handler)
    assert "self.server.ping_interval + self.server.ping_timeout)" in source


async def test_no_task_of_the_library_polls_the_sockets(front: RunningFront) -> None:
    async with raw_socket(front):
        assert front.front.signaling.eio.service_task_handle is None


async def test_the_handshake_tells_the_client_when_to_expect_pings(front: RunningFront) -> None:
    async with raw_socket(front) as socket:
        assert socket.opened["pingInterval"] == PING_INTERVAL_S * 1000
        assert socket.opened["pingTimeout"] == PING_TIMEOUT_S * 1000
        assert socket.opened["upgrades"] == []


async def test_pings_go_out_and_pongs_keep_the_socket(front: RunningFront) -> None:
    front.front.signaling.eio.ping_interval = 0.02
    async with raw_socket(front) as socket:
        for _ in range(3):
            assert await socket.receive() == "2"
            await socket.send("3")
        assert await socket.is_well()


async def test_a_client_that_answers_no_ping_is_given_up(front: RunningFront) -> None:
    front.front.signaling.eio.ping_interval = 0.02
    front.front.signaling.eio.ping_timeout = 0.02
    async with raw_socket(front) as socket:
        assert await socket.closed()
    async with asyncio.timeout(PATIENCE_S):
        while front.front.dispatcher.sockets:
            await asyncio.sleep(0)


async def test_a_closed_socket_is_freed_at_once(front: RunningFront) -> None:
    signaling = front.front.signaling
    gc.disable()  # what goes now, goes without the collector
    try:
        async with raw_socket(front) as socket:
            assert await socket.is_well()
            engine_id = socket.opened["sid"]
            held = [
                weakref.ref(signaling.eio.sockets[engine_id]),
                weakref.ref(signaling._websockets[engine_id]),
            ]
        async with asyncio.timeout(PATIENCE_S):
            while any(each() is not None for each in held):
                await asyncio.sleep(0)
    finally:
        gc.enable()


async def test_a_socket_that_is_open_waits_for_its_next_ping(front: RunningFront) -> None:
    async with raw_socket(front) as socket:
        assert socket.opened["sid"] in front.front.signaling.eio._pings
    async with asyncio.timeout(PATIENCE_S):
        while front.front.signaling.eio._pings:
            await asyncio.sleep(0)


async def test_no_compression_is_agreed_on(front: RunningFront) -> None:
    async with front.http.ws_connect(
        "/socket.io/?EIO=4&transport=websocket", compress=15
    ) as websocket:
        assert websocket.compress == 0


async def test_acknowledgements_and_events_keep_their_order(front: RunningFront) -> None:
    async with raw_socket(front) as socket:
        await socket.send('421["join_room","studio"]')
        for number in range(2, 20):
            await socket.send(f'42{number}["set_muted",{"true" if number % 2 else "false"}]')
        frames = [await socket.receive() for _ in range(19)]
        acks = [frame[:4] for frame in frames if frame is not None and frame.startswith("43")]
        assert acks == [f"43{number}["[:4] for number in range(1, 20)][: len(acks)]
        assert frames[1] is not None
        assert frames[1].startswith('42["participant_updated"')
