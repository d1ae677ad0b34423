"""What a troublemaker does to a server, in a process of its own beside those who are measured."""

import asyncio
import multiprocessing
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from benchmarks.load.doors import DoorError, SignalingConnection, SocketIoConnection, SocketIoDoor
from benchmarks.load.dtls import Certificate, DtlsSession, make_context
from benchmarks.load.sdp import Identity, SdpError, make_offer, parse_answer
from benchmarks.load.stun import check_request, new_transaction_id
from benchmarks.load.websocket import WebsocketError

MESSAGES_PER_S = 10_000
HANDSHAKES = 1_000
_BATCH = 50
_HANDSHAKES_PER_S = 100
_PEOPLE_PER_ROOM = 100
_NOWHERE = ("127.0.0.1", 9)
_MALFORMED = (
    '42["set_muted",{}]',
    '420["offer",{"type":"offer","sdp":5}]',
    '42["audio_stream_metadata",{"gateThreshold":"loud"}]',
    '421["no_such_event"]',
    '42["set_listener_mix"',
    "42{}",
    '42["join_room",' + "[" * 200,
    '42["ice_candidate",{"candidate":"' + "x" * 500 + '"}]',
)

Attack = Callable[[str, list[int]], Coroutine[None, None, None]]


async def send_malformed(base_url: str, done: list[int]) -> None:
    """Send `MESSAGES_PER_S` malformed messages; connect anew whenever the server hangs up."""
    loop = asyncio.get_running_loop()
    begin, number = loop.time(), 0
    while True:
        with suppress(DoorError, WebsocketError, OSError, TimeoutError):
            connection = await SocketIoConnection.connect(base_url)
            while not connection.is_closed:
                for _ in range(_BATCH):
                    connection.send_frame(_MALFORMED[number % len(_MALFORMED)])
                    number += 1
                done[0] += _BATCH
                await asyncio.sleep(begin + number / MESSAGES_PER_S - loop.time())
        begin, number = loop.time(), 0  # what could not be sent is not made up for
        await asyncio.sleep(0.001)


async def begin_handshakes(base_url: str, done: list[int]) -> None:
    """Begin `HANDSHAKES` DTLS handshakes, each by a seat of its own, and go on with none."""
    certificate = Certificate.generate()
    context = make_context(certificate)
    door = SocketIoDoor(base_url)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    kept: list[SignalingConnection | socket.socket] = []

    async def begin_one(number: int) -> None:
        identity = Identity.generate()
        offer = make_offer(identity, _NOWHERE, certificate.fingerprint, "recvonly")
        with suppress(DoorError, SdpError, WebsocketError, OSError):
            entry = await door.enter(f"half-{number // _PEOPLE_PER_ROOM}", "recvonly", offer)
            remote = parse_answer(entry.answer)
            # One address for each, or the server would take them for one that roams.
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            kept.extend((entry.connection, sock))
            sock.connect(remote.address)
            username = f"{remote.ufrag}:{identity.ufrag}"
            sock.send(check_request(new_transaction_id(), username, remote.password))
            session = DtlsSession(context, is_client=True, peer_fingerprint=remote.fingerprint)
            await asyncio.sleep(0.05)
            for datagram in session.start():
                sock.send(datagram)
            done[0] += 1

    async with asyncio.TaskGroup() as group:
        for number in range(HANDSHAKES):
            await asyncio.sleep(begin + number / _HANDSHAKES_PER_S - loop.time())
            group.create_task(begin_one(number))
    await asyncio.Event().wait()


@contextmanager
def attacked(attack: Attack, base_url: str) -> Iterator[Callable[[], int]]:
    """Let an attack go on meanwhile; what is given ends it and tells how often it did its thing."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_run, args=(attack, base_url, theirs), daemon=True)
    process.start()
    theirs.close()

    def end() -> int:
        ours.send("end")
        return int(ours.recv()) if ours.poll(5) else -1

    try:
        yield end
    finally:
        process.terminate()
        process.join()
        ours.close()


def _run(attack: Attack, base_url: str, pipe: Connection) -> None:
    done = [0]

    async def main() -> None:
        task = asyncio.create_task(attack(base_url, done))
        await asyncio.to_thread(pipe.recv)
        task.cancel()
        pipe.send(done[0])

    asyncio.run(main())
