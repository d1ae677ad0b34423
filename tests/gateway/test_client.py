"""The desktop client, without its devices and with pretended ones."""

import asyncio
import contextlib
import sys
import typing
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gateway.client.coding import BLOCK, Hearing, speech
from gateway.client.devices import Device, Loudspeaker, Microphone
from gateway.client.options import Options, options, parser
from gateway.client.recorder import Recorder
from gateway.client.session import Session, State
from gateway.client.voice import HOLD_S, VoiceGate
from gateway.wire.datagrams import ID_BYTES, SILENT_CHUNK, PayloadKind
from gateway.wire.lines import (
    Bye,
    Error,
    User,
    Users,
    write_line,
)
from tests.support.gateway_fakes import FakeStream, Server
from tests.support.patience import PATIENCE_S

# ---- the command line ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("10.0.0.1", "10.0.0.1", 5002), ("studio:6000", "studio", 6000), ("", "", 5002)],
)
def test_the_server_is_a_host_and_maybe_a_port(text: str, host: str, port: int) -> None:
    read = options(parser().parse_args([text]))
    assert (read.host, read.port) == (host, port)


def test_a_port_is_a_number() -> None:
    with pytest.raises(ValueError, match="port"):
        options(parser().parse_args(["host:port"]))


# ---- voice and coding ---------------------------------------------------------------------------


def tone(count: int, first: int = 0, amplitude: float = 0.2) -> np.ndarray:
    phase = 2 * np.pi * 440 * (first + np.arange(count)) / 48_000
    return (amplitude * np.sin(phase)).astype(np.float32)


def test_the_gate_opens_for_a_voice_and_not_for_a_room() -> None:
    gate, noise = VoiceGate(), np.random.default_rng(1)
    room = [noise.normal(0, 0.001, BLOCK).astype(np.float32) for _ in range(300)]
    assert not any(gate.hear(block, 0.01) for block in room[100:])
    assert gate.hear(tone(BLOCK), 0.01)
    after = [gate.hear(block, 0.01) for block in room[:200]]
    assert sum(after) == pytest.approx(HOLD_S / 0.01, abs=1), "held for a while, then closed"
    assert after == sorted(after, reverse=True)


def test_a_gate_that_is_told_so_stays_open() -> None:
    assert VoiceGate(always=True).hear(np.zeros(BLOCK, np.float32), 0.01)


@pytest.mark.parametrize("kind", ["pcm", "opus"])
def test_what_is_spoken_is_heard(kind: PayloadKind) -> None:
    mouth, ear = speech(kind), Hearing(kind)
    heard = []
    for number in range(300):
        now_s = 50.0 + number * 0.01
        payload = mouth.add(tone(BLOCK, number * BLOCK))
        if payload is not None:
            ear.push(payload, now_s)
        heard.append(ear.pull(now_s + 0.002).copy())
    sound = np.concatenate(heard)[-48_000:]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert spectrum.argmax() == pytest.approx(440, abs=1)
    assert sound.std() * 2**0.5 == pytest.approx(0.2, rel=0.05)


def test_opus_waits_for_no_second_block_and_takes_a_tenth_of_the_bandwidth() -> None:
    noise = np.random.default_rng(2).normal(0, 0.1, (300, BLOCK)).astype(np.float32)
    sizes = {}
    for kind in typing.get_args(PayloadKind):
        mouth = speech(kind)
        payloads = [mouth.add(block) for block in noise]
        sizes[kind] = sum(ID_BYTES + len(payload) for payload in payloads if payload is not None)
        assert kind != "opus" or None not in payloads
    assert sizes["opus"] < 0.101 * sizes["pcm"]


@pytest.mark.parametrize("kind", ["pcm", "opus"])
def test_silence_out_of_turn_is_silent(kind: PayloadKind) -> None:
    mouth, ear = speech(kind), Hearing(kind)
    for number in range(60):
        now_s = 50.0 + number * 0.02
        ear.push(mouth.silence(), now_s)
        assert np.abs(ear.pull(now_s)).max() < 1e-4
    ear.push(b"no payload", 60.0)


def test_a_recording_holds_what_was_heard(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.wav")
    for number in range(100):
        recorder.add(tone(BLOCK, number * BLOCK))
    recorder.close()
    sound, rate_hz = soundfile.read(tmp_path / "a.wav")
    assert (len(sound), rate_hz) == (48_000, 48_000)
    assert np.abs(sound - tone(48_000)).max() < 1e-4
    with pytest.raises(OSError, match="folder"):
        Recorder(tmp_path / "no" / "folder" / "a.wav")


# ---- devices ------------------------------------------------------------------------------------


def devices() -> list[Device]:
    return [
        Microphone(None, lambda _: None),
        Loudspeaker(None, lambda: np.zeros(BLOCK, np.float32)),
    ]


def test_a_missing_device_is_told_and_found_when_it_comes(sound_system: type[FakeStream]) -> None:
    sound_system.broken = True
    for device in devices():
        device.tend()
        assert not device.is_open
        assert device.problem == "no such device"
    sound_system.broken = False
    for device in devices():
        device.tend()
        assert device.is_open
        assert device.problem == ""


def test_an_unplugged_device_is_opened_again(sound_system: type[FakeStream]) -> None:
    for device in devices():
        device.tend()
        stream = device._stream
        stream.active = False  # as PortAudio has it when a device is gone
        device.tend()
        assert device.is_open
        assert device._stream is not stream
    assert sound_system.open_now == 2


def test_quick_toggling_leaves_nothing_open(sound_system: type[FakeStream]) -> None:
    made = devices()
    for device in made:
        for number in range(101):
            device.wanted = number % 2 == 0
            if number % 3 == 0:
                device.tend()
        device.tend()
        assert device.is_open
    assert sound_system.open_now == 2
    for device in made:
        device.close()
    assert sound_system.open_now == 0


def test_without_a_sound_system_there_are_no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    for device in devices():
        device.tend()
        assert not device.is_open
        assert device.problem


# ---- the session, with a server that does what it is told ---------------------------------------


class Owner:
    def __init__(self) -> None:
        self.states: list[State] = []
        self.details: list[str] = []
        self.users: list[User] = []
        self.sounds: list[bytes] = []
        self._changed = asyncio.Event()

    def state_changed(self, state: State, detail: str) -> None:
        self.states.append(state)
        self.details.append(detail)
        self._changed.set()

    def users_changed(self, users: list[User]) -> None:
        self.users = users
        self._changed.set()

    def sound_came(self, payload: bytes, now_s: float) -> None:
        self.sounds.append(payload)
        self._changed.set()

    def silence(self) -> bytes:
        return SILENT_CHUNK

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
async def join(
    server: tuple[Server, int],
) -> AsyncIterator[Callable[[], Awaitable[tuple[Session, Owner]]]]:
    tasks = []

    async def begin() -> tuple[Session, Owner]:
        owner = Owner()
        session = Session(Options("127.0.0.1", server[1], name="Ada", payload="pcm"), owner)
        tasks.append(asyncio.create_task(session.run()))
        return session, owner

    yield begin
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


Join = Callable[[], Awaitable[tuple[Session, Owner]]]


async def test_it_joins_and_sends_and_hears(server: tuple[Server, int], join: Join) -> None:
    session, owner = await join()
    await owner.until(lambda: "joined" in owner.states)
    knock, address = await server[0].datagrams.get()
    assert knock == b"1".rjust(ID_BYTES, b"0") + SILENT_CHUNK, "the first one tells our address"
    session.send(b"sound")
    assert (await server[0].datagrams.get())[0][ID_BYTES:] == b"sound"
    server[0].udp.sendto(b"mix", address)
    await owner.until(lambda: owner.sounds == [b"mix"])
    users = [User(participant_id="me", name="Ada")]
    server[0].writers[0].write(write_line(Users(users=users)))
    await owner.until(lambda: owner.users == users)


async def test_a_restarted_server_is_noticed_and_found_again(
    server: tuple[Server, int], join: Join
) -> None:
    _, owner = await join()
    await owner.until(lambda: owner.states == ["joined"])
    server[0].writers[0].close()
    await owner.until(lambda: owner.states == ["joined", "connecting", "joined"])
    assert [hello.resume_token for hello in server[0].hellos] == [None, "token"]
    assert server[0].hellos[1].room_id == "room"


async def test_who_cannot_be_resumed_joins_afresh(server: tuple[Server, int], join: Join) -> None:
    _, owner = await join()
    await owner.until(lambda: owner.states == ["joined"])
    server[0].refuse.append(Error(reason="resume_failed", detail="the seat is gone"))
    server[0].writers[0].close()
    await owner.until(lambda: owner.states.count("joined") == 2)
    assert [hello.resume_token for hello in server[0].hellos] == [None, "token", None]


async def test_a_refusal_is_told_and_final(server: tuple[Server, int], join: Join) -> None:
    server[0].refuse.append(Error(reason="room_full", detail="the room is full"))
    _, owner = await join()
    await owner.until(lambda: owner.states == ["ended"])
    assert owner.details == ["the room is full"]


async def test_a_closed_room_ends_it(server: tuple[Server, int], join: Join) -> None:
    _, owner = await join()
    await owner.until(lambda: owner.states == ["joined"])
    server[0].writers[0].write(write_line(Bye(reason="room_closed")))
    await owner.until(lambda: owner.states[-1] == "ended")


async def test_a_server_that_is_not_there_is_waited_for() -> None:
    owner = Owner()
    session = Session(Options("127.0.0.1", 1), owner)
    task = asyncio.create_task(session.run())
    await owner.until(lambda: len(owner.states) == 2)
    assert owner.states == ["connecting", "connecting"]
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
