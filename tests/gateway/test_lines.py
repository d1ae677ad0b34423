"""What is said over the control line."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.lines import (
    MOST_LINE_BYTES,
    PING_EVERY_S,
    SILENT_LINE_S,
    Bye,
    Deafen,
    Error,
    Hello,
    LineError,
    LineReader,
    Mute,
    Ping,
    Pong,
    User,
    Users,
    Volume,
    Welcome,
    read_client_line,
    read_server_line,
    write_line,
)


@pytest.mark.parametrize(
    "line",
    [
        Hello(name="Ada", room_id="r", payload="opus"),
        Hello(),
        Mute(on=True),
        Deafen(on=False),
        Volume(participant_id="p", gain_db=-3.0),
        Ping(),
        Pong(),
        Bye(reason="left"),
    ],
)
def test_a_clients_lines_are_read_as_written(line: object) -> None:
    assert read_client_line(write_line(line)) == line  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line",
    [
        Welcome(
            client_id="c",
            participant_id="p",
            udp_port=1,
            room_id="r",
            payload="pcm",
            resume_token="t",
        ),
        Users(users=[User(participant_id="p", name="Ada", speaking=True)]),
        Error(reason="room_full", detail="the room is full"),
    ],
)
def test_a_servers_lines_are_read_as_written(line: object) -> None:
    assert read_server_line(write_line(line)) == line  # type: ignore[arg-type]


def test_lines_look_as_documented() -> None:
    assert write_line(Mute(on=True)) == b'{"type":"mute","on":true}\n'
    hello = read_client_line(b'{"type": "hello", "name": "Ada", "room_id": "r", "payload": "pcm"}')
    assert hello == Hello(name="Ada", room_id="r")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b'{"type":"welcome"}',
        b'{"type":"hello","payload":"mp3"}',
        b'{"type":"hello","name":5}',
        b'{"type":"volume","participant_id":"p","gain_db":13}',
        b'{"type":"mute"}',
        b"\xff\xfe",
        b"[" * 4000,
    ],
)
def test_other_lines_are_refused(line: bytes) -> None:
    with pytest.raises(LineError):
        read_client_line(line)


@given(st.binary(max_size=500))
def test_any_bytes_are_a_line_or_refused(line: bytes) -> None:
    with contextlib.suppress(LineError):  # anything else would end the gateway's task
        read_client_line(line)


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
def test_lines_are_cut_wherever_they_are_broken(parts: list[bytes], step: int) -> None:
    lines = [part.replace(b"\n", b"") for part in parts]
    data = b"".join(line + b"\n" for line in lines)
    reader, got = LineReader(), []
    for start in range(0, len(data), step):
        got += reader.feed(data[start : start + step])
    assert got == [line for line in lines if line.strip()]


def test_what_a_line_leaves_out_is_as_documented() -> None:
    assert read_client_line(b'{"type":"hello"}') == Hello(
        name="", room_id="", payload="pcm", token=None, resume_token=None
    )
    assert read_client_line(b'{"type":"bye"}') == Bye(reason="left")
    (user,) = read_server_line(
        b'{"type":"users","users":[{"participant_id":"p","name":"Ada"}]}'
    ).users  # type: ignore[union-attr]
    assert (user.muted, user.deafened, user.speaking) == (False, False, False)
    assert LineError("why").reason == "bad_message"
    assert (MOST_LINE_BYTES, PING_EVERY_S, SILENT_LINE_S) == (4096, 5.0, 15.0)


@pytest.mark.parametrize(
    ("field", "most"), [("name", 64), ("room_id", 128), ("token", 3072), ("resume_token", 256)]
)
def test_texts_have_a_longest_length(field: str, most: int) -> None:
    assert read_client_line(b'{"type":"hello","%b":"%b"}' % (field.encode(), b"x" * most))
    with pytest.raises(LineError):
        read_client_line(b'{"type":"hello","%b":"%b"}' % (field.encode(), b"x" * (most + 1)))


@pytest.mark.parametrize(("field", "low", "high"), [("gain_db", -60, 12), ("pan", -1, 1)])
def test_volumes_have_their_range(field: str, low: int, high: int) -> None:
    line = '{"type":"volume","participant_id":"p","%s":%d}'
    for value in (low, high):
        assert read_client_line((line % (field, value)).encode())
    for value in (low - 1, high + 1):
        with pytest.raises(LineError):
            read_client_line((line % (field, value)).encode())


def test_the_longest_line_is_read() -> None:
    longest = b"x" * MOST_LINE_BYTES
    assert LineReader().feed(longest + b"\n") == [longest]
    assert LineReader().feed(longest) == []


def test_a_refusal_is_short() -> None:
    with pytest.raises(LineError) as refusal:
        read_client_line(b'{"type":"' + b"x" * 3000 + b'"}')
    assert len(str(refusal.value)) == 200


@pytest.mark.parametrize("tail", [b"", b"\n"])
def test_a_line_without_end_is_refused(tail: bytes) -> None:
    with pytest.raises(LineError):
        LineReader().feed(b"x" * (MOST_LINE_BYTES + 1) + tail)
