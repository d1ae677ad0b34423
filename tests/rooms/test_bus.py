import msgspec
import pytest

from rooms.bus import BUS_VERSION, BusCodec
from tests.rooms.bus_contract import a_frame


def test_a_message_is_read_as_it_was_written():
    codec = BusCodec()
    assert codec.decode(codec.encode(a_frame(), 12.5)) == (a_frame(), 12.5)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x93",
        msgspec.msgpack.encode((BUS_VERSION + 1, 0.0, a_frame())),
        msgspec.msgpack.encode((BUS_VERSION, 0.0, {"room_id": "studio"})),
        BusCodec().encode(a_frame(), 0.0)[:-1],
    ],
)
def test_what_is_no_message_is_refused(message):
    with pytest.raises(ValueError, match=r"frame|version"):
        BusCodec().decode(message)
