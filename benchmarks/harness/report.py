"""How a result is told: a table for people and, last, one JSON line for machines."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Figure = float | int | str | bool | None


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Figure]]) -> None:
    """Print a table; numbers stand right."""
    cells = [[_text(value) for value in row] for row in rows]
    widths = [
        max(len(column), *(len(row[i]) for row in cells)) if cells else len(column)
        for i, column in enumerate(columns)
    ]
    print(f"\n{title}")
    print("  ".join(column.ljust(width) for column, width in zip(columns, widths, strict=True)))
    for row, values in zip(cells, rows, strict=True):
        print(
            "  ".join(
                text.ljust(width) if isinstance(value, str) else text.rjust(width)
                for text, width, value in zip(row, widths, values, strict=True)
            )
        )


def print_result(benchmark: str, figures: Mapping[str, object]) -> None:
    """Print the JSON line; the last line of every benchmark."""
    line = {"benchmark": benchmark, **figures, "machine": machine()}
    print(json.dumps(line, default=float), flush=True)


def machine() -> dict[str, Figure]:
    """Return what a figure depends on besides the program."""
    model = "unknown"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def quantiles(values: npt.NDArray[np.float64], digits: int = 1) -> dict[str, float | None]:
    """Return p50, p95 and p99 of some milliseconds; None where there are no values."""
    if not values.size:
        return {"p50": None, "p95": None, "p99": None}
    return {f"p{q}": round(float(np.percentile(values, q)), digits) for q in (50, 95, 99)}


def _text(value: Figure) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)
