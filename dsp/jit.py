"""numba's compiler for loops that the server cannot do without.

Where numba finds no place for its cache (a read-only file system without `NUMBA_CACHE_DIR`), they
are compiled at each start, before the server says that it is ready, rather than not at all.
"""

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: `numba.njit` with its cache if there is a place for one.

    Args:
        options: Further ones for `njit`.
    """

    def compile_later(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            made: Callable[..., Any] = njit(cache=True, **options)(function)
        except RuntimeError:  # "no locator available"
            made = njit(**options)(function)
        return made

    return compile_later
