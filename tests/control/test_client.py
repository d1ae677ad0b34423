import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from tests.support.fake_worker import FakeWorker
from tests.support.patience import PATIENCE_S
from webrtc.control.client import WorkerLink
from webrtc.control.codec import encode_frame
from webrtc.control.memory import Memory
from webrtc.control.messages import (
    CONTROL_VERSION,
    Answer,
    Done,
    Failed,
    Kept,
    KeptAll,
    Offer,
    PeerState,
    PutParticipant,
    PutRoom,
    RemoteAnswer,
    ToFront,
    Welcome,
)
from webrtc.errors import ClientError

WELCOME = Welcome(
    version=CONTROL_VERSION, worker=0, pid=1, udp_port=1, realtime=False, engine="new"
)


class Owner:
    """Writes down what the link tells it."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.changed = asyncio.Condition()
        self.when_welcome: Callable[[], None] = lambda: None

    async def on_welcome(self, worker: int, memory: Memory) -> None:
        self.when_welcome()
        await self._tell(("welcome", worker, len(memory.rooms)))

    def on_message(self, worker: int, message: ToFront) -> None:
        self.telling = asyncio.create_task(self._tell(message))

    def on_lost(self, worker: int) -> None:
        self.telling = asyncio.create_task(self._tell(("lost", worker)))

    async def _tell(self, news: object) -> None:
        async with self.changed:
            self.told.append(news)
            self.changed.notify_all()

    async def wait_for(self, news: object, times: int = 1) -> None:
        async with asyncio.timeout(PATIENCE_S), self.changed:
            await self.changed.wait_for(lambda: self.told.count(news) >= times)


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
def worker(tmp_path: Path) -> FakeWorker:
    return FakeWorker(tmp_path / "worker-0.sock")


@pytest.fixture
async def link(owner: Owner, worker: FakeWorker) -> AsyncIterator[WorkerLink]:
    link = WorkerLink(0, worker.path, owner)
    running = asyncio.create_task(link.run())
    yield link
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def there(link: WorkerLink, worker: FakeWorker, owner: Owner) -> AsyncIterator[WorkerLink]:
    await worker.start()
    await owner.wait_for(("welcome", 0, 0))
    link.send(PutRoom("studio"))
    link.send(PutParticipant("studio", "alice", 1, True, True))
    await worker.wait_until(lambda it: "alice" in it.participants)
    yield link
    if worker._server is not None:
        await worker.stop()


def offer(number: int) -> Offer:
    return Offer(number, "alice", "sdp")


async def test_a_worker_that_comes_late_is_found(
    link: WorkerLink, worker: FakeWorker, owner: Owner
) -> None:
    assert not link.connected
    await worker.start()
    await owner.wait_for(("welcome", 0, 0))
    assert link.welcome is not None
    assert link.welcome.engine == "fake"
    await worker.stop()


async def test_messages_go_both_ways(there: WorkerLink, worker: FakeWorker, owner: Owner) -> None:
    there.send(PutRoom("another"))
    await worker.wait_until(lambda it: "another" in it.rooms)
    worker.send(PeerState("alice", "connected"))
    await owner.wait_for(PeerState("alice", "connected"))


async def test_what_is_sent_while_greeting_comes_before_any_request(
    link: WorkerLink, worker: FakeWorker, owner: Owner
) -> None:
    owner.when_welcome = lambda: link.send(PutRoom("first"))
    await worker.start()
    await owner.wait_for(("welcome", 0, 0))
    await link.request(lambda number: RemoteAnswer(number, "alice", "sdp"), 5)
    assert worker.handled == [PutRoom("first"), RemoteAnswer(1, "alice", "sdp")]
    await worker.stop()


async def test_each_request_gets_its_own_answer(there: WorkerLink, worker: FakeWorker) -> None:
    asked: list[Offer] = []
    worker.answer_offer = asked.append  # type: ignore[assignment,return-value]
    requests = [asyncio.create_task(there.request(offer, 5)) for _ in range(3)]
    await worker.wait_until(lambda _: len(asked) == 3)
    for one in reversed(asked):
        worker.send(Answer(one.id, f"answer {one.id}"))
    answers = await asyncio.gather(*requests)
    assert answers == [Answer(one.id, f"answer {one.id}") for one in asked]


@pytest.mark.parametrize(
    ("said", "reason"), [("bad_sdp", "bad_sdp"), ("never heard of", "negotiation_failed")]
)
async def test_a_refusal_keeps_its_reason_if_it_is_documented(
    there: WorkerLink, worker: FakeWorker, said: str, reason: str
) -> None:
    worker.answer_offer = lambda it: Failed(it.id, said, "because")
    with pytest.raises(ClientError) as refusal:
        await there.request(offer, 5)
    assert (refusal.value.reason, refusal.value.detail) == (reason, "because")


async def test_a_silent_worker_times_out_and_its_late_answer_is_dropped(
    there: WorkerLink, worker: FakeWorker
) -> None:
    worker.answer_offer = lambda _: None
    with pytest.raises(ClientError) as refusal:
        await there.request(offer, 0.01)
    assert refusal.value.reason == "negotiation_timeout"
    worker.send(Answer(1, "late"))
    answer = await there.request(lambda number: RemoteAnswer(number, "alice", "sdp"), 5)
    assert answer == Done(2)


async def test_a_worker_that_dies_fails_open_requests_and_is_found_again(
    there: WorkerLink, worker: FakeWorker, owner: Owner
) -> None:
    worker.answer_offer = lambda _: None
    request = asyncio.create_task(there.request(offer, 5))
    await worker.wait_until(lambda it: offer(1) in it.handled)
    await worker.stop()
    with pytest.raises(ClientError) as refusal:
        await request
    assert refusal.value.reason == "worker_unavailable"
    assert refusal.value.retry_after_s
    await owner.wait_for(("lost", 0))
    with pytest.raises(ClientError) as refusal:
        await there.request(offer, 5)
    assert refusal.value.reason == "worker_unavailable"
    there.send(PutRoom("dropped"))

    await worker.start()
    await owner.wait_for(("welcome", 0, 1))
    assert "dropped" not in worker.rooms


@pytest.mark.slow
@pytest.mark.parametrize(
    "frame",
    [
        encode_frame(Done(1)),
        encode_frame(msgspec.structs.replace(WELCOME, version=99)),
        encode_frame(WELCOME) * 2,
        encode_frame(Kept()),
        encode_frame(KeptAll()),
        encode_frame(WELCOME) + encode_frame(Done(1)),
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x01\x00",
    ],
    ids=[
        "no greeting",
        "another version",
        "two greetings",
        "no greeting before what is kept",
        "no greeting before the end",
        "no end",
        "too long",
        "malformed",
    ],
)
async def test_something_else_on_the_socket_is_not_taken_for_a_worker(
    link: WorkerLink, worker: FakeWorker, owner: Owner, frame: bytes
) -> None:
    tries = asyncio.Semaphore(0)

    async def impostor(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(frame)
        tries.release()
        await writer.drain()

    server = await asyncio.start_unix_server(impostor, str(worker.path))
    async with asyncio.timeout(PATIENCE_S):
        await tries.acquire()
        await tries.acquire()  # it was given up and tried again
    assert not link.connected
    assert owner.told == []
    server.close()
