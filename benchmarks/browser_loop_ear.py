"""From a microphone to a loudspeaker, as a sound card would see it, beside the client's own word.

One null sink of PulseAudio has four channels: two are played to by the browser, two are what its
microphone hears. Recording the sink shows what is said and what is heard on one clock, the buffers
of both devices included; of what the devices' buffers hold, a real one adds its converters only.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile
from playwright.async_api import Playwright

from benchmarks.browser_loop_page import fresh_page
from benchmarks.browser_loop_sound import RATE_HZ, Mono
from benchmarks.harness.packages import MissingPackageError, ensure
from benchmarks.harness.server import Server
from tests.support.pulse import Pulse, running_pulse

EarWay = Literal["own", "browser", "back"]

SETTLE_S = 5.0
_OPENING_S = 15.0
_CHANNELS = "front-left,front-right,rear-left,rear-right"
_CARD = (
    f"module-null-sink sink_name=card rate=48000 channels=4 channel_map={_CHANNELS}",
    "module-remap-sink sink_name=ear master=card channels=2 remix=no"
    " channel_map=front-left,front-right master_channel_map=front-left,front-right",
    "module-remap-source source_name=mouth master=card.monitor channels=2 remix=no"
    " channel_map=front-left,front-right master_channel_map=rear-left,rear-right",
)
_EAR, _MOUTH = 0, 2
_LOUD = 0.15
_APART = RATE_HZ // 10


@dataclass(frozen=True, slots=True)
class Ear:
    """What one page found.

    Attributes:
        mouth_to_ear_ms: of every burst that was heard.
        hops_ms: what the client says of each hop; None where it does not know.
    """

    mouth_to_ear_ms: npt.NDArray[np.float64]
    hops_ms: Mapping[str, float | None]

    @property
    def budget_ms(self) -> float | None:
        """What the client says of the whole way; None where it does not know it all."""
        known = [hop for hop in self.hops_ms.values() if hop is not None]
        return sum(known) if len(known) == len(self.hops_ms) else None


def ensure_pulse() -> None:
    """Install PulseAudio unless it is there, or end the benchmark."""
    try:
        ensure("pulseaudio", lambda: shutil.which("pulseaudio") is not None)
        ensure("pulseaudio-utils", lambda: shutil.which("parec") is not None)
    except MissingPackageError as error:
        raise SystemExit(str(error)) from None


async def measure(playwright: Playwright, server: Server, way: EarWay, seconds: float) -> Ear:
    """Return what one fresh browser with devices of its own does."""
    with tempfile.TemporaryDirectory(prefix="ag06-ear") as folder:
        said, heard = Path(folder, "said.wav"), Path(folder, "heard.raw")
        write_bursts(said, _OPENING_S + SETTLE_S + seconds + _OPENING_S)
        async with running_pulse([], _CARD) as pulse:
            programs = [await _record(pulse, heard), await _play(pulse, said)]
            try:
                devices = {**pulse.environment(sink="ear"), "PULSE_SOURCE": "mouth"}
                async with fresh_page(playwright, server.base_url, devices) as page:
                    hops = await page.evaluate(
                        "([way, settleMs, measureMs]) => bench.devices(way, settleMs, measureMs)",
                        [way, SETTLE_S * 1000, seconds * 1000],
                    )
            finally:
                for program in programs:
                    if program.returncode is None:
                        program.terminate()
                    await program.wait()
        both = np.asarray(np.fromfile(heard, "<i2").reshape(-1, 4) / 32_768, np.float32)
    return Ear(delays_ms(both[:, _MOUTH], both[:, _EAR], seconds), hops)


def write_bursts(path: Path, seconds: float) -> None:
    """Write bursts of a tone at irregular times, on the channels that the microphone hears."""
    random = np.random.default_rng(5)
    sound = np.zeros((round(seconds * RATE_HZ), 4), np.float32)
    burst = 0.9 * np.sin(2 * np.pi * 1500 * np.arange(RATE_HZ // 200) / RATE_HZ)
    at_s = 0.5
    while at_s < seconds - 0.5:
        first = round(at_s * RATE_HZ)
        sound[first : first + burst.size, _MOUTH:] = burst[:, None]
        at_s += 0.4 + 0.1 * random.uniform()
    soundfile.write(path, sound, RATE_HZ, "PCM_16")


def delays_ms(mouth: Mono, ear: Mono, seconds: float) -> npt.NDArray[np.float64]:
    """Return by how much each burst at the ear follows the one at the mouth that it comes from.

    Args:
        mouth: what was said.
        ear: what was heard, recorded with it.
        seconds: how much counts, before the last burst that was heard.
    """
    said, heard = onsets(mouth), onsets(ear)
    heard = heard[heard > heard.max(initial=0) - seconds * RATE_HZ]
    before = np.searchsorted(said, heard) - 1
    known = before >= 0
    return np.asarray((heard[known] - said[before[known]]) * 1000.0 / RATE_HZ, np.float64)


def onsets(sound: Mono) -> npt.NDArray[np.int64]:
    """Return the samples at which it becomes loud after a tenth of a second and more of quiet."""
    loud = np.flatnonzero(np.abs(sound) > _LOUD)
    return loud[np.diff(loud, prepend=-_APART) >= _APART]


async def _record(pulse: Pulse, path: Path) -> asyncio.subprocess.Process:
    # The shortest latency that is asked for is the block in which the sink works.
    options = ["--latency-msec=2", "--format=s16le", "--rate=48000", "--channels=4"]
    return await asyncio.create_subprocess_exec(
        *("parec", "--device=card.monitor", f"--channel-map={_CHANNELS}", *options, str(path)),
        env={**os.environ, "PULSE_SERVER": pulse.server},
    )


async def _play(pulse: Pulse, path: Path) -> asyncio.subprocess.Process:
    options = ["--latency-msec=20", f"--channel-map={_CHANNELS}"]
    return await asyncio.create_subprocess_exec(
        *("paplay", "--device=card", *options, str(path)),
        env={**os.environ, "PULSE_SERVER": pulse.server},
    )
