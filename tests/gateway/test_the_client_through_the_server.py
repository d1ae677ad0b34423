"""The desktop client's session and codec against the real server."""

import asyncio
import contextlib
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from gateway.client.coding import BLOCK, Hearing, speech
from gateway.client.options import Options
from gateway.client.session import Session, State
from gateway.wire.datagrams import PayloadKind
from gateway.wire.lines import User
from tests.support.patience import PATIENCE_S
from tests.support.server import LiveServer
from tests.support.udp_person import UdpPerson

ADA, GRACE = PITCHES = 440, 1000
BLOCK_S = 0.01


class Talker:
    """A client without devices: its microphone hears a pitch, its loudspeaker is a list."""

    def __init__(self, port: int, pitch_hz: int, kind: PayloadKind) -> None:
        self.states: list[State] = []
        self.heard: list[np.ndarray] = []
        self.users: list[User] = []
        self._pitch_hz = pitch_hz
        self._mouth, self._ear = speech(kind), Hearing(kind)
        options = Options("127.0.0.1", port, room_id="studio", name="Ada", payload=kind)
        self.session = Session(options, self)

    async def __aenter__(self) -> "Talker":
        self._tasks = [asyncio.create_task(self.session.run()), asyncio.create_task(self._speak())]
        await self.until(lambda: "joined" in self.states)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def state_changed(self, state: State, detail: str) -> None:
        self.states.append(state)

    def users_changed(self, users: list[User]) -> None:
        self.users = users

    def sound_came(self, payload: bytes, now_s: float) -> None:
        self._ear.push(payload, now_s)

    def silence(self) -> bytes:
        return self._mouth.silence()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.02)

    def hears(self, pitch_hz: int) -> bool:
        """Whether the last half second holds this pitch, and the own one not."""
        if len(self.heard) < 50:
            return False
        sound = np.concatenate(self.heard[-50:]) * np.hanning(50 * BLOCK)
        spectrum = np.abs(np.fft.rfft(sound)) * 4 / len(sound)
        return bool(spectrum[pitch_hz // 2] > 0.03 > 0.003 > spectrum[self._pitch_hz // 2])

    async def _speak(self) -> None:
        begin_s, number = time.monotonic(), 0
        while True:
            phase = 2 * np.pi * self._pitch_hz * (number * BLOCK + np.arange(BLOCK)) / 48_000
            payload = self._mouth.add((0.25 * np.sin(phase)).astype(np.float32))
            if payload is not None:
                self.session.send(payload)
            self.heard.append(self._ear.pull(time.monotonic()).copy())
            number += 1
            await asyncio.sleep(max(0.0, begin_s + number * BLOCK_S - time.monotonic()))


@pytest.fixture
async def gateway(
    start_server: Callable[..., Awaitable[LiveServer]],
) -> tuple[LiveServer, int]:
    server = await start_server(WEBRTC_UDP_GATEWAY_PORT="0", WEBRTC_HOST="127.0.0.1")
    found = re.search(r"port (\d+)", await server.program.line_with("UDP gateway at port"))
    assert found is not None
    return server, int(found[1])


async def test_opus_and_samples_meet_in_a_room(gateway: tuple[LiveServer, int]) -> None:
    async with (
        Talker(gateway[1], ADA, "opus") as ada,
        UdpPerson(gateway[1], GRACE, room_id="studio") as grace,
    ):
        await grace.hears(ADA, of=PITCHES)
        await ada.until(lambda: ada.hears(GRACE))


async def test_after_a_restart_of_the_front_process_it_is_the_same_participant(
    gateway: tuple[LiveServer, int],
) -> None:
    server, port = gateway
    async with (
        Talker(port, ADA, "pcm") as ada,
        UdpPerson(port, GRACE, room_id="studio") as grace,
    ):
        await ada.until(lambda: ada.hears(GRACE))
        assert ada.session.welcome is not None
        before = ada.session.welcome.participant_id
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.front_pid(), signal.SIGKILL)
        await ada.until(lambda: ada.states.count("joined") == 2)
        assert ada.session.welcome.participant_id == before
        # Grace's line is gone, but the worker goes on with her sound and Ada's.
        await grace.hears(ADA, of=PITCHES)
        await ada.until(lambda: ada.hears(GRACE))
