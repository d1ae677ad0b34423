"""Which lines of ours an input leads to."""

import sys
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.parsers import Target

_OURS = tuple(
    str(Path(__file__).parents[2] / folder)
    for folder in ("archive", "gateway", "mixer", "rooms", "webrtc")
)


def reached(target: Target, data: bytes) -> set[tuple[str, int, int]]:
    """Return file, line and the line before it in that function, of all that runs for an input."""
    found: set[tuple[str, int, int]] = set()

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(_OURS):
            return None
        before = 0

        def step(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal before
            if event == "line":
                found.add((code.co_filename, before, frame.f_lineno))
                before = frame.f_lineno
            return step

        return step

    sys.settrace(enter)
    try:
        target.run(data)
    finally:
        sys.settrace(None)
    return found
