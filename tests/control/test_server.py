import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import ClassVar

import pytest

from tests.support.patience import PATIENCE_S
from webrtc.control import server as control_server
from webrtc.control.codec import encode_frame, front_side_decoder
from webrtc.control.messages import (
    CONTROL_VERSION,
    MAX_FRAME_BYTES,
    Answer,
    Done,
    Failed,
    Hello,
    Kept,
    KeptAll,
    KeptRoom,
    Levels,
    Offer,
    PeerState,
    PeerStateName,
    PutParticipant,
    PutRoom,
    RemoteAnswer,
    SourceLevel,
    ToFront,
    ToWorker,
    Welcome,
)
from webrtc.control.server import ControlServer


class Worker:
    """A handler that writes down what it is told and answers offers when the test says so."""

    def __init__(self) -> None:
        self.handled: list[ToWorker] = []
        self.answers: asyncio.Queue[ToFront | Exception] = asyncio.Queue()
        self.remembered: list[KeptRoom | PutParticipant] = []
        self.media: dict[str, PeerStateName] = {}

    def welcome(self) -> Welcome:
        return Welcome(
            version=CONTROL_VERSION, worker=0, pid=1, udp_port=2, realtime=False, engine="test"
        )

    def kept(self) -> list[KeptRoom | PutParticipant]:
        return self.remembered

    def kept_all(self) -> KeptAll:
        return KeptAll(dict(self.media))

    def handle(self, message: ToWorker) -> Awaitable[ToFront | None] | ToFront | None:
        self.handled.append(message)
        match message:
            case Offer():
                return self._answer()
            case RemoteAnswer(id=number):
                return Done(number)
            case PutRoom(room_id="broken"):
                raise RuntimeError("planted")
        return None

    async def _answer(self) -> ToFront | None:
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Front:
    """The other end of the socket, as bare as it gets."""

    opened: ClassVar[list["Front"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.opened.append(self)
        self._decoder = front_side_decoder()
        self._received: list[ToFront] = []

    @classmethod
    async def connect(cls, path: Path, *, greet: bool = True) -> "Front":
        front = cls(*await asyncio.open_unix_connection(str(path)))
        if greet:
            front.send(Hello())
            await front.receive_greeting()
        return front

    async def receive_greeting(self) -> list[ToFront]:
        received = [await self.receive()]
        while not isinstance(received[-1], KeptAll):
            received.append(await self.receive())
        assert isinstance(received[0], Welcome)
        return received

    def send(self, *messages: ToWorker) -> None:
        self.writer.write(b"".join(encode_frame(message) for message in messages))

    async def receive(self) -> ToFront:
        async with asyncio.timeout(PATIENCE_S):
            while not self._received:
                data = await self.reader.read(65536)
                if not data:
                    raise EOFError
                self._received.extend(self._decoder.feed(data))
        return self._received.pop(0)

    async def receive_until_closed(self) -> None:
        while True:
            await self.receive()


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
async def server(worker: Worker, tmp_path: Path) -> AsyncIterator[ControlServer]:
    server = ControlServer(worker)
    await server.start(tmp_path / "worker-0.sock")
    yield server
    await server.close()
    while Front.opened:
        Front.opened.pop().writer.close()


@pytest.fixture
def path(server: ControlServer, tmp_path: Path) -> Path:
    return tmp_path / "worker-0.sock"


async def test_messages_reach_the_handler_in_order_however_many_come(
    worker: Worker, path: Path
) -> None:
    front = await Front.connect(path)
    rooms: list[ToWorker] = [PutRoom(str(number)) for number in range(5000)]
    front.send(*rooms, RemoteAnswer(1, "p", "sdp"))
    assert await front.receive() == Done(1)
    assert worker.handled[:-1] == rooms


async def test_a_slow_request_does_not_hold_up_later_ones(worker: Worker, path: Path) -> None:
    front = await Front.connect(path)
    front.send(Offer(1, "p", "sdp"), RemoteAnswer(2, "p", "sdp"))
    assert await front.receive() == Done(2)
    worker.answers.put_nowait(Answer(1, "answer"))
    assert await front.receive() == Answer(1, "answer")


async def test_a_newer_front_process_replaces_the_older_and_inherits_no_answers(
    worker: Worker, server: ControlServer, path: Path
) -> None:
    older = await Front.connect(path)
    older.send(Offer(1, "p", "sdp"), RemoteAnswer(2, "p", "sdp"))
    await older.receive()
    newer = await Front.connect(path)
    with pytest.raises((EOFError, ConnectionError)):
        await older.receive()
    worker.answers.put_nowait(Answer(1, "for the older"))
    server.send(PeerState("p", "connected"))
    assert await newer.receive() == PeerState("p", "connected")


async def test_a_stranger_that_does_not_greet_is_closed_and_disturbs_nobody(
    worker: Worker, server: ControlServer, path: Path
) -> None:
    front = await Front.connect(path)
    stranger = await Front.connect(path, greet=False)
    stranger.send(PutRoom("r"))
    with pytest.raises((EOFError, ConnectionError)):
        await stranger.receive()
    server.send(PeerState("p", "connected"))
    assert await front.receive() == PeerState("p", "connected")
    assert worker.handled == []


async def test_another_protocol_version_is_refused(path: Path) -> None:
    front = await Front.connect(path, greet=False)
    front.send(Hello(version=99))
    with pytest.raises((EOFError, ConnectionError)):
        await front.receive()


async def test_what_is_remembered_is_told_in_parts_as_it_is_read(
    worker: Worker, server: ControlServer, path: Path
) -> None:
    worker.remembered = [KeptRoom(f"{number}", bytes(1 << 20), []) for number in range(40)]
    front = await Front.connect(path, greet=False)
    front.send(Hello())
    assert isinstance(await front.receive(), Welcome)
    for _ in range(100):
        await asyncio.sleep(0)
        server.send(PeerState("anna", "connected"))
    worker.media["anna"] = "connected"
    (connection,) = server._connections
    assert connection._transport is not None
    assert 0 < connection._transport.get_write_buffer_size() < 3 << 20, "it waits to be read"
    parts: list[ToFront] = []
    while not parts or isinstance(parts[-1], Kept):
        parts.append(await front.receive())
    assert parts.pop() == KeptAll({"anna": "connected"}), "what was said meanwhile is in it"
    assert [room for part in parts if isinstance(part, Kept) for room in part.rooms] == (
        worker.remembered
    )
    server.send(PeerState("anna", "failed"))
    assert await front.receive() == PeerState("anna", "failed")


@pytest.mark.parametrize("message", [PutRoom("r"), Hello()])
async def test_nobody_is_listened_to_before_all_is_told(
    worker: Worker, path: Path, message: ToWorker
) -> None:
    worker.remembered = [KeptRoom(f"{number}", bytes(1 << 20), []) for number in range(10)]
    front = await Front.connect(path, greet=False)
    front.send(Hello(), message)
    with pytest.raises((EOFError, ConnectionError)):
        await front.receive_until_closed()
    assert worker.handled == []


async def test_a_defect_while_telling_closes_the_connection(
    worker: Worker, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worker.remembered = [KeptRoom("r", bytes(MAX_FRAME_BYTES), [])]
    front = await Front.connect(path, greet=False)
    front.send(Hello())
    with pytest.raises((EOFError, ConnectionError)):
        await front.receive_until_closed()
    assert "cannot be told" in caplog.text


@pytest.mark.parametrize("failing", ["at once", "later"])
async def test_a_defect_of_the_worker_fails_the_request_and_is_recorded(
    worker: Worker, path: Path, caplog: pytest.LogCaptureFixture, failing: str
) -> None:
    front = await Front.connect(path)
    if failing == "at once":
        front.send(PutRoom("broken"), RemoteAnswer(7, "p", "sdp"))
        assert await front.receive() == Done(7)
    else:
        front.send(Offer(7, "p", "sdp"))
        worker.answers.put_nowait(RuntimeError("planted"))
        answer = await front.receive()
        assert isinstance(answer, Failed)
        assert (answer.id, answer.reason) == (7, "internal_error")
    assert "planted" in caplog.text


async def test_a_front_process_that_does_not_read_loses_levels_first_then_the_connection(
    server: ControlServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_server, "LOSSY_LIMIT_BYTES", 1 << 16)
    monkeypatch.setattr(control_server, "HARD_LIMIT_BYTES", 1 << 19)
    front = await Front.connect(path)
    levels = Levels("r", [SourceLevel("p" * 1000, 10, True)] * 50)
    for _ in range(100):
        server.send(levels)
    lost = server.dropped_messages
    assert 0 < lost < 100

    state = PeerState("p" * 10_000, "connected")
    server.send(state)
    assert server.dropped_messages == lost, "what is not lossy goes out still"
    for _ in range(100):
        server.send(state)
    assert server.dropped_messages > lost
    with pytest.raises((EOFError, ConnectionError)):
        await front.receive_until_closed()
    assert isinstance(await Front.connect(path), Front)


async def test_nobody_there_means_nothing_is_kept(server: ControlServer, path: Path) -> None:
    server.send(PeerState("before", "closed"))
    assert server.dropped_messages == 1
    front = await Front.connect(path)
    server.send(PeerState("after", "closed"))
    assert await front.receive() == PeerState("after", "closed")


async def test_closing_ends_connections_requests_and_the_socket_file(
    worker: Worker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = asyncio.all_tasks()
    server = ControlServer(worker)
    path = tmp_path / "again.sock"
    path.touch()  # what a killed worker leaves
    await server.start(path)
    front = await Front.connect(path)
    front.send(Offer(1, "p", "sdp"), RemoteAnswer(2, "p", "sdp"))
    await front.receive()
    await server.close()
    assert not path.exists()
    assert asyncio.all_tasks() == before
    with pytest.raises((EOFError, ConnectionError)):
        await front.receive()
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
