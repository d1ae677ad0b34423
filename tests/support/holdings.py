"""What a process holds, as the kernel sees it and as the process itself counts it."""

import asyncio
import json
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support import inside
from tests.support.inside.sitecustomize import FOLDER

_ANSWER_S = 10.0
_REST_S = 30.0
_LOOK_EVERY_S = 0.02
_PAUSE_S = 0.5
_CHANCE = 10  # objects that come and go by themselves


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one process holds once its garbage is collected.

    Memory alone tells little: a heap keeps room between what it gave out. What was given out is
    counted too, and that stays the same to a few kilobytes.

    Attributes:
        files: open descriptors, sockets among them.
        threads: how many.
        memory_kb: memory of its own, without files that are mapped.
        tasks: asyncio's, of the main loop.
        objects: those that the garbage collector knows.
        blocks: pieces of memory of at most 512 bytes, which Python gave out itself.
        heap_kb: what malloc gave out, larger pieces among them.
    """

    files: int
    threads: int
    memory_kb: int
    tasks: int
    objects: int
    blocks: int
    heap_kb: int

    @staticmethod
    def telling(folder: Path) -> dict[str, str]:
        """Return the environment in which processes can be asked, through files in `folder`."""
        return {"PYTHONPATH": str(Path(inside.__file__).parent), FOLDER: str(folder)}

    @classmethod
    async def of(cls, pid: int, folder: Path) -> "Holdings":
        """Look at a process now, which was started with `telling(folder)`."""
        told = folder / f"{pid}.json"
        told.unlink(missing_ok=True)
        os.kill(pid, signal.SIGUSR1)
        async with asyncio.timeout(_ANSWER_S):
            while not told.exists():
                await asyncio.sleep(_LOOK_EVERY_S)
        process = Path(f"/proc/{pid}")
        memory = (process / "smaps_rollup").read_text("ascii").splitlines()
        return cls(
            files=len(os.listdir(process / "fd")),
            threads=len(os.listdir(process / "task")),
            memory_kb=next(
                int(line.split()[1]) for line in memory if line.startswith("Anonymous:")
            ),
            **json.loads(told.read_text("utf-8")),
        )

    @classmethod
    async def at_rest(cls, pid: int, folder: Path) -> "Holdings":
        """Look at a process that has ended what it was about to end."""
        async with asyncio.timeout(_REST_S):
            now = await cls.of(pid, folder)
            while True:
                earlier = now
                await asyncio.sleep(_PAUSE_S)
                now = await cls.of(pid, folder)
                if now.tasks == earlier.tasks and abs(now.objects - earlier.objects) < _CHANCE:
                    return now

    def beyond(self, before: "Holdings", most: dict[str, int]) -> dict[str, int]:
        """Return by how much each thing has grown that has grown by more than `most` of it."""
        grown = {name: count - getattr(before, name) for name, count in asdict(self).items()}
        return {name: more for name, more in grown.items() if more > most[name]}
