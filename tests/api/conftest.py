from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.front import RunningFront, running_front


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningFront]:
    """A front process with one fake worker and the usual limits."""
    async with running_front(tmp_path) as front:
        yield front
