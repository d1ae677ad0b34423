"""RTCP reports both ways, with aiortc's parser and writer as the oracle."""

import pytest
from aiortc import rtp as oracle
from hypothesis import given
from hypothesis import strategies as st

from webrtc.media import rtcp

u32 = st.integers(0, 2**32 - 1)
blocks = st.builds(
    oracle.RtcpReceiverInfo,
    ssrc=u32,
    fraction_lost=st.integers(0, 255),
    packets_lost=st.integers(-(2**23), 2**23 - 1),
    highest_sequence=u32,
    jitter=u32,
    lsr=u32,
    dlsr=u32,
)
sender_infos = st.builds(
    oracle.RtcpSenderInfo,
    ntp_timestamp=st.integers(0, 2**64 - 1),
    rtp_timestamp=u32,
    packet_count=u32,
    octet_count=u32,
)


def as_ours(block):
    return rtcp.ReportBlock(
        block.ssrc,
        block.fraction_lost / 256,
        block.packets_lost,
        block.highest_sequence,
        block.jitter,
        block.lsr,
        block.dlsr,
    )


@given(
    ssrc=u32,
    info=sender_infos,
    first=st.lists(blocks, max_size=3),
    second=st.lists(blocks, max_size=31),
    gone=st.lists(u32, min_size=1, max_size=5),
)
def test_a_compound_packet_of_aiortc_is_read(ssrc, info, first, second, gone):
    data = b"".join(
        bytes(packet)
        for packet in (
            oracle.RtcpSrPacket(ssrc, info, first),
            oracle.RtcpRrPacket(ssrc, second),
            oracle.RtcpSdesPacket([oracle.RtcpSourceInfo(ssrc, [(1, b"somebody")])]),
            oracle.RtcpPsfbPacket(oracle.RTCP_PSFB_PLI, ssrc, 1),
            oracle.RtcpByePacket(gone),
        )
    )
    report = rtcp.parse_rtcp(data)
    assert report.sender_reports == [(ssrc, info.ntp_timestamp >> 16 & 0xFFFFFFFF)]
    assert report.blocks == [as_ours(block) for block in first + second]


@given(ssrc=u32, block=blocks, packets=u32, octets=u32, ntp=st.integers(0, 2**64 - 1), time=u32)
def test_aiortc_reads_our_compound_packet(ssrc, block, packets, octets, ntp, time):
    data = (
        rtcp.sender_report(ssrc, ntp, time, packets, octets)
        + rtcp.receiver_report(ssrc, as_ours(block))
        + rtcp.source_description(ssrc, "canonical-name")
    )
    sender, receiver, description = oracle.RtcpPacket.parse(data)
    assert (sender.ssrc, sender.reports) == (ssrc, [])
    assert sender.sender_info == oracle.RtcpSenderInfo(ntp, time, packets, octets)
    assert (receiver.ssrc, receiver.reports) == (ssrc, [block])
    assert description.chunks == [oracle.RtcpSourceInfo(ssrc, [(1, b"canonical-name")])]


@pytest.mark.parametrize("length", range(1, 12))
def test_a_name_of_any_length_is_padded_as_rfc_3550_asks(length):
    data = rtcp.source_description(1, "n" * length)
    [packet] = oracle.RtcpPacket.parse(data)
    assert packet.chunks[0].items == [(1, b"n" * length)]


def test_a_report_without_a_block_is_complete():
    [packet] = oracle.RtcpPacket.parse(rtcp.receiver_report(9, None))
    assert (packet.ssrc, packet.reports) == (9, [])


@pytest.mark.parametrize(("lost", "shown"), [(0.0, 0), (0.5, 128), (1.0, 255)])
def test_the_share_lost_fits_its_byte(lost, shown):
    block = rtcp.ReportBlock(1, lost, 2**30, 2**33, 0, 0, 0)
    [packet] = oracle.RtcpPacket.parse(rtcp.receiver_report(9, block))
    assert packet.reports[0].fraction_lost == shown
    assert packet.reports[0].packets_lost == 2**23 - 1


def test_counters_wrap_instead_of_failing():
    data = rtcp.sender_report(1, 2**64 - 1, 2**32 + 5, 2**32 + 6, 2**32 + 7)
    [packet] = oracle.RtcpPacket.parse(data)
    info = packet.sender_info
    assert (info.rtp_timestamp, info.packet_count, info.octet_count) == (5, 6, 7)


def test_a_goodbye_to_nobody_is_legal():
    """RFC 3550 section 6.6: a count of 0 is valid, but useless; the rest still counts."""
    data = bytes(oracle.RtcpRrPacket(7, [])) + bytes([0x80, 203, 0, 0])
    assert rtcp.parse_rtcp(data) == rtcp.Report()


@pytest.mark.parametrize(
    "data",
    [
        b"\x80",
        bytes([0x40, 201, 0, 1]) + bytes(4),  # version 1
        bytes([0x80, 201, 0, 9]) + bytes(4),  # longer than there is
        bytes([0x81, 201, 0, 1]) + bytes(4),  # one block announced, none there
        bytes([0x80, 200, 0, 1]) + bytes(4),  # a sender report without sender's figures
    ],
)
def test_packets_that_contradict_themselves_are_malformed(data):
    assert rtcp.parse_rtcp(data) is None


@given(st.binary(max_size=300))
def test_garbage_never_raises(data):
    rtcp.parse_rtcp(data)


@given(
    st.integers(0, 31), st.sampled_from([200, 201, 202, 203, 205]), st.integers(0, 40), st.binary()
)
def test_garbage_behind_a_good_start_never_raises(count, kind, words, data):
    rtcp.parse_rtcp(bytes([0x80 | count, kind, 0, words]) + data)


def test_ntp_time_counts_from_1900_and_its_middle_is_what_reports_quote():
    ntp = rtcp.ntp_time(1.5)
    assert ntp >> 32 == 2_208_988_801
    assert ntp & 0xFFFFFFFF == 1 << 31
    assert rtcp.middle_32(ntp) == (2_208_988_801 & 0xFFFF) << 16 | 0x8000
