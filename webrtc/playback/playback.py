"""One playback: samples of a source on their way into a room, up to 3 s ahead.

| state   | event                    | next    |
|---------|--------------------------|---------|
| playing | `pause`                  | paused  |
| paused  | `resume`                 | playing |
| both    | `seek`                   | same    |
| playing | all is played, no loop   | ended   |
| any     | the source cannot go on  | ended   |
| any     | `close`                  | ended   |
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np

from mixer.arena import BLOCK_10MS, SAMPLE_RATE_HZ
from webrtc.errors import ClientError
from webrtc.playback.ring import FeedWriter
from webrtc.playback.source import PcmSource, Samples

logger = logging.getLogger(__name__)

State = Literal["playing", "paused", "ended"]
_LOOK_S: Final = 0.05
_FRAME_S: Final = BLOCK_10MS / SAMPLE_RATE_HZ
_NOTHING: Final = np.zeros((0, 2), np.float32)


class _Begin(NamedTuple):
    """Where to play from, as a course of its own or behind what is written already."""

    at_s: float
    anew: bool


class Playback:
    """Plays one source.

    Attributes:
        loops: Whether it begins again at the end; may be set at any time.
        state: See the table.
    """

    def __init__(self, source: PcmSource, path: Path, on_end: Callable[[], None]) -> None:
        """Get ready; nothing is read before `start`.

        Args:
            source: what is played; closed in the end.
            path: of the shared memory that the media worker reads.
            on_end: called once, when all is played or cannot be.
        """
        self.loops = False
        self.state: State = "playing"
        self.ring = FeedWriter(path)
        self._source = source
        self._on_end = on_end
        self._position_s = 0.0
        self._sought_s: float | None = None
        self._starting_s: float | None = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def duration_s(self) -> float | None:
        """How long the source is, None where that is not known."""
        return self._source.duration_s

    @property
    def position_s(self) -> float:
        """Where it is."""
        coming_s = self._starting_s if self._sought_s is None else self._sought_s
        if coming_s is not None:
            return coming_s
        position_s = self.ring.position_s
        if position_s is not None:
            self._position_s = position_s
        return self._position_s

    def begin_at(self, position_s: float) -> None:
        """Begin there and not at 0; before `start`."""
        self._starting_s = position_s

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="playback")

    def pause(self) -> None:
        """Stay where it is; the worker is told by whoever calls."""
        if self.state == "playing":
            self.state = "paused"

    def resume(self) -> None:
        """Go on."""
        if self.state == "paused":
            self.state = "playing"

    def seek(self, position_s: float) -> None:
        """Go on from another place; behind the end is the end."""
        longest = self.duration_s
        self._sought_s = min(position_s, longest) if longest is not None else position_s

    async def close(self) -> None:
        """End, and let go of everything."""
        self.state = "ended"
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.ring.close()
        await self._source.close()

    async def _run(self) -> None:
        begin: _Begin | None = _Begin(self._starting_s or 0.0, anew=True)
        try:
            while begin is not None:
                begin = await self._play_from(begin)
        except ClientError as error:
            logger.info("a playback ends: %s", error)
        except Exception:
            logger.exception("a playback broke off")
        self.state = "ended"
        self._on_end()

    async def _play_from(self, begin: _Begin) -> _Begin | None:
        """Write what comes from a place on; return where to go on when that is written or void."""
        self._sought_s, self._starting_s = None, begin.at_s
        position_s, rest = begin.at_s, _NOTHING
        async with aclosing(self._source.frames(begin.at_s)) as blocks:
            async for block in blocks:
                if self._starting_s is not None:  # until here, the former course goes on
                    self._starting_s = None
                    if begin.anew:
                        self.ring.begin_course()
                rest = np.concatenate([rest, block])
                while len(rest) >= BLOCK_10MS:
                    if not await self._write(rest[:BLOCK_10MS], position_s):
                        return self._elsewhere()
                    rest, position_s = rest[BLOCK_10MS:], position_s + _FRAME_S
        if len(rest):
            silence = np.zeros((BLOCK_10MS - len(rest), 2), np.float32)
            if not await self._write(np.concatenate([rest, silence]), position_s):
                return self._elsewhere()
        if begin.anew and self._starting_s is not None:
            self.ring.begin_course()  # nothing is left there: nor of what was played before
        self._starting_s = None
        goes_round = self.loops and position_s > begin.at_s
        if not goes_round:
            self.ring.end()
            await self._wait_for_the_end()
            goes_round = self.loops and position_s > begin.at_s
            self.ring.go_on()
        return self._elsewhere() or (_Begin(0.0, anew=False) if goes_round else None)

    async def _wait_for_the_end(self) -> None:
        # The reader is another process, which nobody can be told by.
        while not self.ring.is_over and self._sought_s is None and not self.loops:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)

    def _elsewhere(self) -> _Begin | None:
        return None if self._sought_s is None else _Begin(self._sought_s, anew=True)

    async def _write(self, frame: Samples, position_s: float) -> bool:
        """Write a frame as soon as there is room; return whether to go on."""
        while not self.ring.has_room and self._sought_s is None:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)
        if self._sought_s is not None:
            return False
        self.ring.write(frame, position_s)
        return True
