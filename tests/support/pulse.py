"""A sound system of one's own: PulseAudio with null sinks, which PortAudio takes for devices."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

_WITHIN_S = 20.0


def missing_packages() -> list[str]:
    """Return the Debian packages that lack for a sound system which PortAudio finds."""
    plugin = "*/alsa-lib/libasound_module_pcm_pulse.so"
    there = {
        "pulseaudio": shutil.which("pulseaudio"),
        "pulseaudio-utils": shutil.which("parec"),
        "libasound2-plugins": any(
            any(Path(folder).glob(plugin)) for folder in ("/usr/lib", "/usr/lib64", "/lib")
        ),
        "libportaudio2": find_library("portaudio"),
    }
    return [package for package, found in there.items() if not found]


@dataclass(frozen=True, slots=True)
class Pulse:
    """A running server."""

    server: str

    def environment(self, *, source: str | None = None, sink: str | None = None) -> dict[str, str]:
        """Return what a program needs that hears one sink's sound and plays to another."""
        names = {
            "PULSE_SERVER": self.server,
            "PULSE_SOURCE": None if source is None else f"{source}.monitor",
            "PULSE_SINK": sink,
        }
        return {**os.environ, **{name: text for name, text in names.items() if text is not None}}

    async def play(self, path: Path, sink: str) -> asyncio.subprocess.Process:
        """Begin to play a WAV file to a sink."""
        return await asyncio.create_subprocess_exec(
            "paplay", "--latency-msec=20", str(path), env=self.environment(sink=sink)
        )

    async def record(self, sink: str) -> asyncio.subprocess.Process:
        """Begin to record what a sink plays, to the process's output: float32, mono, 48 kHz."""
        return await asyncio.create_subprocess_exec(
            *("parec", f"--device={sink}.monitor", "--format=float32le", "--channels=1"),
            *("--rate=48000", "--latency-msec=20"),
            env=self.environment(),
            stdout=asyncio.subprocess.PIPE,
        )

    async def control(self, *words: str) -> str:
        """Return what `pactl` says."""
        process = await asyncio.create_subprocess_exec(
            "pactl", *words, env=self.environment(), stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        return output.decode()


@contextlib.asynccontextmanager
async def running_pulse(sinks: Sequence[str], modules: Sequence[str] = ()) -> AsyncIterator[Pulse]:
    """Run a server at 48 kHz with these null sinks, and further modules with their arguments.

    Raises:
        TimeoutError: It does not come.
    """
    with tempfile.TemporaryDirectory(prefix="ag06-pulse") as folder:
        path = f"{folder}/socket"
        settings = Path(folder, "daemon.conf")
        settings.write_text("default-sample-rate = 48000\n", "utf-8")
        loads = [f"module-native-protocol-unix socket={path} auth-anonymous=1"]
        loads += [f"module-null-sink sink_name={name} rate=48000 channels=2" for name in sinks]
        loads += modules
        own = {
            "HOME": folder,
            "XDG_RUNTIME_DIR": folder,
            "PULSE_RUNTIME_PATH": folder,
            "PULSE_CONFIG": str(settings),
        }
        process = await asyncio.create_subprocess_exec(
            *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"),
            *(word for module in loads for word in ("-L", module)),
            env={**os.environ, **own},
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(_WITHIN_S):
                while not await _answers(path):
                    await asyncio.sleep(0.05)
            yield Pulse(f"unix:{path}")
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _answers(path: str) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True
