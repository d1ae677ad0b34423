"""Redis's protocol, RESP2 and RESP3, as far as publishing and subscribing need it. Sans-I/O.

For those who cannot wait for an answer. Whoever can uses `rooms.redis_connection`.
https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

_MOST_BYTES: Final = 64 << 20
_ARRAYS: Final = b"*>~"
_LINES: Final = b"+-:,#("
_BULKS: Final = b"$=!"


class RespError(Exception):
    """What came is no RESP."""


class Refusal(NamedTuple):
    """Redis's answer to a command that it refuses."""

    text: str


class Push(NamedTuple):
    """Something that Redis sends unasked, like a message of a channel."""

    items: list[object]


class _Incomplete(Exception):  # noqa: N818 — nothing is wrong
    """The rest has yet to come."""


def command(*parts: bytes | str | int) -> bytes:
    """Return a command on the wire."""
    pieces = [b"*%d\r\n" % len(parts)]
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        pieces.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(pieces)


class RespReader:
    """Cuts a stream into what Redis says: bytes, int, None, list, dict, `Refusal` or `Push`."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[object]:
        """Take bytes; yield all that is complete now.

        Raises:
            RespError: this is no RESP; nothing more can be read.
        """
        self._buffer += data
        start = 0
        try:
            while start < len(self._buffer):
                item, start = self._read(start)
                yield item
        except _Incomplete:
            pass
        del self._buffer[:start]
        if len(self._buffer) > _MOST_BYTES:
            raise RespError("a message is too long")

    def _read(self, start: int) -> tuple[object, int]:
        line, rest = self._line(start)
        kind, text = line[0], bytes(line[1:])
        if kind in _LINES:
            return _value(kind, text), rest
        if kind == ord("_"):
            return None, rest
        count = _integer(text)
        if kind in _BULKS:
            return self._bulk(kind, count, rest)
        if kind in _ARRAYS:
            if count < 0:
                return None, rest
            items, rest = self._items(count, rest)
            return Push(items) if kind == ord(">") else items, rest
        if kind == ord("%"):
            items, rest = self._items(2 * count, rest)
            keys = [bytes(key) if isinstance(key, bytes) else str(key) for key in items[::2]]
            return dict(zip(keys, items[1::2], strict=True)), rest
        raise RespError(f"a message of kind {chr(kind)!r}")

    def _items(self, count: int, rest: int) -> tuple[list[object], int]:
        items = []
        for _ in range(count):
            item, rest = self._read(rest)
            items.append(item)
        return items, rest

    def _bulk(self, kind: int, count: int, rest: int) -> tuple[object, int]:
        if count < 0:
            return None, rest
        end = rest + count
        if len(self._buffer) < end + 2:
            raise _Incomplete
        data = bytes(self._buffer[rest:end])
        return Refusal(data.decode(errors="replace")) if kind == ord("!") else data, end + 2

    def _line(self, start: int) -> tuple[bytearray, int]:
        end = self._buffer.find(b"\r\n", start)
        if end < 0:
            raise _Incomplete
        if end == start:
            raise RespError("an empty line")
        return self._buffer[start:end], end + 2


def _value(kind: int, text: bytes) -> object:
    if kind == ord("-"):
        return Refusal(text.decode(errors="replace"))
    if kind == ord(":"):
        return _integer(text)
    if kind == ord("#"):
        return int(text == b"t")
    return text


def _integer(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise RespError("no number where one has to be") from None
