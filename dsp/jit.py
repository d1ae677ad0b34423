"""numba's compiler for loops that the server cannot do without.

Where numba finds no place for its cache (a read-only file system without `NUMBA_CACHE_DIR`), they
are compiled at each start, before the server says that it is ready, rather than not at all. Where
numba cannot be imported they run as they stand, in Python: a hundred times as slow, enough for a
handful of people.
"""

import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

Function = Callable[..., Any]


def compiled(**options: Any) -> Callable[[Function], Function]:
    """Return a decorator: `numba.njit` with its cache if there is a place for one.

    Args:
        options: Further ones for `njit`.
    """

    def compile_later(function: Function) -> Function:
        njit = _njit()
        if njit is None:
            return _uncompiled(function)
        try:
            made: Function = njit(cache=True, **options)(function)
        except RuntimeError:  # "no locator available"
            made = njit(**options)(function)
        return made

    return compile_later


def _uncompiled(function: Function) -> Function:
    """Return the function as it stands, for structured arrays whose fields it takes by name."""

    @functools.wraps(function)
    def run(*arguments: Any) -> Any:
        return function(*(_with_named_fields(one) for one in arguments))

    return run


def _with_named_fields(argument: Any) -> Any:
    if isinstance(argument, np.ndarray) and argument.dtype.names:
        return argument.view(np.recarray)
    return argument


def _njit() -> Any:
    """Return `numba.njit`, None where numba is missing or broken."""
    try:
        return importlib.import_module("numba").njit
    except ImportError:
        return None
