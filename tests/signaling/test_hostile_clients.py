"""Nothing that a client sends raises, hangs, leaks or logs a traceback."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.signaling.test_wire import json_values
from tests.support.front import RunningFront, running_front
from tests.support.patience import PATIENCE_S
from tests.support.raw_socket import SOCKETIO_URL, raw_socket
from webrtc.errors import REASONS
from webrtc.front_limits import FrontLimits
from webrtc.signaling import socketio_adapter
from webrtc.signaling.messages import CLIENT_EVENTS
from webrtc.signaling.messages_parts import MAX_MESSAGE_BYTES

PROBLEM = "application/problem+json"
UNLIMITED = FrontLimits(event_rate_per_s=1e9, event_burst=1e9)


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a client does, it is no fault of ours."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.getMessage() for record in caplog.records] == []


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningFront]:
    async with running_front(tmp_path, limits=UNLIMITED) as front:
        yield front


@pytest.mark.parametrize(
    "packet",
    [
        "2",
        "2{}",
        "27",
        "2[]",
        "2[1]",
        '2[["a"]]',
        '2["get_stats"',
        '2["connect"]',
        '2["disconnect"]',
        '2["disconnect","ping timeout"]',
        '2["connect",{}]',
        '2["message"]',
        '2["*"]',
        '2["\\ud800"]',
        "2" + "[" * 60_000,
        '27["offer",' + "[" * 60_000,
        '27["audio_stream_metadata",' + '{"a":' * 20_000 + "1" + "}" * 20_000 + "]",
        '2/other,7["get_stats"]',
        "0",
        "0{}",
        "0[[[[[[",
        "0" + '{"token":' * 10_000,
        "0/other,",
        "0/" + "x" * 10_000,
        "1/other,",
        "3",
        "37[]",
        "37[{}]",
        "3" + "[" * 60_000,
        "4",
        '4{"message":"x"}',
        '51-["a",{"_placeholder":true,"num":0}]',
        '51-7["offer",{"_placeholder":true,"num":0}]',
        "5",
        "5999999999999-",
        "61-7[]",
        "6",
    ],
)
async def test_any_socketio_packet_leaves_the_connection_well(
    front: RunningFront, packet: str
) -> None:
    async with raw_socket(front) as socket:
        await socket.send("4" + packet)
        await socket.send(b"an attachment, perhaps")
        assert await socket.is_well()


@pytest.mark.parametrize(
    "frame",
    ["", "x", "0", "2", "2probe", "3x", "5", "6", "4", "47", "4x", "4[[[[", "4{}", "b4", "ü", "1x"],
)
async def test_what_is_no_engineio_frame_closes_the_socket(front: RunningFront, frame: str) -> None:
    async with raw_socket(front) as socket:
        await socket.send(frame)
        assert await socket.closed()


async def test_a_frame_that_is_too_large_closes_the_socket(front: RunningFront) -> None:
    async with raw_socket(front) as socket:
        await socket.send('427["get_stats","' + "x" * MAX_MESSAGE_BYTES + '"]')
        assert await socket.closed()


async def test_a_polite_close_is_followed(front: RunningFront) -> None:
    async with raw_socket(front) as socket:
        await socket.send("1")
        assert await socket.closed()


async def test_events_before_connecting_are_not_heard(front: RunningFront) -> None:
    async with raw_socket(front, connect=False) as socket:
        await socket.send('421["join_room","studio"]')
        await socket.send("40")
        assert await socket.is_well()
    assert front.worker.rooms == {}


async def test_a_client_may_disconnect_and_connect_again_on_one_websocket(
    front: RunningFront,
) -> None:
    async with raw_socket(front) as socket:
        await socket.send('421["join_room","studio"]')
        ack = await socket.ack(1)
        await socket.send("41")
        await socket.send("41")
        await socket.send("40")
        assert await socket.is_well()
        await socket.send(f'422["join_room",{{"resume_token":"{ack["resume_token"]}"}}]')
        assert (await socket.ack(2))["resumed"] is True


async def test_a_websocket_that_never_connects_is_closed(
    front: RunningFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socketio_adapter, "CONNECT_TIMEOUT_S", 0.02)
    async with raw_socket(front, connect=False) as socket:
        assert await socket.closed()
    async with raw_socket(front) as socket:
        await asyncio.sleep(0.05)
        assert await socket.is_well()


async def test_a_hasty_client_is_welcomed_before_it_is_answered(front: RunningFront) -> None:
    """Everything in one segment: the handshake, the connect packet and an event."""

    def masked(text: str) -> bytes:
        return bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text.encode()

    address = front.url.removeprefix("http://")
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET {SOCKETIO_URL} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        + masked("40")
        + masked('421["get_stats"]')
    )
    async with asyncio.timeout(PATIENCE_S):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        answers = await reader.readuntil(b"not_joined")
    writer.close()
    assert answers.index(b'0{"sid"') < answers.index(b'40{"sid"') < answers.index(b"431[")


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("EIO=4&transport=polling", {}),
        ("", {}),
        ("EIO=3&transport=websocket", {"Upgrade": "websocket"}),
        ("EIO=4&transport=websocket&sid=made-up", {"Upgrade": "websocket"}),
        ("EIO=4&transport=websocket", {"Upgrade": "websocket"}),
        ("EIO=4&transport=websocket", {"Upgrade": "websocket", "Connection": "Upgrade"}),
        ("EIO=4&transport=websocket&j=x", {"Upgrade": "websocket", "Connection": "Upgrade"}),
    ],
)
async def test_a_failed_handshake_is_a_client_error_and_leaves_nothing(
    front: RunningFront, query: str, headers: dict[str, str]
) -> None:
    async with front.http.get(f"/socket.io/?{query}", headers=headers) as response:
        assert response.status == 400
        assert (await response.json(content_type=PROBLEM))["reason"] == "bad_message"
    assert front.front.signaling.eio.sockets == {}
    assert front.front.signaling.socket_count == 0


async def test_sockets_that_come_and_go_leave_nothing(front: RunningFront) -> None:
    for _ in range(20):
        async with raw_socket(front) as socket:
            await socket.send('421["join_room","studio"]')
            await socket.ack(1)
            await socket.send('422["leave_room"]')
            await socket.ack(2)
    signaling = front.front.signaling
    async with asyncio.timeout(PATIENCE_S):
        while signaling.socket_count or signaling.eio.sockets:
            await asyncio.sleep(0)
    assert front.front.dispatcher.sockets == 0
    assert front.front.desk.presence.all_seats() == []
    assert signaling.environ == {}
    assert signaling.manager.rooms == {}
    assert front.worker.rooms == {}


async def test_a_flood_is_refused_and_then_disconnected(tmp_path: Path) -> None:
    limits = FrontLimits(event_rate_per_s=0.001, event_burst=30)
    async with running_front(tmp_path, limits=limits) as front, raw_socket(front) as socket:
        await socket.send('421["join_room","studio"]')
        assert (await socket.ack(1))["ok"]
        for number in range(2, 14):
            await socket.send(f'42{number}["set_muted",true]')
        assert (await socket.ack(11))["ok"]
        refusal = (await socket.ack(12))["error"]
        assert refusal["reason"] == "rate_limited"
        assert refusal["retry_after"] > 0
        for _ in range(1100):
            await socket.send('42["set_muted",true]')
        assert await socket.closed()


async def test_who_was_refused_may_still_leave_but_no_more_than_once(tmp_path: Path) -> None:
    limits = FrontLimits(event_rate_per_s=0.001, event_burst=30)
    async with running_front(tmp_path, limits=limits) as front, raw_socket(front) as socket:
        await socket.send('421["join_room","studio"]')
        for number in range(2, 14):
            await socket.send(f'42{number}["set_muted",true]')
        assert (await socket.ack(13))["error"]["reason"] == "rate_limited"
        await socket.send('4214["leave_room"]')
        assert (await socket.ack(14))["ok"]
        assert front.front.desk.presence.all_seats() == []
        await socket.send('4215["leave_room"]')
        assert (await socket.ack(15))["error"]["reason"] == "rate_limited"


async def test_unanswered_requests_of_a_socket_are_bounded(front: RunningFront) -> None:
    front.worker.answer_candidate = lambda _: None
    async with raw_socket(front) as socket:
        await socket.send('421["join_room","studio"]')
        await socket.ack(1)
        for number in range(100, 170):
            await socket.send(f'42{number}["ice_candidate",null]')
        assert (await socket.ack(165))["error"]["reason"] == "busy"


@pytest.mark.slow
@pytest.mark.parametrize("event", sorted(CLIENT_EVENTS))
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_payload_of_any_event_is_answered(
    event: str, tmp_path: Path, data: st.DataObject
) -> None:
    arguments = data.draw(
        st.lists(
            st.lists(
                json_values
                | st.sampled_from(
                    [
                        "studio",
                        {"room_id": "studio"},
                        {"type": "offer", "sdp": "v=0"},
                        {"participant_id": "me", "gain_db": 1e308},
                        {"resume_token": "a.b"},
                        True,
                    ]
                ),
                max_size=2,
            ),
            min_size=10,
            max_size=20,
        )
    )

    async def talk() -> None:
        async with (
            running_front(tmp_path, limits=UNLIMITED) as front,
            raw_socket(front) as socket,
        ):
            await socket.send('421["join_room","studio"]')
            await socket.ack(1)
            for number, payload in enumerate(arguments, start=100):
                packet = msgspec.json.encode([event, *payload]).decode()
                await socket.send(f"42{number}{packet}")
                ack = await socket.ack(number)
                assert ack["ok"] is True or ack["error"]["reason"] in REASONS
                assert ack["ok"] is True or ack["error"]["reason"] != "internal_error"
            assert json.dumps(ack, allow_nan=False)

    asyncio.run(talk())
