"""JSON to messages and messages to websocket frames. Sans-I/O.

Socket.IO protocol version 5 over Engine.IO 4, websocket transport: a text message is `4` (Engine.IO
message), the Socket.IO packet type, an acknowledgement id if there is one, and a JSON array. We
build whole frames, header included: a server's frames are not masked (RFC 6455 section 5.1), so the
same bytes go to everyone in a room.
"""

import re
from typing import Any, Final, NamedTuple

import msgspec

from webrtc.errors import ClientError
from webrtc.signaling.events import Event
from webrtc.signaling.messages import CLIENT_EVENTS, Ack, ClientEvent
from webrtc.signaling.messages_joining import ConnectAuth

_FIN_TEXT: Final = 0x81
_MAX_DETAIL_CHARS: Final = 200
_PATTERN_DETAIL: Final = re.compile(r"Expected `str` matching regex '.*'")

_EVENT: Final = re.compile(r"([0-9]{0,15})(\[.*)", re.DOTALL)
_BINARY_EVENT: Final = re.compile(r"[0-9]{1,4}-([0-9]{0,15})\[")
_arguments_decoder: Final = msgspec.json.Decoder(list[msgspec.Raw])
_name_decoder: Final = msgspec.json.Decoder(str)
_auth_decoder: Final = msgspec.json.Decoder(ConnectAuth)
_encoder: Final = msgspec.json.Encoder()
_payload_decoders: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    event.name: msgspec.json.Decoder(event.payload)
    for event in CLIENT_EVENTS.values()
    if event.payload is not None
}

MALFORMED: Final = (msgspec.MsgspecError, RecursionError, UnicodeError)
"""What decoding hostile JSON may raise."""


class Packet(NamedTuple):
    """A client's event as it came.

    Attributes:
        ack_id: None when no acknowledgement is wanted.
        name: None when that could not be read, or when the event has binary attachments.
    """

    ack_id: int | None
    name: str | None
    arguments: list[msgspec.Raw]


def parse_event_packet(text: str) -> Packet:
    """Return the event in `text`, which is what follows the packet type."""
    match = _EVENT.fullmatch(text)
    if match is None:
        return Packet(None, None, [])
    ack_id = int(match[1]) if match[1] else None
    try:
        name, *arguments = _arguments_decoder.decode(match[2])
        return Packet(ack_id, _name_decoder.decode(name), arguments)
    except (*MALFORMED, ValueError):
        return Packet(ack_id, None, [])


def parse_binary_event_packet(text: str) -> Packet:
    """Return the event with attachments in `text`: only whom to refuse it to."""
    match = _BINARY_EVENT.match(text)
    return Packet(int(match[1]) if match and match[1] else None, None, [])


def parse_connect_token(text: str) -> str | None:
    """Return the join token in `auth` of a packet that connects; None without a readable one."""
    try:
        return _auth_decoder.decode(text.partition(",")[2] if text.startswith("/") else text).token
    except MALFORMED:
        return None


def parse_payload(event: ClientEvent, arguments: list[msgspec.Raw]) -> Any:
    """Return the typed payload of `event`; a missing one is null, as some clients send it.

    Raises:
        ClientError: `bad_message` says what is wrong with it.
    """
    if event.payload is None:
        if arguments and [bytes(argument) for argument in arguments] != [b"null"]:
            raise ClientError("bad_message", f"{event.name} takes no payload")
        return None
    if len(arguments) > 1:
        raise ClientError("bad_message", f"{event.name} takes exactly one payload")
    try:
        return _payload_decoders[event.name].decode(arguments[0] if arguments else b"null")
    except MALFORMED as error:
        raise ClientError("bad_message", _detail(error)) from None


def _detail(error: Exception) -> str:
    """Return the decoder's sentence, where it says `regex` in words that help a user."""
    text = _PATTERN_DETAIL.sub("Characters that are not allowed, or too many", str(error))
    return text[:_MAX_DETAIL_CHARS]


def event_frame(name: str, event: Event | msgspec.Raw) -> bytes:
    """Return the frame that emits `event`, or its JSON if that is known already."""
    return text_frame(b'42["%b",%b]' % (name.encode(), _encoder.encode(event)))


def ack_frame(ack_id: int, ack: Ack) -> bytes:
    """Return the frame that acknowledges a client's event."""
    return text_frame(b"43%d[%b]" % (ack_id, _encoder.encode(ack)))


def to_raw(value: msgspec.Struct) -> msgspec.Raw:
    """Return `value` as JSON that is put into messages as it is."""
    return msgspec.Raw(_encoder.encode(value))


def text_frame(payload: bytes) -> bytes:
    """Return `payload` as one unmasked websocket text frame (RFC 6455 section 5.2)."""
    length = len(payload)
    if length < 126:
        return bytes((_FIN_TEXT, length)) + payload
    if length < 1 << 16:
        return bytes((_FIN_TEXT, 126)) + length.to_bytes(2, "big") + payload
    return bytes((_FIN_TEXT, 127)) + length.to_bytes(8, "big") + payload
