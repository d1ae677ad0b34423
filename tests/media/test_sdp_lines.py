"""An answer line by line, and every bound of what is read."""

import pytest

from tests.media.test_sdp import MINIMAL, changed, local
from webrtc.errors import ClientError
from webrtc.media import sdp

FURTHER = (
    MINIMAL.replace("BUNDLE 0", "BUNDLE 0 t1 t2 v a d")
    + """m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:t1
a=recvonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:t2
a=sendonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:v
m=audio 9 UDP/TLS/RTP/SAVPF 0
c=IN IP4 0.0.0.0
a=mid:a
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:d
"""
)
TRANSPORT = f"""a=ice-ufrag:ourufrag
a=ice-pwd:{"p" * 24}
a=fingerprint:sha-256 {":".join(["AB"] * 32)}
a=setup:passive
"""
OPUS = """a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1;stereo=1;sprop-stereo=1;maxaveragebitrate=128000
"""


def track(mid, ssrc, direction):
    return f"""m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
{TRANSPORT}a=mid:{mid}
a={direction}
{OPUS}a=msid:ag06-{mid} ag06-{mid}-audio
a=ssrc:{ssrc} cname:us
"""


def test_a_whole_answer_line_by_line():
    offer = sdp.read_offer(FURTHER)
    tracks = [sdp.LocalTrack("t1", 1, True), sdp.LocalTrack("t2", 2, True)]
    tracks.append(sdp.LocalTrack("gone", 3, True))  # which the client does not know
    written = sdp.write_answer(offer, local(), tracks)
    assert (
        written.replace("\r\n", "\n")
        == f"""v=0
o=- 77 3 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 t1 t2
a=ice-lite
a=msid-semantic: WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2130706431 192.0.2.1 40000 typ host
a=end-of-candidates
{TRANSPORT}a=mid:0
a=sendrecv
{OPUS}a=ptime:10
a=msid:ag06-mix ag06-mix-audio
a=ssrc:4711 cname:us
{track("t1", 1, "sendonly")}{track("t2", 2, "inactive")}m=video 0 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:v
a=inactive
m=audio 0 UDP/TLS/RTP/SAVPF 0
c=IN IP4 0.0.0.0
a=mid:a
a=inactive
m=application 0 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:d
"""
    )


def test_a_track_that_we_do_not_send_on_is_inactive():
    offer = sdp.read_offer(FURTHER)
    written = sdp.write_answer(offer, local(), [sdp.LocalTrack("t1", 1, False)])
    (section,) = [one for one in written.split("m=") if "a=mid:t1\r" in one]
    assert "a=inactive\r" in section
    assert "a=sendonly\r" not in section


def test_an_offer_tells_where_its_client_listens_and_whose_session_it_is():
    text = changed("o=- 1 1", "o=ada 42 7", FURTHER)
    offer = sdp.read_offer(changed("a=sendrecv\n", "", text))  # which is what stands for it
    assert offer.receiving == {"0", "t1"}
    assert offer.session == ("ada", "42")


@pytest.mark.parametrize(("number", "taken"), [(63, True), (64, False), (95, False), (96, True)])
def test_types_that_rtcp_would_be_taken_for_are_none_of_opus(number, taken):
    text = changed("SAVPF 111", f"SAVPF {number}")
    text = changed("rtpmap:111", f"rtpmap:{number}", text)
    if taken:
        assert sdp.read_offer(text).audio.opus_type == number
    else:
        with pytest.raises(ClientError):
            sdp.read_offer(text)


def test_a_type_above_seven_bits_is_none():
    text = changed("rtpmap:111", "rtpmap:128", changed("SAVPF 111", "SAVPF 128"))
    with pytest.raises(ClientError):
        sdp.read_offer(text)


@pytest.mark.parametrize(("beyond", "taken"), [(0, True), (1, False)])
def test_as_many_characters_and_lines_as_are_told_are_read_and_no_more(beyond, taken):
    padding = sdp.MAX_SDP_CHARS + beyond - len(MINIMAL) - len("a=x:\n")
    long = f"{MINIMAL}a=x:{'y' * padding}\n"
    assert len(long) == sdp.MAX_SDP_CHARS + beyond
    read_lines = len([line for line in MINIMAL.splitlines() if not line.startswith("c=")])
    extension = "a=extmap:15 urn:x\n"
    many = MINIMAL + extension * (sdp.MAX_LINES + beyond - read_lines)
    for text in (long, many):
        if taken:
            assert sdp.read_offer(text).audio.mid == "0"
        else:
            with pytest.raises(ClientError, match="too long"):
                sdp.read_offer(text)


def test_a_mid_has_64_characters_at_most():
    for length, taken in ((64, True), (65, False)):
        mid = "m" * length
        text = changed("a=mid:0", f"a=mid:{mid}", changed("BUNDLE 0", f"BUNDLE {mid}"))
        if taken:
            assert sdp.read_offer(text).audio.mid == mid
        else:
            with pytest.raises(ClientError):
                sdp.read_offer(text)


def test_candidates_have_the_priorities_of_the_standard():
    # RFC 8445, 5.1.2.1: 2^24 × type + 2^8 × local + 256 − component.
    for index, local_preference in ((0, 65535), (1, 65534)):
        priority = (1 << 24) * 126 + (1 << 8) * local_preference + 255
        line = sdp.host_candidate(index, "192.0.2.1", 9)
        assert line == f"{index + 1} 1 udp {priority} 192.0.2.1 9 typ host"
