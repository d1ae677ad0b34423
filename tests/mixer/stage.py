"""A room on virtual time: voices of known pitch go in, what each listener is sent comes out."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mixer.arena import SAMPLE_RATE_HZ, Arena, Block, SourceArena
from mixer.listener import Listener
from mixer.packet_times import Ptime
from mixer.playout_packet import Pull
from mixer.room import RoomMixer
from mixer.source import Source

Sound = npt.NDArray[np.float32]


class Voice:
    """A playout that sings one pitch, and fades over one block when it starts and stops.

    Attributes:
        last: What the last pull gave; zeros when it gave nothing.
        packet_samples: How long its packets are.
    """

    def __init__(self, pitch_hz: float, amplitude: float = 0.05) -> None:
        self.packet_samples = 480
        self.pitch_hz = pitch_hz
        self.amplitude = amplitude
        self.sings = False
        self.last: Sound = np.zeros((480, 2), np.float32)
        self._gain = 0.0
        self._sample = 0

    def pull(self, out: Block, now_s: float) -> Pull:
        count = len(out)
        goal = 1.0 if self.sings else 0.0
        if goal == self._gain == 0.0:
            self._sample += count
            self.last = np.zeros((count, 2), np.float32)
            return Pull.SILENT
        phase = 2 * np.pi * self.pitch_hz * (np.arange(count) + self._sample) / SAMPLE_RATE_HZ
        envelope = self._gain + (goal - self._gain) * np.arange(count) / count
        left = self.amplitude * envelope * np.sin(phase)
        out[:, 0] = left
        out[:, 1] = self.amplitude * envelope * np.cos(phase)
        self._gain = goal
        self._sample += count
        self.last = out.copy()
        return Pull.SOUND

    def safe_time_s(self) -> float | None:
        return None

    @property
    def is_buffering(self) -> bool:
        return self.sings

    def steepest(self) -> float:
        """Return the largest step between two of its samples at unity gain, fades included."""
        return self.amplitude * (2 * np.pi * self.pitch_hz / SAMPLE_RATE_HZ + 1 / 480)


@dataclass
class Tape:
    """Everything one listener was sent: (media time of the first sample, sound)."""

    packets: list[tuple[int, Sound]] = field(default_factory=list)

    @property
    def sound(self) -> Sound:
        """All of it in a row."""
        sounds = [sound for _, sound in self.packets]
        return np.concatenate(sounds) if sounds else np.zeros((0, 2), np.float32)

    def at(self, time: int, count: int) -> Sound | None:
        """Return `count` samples from media time `time`, None where it has none."""
        for start, sound in reversed(self.packets):
            if start <= time and time + count <= start + len(sound):
                return sound[time - start : time - start + count]
        return None


@dataclass(frozen=True)
class Heard:
    """What the voices gave in one block, by source id, when, and how many samples of it."""

    time: int
    count: int
    voices: dict[str, Sound]


class Stage:
    """A room with voices and tapes; one `tick` is one block of virtual time."""

    def __init__(self, ptime: Ptime = "auto", now_s: float = 1000.0) -> None:
        self.sources = SourceArena(2)
        self.mixes = Arena(2)
        self.room = RoomMixer("r", self.sources, self.mixes, ptime)
        self.now_s = now_s
        self.tapes: dict[str, Tape] = {}
        self.blocks: list[Heard] = []
        self.due_packets = 0
        self._handles: dict[int, str] = {}
        self._csrc = 0

    def publish(self, name: str, pitch_hz: float, amplitude: float = 0.05) -> Voice:
        """Let `name` sing from now on."""
        voice = Voice(pitch_hz, amplitude)
        voice.sings = True
        self.attach(name, voice)
        return voice

    def attach(self, name: str, voice: Voice) -> Source:
        """Make `voice` the source of `name`."""
        self._csrc += 1
        return self.room.add_source(name, self._csrc, voice)

    def subscribe(self, name: str, level_id: int = 0) -> Listener:
        """Let `name` listen; its tape begins afresh."""
        handle = 1 + max(self._handles, default=-1)
        self._handles = {h: n for h, n in self._handles.items() if n != name} | {handle: name}
        self.tapes[name] = Tape()
        return self.room.add_listener(name, handle, level_id)

    def tick(self, blocks: int = 1) -> None:
        """Run so many blocks and record what was sent to whom."""
        for _ in range(blocks):
            sources = dict(self.room.sources)  # one that fades out is gone after the tick
            due = self.room.tick(self.now_s)
            self.now_s += self.room.block / SAMPLE_RATE_HZ
            self.due_packets += len(due)
            self._note_voices(sources)
            for output in due:
                sound = self.room.sound(output).copy()
                time = self.room.packet_time(output)
                for rows in output.members.values():
                    for handle in rows.tolist():
                        self.tapes[self._handles[handle]].packets.append((time, sound))
            if self.room.wanted_block != self.room.block and self.room.may_set_block:
                self.room.set_block(self.room.wanted_block)

    def _note_voices(self, sources: dict[str, Source]) -> None:
        voices = {
            name: source.playout.last
            for name, source in sources.items()
            if isinstance(source.playout, Voice)
        }
        self.blocks.append(Heard(self.room.block_time, self.room.block, voices))

    def shares(self, listener: str, block: Heard) -> dict[str, float] | None:
        """Return with which largest gain each voice is in what a listener heard of a block.

        Found by least squares over each voice, steady and ramped: pitches differ, so they part.
        None when the listener was sent nothing of the block.
        """
        count = block.count
        heard = self.tapes[listener].at(block.time, count)
        names = [name for name, sound in block.voices.items() if np.any(sound)]
        if heard is None:
            return None
        if not names:
            return {}
        shares = dict.fromkeys(names, 0.0)
        for channel in range(2):  # a pan gives each its own gains
            ramp = np.arange(count) / count
            voices = [block.voices[name][:, channel].astype(float) for name in names]
            basis = np.stack([*voices, *(voice * ramp for voice in voices)], axis=1)
            found, *_ = np.linalg.lstsq(basis, heard[:, channel].astype(float), rcond=None)
            for i, name in enumerate(names):
                start, end = found[i], found[i] + found[len(names) + i]
                shares[name] = max(shares[name], abs(start), abs(end))
        return shares

    def steps(self, listener: str) -> float:
        """Return the largest step between two neighbouring samples of a tape."""
        sound = self.tapes[listener].sound
        return float(np.abs(np.diff(sound, axis=0)).max()) if len(sound) > 1 else 0.0


def is_gapless(tape: Tape) -> bool:
    """Whether each packet begins where the one before it ended."""
    return all(
        after == before + len(sound)
        for (before, sound), (after, _) in zip(tape.packets, tape.packets[1:], strict=False)
    )


def loudest_step(voices: Iterable[Voice], gain: float = 1.0) -> float:
    """Return the largest step that the sum of some voices makes by itself."""
    return gain * sum(voice.steepest() for voice in voices)
