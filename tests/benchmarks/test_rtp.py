import pytest
from aiortc import rtp as oracle
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.load.rtp import (
    LEVEL_URI,
    ReportBlock,
    parse_rtcp,
    receiver_report,
    red_payload,
    rtp_packet,
    rtp_payload,
    sender_report,
)


def level_extensions() -> oracle.HeaderExtensionsMap:
    extensions = oracle.HeaderExtensionsMap()
    extensions.configure(
        RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=1, uri=LEVEL_URI)])
    )
    return extensions


@pytest.mark.parametrize("sequence", [0, 1, 32767, 65534, 65535, 65536])
def test_a_packet_is_what_aiortc_reads(sequence):
    packet = oracle.RtpPacket.parse(
        rtp_packet(
            111, sequence, 2**32 + 7, 0xDEADBEEF, b"opus", marker=True, level=(1, 0x80 | 33)
        ),
        level_extensions(),
    )
    assert packet.sequence_number == sequence % 65536
    assert packet.timestamp == 7
    assert packet.ssrc == 0xDEADBEEF
    assert packet.payload_type == 111
    assert packet.marker == 1
    assert packet.payload == b"opus"
    assert packet.extensions.audio_level == (True, -33) or packet.extensions.audio_level == (
        True,
        33,
    )


@given(
    payload=st.binary(min_size=1, max_size=300),
    csrcs=st.lists(st.integers(0, 2**32 - 1), max_size=15),
    level=st.booleans(),
    padding=st.integers(0, 20),
)
def test_the_payload_is_found_behind_whatever_a_mixer_sends(payload, csrcs, level, padding):
    packet = oracle.RtpPacket(payload_type=111, payload=payload)
    packet.csrc = csrcs
    packet.padding_size = padding
    if level:
        packet.extensions.audio_level = (True, 20)
    assert rtp_payload(packet.serialize(level_extensions())) == payload


def test_red_carries_the_packet_before():
    payload = red_payload(111, b"now", b"before", 480)
    header = int.from_bytes(payload[:4], "big")
    assert header >> 31 == 1
    assert header >> 24 & 0x7F == 111
    assert header >> 10 & 0x3FFF == 480
    assert header & 0x3FF == len(b"before")
    assert payload[4] == 111
    assert payload[5:] == b"before" + b"now"


def test_red_without_room_for_the_packet_before_carries_only_its_own():
    assert red_payload(111, b"now", None, 480) == bytes([111]) + b"now"
    assert red_payload(111, b"now", bytes(1024), 480) == bytes([111]) + b"now"


def test_reports_are_what_aiortc_reads():
    block = ReportBlock(5, 0.25, 300, 70000, 12, 99, 65536)
    (report,) = oracle.RtcpPacket.parse(receiver_report(3, [block]))
    assert report.ssrc == 3
    (read,) = report.reports
    assert (read.ssrc, read.fraction_lost, read.packets_lost) == (5, 64, 300)
    assert (read.highest_sequence, read.jitter, read.lsr, read.dlsr) == (70000, 12, 99, 65536)
    (report,) = oracle.RtcpPacket.parse(sender_report(3, 1.5, 2**32 + 960, 10, 2000))
    assert report.sender_info.ntp_timestamp == (2_208_988_801 << 32) + (1 << 31)
    assert report.sender_info.rtp_timestamp == 960
    assert (report.sender_info.packet_count, report.sender_info.octet_count) == (10, 2000)


def test_a_servers_compound_packet_is_read():
    info = oracle.RtcpReceiverInfo(
        ssrc=9, fraction_lost=128, packets_lost=4, highest_sequence=50, jitter=3, lsr=0, dlsr=0
    )
    sent = bytes(
        oracle.RtcpSrPacket(
            ssrc=8,
            sender_info=oracle.RtcpSenderInfo(
                ntp_timestamp=0x0123456789ABCDEF, rtp_timestamp=1, packet_count=1, octet_count=1
            ),
            reports=[info],
        )
    ) + bytes(oracle.RtcpSdesPacket())
    senders, blocks = parse_rtcp(sent)
    assert [(s.ssrc, s.ntp_middle) for s in senders] == [(8, 0x456789AB)]
    assert [(b.ssrc, b.fraction_lost, b.lost) for b in blocks] == [(9, 0.5, 4)]


@given(st.binary(max_size=200))
def test_rubbish_is_no_report(data):
    parse_rtcp(data)
