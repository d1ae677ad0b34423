"""Microphone to loudspeaker through two desktop clients, on PulseAudio's null sinks.

    python -m benchmarks.desktop [--quick]

Clicks are played to a null sink that is one client's microphone; another client plays what it hears
to a second one. The time goes from the click's place in the microphone's sound, as PortAudio hands
over the block of 10 ms that ends then, to its place in the block that the loudspeaker asks for: all
but what the devices buffer themselves, before that and after.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from benchmarks.gateway import free_port
from benchmarks.harness.report import print_result, print_table, quantiles
from benchmarks.harness.server import our_server
from gateway.client.coding import Mono
from gateway.client.engine import Engine
from gateway.client.options import Options
from tests.support.pulse import Pulse, missing_packages, running_pulse

RATE_HZ: Final = 48_000
TARGET_MS: Final = 50.0
_LOUD: Final = 0.2
_APART_S: Final = 0.3
_SETTLE_S: Final = 6.0


class TimedEngine(Engine):
    """A client that notes when clicks pass, on the machine's clock."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.cleans = False
        self.spoken: list[float] = []
        self.heard: list[float] = []

    def _capture(self, block: Mono) -> None:
        _note(self.spoken, block, time.monotonic() - len(block) / RATE_HZ)
        super()._capture(block)

    def _play(self) -> Mono:
        block = super()._play()
        _note(self.heard, block, time.monotonic())
        return block


def _note(times: list[float], block: Mono, begins_s: float) -> None:
    loud = np.abs(block) > _LOUD
    if loud.any():
        at_s = begins_s + int(loud.argmax()) / RATE_HZ
        if not times or at_s - times[-1] > _APART_S:
            times.append(at_s)


def write_clicks(path: Path, seconds: float) -> None:
    """Write a WAV file with a short burst of a tone about every half second."""
    random = np.random.default_rng(5)
    sound = np.zeros(round(seconds * RATE_HZ), np.float32)
    burst = 0.9 * np.sin(2 * np.pi * 1500 * np.arange(240) / RATE_HZ) * np.hanning(240) ** 0.25
    for second in np.arange(0.5, seconds - 0.5, 0.5):
        first = round((second + random.uniform(0, 0.1)) * RATE_HZ)
        sound[first : first + 240] = burst
    soundfile.write(path, np.repeat(sound[:, None], 2, axis=1), RATE_HZ, "PCM_16")


async def be_client(options: Options, seconds: float) -> None:
    """Be one of the clients and print what it noted."""
    engine = TimedEngine(options)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(engine.run(), seconds)
    problems = [engine.microphone.problem, engine.loudspeaker.problem]
    print(json.dumps({"spoken": engine.spoken, "heard": engine.heard, "problems": problems}))


async def client(
    pulse: Pulse, port: int, payload: str, seconds: float, *, source: str, sink: str, muted: bool
) -> dict[str, list[float]]:
    """Run a client in a process of its own and return what it noted."""
    arguments = ["--as-client", str(port), payload, str(seconds), "1" if muted else ""]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.desktop", *arguments),
        env=pulse.environment(source=source, sink=sink),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    noted: dict[str, list[float]] = json.loads(output)
    return noted


async def measure(payload: str, seconds: float) -> np.ndarray:
    """Return the delays in ms of the clicks that came through, but for the first seconds'."""
    port = free_port()
    environment = {"WEBRTC_UDP_GATEWAY_PORT": str(port), "WEBRTC_MEDIA_WORKERS": "1"}
    async with (
        our_server(environment),
        running_pulse(["mouth", "ear", "nowhere"]) as pulse,
    ):
        with tempfile.TemporaryDirectory() as folder:
            clicks = Path(folder) / "clicks.wav"
            write_clicks(clicks, seconds + 4)
            talker = client(
                pulse, port, payload, seconds, source="mouth", sink="nowhere", muted=False
            )
            listener = client(
                pulse, port, payload, seconds, source="nowhere", sink="ear", muted=True
            )
            both = asyncio.gather(talker, listener)
            player = await pulse.play(clicks, "mouth")
            spoke, heard = await both
            if player.returncode is None:
                player.terminate()
            await player.wait()
    settled_s = spoke["spoken"][0] + _SETTLE_S if spoke["spoken"] else 0.0
    delays = [
        1000 * (arrival_s - max(before))
        for arrival_s in heard["heard"]
        if (before := [at for at in spoke["spoken"] if settled_s < at < arrival_s])
    ]
    return np.array(delays)


async def main() -> None:
    """Measure and tell the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--as-client", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.as_client is not None:
        port, payload, length, muted = given.as_client
        options = Options("127.0.0.1", int(port), "desk", "client", payload, always=True)
        await be_client(dataclasses.replace(options, muted=bool(muted)), float(length))
        return
    if missing := missing_packages():
        sys.exit(f"This takes {', '.join(missing)}.")
    seconds = 16.0 if given.quick else 36.0
    rows, figures = list[list[float | str | None]](), {}
    for payload in ("pcm", "opus"):
        delays = await measure(payload, seconds)
        figures[payload] = found = quantiles(delays)
        rows.append([payload, delays.size, found["p50"], found["p95"], TARGET_MS])
    print_table("two desktop clients", ["payload", "clicks", "p50 ms", "p95", "target"], rows)
    print_result("desktop", figures)


if __name__ == "__main__":
    asyncio.run(main())
