import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.errors import ClientError
from webrtc.signaling.events import ActiveSpeakers
from webrtc.signaling.messages import CLIENT_EVENTS
from webrtc.signaling.messages_joining import JoinRoom
from webrtc.signaling.messages_parts import Done, Problem, Refused
from webrtc.signaling.wire import (
    Packet,
    ack_frame,
    event_frame,
    parse_binary_event_packet,
    parse_event_packet,
    parse_payload,
    text_frame,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def parsed(name: str, *arguments: bytes) -> object:
    """Return the payload, or the refusal."""
    try:
        return parse_payload(CLIENT_EVENTS[name], [msgspec.Raw(one) for one in arguments])
    except ClientError as error:
        return error


def payload_of(frame: bytes) -> bytes:
    """Read a frame as RFC 6455 section 5.2 says."""
    assert frame[0] == 0x81
    length, start = frame[1], 2
    if length == 126:
        length, start = int.from_bytes(frame[2:4], "big"), 4
    elif length == 127:
        length, start = int.from_bytes(frame[2:10], "big"), 10
    assert len(frame) == start + length
    return frame[start:]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_frames_of_every_length_form(length: int) -> None:
    frame = text_frame(b"x" * length)
    assert payload_of(frame) == b"x" * length
    assert len(frame) - length == (2 if length < 126 else 4 if length < 65536 else 10)


def test_events_and_acknowledgements_are_socketio_packets() -> None:
    frame = event_frame("active_speakers", ActiveSpeakers(["a", "ü"]))
    assert payload_of(frame).decode() == '42["active_speakers",{"participants":["a","ü"]}]'
    assert payload_of(ack_frame(7, Done())) == b'437[{"ok":true}]'
    refusal = payload_of(ack_frame(0, Refused(Problem("busy", "wait", 1.5))))
    assert refusal.startswith(b"430[")
    assert json.loads(refusal[3:]) == [
        {"ok": False, "error": {"reason": "busy", "detail": "wait", "retry_after": 1.5}}
    ]


@given(st.none() | st.integers(0, 10**15 - 1), st.text(), st.lists(json_values, max_size=3))
def test_every_event_is_read_back(ack_id: int | None, name: str, arguments: list[object]) -> None:
    text = ("" if ack_id is None else str(ack_id)) + msgspec.json.encode(
        [name, *arguments]
    ).decode()
    packet = parse_event_packet(text)
    assert (packet.ack_id, packet.name) == (ack_id, name)
    assert [msgspec.json.decode(one) for one in packet.arguments] == [
        msgspec.json.decode(msgspec.json.encode(one)) for one in arguments
    ]


@given(st.text())
def test_any_text_is_read_without_raising(text: str) -> None:
    parse_event_packet(text)
    parse_event_packet(f"1{text}")
    parse_event_packet(f"[{text}]")
    parse_binary_event_packet(text)


@pytest.mark.parametrize(
    ("text", "ack_id"),
    [
        ('7{"a":1}', None),
        ("7", None),
        ("", None),
        ("[]", None),
        ("7[]", 7),
        ("7[1]", 7),
        ('7[["a"]]', 7),
        ('7["a"', 7),
        ('7["a",NaN]', 7),
        ('7["\\ud800"]', 7),
        ("7" + "[" * 100_000, 7),
        ('7["a",' + "[" * 100_000, 7),
        ("9" * 16 + '["a"]', None),
        ('/other,7["a"]', None),
    ],
)
def test_what_is_no_event_has_no_name_but_may_be_answered(text: str, ack_id: int | None) -> None:
    assert parse_event_packet(text) == Packet(ack_id, None, [])


@pytest.mark.parametrize(
    ("text", "ack_id"),
    [('1-7["a",{"_placeholder":true,"num":0}]', 7), ('1-["a"]', None), ("junk", None)],
)
def test_an_event_with_attachments_can_be_refused(text: str, ack_id: int | None) -> None:
    assert parse_binary_event_packet(text) == Packet(ack_id, None, [])


@given(st.sampled_from(sorted(CLIENT_EVENTS)), st.lists(json_values, max_size=2))
def test_a_payload_is_typed_or_refused(name: str, arguments: list[object]) -> None:
    outcome = parsed(name, *map(msgspec.json.encode, arguments))
    if isinstance(outcome, ClientError):
        assert outcome.reason == "bad_message"
        assert 0 < len(outcome.detail) <= 200


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"name":' * 50_000,
        '{"room_id":"' + "x" * 10_000 + '"}',
        '{"name":"' + "x" * 65 + '"}',
        '{"name":"a\\nb"}',
        '{"name":"a\\u202eb"}',
        '{"role":"host"}',
        '{"protocol":2}',
        '{"capabilities":["' + "x" * 65 + '"]}',
        '{"capabilities":[' + ",".join(['"x"'] * 33) + "]}",
        '{"room_id":"a b"}',
        '{"room_id":"../x"}',
        '{"room_id":"a\\n"}',
        '{"room_id":"ü"}',
        '"a/b"',
        "1e999",
        "[]",
        "null",
    ],
)
def test_bad_joins(text: str) -> None:
    refusal = parsed("join_room", text.encode())
    assert isinstance(refusal, ClientError)
    assert refusal.reason == "bad_message"
    assert "regex" not in refusal.detail


@pytest.mark.parametrize("name", ["Zoë", "山田 太郎", "x" * 64, "🎸", ""])
@pytest.mark.parametrize("room_id", ["a", "A-b_c.d~1", "x" * 64, ""])
def test_good_joins(name: str, room_id: str) -> None:
    raw = msgspec.json.encode({"room_id": room_id, "name": name})
    assert parsed("join_room", raw) == JoinRoom(room_id=room_id, name=name)
