"""Sessions in Redis; see `archive.store`.

| key                           | type       | what                                               |
|-------------------------------|------------|----------------------------------------------------|
| `ag06:session:{ID}`           | string     | the session, JSON                                  |
| `ag06:session:{ID}:sound`     | stream     | chunks: `<at_ms>-1`, fields `l` (ms) and `p`       |
| `ag06:sessions:VAULT`         | sorted set | cursors of the vault's sessions, all with score 0  |

The first two share a slot of a cluster and expire together. The list is cleaned where it is read.
"""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar

import msgspec
from redis.exceptions import RedisError

from archive.sessions import MAX_CHUNK_BYTES, Chunk, Extent, Page, Session
from archive.store import SessionStoreError

_LIST_TTL_S: Final = 40 * 86_400
_APPEND: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
if last[1] and tonumber(string.match(last[1][1], '^%d+')) >= tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[2], ARGV[1] .. '-1', 'l', ARGV[3], 'p', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
"""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Session)

Given = ParamSpec("Given")
Result = TypeVar("Result")


def _guarded(
    method: Callable[Given, Coroutine[Any, Any, Result]],
) -> Callable[Given, Coroutine[Any, Any, Result]]:
    """Let a method raise `SessionStoreError` where Redis is away."""

    @functools.wraps(method)
    async def guarded(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        try:
            return await method(*args, **kwargs)
        except (RedisError, OSError, TimeoutError) as error:
            raise SessionStoreError(type(error).__name__) from error

    return guarded


class RedisSessionStore:
    """Sessions by id.

    Args:
        redis: A client of redis-py (asyncio) whose replies are bytes; it is this store's to close.
    """

    def __init__(self, redis: Any) -> None:
        self._redis = redis

    @_guarded
    async def put(self, session: Session, ttl_s: float) -> None:
        """See `SessionStore`."""
        ttl_ms = max(1, round(ttl_s * 1000))
        name, listed = _key(session.session_id), _list(session.vault)
        await self._redis.set(name, _encoder.encode(session), px=ttl_ms)
        await self._redis.pexpire(_sound(session.session_id), ttl_ms)
        await self._redis.zadd(listed, {session.cursor: 0})
        await self._redis.expire(listed, _LIST_TTL_S)

    @_guarded
    async def session(self, session_id: str) -> Session | None:
        """See `SessionStore`."""
        stored = await self._redis.get(_key(session_id))
        return None if stored is None else _decoder.decode(stored)

    @_guarded
    async def page(self, vault: str, cursor: str | None, limit: int) -> Page:
        """See `SessionStore`."""
        found: list[Session] = []
        while True:
            upper = "+" if cursor is None else f"({cursor}"
            wanted = limit + 1 - len(found)
            names = await self._redis.zrevrangebylex(_list(vault), upper, "-", 0, wanted)
            for name in names:
                cursor = name.decode()
                session = await self._redis.get(_key(cursor.partition(":")[2]))
                if session is None:
                    await self._redis.zrem(_list(vault), name)
                else:
                    found.append(_decoder.decode(session))
            if len(names) < wanted or len(found) > limit:
                break
        shown = found[:limit]
        return Page(shown, shown[-1].cursor if len(found) > limit else None)

    @_guarded
    async def append(self, session_id: str, chunk: Chunk, most_chunks: int, ttl_s: float) -> bool:
        """See `SessionStore`."""
        if len(chunk.packets) > MAX_CHUNK_BYTES:
            raise ValueError(f"a chunk of {len(chunk.packets)} bytes")
        keys = [_key(session_id), _sound(session_id)]
        values = [chunk.at_ms, most_chunks, chunk.length_ms, chunk.packets, round(ttl_s * 1000)]
        return bool(await self._redis.eval(_APPEND, len(keys), *keys, *values))

    @_guarded
    async def chunks(self, session_id: str, from_ms: int, limit: int) -> list[Chunk]:
        """See `SessionStore`."""
        start = f"{max(0, from_ms)}-0"
        return [
            _chunk(entry)
            for entry in await self._redis.xrange(_sound(session_id), start, "+", count=limit)
        ]

    @_guarded
    async def extent(self, session_id: str) -> Extent:
        """See `SessionStore`."""
        name = _sound(session_id)
        first = await self._redis.xrange(name, count=1)
        last = await self._redis.xrevrange(name, count=1)
        if not first or not last:
            return Extent()
        return Extent(_chunk(first[0]).at_ms, _chunk(last[0]).end_ms, await self._redis.xlen(name))

    @_guarded
    async def remove(self, session_id: str) -> Session | None:
        """See `SessionStore`."""
        name = _key(session_id)
        async with self._redis.pipeline(transaction=True) as steps:
            steps.get(name)
            steps.delete(name, _sound(session_id))
            stored, _ = await steps.execute()
        if stored is None:
            return None
        session: Session = _decoder.decode(stored)
        await self._redis.zrem(_list(session.vault), session.cursor)
        return session

    async def close(self) -> None:
        """See `SessionStore`."""
        await self._redis.aclose()


def _key(session_id: str) -> str:
    return f"ag06:session:{{{session_id}}}"


def _sound(session_id: str) -> str:
    return _key(session_id) + ":sound"


def _list(vault: str) -> str:
    return f"ag06:sessions:{vault}"


def _chunk(entry: tuple[bytes, dict[bytes, bytes]]) -> Chunk:
    name, fields = entry
    return Chunk(int(name.partition(b"-")[0]), int(fields[b"l"]), fields[b"p"])
