"""The studio's golden values are those of the server's code as it is now."""

import json

import pytest

from tests.js.golden.studio import GOLDEN, golden


def test_the_golden_values_are_not_stale() -> None:
    written = json.loads(GOLDEN.read_text("utf-8"))
    now = golden()
    curves = ("bands", "low_cuts", "compressors")
    for name in curves:
        for was, is_now in zip(written.pop(name), now.pop(name), strict=True):
            for key in {"response", "reduction"} & is_now.keys():
                assert was.pop(key) == [pytest.approx(pair, abs=1e-4) for pair in is_now.pop(key)]
            assert was == is_now
    assert written == json.loads(json.dumps(now))
