"""The rules by which a room chooses who is heard, as the page has to know them.

`python -m tests.js.golden.choosing` writes choosing.json anew; a test fails when it is stale.
"""

import json
from pathlib import Path
from typing import Any, Final

from mixer.selection_settings import RANGES, SelectionSettings

GOLDEN: Final = Path(__file__).with_name("choosing.json")


def golden() -> dict[str, Any]:
    """Return range and default of each rule, under its name in the client."""
    defaults = SelectionSettings()
    return {
        _client_name(name): {"min": low, "max": high, "initial": getattr(defaults, name)}
        for name, (low, high) in RANGES.items()
        if name != "max_speakers"
    }


def _client_name(name: str) -> str:
    return "speaker" + "".join(part.capitalize() for part in name.split("_"))


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden(), indent=1) + "\n", "utf-8")
