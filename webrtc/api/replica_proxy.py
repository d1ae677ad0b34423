"""Requests about what another replica has: they are passed on to it, and its answer back.

Answers are passed back as they come, so that a long file takes no memory. A request is passed on
once: who gets one that was, answers it or says that it cannot.
"""

import asyncio
from collections.abc import Container
from contextlib import AsyncExitStack
from typing import Final

import aiohttp
from aiohttp import web

from rooms.shared_store import SharedRoomStore
from webrtc.api.bodies import soon
from webrtc.api.request_ids import HEADER as REQUEST_ID
from webrtc.errors import ClientError
from webrtc.log_context import current
from webrtc.tracing import carry, span

PASSED_ON: Final = "X-AG06-Passed-On"
"""On a request that has been passed on already: it is not again."""
_TIMEOUT: Final = aiohttp.ClientTimeout(connect=3.0, sock_read=10.0)
_LIST_TIMEOUT: Final = aiohttp.ClientTimeout(total=3.0)
_PART_BYTES: Final = 256 * 1024
_THERE: Final = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "Range",
)
_BACK: Final = (
    "Accept-Patch",
    "Accept-Ranges",
    "Cache-Control",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "ETag",
    "Last-Modified",
    "Retry-After",
)


async def passed_on(
    request: web.Request, store: SharedRoomStore | None, worker: int
) -> web.StreamResponse | None:
    """Return the answer of the replica of a worker; None if that is this one.

    Raises:
        ClientError: `worker_unavailable`: that replica cannot be reached.
    """
    if store is None or store.leases.is_own(worker):
        return None
    url = store.leases.url_of(worker)
    if not url or PASSED_ON in request.headers:
        raise _away()
    return await _answer_of(request, url)


async def found_elsewhere(
    request: web.Request, store: SharedRoomStore | None, *, unless: Container[int]
) -> web.StreamResponse | None:
    """Return the answer of the first other replica that has one; None if none has.

    Args:
        request: what every other replica is asked, one after the other.
        store: knows them.
        unless: statuses that mean that a replica has not what is asked for.

    Raises:
        ClientError: `worker_unavailable`: one that may have it cannot be reached.
    """
    if store is None or PASSED_ON in request.headers:
        return None
    unreached: ClientError | None = None
    for url in store.leases.others():
        try:
            answer = await _answer_of(request, url, unless)
        except ClientError as error:
            unreached = error
            continue
        if answer is not None:
            return answer
    if unreached is not None:
        raise unreached
    return None


async def told_elsewhere(request: web.Request, store: SharedRoomStore | None) -> list[bytes]:
    """Return what all other replicas answer with status 200; who does not answer is left out."""
    if store is None or PASSED_ON in request.headers:
        return []
    others = store.leases.others()
    told = await asyncio.gather(*(_told_by(request, url) for url in others))
    return [one for one in told if one is not None]


async def _told_by(request: web.Request, url: str) -> bytes | None:
    try:
        async with AsyncExitStack() as stack:
            reply = await _ask(stack, request, url, _LIST_TIMEOUT)
            return await reply.read() if reply.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


async def _answer_of(
    request: web.Request, url: str, unless: Container[int] = ()
) -> web.StreamResponse | None:
    response: web.StreamResponse | None = None
    try:
        async with AsyncExitStack() as stack:
            reply = await _ask(stack, request, url, _TIMEOUT)
            if reply.status in unless:
                return None
            headers = {name: reply.headers[name] for name in _BACK if name in reply.headers}
            response = web.StreamResponse(status=reply.status, headers=headers)
            await response.prepare(request)
            async for part in reply.content.iter_chunked(_PART_BYTES):
                await response.write(part)
            await response.write_eof()
            return response
    except (aiohttp.ClientError, TimeoutError, OSError):
        if response is None:
            raise _away() from None
        if request.transport is not None:
            request.transport.abort()  # half an answer must not look like a whole one
        return response


async def _ask(
    stack: AsyncExitStack, request: web.Request, url: str, within: aiohttp.ClientTimeout
) -> aiohttp.ClientResponse:
    headers = {name: request.headers[name] for name in _THERE if name in request.headers}
    headers |= {PASSED_ON: "1", "Accept-Encoding": "identity"}
    headers[REQUEST_ID] = current().request_id
    stack.enter_context(span(f"replica {request.method}"))
    carry(headers)
    client = await stack.enter_async_context(aiohttp.ClientSession(timeout=within))
    return await stack.enter_async_context(
        client.request(
            request.method,
            url + request.raw_path,
            data=await soon(request.read()),
            headers=headers,
            # Its certificate names what clients call it. The address comes from Redis, and
            # whoever may write there may do anything anyway.
            ssl=False,
            allow_redirects=False,
        )
    )


def _away() -> ClientError:
    return ClientError("worker_unavailable", "the replica that has this is away", 1.0)
