"""RTP headers both ways, with aiortc's parser and writer as the oracle."""

import pytest
from aiortc import rtp as oracle
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from hypothesis import given
from hypothesis import strategies as st

from webrtc.media import rtp

LEVEL_ID = 10
u32 = st.integers(0, 2**32 - 1)
u16 = st.integers(0, 2**16 - 1)
levels = st.integers(0, 127)


def extension_map():
    extensions = oracle.HeaderExtensionsMap()
    uris = {
        1: "urn:ietf:params:rtp-hdrext:sdes:mid",
        3: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        LEVEL_ID: rtp.AUDIO_LEVEL_URI,
    }
    extensions.configure(
        RTCRtpParameters(
            headerExtensions=[RTCRtpHeaderExtensionParameters(id=i, uri=u) for i, u in uris.items()]
        )
    )
    return extensions


@given(
    payload_type=st.integers(0, 63) | st.integers(96, 127),
    marker=st.integers(0, 1),
    sequence=u16,
    timestamp=u32,
    ssrc=u32,
    csrcs=st.lists(u32, max_size=15),
    payload=st.binary(max_size=300),
    padding=st.integers(0, 255),
    level=st.none() | st.tuples(st.booleans(), levels),
    mid=st.none() | st.just("audio-0"),
    send_time=st.none() | st.integers(0, 2**24 - 1),
)
def test_what_aiortc_writes_is_read(
    payload_type, marker, sequence, timestamp, ssrc, csrcs, payload, padding, level, mid, send_time
):
    packet = oracle.RtpPacket(payload_type, marker, sequence, timestamp, ssrc, payload)
    packet.csrc = csrcs
    packet.padding_size = padding
    packet.extensions.mid = mid
    packet.extensions.abs_send_time = send_time
    packet.extensions.audio_level = level
    found = rtp.parse_rtp(packet.serialize(extension_map()), LEVEL_ID)
    assert found == rtp.RtpPacket(
        payload_type,
        bool(marker),
        sequence,
        timestamp,
        ssrc,
        level[1] if level else None,
        level[0] if level else False,
        payload,
    )


@given(
    csrcs=st.lists(u32, max_size=20),
    level=levels,
    level_id=st.integers(0, 14),
    payload=st.binary(min_size=1, max_size=100),
    sequence=u16,
    timestamp=u32,
)
def test_aiortc_reads_what_we_write(csrcs, level, level_id, payload, sequence, timestamp):
    shown = [(level + i) % 128 for i in range(len(csrcs))]
    first, tail = rtp.csrc_header(csrcs, shown, level_id)
    data = rtp.pack_fixed(first, 0x80 | 111, sequence, timestamp, 7) + tail + payload
    packet = oracle.RtpPacket.parse(data, oracle.HeaderExtensionsMap())
    assert packet.csrc == csrcs[: rtp.MAX_CSRCS]
    assert packet.payload == payload
    assert (packet.payload_type, packet.marker, packet.ssrc) == (111, 1, 7)
    assert (packet.sequence_number, packet.timestamp) == (sequence, timestamp)
    assert rtp.parse_rtp(data, 0).payload == payload


@pytest.mark.parametrize("count", [1, 2, 3, 4, 15])
def test_levels_of_contributing_sources_come_as_rfc_6465_has_them(count):
    shown = [8 * i for i in range(count)]
    first, tail = rtp.csrc_header(list(range(count)), shown, LEVEL_ID)
    assert first == 0x90 | count
    words = tail[4 * count :]
    profile, length = int.from_bytes(words[:2], "big"), int.from_bytes(words[2:4], "big")
    assert (profile, 4 + 4 * length) == (0xBEDE, len(words))
    assert words[4] == LEVEL_ID << 4 | count - 1
    assert list(words[5 : 5 + count]) == shown
    assert not any(words[5 + count :])
    [(id_, value)] = oracle.unpack_header_extensions(profile, words[4:])
    assert (id_, list(value)) == (LEVEL_ID, shown)


def test_silence_names_nobody_and_carries_no_extension():
    assert rtp.csrc_header([], [], LEVEL_ID) == (0x80, b"")


def test_without_the_extension_only_the_names_go_out():
    first, tail = rtp.csrc_header([1, 2], [3, 4], 0)
    assert first == 0x82
    assert tail == bytes.fromhex("0000000100000002")


# ---- malformed and borderline packets ------------------------------------------------------


def packet(extension=b"", *, first=0x90, profile=0xBEDE, payload=b"sound"):
    """Return a packet with these bytes as its extension."""
    words = len(extension) // 4
    head = rtp.pack_fixed(first, 111, 1, 2, 3)
    return head + profile.to_bytes(2, "big") + words.to_bytes(2, "big") + extension + payload


@pytest.mark.parametrize(
    ("extension", "level"),
    [
        (b"\xa0\xff\0\0", 127),
        (b"\0\0\xa0\x85", 5),  # padding before the element
        (b"\x30\x01\xa0\x05", 5),  # another element before it
        (b"\x32\x01\x02\x03\xa0\x05\0\0", 5),
        (b"\xa1\x05\x06\0", 5),  # longer than it should be
        (b"\xf0\x01\xa0\x05", None),  # id 15: everything behind it is unknown
        (b"\0\0\0\xa0", None),  # cut off
        (b"\x3f\0\0\0", None),  # an element that claims more than there is
        (b"\0\0\0\0", None),
        (b"", None),
    ],
)
def test_the_level_is_found_among_other_elements(extension, level):
    found = rtp.parse_rtp(packet(extension), LEVEL_ID)
    assert found.level_dbov == level
    assert found.payload == b"sound"


@pytest.mark.parametrize("profile", [0x1000, 0x0000, 0xBEDF])
def test_extensions_of_other_forms_are_skipped(profile):
    found = rtp.parse_rtp(packet(b"\xa0\x05\0\0", profile=profile), LEVEL_ID)
    assert (found.level_dbov, found.payload) == (None, b"sound")


def test_a_level_that_was_not_negotiated_is_not_read():
    assert rtp.parse_rtp(packet(b"\xa0\x05\0\0"), 0).level_dbov is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(11),
        b"\x40" + bytes(20),  # version 1
        b"\x8f" + bytes(20),  # 15 contributing sources announced, two there
        b"\x90" + bytes(13),  # an extension announced, half of its head there
        b"\x90" + bytes(11) + b"\xbe\xde\x00\x02" + bytes(4),
        b"\xa0" + bytes(11) + b"\x05\x05",  # five bytes of padding in two
    ],
)
def test_packets_that_contradict_themselves_are_malformed(data):
    assert rtp.parse_rtp(data, LEVEL_ID) is None


@given(st.binary(max_size=200), st.integers(0, 14))
def test_garbage_never_raises(data, level_id):
    found = rtp.parse_rtp(data, level_id)
    assert found is None or len(found.payload) <= len(data) - 12


@given(st.binary(max_size=120), st.integers(1, 14), st.sampled_from([0x80, 0x90, 0xB0, 0xBF]))
def test_garbage_behind_a_good_start_never_raises(data, level_id, first):
    rtp.parse_rtp(bytes([first, 111]) + data, level_id)
    rtp.parse_rtp(bytes([0x90, 111]) + bytes(10) + b"\xbe\xde" + data, level_id)


def test_an_extension_may_fill_the_packet() -> None:
    found = rtp.parse_rtp(packet(b"\xa0\x85\0\0", payload=b""), LEVEL_ID)
    assert (found.level_dbov, found.voice, found.payload) == (5, True, b"")
    assert rtp.parse_rtp(packet(b"", payload=b""), LEVEL_ID).payload == b""


@pytest.mark.parametrize(("byte", "level", "voice"), [(0x7F, 127, False), (0x80, 0, True)])
def test_voice_is_the_highest_bit(byte, level, voice) -> None:
    found = rtp.parse_rtp(packet(bytes([0xA0, byte, 0, 0])), LEVEL_ID)
    assert (found.level_dbov, found.voice) == (level, voice)


@pytest.mark.parametrize(("second", "marker"), [(0x7F, False), (0x80, True), (0x81, True)])
def test_the_marker_is_the_highest_bit(second, marker) -> None:
    found = rtp.parse_rtp(rtp.pack_fixed(0x80, second, 1, 2, 3) + b"sound", 0)
    assert (found.marker, found.payload_type) == (marker, second & 0x7F)


def test_what_follows_the_extension_is_not_taken_for_it() -> None:
    found = rtp.parse_rtp(packet(b"\0\0\0\0", payload=b"\xa0\x05"), LEVEL_ID)
    assert found.level_dbov is None


def test_padding_between_elements_may_have_any_length() -> None:
    extension = b"\0\0\0\0\0\0\xa0\x05"
    assert rtp.parse_rtp(packet(extension), LEVEL_ID).level_dbov == 5
    assert rtp.parse_rtp(packet(b"\0\x30\x01\0\xa0\x05\0\0"), LEVEL_ID).level_dbov == 5
