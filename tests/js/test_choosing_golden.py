"""The page's rules for who is heard have the ranges and defaults of the server's."""

import json

from tests.js.golden.choosing import GOLDEN, golden


def test_the_golden_values_are_not_stale() -> None:
    assert json.loads(GOLDEN.read_text("utf-8")) == golden()
