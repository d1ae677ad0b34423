import msgspec
import pytest

from rooms.bus import BUS_VERSION, BusCodec
from tests.rooms.bus_contract import a_frame


def test_a_message_is_read_as_it_was_written():
    codec = BusCodec()
    assert codec.decode(codec.encode(a_frame(), 12.5)) == (a_frame(), 12.5)


def test_what_an_earlier_release_says_is_read_and_it_reads_what_we_say():
    """What stands at its default may be left out, and may be said; nothing else may be missing."""
    frame = msgspec.structs.replace(a_frame(), decision=None, wanted=(), moved_s=0.0)
    said = msgspec.to_builtins(frame, builtin_types=[bytes])
    defaults = {"decision": None, "wanted": (), "moved_s": 0.0, "forward": None, "meters": None}
    assert BusCodec().decode(msgspec.msgpack.encode((BUS_VERSION, 1.0, {**said, **defaults}))) == (
        frame,
        1.0,
    )
    version, _, ours = msgspec.msgpack.decode(BusCodec().encode(frame, 1.0))
    assert version == BUS_VERSION
    required = {"room_id", "worker", "number", "media_time", "samples"}
    required |= {"roster_serial", "roster", "levels", "sounds"}
    assert required <= set(ours) <= required | set(defaults)
    assert ours["roster"][0] == {
        "source_id": "anna",
        "csrc": 0xFFFFFFFF,
        "standing": 2,
        "is_music": True,
    }


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
