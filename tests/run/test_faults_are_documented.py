"""The table of faults names tests that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs/operations.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", MANUAL)


def test_every_fault_names_a_test() -> None:
    table = MANUAL.partition("| Fault | What people notice | Test |\n|---|---|---|\n")[2]
    rows = table.partition("\n\n")[0].splitlines()
    assert len(rows) == len(NAMED) >= 13


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda value: value.rpartition("/")[2])
def test_it_is_there(path: str, name: str) -> None:
    assert re.search(rf"^(?:async )?def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)
