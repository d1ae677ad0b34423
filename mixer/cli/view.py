"""What happens in a studio, on a terminal: plain lines, and under them a live view of levels."""

from types import TracebackType
from typing import Final, Self, TextIO

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mixer.cli.sound_files import Samples
from mixer.levels import SILENCE_DBOV, level_dbov
from mixer.studio import Studio

_SHOWN_EVERY: Final = 5  # blocks: ten times a second
_QUIETEST_DB: Final = 60
_WIDTH: Final = 40


class LiveView:
    """Lines of text, and levels while it is live; a context manager."""

    def __init__(self, out: TextIO, *, live: bool) -> None:
        """Show on `out`; the levels only if `live`."""
        self._console = Console(file=out, highlight=False, markup=False, soft_wrap=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._is_live = live
        self._shown = 0

    def __enter__(self) -> Self:
        if self._is_live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_live:
            self._live.stop()

    def say(self, line: str) -> None:
        """Write a line, above the levels."""
        self._console.print(line)

    def show(self, studio: Studio, programme: Samples) -> None:
        """Take note of the levels of a block, and draw them now and then."""
        self._shown += 1
        if self._is_live and self._shown % _SHOWN_EVERY == 0:
            self._live.update(_levels(studio, programme), refresh=True)


def _levels(studio: Studio, programme: Samples) -> Table:
    table = Table.grid(padding=(0, 2))
    for name in studio.names:
        playout = studio.network(name)
        level = studio.level_dbov(name)
        lost = f"{playout.network.stats.lost} lost" if playout is not None else ""
        table.add_row(name, _bar(level), _figure(level), lost)
    level = level_dbov(float(np.mean(np.square(programme, dtype=np.float64))))
    table.add_row("mix", _bar(level), _figure(level), f"{studio.blocks * 0.02:.0f} s")
    return table


def _bar(level: int) -> Text:
    length = round(max(0, _QUIETEST_DB - level) / _QUIETEST_DB * _WIDTH)
    style = "red" if level < 6 else "yellow" if level < 12 else "green"
    return Text("█" * length + "·" * (_WIDTH - length), style=style)


def _figure(level: int) -> str:
    return "silent" if level >= SILENCE_DBOV else f"−{level} dBFS"
