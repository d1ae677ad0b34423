"""A conference of three tones: people come, talk, suffer from their network, and go.

Nothing here mixes: the tones go the way of all sounds through `mixer.studio`, over a simulated
network and through the jitter buffer.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from mixer.arena import SAMPLE_RATE_HZ
from mixer.cli.mixdown import OutputFormat
from mixer.cli.sound_files import Samples, SoundFile, SoundWriter
from mixer.cli.speakers import Speakers, open_speakers
from mixer.cli.view import LiveView
from mixer.netsim_settings import CLEAN, quality
from mixer.studio import BLOCK_S, Studio

TONES_HZ: Final = {"user1": 440.0, "user2": 554.37, "user3": 659.26}
AMPLITUDE: Final = 0.236
"""Of each tone: together they come to 0.707 within a second."""
_FADE_S: Final = 0.01
_STRETCH: Final = 10 * SAMPLE_RATE_HZ
POOR_QUALITY_PERCENT: Final = 50.0
_TOLD_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """How the demonstration runs.

    Attributes:
        act_s: Length of each of its three acts.
        output: Where to write what is heard; None for nowhere.
        folder: Where the three tones are kept; None throws them away.
        plays: Whether to look for speakers.
        live: Whether there is a terminal for a live view.
        seed: Of the network.
        overwrite: Whether `output` may be replaced.
    """

    act_s: float = 5.0
    output: Path | None = None
    folder: Path | None = None
    plays: bool = True
    live: bool = False
    seed: int = 0
    overwrite: bool = False


class Demo:
    """One run."""

    def __init__(self, options: Options) -> None:
        """Prepare a run."""
        self._options = options
        self._studio = Studio()
        self._view = LiveView(sys.stdout, live=options.live)
        self._writer: SoundWriter | None = None
        self._speakers: Speakers | None = None

    def run(self) -> None:
        """Run from first to last.

        Raises:
            CliError: A file cannot be written.
        """
        options = self._options
        with ExitStack() as stack:
            folder = options.folder
            if folder is None:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            if options.output is not None:
                self._writer = OutputFormat(overwrite=options.overwrite).open(options.output)
                stack.push(self._finish)
            if options.plays:
                self._speakers = open_speakers()
                if self._speakers is not None:
                    stack.callback(self._speakers.close)
            stack.enter_context(self._view)
            files = [stack.enter_context(file) for file in make_tones(folder, options)]
            self._perform(files)

    def _perform(self, files: list[SoundFile]) -> None:
        studio, say, seed = self._studio, self._view.say, self._options.seed
        for number, (name, file) in enumerate(zip(TONES_HZ, files, strict=True)):
            studio.add(name, file, network=CLEAN, seed=seed + number)
            say(f"Added participant: {name}")
        say("Started audio mixing")
        say("")
        say("Simulating conference...")
        self._act()
        say("")
        say("Simulating poor network conditions...")
        for name in studio.names:
            playout = studio.network(name)
            assert playout is not None, "all of them came through a network"
            playout.network.conditions = quality(POOR_QUALITY_PERCENT)
        say(f"[Network quality reduced to {POOR_QUALITY_PERCENT:.0f}%]")
        self._act()
        say("")
        say("Removing user2...")
        studio.remove("user2")
        say("[Participant removed, mixing continues with remaining users]")
        self._act()
        say("")
        say("Demo completed")

    def _act(self) -> None:
        peak, told_s = 0.0, 0.0
        for block in self._blocks(self._options.act_s):
            peak = max(peak, float(np.abs(block).max()))
            told_s += BLOCK_S
            if told_s >= _TOLD_EVERY_S - BLOCK_S / 2:
                self._view.say(f"Mixed audio max amplitude: {peak:.3f}")
                peak, told_s = 0.0, 0.0

    def _blocks(self, seconds: float) -> Iterator[Samples]:
        for _ in range(round(seconds / BLOCK_S)):
            block = self._studio.mix()
            if self._writer is not None:
                self._writer.write(block)
            if self._speakers is not None:
                self._speakers.write(block)  # waits: the run keeps the speakers' time
            self._view.show(self._studio, block)
            yield block

    def _finish(self, kind: object, error: object, traceback: object) -> None:
        if self._writer is not None:
            if kind is None:
                self._writer.close()
            else:
                self._writer.discard()


def make_tones(folder: Path, options: Options) -> list[SoundFile]:
    """Write the three tones as WAV files, long enough for all acts, and open them."""
    count = round(3 * options.act_s * SAMPLE_RATE_HZ)
    files = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, tone_hz in TONES_HZ.items():
        path = folder / f"{name}.wav"
        writer = OutputFormat(channels=1, overwrite=True).open(path)
        for first in range(0, count, _STRETCH):  # the whole of it may take more than the memory
            at = np.arange(first, min(first + _STRETCH, count))
            fade = np.minimum(1.0, np.minimum(at, count - 1 - at) / (_FADE_S * SAMPLE_RATE_HZ))
            tone = AMPLITUDE * np.sin(2 * np.pi * tone_hz / SAMPLE_RATE_HZ * at) * fade
            writer.write(np.repeat(tone[:, None], 2, axis=1).astype(np.float32))
        writer.close()
        files.append(SoundFile(path))
    return files
