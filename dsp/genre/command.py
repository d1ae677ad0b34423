"""`python -m dsp.genre FILE…`: what files sound like, as a table and as a picture.

The shell around `whole`: it reads files and writes pictures, which nothing else in `dsp` does.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from rich.console import Console
from rich.table import Table

from dsp.genre import whole
from dsp.genre.labels import CLASSES
from dsp.genre.picture import timeline_svg
from dsp.genre.whole import Classification

_MOST_S = 1800


def main(arguments: Sequence[str] | None = None) -> int:
    """Classify files; return the exit status: 0, or 1 if one could not be read."""
    parser = argparse.ArgumentParser(
        prog="python -m dsp.genre",
        description="Say what sound files are: speech, rock, jazz, electronic or classical music.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--timeline",
        type=Path,
        metavar="FOLDER",
        help="draw how each file was heard from moment to moment, as FOLDER/NAME.svg",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    failed = False
    for file in given.files:
        try:
            samples, rate_hz = _read(file)
            row = _row(file, whole.classify(samples, rate_hz))
            if given.timeline is not None:
                row["timeline"] = str(_draw(file, samples, rate_hz, given.timeline))
            rows.append(row)
        except (
            OSError,
            RuntimeError,
            ValueError,
        ) as error:  # libsndfile's errors are RuntimeErrors
            sys.stderr.write(f"{file}: {error}\n")
            failed = True
    if given.json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    elif rows:
        _print(rows)
    return int(failed)


def _read(file: Path) -> tuple[npt.NDArray[np.float32], int]:
    """Return at most half an hour of a file, (n, channels)."""
    with soundfile.SoundFile(file) as opened:
        samples = opened.read(_MOST_S * opened.samplerate, dtype="float32", always_2d=True)
        return samples, opened.samplerate


def _row(file: Path, heard: Classification) -> dict[str, Any]:
    return {
        "file": str(file),
        "label": heard.label,
        "confidence": round(heard.confidence, 3),
        "probabilities": {name: round(each, 3) for name, each in heard.probabilities.items()},
        "speech": round(heard.speech, 3),
        "duration_s": round(heard.duration_s, 2),
    }


def _draw(file: Path, samples: npt.NDArray[np.float32], rate_hz: int, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{file.stem}.svg"
    target.write_text(timeline_svg(file.name, whole.timeline(samples, rate_hz)), encoding="utf-8")
    return target


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(box=None)
    table.add_column("file", overflow="fold")
    table.add_column("is")
    for name in ("sure", *CLASSES, "speaks", "length"):
        table.add_column(name, justify="right")
    for row in rows:
        shares = [f"{row['probabilities'][name]:.0%}" for name in CLASSES]
        sure, speaks = f"{row['confidence']:.0%}", f"{row['speech']:.0%}"
        length = f"{row['duration_s']:.1f} s"
        table.add_row(row["file"], row["label"], sure, *shares, speaks, length)
    Console().print(table)
