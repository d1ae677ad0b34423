"""Both engines, each made once."""

import pytest

from dsp.engine import ENGINES, Engine, load_engine


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each of the engines in turn."""
    return load_engine(request.param)


@pytest.fixture(scope="session")
def compiled() -> Engine:
    """The compiled engine, for properties that the slow one shares by construction."""
    return load_engine("numba")
