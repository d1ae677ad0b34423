"""How long bodies of requests are waited for."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from aiohttp import web

WITHIN_S: Final = 30.0
"""How long a body may take to come; of a long one each part."""

_T = TypeVar("_T")


async def soon(reading: Awaitable[_T]) -> _T:
    """Return what of a body is being read, if it comes in time.

    Raises:
        HTTPRequestTimeout: it does not.
    """
    try:
        async with asyncio.timeout(WITHIN_S):
            return await reading
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
