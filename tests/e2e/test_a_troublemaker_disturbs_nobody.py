"""Somebody in the room sends rubbish, on every way there is, while others hear each other.

That nothing of it ends as a traceback in the server's log is checked after each test.
"""

import asyncio
import contextlib
import random
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pylibsrtp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from benchmarks.load import stun
from tests.e2e.conftest import People, all_hear_each_other, is_inaudible
from tests.support.front import Client
from tests.support.patience import PATIENCE_S
from tests.support.server import LiveServer
from webrtc.errors import REASONS

_DATAGRAMS = 3000
_PAUSE_EVERY = 20
_OFFER = (Path(__file__).parents[1] / "media/vectors/chromium_speak.sdp").read_bytes().decode()

_BROKEN_MESSAGES = (
    ("offer", None),
    ("offer", {"type": "answer", "sdp": _OFFER}),
    ("offer", {"type": "offer", "sdp": 7}),
    ("answer", {"type": "answer", "sdp": _OFFER}),
    ("ice_candidate", {"candidate": 7}),
    ("audio_stream_metadata", {"gateThreshold": 1e300}),
    ("set_listener_mix", {"participant_id": "nobody", "gain_db": -6}),
    ("set_muted", "yes"),
    ("join_room", {"room_id": "studio"}),
    ("no_such_event", [1, 2, 3]),
)


@pytest.fixture(scope="module")
async def shared_server() -> AsyncIterator[LiveServer]:
    """A server for the tests of this file: it counts what strangers send to it."""
    server = await LiveServer.start()
    yield server
    await server.stop()


async def test_broken_messages_and_descriptions_are_answered_and_not_heard(
    live_server: LiveServer, people: People, room: str
) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)

    async def be_incomprehensible() -> None:
        async with troublemaker(live_server, room) as mallory:
            offers = broken_offers(random.Random(1), count=60)
            refusals = [
                await is_refused(mallory, "offer", {"type": "offer", "sdp": sdp}) for sdp in offers
            ]
            assert sum(refusals) > 20
            for event, payload in _BROKEN_MESSAGES:
                assert await is_refused(mallory, event, payload), event
            assert not await is_refused(mallory, "offer", {"type": "offer", "sdp": _OFFER})

    await is_inaudible([ada, grace], be_incomprehensible)
    await ada.sees(ada, grace)


async def test_rubbish_from_strangers_and_before_the_handshake_is_not_heard(
    live_server: LiveServer, people: People, room: str
) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    media = ("127.0.0.1", live_server.media_ports[0])

    async def throw_rubbish() -> None:
        async with troublemaker(live_server, room) as mallory:
            answer = (await mallory.ok("offer", {"type": "offer", "sdp": _OFFER}))["sdp"]
            username = f"{ice('ufrag', answer)}:mall"
            check = stun.check_request(bytes(12), username, ice("pwd", answer))
            with udp() as known, udp() as stranger:
                known.sendto(check, media)  # from now on this is a peer's address
                for number, datagram in enumerate(rubbish(random.Random(2), check)):
                    for sender in (known, stranger):
                        sender.sendto(datagram, media)
                    if number % _PAUSE_EVERY == 0:
                        await asyncio.sleep(0.01)

    await is_inaudible([ada, grace], throw_rubbish)


async def test_rubbish_under_valid_keys_is_not_heard(
    live_server: LiveServer, people: People, room: str
) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)

    async def send_rubbish() -> None:
        async with troublemaker(live_server, room) as mallory:
            await mallory.ok("set_muted", True)  # what an Opus decoder makes of it may be loud
            connection = await connected(mallory)
            (transceiver,) = connection.getTransceivers()
            transport = transceiver.sender.transport
            chance = random.Random(3)
            sent = 0
            while sent < _DATAGRAMS:
                make = chance.choice((broken_rtp, broken_rtcp))
                with contextlib.suppress(pylibsrtp.Error):  # not even encrypted, that broken
                    await transport._send_rtp(make(chance))
                    sent += 1
                if sent % _PAUSE_EVERY == 0:
                    await asyncio.sleep(0.01)
            await connection.close()

    await is_inaudible([ada, grace], send_rubbish)


async def connected(client: Client) -> RTCPeerConnection:
    """Connect a stock aiortc client that sends silence."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTrack(AudioStreamTrack())
    await connection.setLocalDescription(await connection.createOffer())
    offer = {"type": "offer", "sdp": connection.localDescription.sdp}
    answer = (await client.ok("offer", offer))["sdp"]
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    async with asyncio.timeout(PATIENCE_S):
        while connection.connectionState != "connected":
            await asyncio.sleep(0.05)
    return connection


@contextlib.asynccontextmanager
async def troublemaker(server: LiveServer, room: str) -> AsyncIterator[Client]:
    """Bring Mallory into the room; at the end she can still leave in good order."""
    mallory = Client()
    await mallory.connect(server.api_url)
    await mallory.ok("join_room", {"room_id": room, "name": "Mallory"})
    yield mallory
    assert not await is_refused(mallory, "leave_room")
    await mallory.sio.disconnect()


async def is_refused(client: Client, event: str, *payload: object) -> bool:
    """Send something; check that the answer is a proper one and return whether it is a refusal."""
    while True:
        answer = await client.call(event, *payload)
        if answer["ok"]:
            return False
        reason = answer["error"]["reason"]
        if reason != "rate_limited":
            assert reason in REASONS
            assert reason != "internal_error"
            return True
        await asyncio.sleep(answer["error"]["retry_after"])


def broken_offers(chance: random.Random, count: int) -> Iterator[str]:
    """Make offers, each broken in one of many ways; some are still good enough."""

    def cut(text: str) -> str:
        return text[: chance.randrange(len(text))]

    def scribble(text: str) -> str:
        at = chance.randrange(len(text))
        return text[:at] + chance.choice("\0\n:/ 9é=\U0001f600") + text[at + 1 :]

    def lose_lines(text: str) -> str:
        return "".join(line for line in text.splitlines(True) if chance.random() < 0.9)

    def repeat_lines(text: str) -> str:
        return "".join(line * chance.choice((1, 1, 1, 50)) for line in text.splitlines(True))

    def shuffle_lines(text: str) -> str:
        lines = text.splitlines(True)
        chance.shuffle(lines)
        return "".join(lines)

    def huge_numbers(text: str) -> str:
        return re.sub(r"\d+", lambda found: found[0] * chance.choice((1, 1, 9)), text)

    ways: tuple[Callable[[str], str], ...] = (
        cut,
        scribble,
        lose_lines,
        repeat_lines,
        shuffle_lines,
        huge_numbers,
    )
    for number in range(count):
        yield ways[number % len(ways)](_OFFER)


def rubbish(chance: random.Random, check: bytes) -> Iterator[bytes]:
    """Make datagrams of every kind that a media port may get, all of them wrong."""
    kinds: tuple[Callable[[], bytes], ...] = (
        lambda: chance.randbytes(chance.randrange(1400)),
        lambda: check[: chance.randrange(len(check))] + chance.randbytes(chance.randrange(40)),
        lambda: check[:2] + chance.randbytes(2) + check[4:-8] + chance.randbytes(8),
        lambda: b"\x16\xfe\xfd" + chance.randbytes(chance.randrange(200)),
        lambda: bytes([chance.randrange(20, 64)]) + chance.randbytes(chance.randrange(100)),
        lambda: broken_rtp(chance),
        lambda: broken_rtcp(chance),
    )
    for number in range(_DATAGRAMS):
        yield kinds[number % len(kinds)]()


def broken_rtp(chance: random.Random) -> bytes:
    """Make an RTP packet: random flags, known or unknown payload type, random rest."""
    flags = 0x80 | chance.randrange(64)
    kind = chance.choice((111, 63, 96, 0, 127)) | chance.choice((0, 0x80))
    rest = chance.randbytes(chance.randrange(10, 300))
    return (
        struct.pack("!BBHI", flags, kind, chance.randrange(65536), chance.randrange(1 << 32)) + rest
    )


def broken_rtcp(chance: random.Random) -> bytes:
    """Make an RTCP packet with a random count and a length that may lie."""
    flags = 0x80 | chance.randrange(64)
    words = chance.randrange(1, 40)
    length = chance.choice((words, 0, 65535))
    return struct.pack("!BBH", flags, chance.randrange(192, 224), length) + chance.randbytes(
        4 * words
    )


def ice(name: str, sdp: str) -> str:
    """Return `ufrag` or `pwd` of a session description."""
    found = re.search(f"a=ice-{name}:(\\S+)", sdp)
    assert found is not None
    return found[1]


def udp() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("127.0.0.1", 0))
    return opened
