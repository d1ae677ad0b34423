import pytest
from hypothesis import given
from hypothesis import strategies as st

from rooms.resp import Push, Refusal, RespError, RespReader, command

SAID = (
    b"+OK\r\n-ERR no such thing\r\n:-12\r\n$3\r\na\r\n\r\n$-1\r\n_\r\n#t\r\n"
    b"*2\r\n:1\r\n*1\r\n+x\r\n*-1\r\n%1\r\n$5\r\nproto\r\n:3\r\n"
    b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$0\r\n\r\n!5\r\nERR !\r\n"
)
MEANT = [
    b"OK",
    Refusal("ERR no such thing"),
    -12,
    b"a\r\n",
    None,
    None,
    1,
    [1, [b"x"]],
    None,
    {b"proto": 3},
    Push([b"message", b"c", b""]),
    Refusal("ERR !"),
]


def test_commands_are_written_as_arrays():
    assert command("SET", b"\xff", 12) == b"*3\r\n$3\r\nSET\r\n$1\r\n\xff\r\n$2\r\n12\r\n"


@given(st.lists(st.integers(0, len(SAID)), max_size=8).map(sorted))
def test_what_is_said_is_understood_however_it_is_cut(cuts):
    reader = RespReader()
    understood = []
    for first, last in zip([0, *cuts], [*cuts, len(SAID)], strict=True):
        understood += reader.feed(SAID[first:last])
    assert understood == MEANT


@pytest.mark.parametrize("garbage", [b"hello\r\n", b"\r\n", b":x\r\n", b"*x\r\n"])
def test_what_is_none_of_it_is_refused(garbage):
    with pytest.raises(RespError):
        list(RespReader().feed(garbage))
