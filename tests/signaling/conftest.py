from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.front import RunningFront, running_front
from tests.support.redis_server import RedisServer
from tests.support.replicas import MakeReplica, Replicas


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningFront]:
    """A front process with one fake worker and the usual limits."""
    async with running_front(tmp_path) as front:
        yield front


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    """A Redis for replicas."""
    async with RedisServer() as server:
        yield server


@pytest.fixture
async def replica(server: RedisServer, tmp_path: Path) -> AsyncIterator[MakeReplica]:
    """Start a replica of a name."""
    async with Replicas(server, tmp_path) as replicas:
        yield replicas.start


@pytest.fixture
async def both(replica: MakeReplica) -> list[RunningFront]:
    """Two replicas."""
    return [await replica("anna"), await replica("bert")]
