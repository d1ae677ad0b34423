"""Reading bodies of requests: how long they are waited for, and which of them are none."""

import asyncio
from collections.abc import Awaitable
from typing import Final, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from webrtc.errors import ClientError

WITHIN_S: Final = 30.0
"""How long a body may take to come; of a long one each part."""

_T = TypeVar("_T")


async def soon(reading: Awaitable[_T]) -> _T:
    """Return what of a body is being read, if it comes in time.

    Raises:
        ClientError: `bad_message`: it breaks off, or is not what its headers say.
        HTTPRequestTimeout: it does not.
    """
    try:
        async with asyncio.timeout(WITHIN_S):
            return await reading
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (HttpProcessingError, web.RequestPayloadError, ConnectionError):
        raise ClientError("bad_message", "the body is broken") from None
