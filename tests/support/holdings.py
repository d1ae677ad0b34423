"""What a process holds, as the kernel sees it."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Holdings:
    """Descriptors, threads and memory of one process.

    Attributes:
        files: open descriptors, sockets among them.
        threads: how many.
        memory_kb: memory of its own, without files that are mapped.
    """

    files: int
    threads: int
    memory_kb: int

    @classmethod
    def of(cls, pid: int) -> "Holdings":
        """Look at a process now."""
        process = Path(f"/proc/{pid}")
        memory = (process / "smaps_rollup").read_text("ascii").splitlines()
        return cls(
            files=len(os.listdir(process / "fd")),
            threads=len(os.listdir(process / "task")),
            memory_kb=next(
                int(line.split()[1]) for line in memory if line.startswith("Anonymous:")
            ),
        )
