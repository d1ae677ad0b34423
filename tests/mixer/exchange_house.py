"""One room in several workers, in virtual time: mixers that pass each other frames as bytes."""

from collections.abc import Callable

import numpy as np

from mixer.arena import SAMPLE_RATE_HZ
from mixer.exchange import RoomExchange
from mixer.exchange_frames import BusFrame
from mixer.packet_times import Ptime
from rooms.bus import BusCodec
from tests.mixer.stage import Stage, Voice

WINDOW = 4800  # 100 ms: voices are multiples of 100 Hz, so that each is in one bin


class House:
    """Workers that tick each at its own phase, and a bus between them.

    Attributes:
        stages: By number of the worker.
        sent: All frames, as they were sent.
        delay_s: How long a frame is under way.
        loses: Tells of a frame whether it is lost.
        stalled: Workers that stand still.
    """

    def __init__(
        self, workers: int = 2, phase_s: float = 0.0075, ptime: Ptime = "auto", most: int = 6
    ) -> None:
        self.stages = [Stage(ptime, 1000.0 + phase_s * i) for i in range(workers)]
        self.sent: list[BusFrame] = []
        self.delay_s = 0.0002
        self.loses: Callable[[BusFrame], bool] = lambda _: False
        self.stalled: set[int] = set()
        self._under_way: list[tuple[float, int, bytes]] = []
        self._codec = BusCodec()
        self._csrc = 0
        self._where: dict[str, int] = {}
        for stage in self.stages:
            stage.room.max_speakers = most
        self.share(range(workers))

    def share(self, workers: range | list[int]) -> None:
        """Let these workers serve the room together, and the others alone."""
        for number, stage in enumerate(self.stages):
            others = [one for one in workers if one != number] if number in workers else []
            if stage.room.exchange is None:
                stage.room.exchange = RoomExchange(stage.room, "r", number, 100 * number)
            stage.room.exchange.set_neighbours(others)

    def restart(self, number: int) -> None:
        """Let a worker begin afresh, without anybody."""
        was = self.stages[number]
        self.stages[number] = stage = Stage(now_s=was.now_s)
        stage.room.max_speakers = was.room.max_speakers
        stage.room.exchange = RoomExchange(stage.room, "r", number, 10_000)
        assert was.room.exchange is not None
        stage.room.exchange.set_neighbours(was.room.exchange.neighbours)

    def publish(
        self,
        number: int,
        name: str,
        pitch_hz: float,
        amplitude: float = 0.05,
        *,
        sings: bool = True,
    ) -> Voice:
        """Let somebody who is connected with a worker speak and listen."""
        self._csrc += 1
        voice = Voice(pitch_hz, amplitude)
        voice.sings = sings
        self.stages[number].room.add_source(name, self._csrc, voice)
        self.subscribe(number, name)
        return voice

    def subscribe(self, number: int, name: str) -> None:
        """Let somebody listen."""
        self._where[name] = number
        self.stages[number].subscribe(name)

    def leave(self, name: str) -> None:
        """Let somebody go."""
        room = self.stages[self._where[name]].room
        room.remove_source(name)
        room.remove_listener(name)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            number = min(range(len(self.stages)), key=lambda one: self.stages[one].now_s)
            stage = self.stages[number]
            if number in self.stalled:
                stage.now_s += stage.room.block / SAMPLE_RATE_HZ
                stage.room.skip(1)
                continue
            self._deliver(number, stage)
            now_s, exchange = stage.now_s, stage.room.exchange
            assert exchange is not None
            media_s = (stage.room.block_time + stage.room.block) / SAMPLE_RATE_HZ
            exchange.moved_s = round(now_s - media_s, 6)
            stage.tick()
            frame = exchange.take()
            if frame is not None:
                self._send(frame, exchange.neighbours, now_s)

    @property
    def now_s(self) -> float:
        """The instant of the next block of anybody."""
        return min(stage.now_s for stage in self.stages)

    def _send(self, frame: BusFrame, to: object, now_s: float) -> None:
        self.sent.append(frame)
        if not self.loses(frame):
            message = self._codec.encode(frame, now_s + self.delay_s)
            assert isinstance(to, type({}.keys()))
            self._under_way += [(now_s + self.delay_s, other, message) for other in to]

    def _deliver(self, number: int, stage: Stage) -> None:
        here = [one for one in self._under_way if one[1] == number and one[0] <= stage.now_s]
        self._under_way = [one for one in self._under_way if one not in here]
        assert stage.room.exchange is not None
        for _, _, message in here:
            stage.room.exchange.handle(*self._codec.decode(message))

    def heard(self, name: str) -> dict[int, float]:
        """Return amplitudes by pitch of what somebody heard in the last 100 ms."""
        sound = self.stages[self._where[name]].tapes[name].sound[-WINDOW:, 0]
        assert len(sound) == WINDOW, f"{name} was sent too little"
        spectrum = np.abs(np.fft.rfft(sound)) * 2 / WINDOW
        return {
            int(bin_) * SAMPLE_RATE_HZ // WINDOW: round(float(spectrum[bin_]), 4)
            for bin_ in np.flatnonzero(spectrum > 0.005)
        }
