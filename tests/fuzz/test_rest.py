"""Requests made from the OpenAPI document: no answer is a defect, or other than what it says."""

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support.front import running_front
from tests.support.patience import PATIENCE_S
from webrtc.front_limits import FrontLimits

schemathesis = pytest.importorskip("schemathesis")
from schemathesis.specs.openapi import checks  # noqa: E402 — it may not be there

_PLENTY = FrontLimits(max_rooms=1_000_000, request_rate_per_s=1e6, request_burst=1e6)
_EXAMPLES = int(os.environ.get("AG06_REST_EXAMPLES", "10"))
"""Of each operation."""


def is_no_defect(_context: Any, response: Any, _case: Any) -> None:
    """Refuse the answer to what nobody has thought of; 503 is one that is thought of."""
    assert response.status_code != 500


_CHECKS = [
    is_no_defect,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def as_text(_context: Any, value: Any) -> bytes:
    """Return a body that is no JSON."""
    return str(value).encode("utf-8", "surrogatepass")


def try_one(operation: Any, url: str, host_key: str) -> int:
    """Send requests of an operation, half of them a host's about a room that is there.

    Returns:
        How many. Blocks: to be called in a thread.
    """
    closes_the_room = (operation.method, operation.path) == ("delete", "/api/rooms/{room_id}")
    chance = random.Random(2027)
    sent = 0

    @hypothesis.settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy())
    def send(case: Any) -> None:
        nonlocal sent
        if "room_id" in case.path_parameters and chance.random() < 0.5:
            if not closes_the_room:
                case.path_parameters["room_id"] = "studio"
            case.headers["Authorization"] = f"Bearer {host_key}"
        sent += 1
        case.call_and_validate(base_url=url, timeout=PATIENCE_S, checks=_CHECKS)

    send()
    return sent


@pytest.mark.slow
async def test_no_request_breaks_the_server_or_its_promises(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_front(tmp_path, limits=_PLENTY) as front:
        _, joined = await front.joined("studio")
        async with front.http.get("/api/openapi.json") as response:
            document = await response.json()
        schema = schemathesis.openapi.from_dict(document)
        operations = [result.ok() for result in schema.get_all_operations()]
        assert len(operations) == sum(len(methods) for methods in document["paths"].values()) > 40
        for operation in operations:
            assert await asyncio.to_thread(try_one, operation, front.url, joined["host_key"])
        assert (await front.http.get("/health")).status == 200
    assert not [record for record in caplog.records if record.exc_info]
