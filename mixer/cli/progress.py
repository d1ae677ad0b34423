"""How far a mixdown is, on the terminal."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import soundfile
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

_EVERY_S = 1.0  # of sound


@contextmanager
def progress_bar(paths: Sequence[Path], *, shown: bool) -> Iterator[Callable[[float], None]]:
    """Show a bar on standard error while inside; yields whom to tell the seconds mixed."""
    if not shown:
        yield lambda _: None
        return
    columns = (TextColumn("mixing"), BarColumn(), TextColumn("{task.percentage:3.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("mixing", total=max(map(_seconds, paths), default=0.0))
        told_s = 0.0

        def tell(mixed_s: float) -> None:
            nonlocal told_s
            if mixed_s - told_s >= _EVERY_S:
                told_s = mixed_s
                progress.update(task, completed=mixed_s)

        yield tell


def _seconds(path: Path) -> float:
    try:
        return float(soundfile.info(path).duration)
    except (soundfile.LibsndfileError, OSError):
        return 0.0  # the mixdown will say what is wrong with it
