"""The desktop client as a person has it before them: a window, a pointer, a microphone, an ear."""

import asyncio
import contextlib
import importlib.util
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support import display as displays
from tests.support import pulse as pulses
from tests.support.display import Display, running_display
from tests.support.patience import PATIENCE_S
from tests.support.pulse import Pulse, running_pulse
from tests.support.server import LiveServer
from tests.support.udp_person import UdpPerson

if importlib.util.find_spec("tkinter") is None:
    pytest.skip("there is no Tk: install python3-tk", allow_module_level=True)
if missing := displays.missing_packages() + pulses.missing_packages():
    pytest.skip(f"not installed: {', '.join(missing)}", allow_module_level=True)

from gateway.client.window import ABSENT, OFF, ON

ADA, GRACE = PITCHES = 440, 1000
RATE_HZ = 48_000


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.05)


class Ear:
    """What a sink plays: the last quarter of a second of it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._sound = np.zeros(0, np.float32)
        self._task = asyncio.create_task(self._listen())

    async def close(self) -> None:
        self._process.terminate()
        await self._process.wait()
        await self._task

    def hears(self, pitch_hz: int) -> bool:
        turns = np.arange(len(self._sound)) / RATE_HZ
        wave = np.hanning(len(self._sound)) * np.exp(-2j * np.pi * pitch_hz * turns)
        return len(self._sound) > 0 and bool(4 * abs(np.mean(self._sound * wave)) > 0.01)

    def hears_nothing(self) -> bool:
        return len(self._sound) > 0 and not self._sound.any()

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                data = await self._process.stdout.readexactly(RATE_HZ)  # 12,000 samples
                self._sound = np.frombuffer(data, "<f4")


class Client:
    """The program, from outside."""

    def __init__(self, process: asyncio.subprocess.Process, pulse: Pulse) -> None:
        self._folder = Path(f"/proc/{process.pid}")
        self._pulse = pulse

    def holds(self, kind: str) -> int:
        """How many descriptors (`fd`) or threads (`task`) it has."""
        return len(os.listdir(self._folder / kind))

    async def streams(self) -> dict[str, int]:
        """What PulseAudio has open, whoever opened it."""
        return {
            kind: len((await self._pulse.control("list", "short", kind)).splitlines())
            for kind in ("source-outputs", "sink-inputs")
        }


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Display]:
    with running_display(tmp_path) as display:
        yield display


def write_voice(path: Path) -> None:
    """A tone that comes and goes like syllables do; one that stays is noise and is taken out."""
    turns = np.arange(60 * RATE_HZ) / RATE_HZ
    loud = 0.5 - 0.5 * np.cos(2 * np.pi * 3 * turns)
    soundfile.write(path, 0.5 * loud * np.sin(2 * np.pi * ADA * turns), RATE_HZ, "PCM_16")


async def test_three_switches_are_clicked_and_do_what_they_show(
    start_server: Callable[..., Awaitable[LiveServer]], display: Display, tmp_path: Path
) -> None:
    server = await start_server(WEBRTC_UDP_GATEWAY_PORT="0", WEBRTC_HOST="127.0.0.1")
    found = re.search(r"port (\d+)", await server.program.line_with("UDP gateway at port"))
    assert found is not None
    voice, complaints = tmp_path / "voice.wav", tmp_path / "complaints.txt"
    write_voice(voice)
    async with (
        running_pulse(["mouth", "ear"]) as pulse,
        UdpPerson(int(found[1]), GRACE, name="Grace", room_id="studio") as grace,
    ):
        ear = Ear(await pulse.record("ear"))
        player = await pulse.play(voice, "mouth")
        with complaints.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway.client", f"127.0.0.1:{found[1]}"),
                *("--room", "studio", "--name", "Ada", "--gui"),
                env={**pulse.environment(source="mouth", sink="ear"), "DISPLAY": display.name},
                stderr=stderr,
            )
        try:
            await until(lambda: len(display.surfaces(ON)) == 2)
            microphone, speaker = display.surfaces(ON)
            await grace.hears(ADA, of=PITCHES)
            await until(lambda: ear.hears(GRACE))
            assert not ear.hears(ADA)

            await display.click(microphone)
            await until(lambda: display.colour_at(microphone) == OFF)
            await grace.hears(of=PITCHES)
            await until(lambda: ear.hears(GRACE))  # the other switch is another switch
            await display.click(speaker)
            await until(lambda: display.colour_at(speaker) == OFF)
            await until(ear.hears_nothing)
            await display.click(microphone)
            await until(lambda: display.colour_at(microphone) == ON)
            await grace.hears(ADA, of=PITCHES)
            assert ear.hears_nothing()
            await display.click(speaker)
            await until(lambda: display.colour_at(speaker) == ON)
            await until(lambda: ear.hears(GRACE))

            camera = display.surfaces(ABSENT)[0]
            await display.click(camera, times=3)
            assert display.surfaces(ON) == [microphone, speaker]
            assert display.colour_at(camera) == ABSENT

            client = Client(process, pulse)
            descriptors, threads = client.holds("fd"), client.holds("task")
            streams = await client.streams()
            for switch in (microphone, speaker):
                await display.click(switch, times=10, every_ms=15)  # more often than devices follow
            for _ in range(4):  # and slowly enough
                for colour in (OFF, ON):
                    await display.click(microphone)
                    await display.click(speaker)
                    await until(lambda colour=colour: display.colour_at(speaker) == colour)
                    await asyncio.sleep(0.15)
            await grace.hears(ADA, of=PITCHES)
            await until(lambda: ear.hears(GRACE))
            await until(lambda: client.holds("fd") <= descriptors)
            # Asyncio's pool may have grown; of a device opened four times two would be left each.
            await until(lambda: client.holds("task") < threads + 6)
            assert await client.streams() == streams
        finally:
            for each in (process, player):
                with contextlib.suppress(ProcessLookupError):
                    each.terminate()
                await each.wait()
            await ear.close()
        await grace.until(lambda: [user.name for user in grace.users.users] == ["Grace"])
    assert "Traceback" not in complaints.read_text()
