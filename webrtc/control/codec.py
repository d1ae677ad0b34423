"""Frames of the control socket: a 4-byte big-endian length, then one msgpack object. Sans-I/O.

A frame longer than `MAX_FRAME_BYTES` is refused on both sides, so that neither a defect nor a
stranger on the socket can make the other side buffer without bound.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from webrtc.control.messages import MAX_FRAME_BYTES, ToFront, ToWorker
from webrtc.errors import ControlProtocolError

_LENGTH_BYTES = 4

MessageT = TypeVar("MessageT")

_encoder = msgspec.msgpack.Encoder()


def encode_frame(message: ToWorker | ToFront) -> bytes:
    """Return `message` as one frame.

    Raises:
        ControlProtocolError: the message is larger than a frame may be.
    """
    frame = bytearray(_LENGTH_BYTES)
    _encoder.encode_into(message, frame, _LENGTH_BYTES)
    length = len(frame) - _LENGTH_BYTES
    if length > MAX_FRAME_BYTES:
        raise ControlProtocolError(f"{type(message).__name__} of {length} bytes exceeds a frame")
    frame[:_LENGTH_BYTES] = length.to_bytes(_LENGTH_BYTES, "big")
    return bytes(frame)


class FrameDecoder(Generic[MessageT]):
    """Cuts a byte stream into messages; any split of the stream gives the same messages."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[MessageT]) -> None:
        self._decoder = decoder
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[MessageT]:
        """Take `data` and yield every message that is complete now.

        Raises:
            ControlProtocolError: the stream is broken; the connection cannot go on.
        """
        self._buffer += data
        start = 0
        try:
            while (end := self._end_of_frame(start)) is not None:
                with memoryview(self._buffer) as view:
                    message = self._decode(view[start + _LENGTH_BYTES : end])
                start = end
                yield message
        finally:
            del self._buffer[:start]

    def _end_of_frame(self, start: int) -> int | None:
        body = start + _LENGTH_BYTES
        if len(self._buffer) < body:
            return None
        length = int.from_bytes(self._buffer[start:body], "big")
        if length > MAX_FRAME_BYTES:
            raise ControlProtocolError(f"a frame of {length} bytes was announced")
        return body + length if len(self._buffer) >= body + length else None

    def _decode(self, body: memoryview) -> MessageT:
        try:
            return self._decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise ControlProtocolError(str(error)) from error
        finally:
            body.release()


def worker_side_decoder() -> FrameDecoder[ToWorker]:
    """Return the decoder of what a worker receives."""
    return FrameDecoder(msgspec.msgpack.Decoder(ToWorker))


def front_side_decoder() -> FrameDecoder[ToFront]:
    """Return the decoder of what the front process receives."""
    return FrameDecoder(msgspec.msgpack.Decoder(ToFront))
