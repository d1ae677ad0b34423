"""A worker in this very process: what it holds while people come and go, and what it gives back."""

import asyncio
import gc
import itertools
import os
import time
import weakref
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from mixer.playout_packet import MediaPacket
from mixer.selection_candidate import Standing
from mixer.selection_settings import SelectionSettings
from tests.media.fakes import binding_request, bound_socket
from tests.media.studio import Tone, loopback_only
from tests.media.test_sdp import MINIMAL
from tests.support.patience import PATIENCE_S
from tests.support.virtual_time import in_virtual_time
from webrtc.control.messages import (
    Answer,
    Candidate,
    Done,
    Drain,
    DropParticipant,
    DropRoom,
    Failed,
    KeptRoom,
    Offer,
    PutParticipant,
    PutRoom,
    RemoteAnswer,
    SourceMix,
)
from webrtc.media.sdp import read_offer
from webrtc.media.worker import Worker
from webrtc.settings import Settings

numbers = itertools.count(1)


@asynccontextmanager
async def running(folder, **settings):
    """Run a worker; at the end nobody is left in it."""
    made = Worker(Settings(realtime=False, **settings), 0, bound_socket(), folder, False)
    made._follow_activity()
    yield made
    for name in list(made.participants):
        made.handle(DropParticipant(name))
    await idle(made)
    made._timer.close()
    if made._reading:
        asyncio.get_running_loop().remove_reader(made.port.fileno())
    made.sharing.close()
    made.port.close()
    gc.enable()  # the worker runs the collector itself


@pytest.fixture
async def worker(tmp_path):
    async with running(tmp_path) as made:
        with loopback_only():
            yield made


async def idle(worker):
    """Wait until every connection that was closed is gone."""
    async with asyncio.timeout(PATIENCE_S):
        while worker._tasks or any(t.get_name().startswith("dtls") for t in asyncio.all_tasks()):
            await asyncio.sleep(0.01)


def put(name, room="r", **changes):
    fields = {"csrc": 1, "publishes": True, "subscribes": True}
    return PutParticipant(room, name, **{**fields, **changes})


async def offer(worker, name, text=MINIMAL, **how):
    return await worker.handle(Offer(next(numbers), name, text, **how))


def credentials(answer):
    lines = dict(line.split(":", 1) for line in answer.sdp.splitlines() if ":" in line)
    return lines["a=ice-ufrag"], lines["a=ice-pwd"]


async def connect(worker, name):
    """Return a stock client that is connected."""
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    client.addTrack(Tone(440.0))
    await client.setLocalDescription(await client.createOffer())
    answer = await offer(worker, name, client.localDescription.sdp)
    assert isinstance(answer, Answer)
    await client.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
    async with asyncio.timeout(PATIENCE_S):
        while worker.participants[name].peer.state != "connected":
            await asyncio.sleep(0.01)
    return client


def holdings(worker):
    """Return everything that could be left behind."""
    return {
        "participants": len(worker.participants),
        "rooms": len(worker.hall.rooms),
        "awake": worker.hall.awake,
        "addresses": len(worker.mux._by_address),
        "fragments": len(worker.mux._by_ufrag),
        "send rows": sum(session is not None for session in worker.table._sessions),
        "intake rows": sum(sink is not None for sink in worker.intake._sinks),
        "intake addresses": len(worker.intake._rows),
        "source rows": len(worker.hall._sources.data) - len(worker.hall._sources._free),
        "mix rows": len(worker.hall._mixes.data) - len(worker.hall._mixes._free),
        "tasks": len(asyncio.all_tasks()),
        "files": len(os.listdir("/proc/self/fd")),
    }


# ---- nothing is left behind ----------------------------------------------------------------


async def test_a_hundred_people_come_and_go_at_every_stage_and_leave_nothing(worker):
    before = holdings(worker)
    with bound_socket() as sock:
        for i in range(100):
            name, room = f"p{i}", f"r{i % 7}"
            worker.handle(PutRoom(room))
            worker.handle(put(name, room))
            stage = i % 5
            if stage >= 1:
                answer = await offer(worker, name)
            if stage >= 2:
                sock.sendto(binding_request(*credentials(answer)), ("127.0.0.1", worker.port.port))
                await asyncio.sleep(0.002)
            if stage >= 3:
                sock.sendto(b"\x16\xfe\xfd" + os.urandom(50), ("127.0.0.1", worker.port.port))
                await asyncio.sleep(0.002)
            if stage >= 4:
                await offer(worker, name, renew=True)
            worker.handle(DropParticipant(name))
    for i in range(7):
        worker.handle(DropRoom(f"r{i}"))
    await idle(worker)
    assert holdings(worker) == before


async def test_people_who_spoke_and_listened_leave_nothing(worker):
    before = holdings(worker)
    worker.handle(PutRoom("r"))
    for round_ in range(3):
        names = [f"{round_}-{i}" for i in range(2)]
        for name in names:
            worker.handle(put(name))
        clients = await asyncio.gather(*(connect(worker, name) for name in names))
        mixer = worker.hall.rooms["r"].mixer
        async with asyncio.timeout(PATIENCE_S):
            while not all(source.heard for source in mixer.sources.values()):
                await asyncio.sleep(0.01)
            while len(mixer.outputs) < 2:
                await asyncio.sleep(0.01)
        for name, client in zip(names, clients, strict=True):
            worker.handle(DropParticipant(name))
            await client.close()
        await idle(worker)
    worker.handle(DropRoom("r"))
    deadline_s = time.monotonic() + PATIENCE_S
    while holdings(worker) != before and time.monotonic() < deadline_s:
        await asyncio.sleep(0.05)  # the clients clean up after themselves too
    assert holdings(worker) == before


async def test_how_many_are_heard_and_who_comes_first_reach_the_mixer(worker):
    worker.handle(PutRoom("r"))
    mixer = worker.hall.rooms["r"].mixer
    assert mixer.max_speakers == 6
    rules = SelectionSettings(max_speakers=2, hysteresis_db=3, hold_ms=900, timeout_ms=700)
    worker.handle(PutRoom("r", selection=rules))
    assert mixer.selection == rules
    worker.handle(put("anna", priority=True))
    client = await connect(worker, "anna")
    async with asyncio.timeout(PATIENCE_S):
        while "anna" not in mixer.sources:
            await asyncio.sleep(0.01)
    standings = [mixer.sources["anna"].standing]
    for pinned, priority in ((True, True), (True, False), (False, False)):
        worker.handle(put("anna", pinned=pinned, priority=priority))
        standings.append(mixer.sources["anna"].standing)
    worker.handle(DropParticipant("anna"))
    await client.close()
    await idle(worker)
    assert standings == [
        Standing.PRIORITY,
        Standing.PINNED,
        Standing.PINNED,
        Standing.ORDINARY,
    ]


async def test_a_closed_connection_is_freed_without_the_garbage_collector(worker):
    worker.handle(PutRoom("r"))
    worker.handle(put("anna"))
    client = await connect(worker, "anna")
    peer = weakref.ref(worker.participants["anna"].peer)
    gc.disable()  # it looks at old objects while nothing plays, which may be never
    worker.handle(DropParticipant("anna"))
    await client.close()
    await idle(worker)
    assert peer() is None


async def test_dropping_a_room_drops_its_people(worker):
    before = holdings(worker)
    for i in range(5):
        worker.handle(put(f"p{i}"))
        await offer(worker, f"p{i}")
    worker.handle(DropRoom("r"))
    await idle(worker)
    assert holdings(worker) == before


async def test_moving_to_another_room_ends_the_connection_of_the_first(worker):
    worker.handle(put("anna", "one"))
    await offer(worker, "anna")
    worker.handle(put("anna", "two"))
    assert list(worker.hall.rooms["one"].participants) == []
    assert worker.participants["anna"].room.room_id == "two"
    assert worker.participants["anna"].peer is None


# ---- negotiation ---------------------------------------------------------------------------


async def test_requests_that_cannot_be_met_fail_with_a_reason(worker):
    answers = [
        await offer(worker, "nobody"),
        worker.handle(RemoteAnswer(1, "nobody", "v=0")),
        worker.handle(Candidate(2, "nobody", "candidate:1 1 udp 1 192.0.2.1 9 typ host")),
    ]
    worker.handle(put("anna"))
    answers.append(await offer(worker, "anna", "nonsense"))
    worker.handle(Drain())
    answers.append(await offer(worker, "anna"))
    assert all(isinstance(answer, Failed) for answer in answers)
    assert [answer.reason for answer in answers] == [
        "participant_not_found", "no_offer_pending", "bad_candidate", "bad_sdp", "draining"
    ]  # fmt: skip


async def test_candidates_are_taken_after_an_offer_and_need_not_make_sense(worker):
    worker.handle(put("anna"))
    await offer(worker, "anna")
    for candidate in ("candidate:1 1 udp 1 192.0.2.1 9 typ host", "", "nonsense", None):
        assert isinstance(worker.handle(Candidate(5, "anna", candidate)), Done)


async def test_the_same_connection_is_renegotiated_and_a_new_one_replaces_it(worker):
    worker.handle(put("anna"))
    first = await offer(worker, "anna")
    peer = worker.participants["anna"].peer
    again = await offer(worker, "anna")
    assert worker.participants["anna"].peer is peer
    assert credentials(again) == credentials(first)
    restarted = await offer(worker, "anna", MINIMAL.replace("abcd", "efgh"))
    assert worker.participants["anna"].peer is peer
    assert credentials(restarted) != credentials(first)
    await offer(worker, "anna", MINIMAL.replace("AA:BB", "CC:DD"))
    replaced = worker.participants["anna"].peer
    assert replaced is not peer
    await offer(worker, "anna", MINIMAL.replace("AA:BB", "CC:DD"), renew=True)
    assert worker.participants["anna"].peer is not replaced
    async with asyncio.timeout(PATIENCE_S):
        while len(worker.mux._by_ufrag) > 1:
            await asyncio.sleep(0.01)


async def test_a_person_dropped_while_an_offer_waits_gets_no_connection(worker):
    worker.handle(put("anna"))
    async with worker.negotiator._one_at_a_time:
        waiting = asyncio.create_task(offer(worker, "anna"))
        await asyncio.sleep(0)
        worker.handle(DropParticipant("anna"))
    answer = await waiting
    assert answer.reason == "participant_not_found"
    assert worker.mux._by_ufrag == {}


async def test_a_hundred_offers_at_once_are_all_answered(worker):
    for i in range(100):
        worker.handle(put(f"p{i}"))
    answers = await asyncio.gather(*(offer(worker, f"p{i}") for i in range(100)))
    assert all(isinstance(answer, Answer) for answer in answers)
    assert len({credentials(answer) for answer in answers}) == 100
    assert worker.figures.connecting == 100


async def test_our_hello_goes_to_a_client_that_waits_for_it(worker):
    worker.handle(put("anna"))
    answer = await offer(worker, "anna", MINIMAL.replace("actpass", "passive"))
    assert "a=setup:active" in answer.sdp
    assert read_offer(MINIMAL.replace("actpass", "passive")).audio.client_waits
    await asyncio.sleep(0)
    assert worker.participants["anna"].peer.state == "connecting"
    with bound_socket() as sock:
        sock.setblocking(False)
        sock.sendto(binding_request(*credentials(answer)), ("127.0.0.1", worker.port.port))
        received = []
        async with asyncio.timeout(PATIENCE_S):
            while not any(data[0] == 0x16 for data in received):
                with suppress(BlockingIOError):
                    received.append(sock.recv(2048))
                await asyncio.sleep(0.005)


# ---- what is remembered --------------------------------------------------------------------


async def test_a_new_front_process_is_told_of_every_room_and_person(worker):
    worker.handle(PutRoom("r", b"blob"))
    anna = put("anna", muted=True, mix={"bert": SourceMix(gain_db=-3.0)}, state=b"hers")
    worker.handle(anna)
    assert worker.kept() == [KeptRoom("r", b"blob", []), anna]
    assert worker.kept_all().media == {}
    await offer(worker, "anna")
    assert worker.kept_all().media == {"anna": "connecting"}
    assert worker.welcome().udp_port == worker.port.port


async def test_an_exception_in_a_turn_does_not_stop_the_clock(worker):
    worker.handle(put("anna"))
    client = await connect(worker, "anna")
    broken = []

    def break_once(now_s):
        if not broken:
            broken.append(now_s)
            raise RuntimeError("a defect")
        worker_read(now_s)

    worker_read, worker._read = worker._read, break_once
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with asyncio.timeout(PATIENCE_S):
        while not broken:
            await asyncio.sleep(0.005)
        turns = worker.figures.turns
        while worker.figures.turns < turns + 10:
            await asyncio.sleep(0.005)
    await client.close()


async def test_a_client_that_takes_another_ssrc_starts_afresh_and_is_heard_on(worker):
    worker.handle(put("anna"))
    client = await connect(worker, "anna")
    playout = worker.participants["anna"].playout
    source = worker.hall.rooms["r"].mixer.sources["anna"]
    async with asyncio.timeout(PATIENCE_S):
        while not source.heard:
            await asyncio.sleep(0.01)
        client.getSenders()[0]._ssrc ^= 1
        while playout.stats().resets == 0:
            await asyncio.sleep(0.01)
        received = playout.stats().received
        while playout.stats().received < received + 10 or not source.present:
            await asyncio.sleep(0.01)
    assert playout.stats().resets == 1
    await client.close()


async def test_redundancy_that_cannot_be_taken_apart_is_counted(worker):
    worker.handle(put("anna"))
    await offer(worker, "anna")
    anna = worker.participants["anna"].peer
    for payload in (b"", b"\xff", b"\xef\x00\x03\xff\x6f"):
        worker._arrivals.peer_red(anna, MediaPacket(1, 960, payload, time.monotonic()))
    assert worker.figures.counters["red_malformed"] == 3


def test_a_worker_remembers_who_else_serves_a_room(worker):
    worker.handle(PutRoom("alone"))
    worker.handle(PutRoom("shared", workers=[0, 2]))
    assert worker.kept() == [KeptRoom("alone", b"", []), KeptRoom("shared", b"", [0, 2])]
    worker.handle(PutRoom("shared"))
    assert worker.kept() == [KeptRoom("alone", b"", []), KeptRoom("shared", b"", [])]


async def test_a_forward_room_goes_through_its_people_only_for_what_concerns_them(
    worker, monkeypatch
):
    three, four, five = (SelectionSettings(max_speakers=count) for count in (3, 4, 5))
    worker.handle(PutRoom("r", mode="forward", selection=three))
    worker.handle(put("anna"))
    settled = []
    monkeypatch.setattr(
        worker.negotiator, "settle", lambda one: settled.append(one.put.participant_id)
    )
    worker.handle(PutRoom("r", b"scenes", mode="forward", selection=three, automix=True))
    assert settled == []
    assert worker.kept()[0].state == b"scenes"
    patient = replace(three, yield_ms=900)
    worker.handle(PutRoom("r", mode="forward", selection=patient))
    assert worker.hall.rooms["r"].forward.core.settings == patient
    assert settled == []
    worker.handle(PutRoom("r", mode="forward", selection=four))
    assert settled == ["anna"]
    worker.handle(PutRoom("r", selection=four))
    assert settled == ["anna"] * 2
    worker.handle(PutRoom("r", selection=five))
    assert settled == ["anna"] * 2
    worker.handle(PutRoom("r", mode="forward", selection=five))
    assert settled == ["anna"] * 3


def test_housekeeping_goes_on_after_a_defect(caplog, tmp_path):
    async def story():
        with bound_socket() as sock:
            worker = Worker(Settings(realtime=False), 0, sock, tmp_path, False)
            told = []
            worker._control.send = told.append
            stats, worker.figures.stats = worker.figures.stats, None  # calling it is a defect
            house = asyncio.create_task(worker._keep_house())
            await asyncio.sleep(5.5)
            assert told == []
            worker.figures.stats = stats
            await asyncio.sleep(1)
            assert [message.counters["house_defects"] for message in told] == [5]
            house.cancel()
            worker._timer.close()

    in_virtual_time(story())
    gc.enable()
    logged = [record for record in caplog.records if "housekeeping" in record.message]
    assert [record.message.split(":")[0] for record in logged] == [f"defect {n}" for n in (1, 2, 4)]
    assert all(record.exc_info for record in logged)
