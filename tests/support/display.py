"""A screen of one's own: Xvfb, a pointer that clicks by the X server's own events, and pictures."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

_PROGRAMS = {"Xvfb": "xvfb", "xdotool": "xdotool"}
_NOISE_PIXELS = 100  # of one colour in one place: less is an edge of a letter


@dataclass(frozen=True, slots=True)
class Display:
    """A running X server.

    Attributes:
        name: What `DISPLAY` is to say.
    """

    name: str
    _framebuffer: Path

    def picture(self) -> npt.NDArray[np.uint8]:
        """Return what is shown, (height, width, 3), red, green, blue."""
        data = self._framebuffer.read_bytes()  # in the format of xwd, see X11/XWDFile.h
        header = np.frombuffer(data, ">u4", 25)
        width, height, line_bytes = (int(header[at]) for at in (4, 5, 12))
        begin = int(header[0]) + 12 * int(header[19])  # behind the table of colours
        lines = np.frombuffer(data, np.uint8, height * line_bytes, begin).reshape(height, -1)
        return lines[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1]

    def colour_at(self, place: tuple[int, int]) -> str:
        """Return a pixel's colour, as `#2e7d32`."""
        red, green, blue = self.picture()[place[1], place[0]]
        return f"#{red:02x}{green:02x}{blue:02x}"

    def surfaces(self, colour: str) -> list[tuple[int, int]]:
        """Return a pixel in each surface of a colour, from left to right.

        It lies in the surface's upper left, beside whatever is written on it.
        """
        wanted = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], np.uint8)
        labels, _ = ndimage.label((self.picture() == wanted).all(axis=2))
        places = [
            (int(columns.start), int(rows.start))
            for number, (rows, columns) in enumerate(ndimage.find_objects(labels), 1)
            if (labels[rows, columns] == number).sum() >= _NOISE_PIXELS
        ]
        return [(left + 3, top + 3) for left, top in sorted(places)]

    async def click(self, place: tuple[int, int], *, times: int = 1, every_ms: int = 50) -> None:
        """Move the pointer there and click."""
        x, y = (str(number) for number in place)
        repeated = ("--repeat", str(times), "--delay", str(every_ms))
        process = await asyncio.create_subprocess_exec(
            *("xdotool", "mousemove", x, y, "click", *repeated, "1"),
            env={**os.environ, "DISPLAY": self.name},
        )
        assert await process.wait() == 0, "xdotool failed"


def missing_packages() -> list[str]:
    """Return the Debian packages that lack for a display with a pointer."""
    return [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]


@contextlib.contextmanager
def running_display(folder: Path) -> Iterator[Display]:
    """Run a server that keeps its picture in `folder`."""
    read, write = os.pipe()
    server = subprocess.Popen(
        [
            *("Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24"),
            *("-fbdir", str(folder), "-nolisten", "tcp"),
        ],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as line:
            number = line.readline().strip()
        yield Display(f":{number}", folder / "Xvfb_screen0")
    finally:
        server.terminate()
        server.wait()
