import pytest
from aiortc.sdp import SessionDescription

from benchmarks.load.sdp import Identity, SdpError, make_offer, parse_answer

ANSWER = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=ice-lite
m=audio 9 UDP/TLS/RTP/SAVPF 111 63
a=candidate:1 1 udp 2130706431 192.0.2.9 40000 typ host
a=candidate:2 1 udp 2130706175 127.0.0.1 40000 typ host
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 AA:BB
a=setup:passive
a=extmap:3 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;stereo=1; maxaveragebitrate=96000
a=ptime:10
"""


def offer(*, dtx: bool = False) -> str:
    return make_offer(
        Identity("ufrg", "p" * 24, 7), ("127.64.0.1", 5000), "AA:BB", "recvonly", dtx=dtx
    )


def test_the_offer_is_what_aiortc_reads():
    (media,) = SessionDescription.parse(offer()).media
    assert media.kind == "audio"
    assert media.direction == "recvonly"
    assert media.ice.usernameFragment == "ufrg"
    assert media.dtls.fingerprints[0].value == "AA:BB"
    assert media.dtls.role == "auto"
    assert media.rtcp_mux
    assert [codec.mimeType for codec in media.rtp.codecs] == ["audio/opus", "audio/red"]
    assert (media.ice_candidates[0].ip, media.ice_candidates[0].port) == ("127.64.0.1", 5000)


def test_wishes_reach_the_offer():
    assert "usedtx=1" in offer(dtx=True)
    assert "usedtx" not in offer()
    assert "stereo=1" in offer()


def test_identities_differ():
    assert Identity.generate() != Identity.generate()


def test_the_answer_is_read():
    remote = parse_answer(ANSWER)
    assert remote.address == ("127.0.0.1", 40000)
    assert (remote.ufrag, remote.password) == ("abcd", "0123456789012345678901")
    assert remote.fingerprint == "AA:BB"
    assert remote.client_is_dtls_client
    assert remote.payload_types == (111, 63)
    assert remote.fmtp == {"minptime": "10", "stereo": "1", "maxaveragebitrate": "96000"}
    assert remote.ptime_ms == 10
    assert remote.level_extension == 3


def test_the_first_candidate_is_taken_where_no_preferred_one_is():
    assert parse_answer(ANSWER, hosts=("10.0.0.1",)).address == ("192.0.2.9", 40000)


def test_what_an_answer_leaves_out_is_none():
    text = (
        ANSWER.replace("a=ptime:10\n", "").replace("a=extmap", "a=x").replace("passive", "active")
    )
    remote = parse_answer(text)
    assert remote.ptime_ms is None
    assert remote.level_extension is None
    assert not remote.client_is_dtls_client


@pytest.mark.parametrize(
    "broken",
    [
        ANSWER.replace("m=audio 9", "m=audio 0"),
        ANSWER.replace("a=candidate", "a=x"),
        ANSWER.replace("a=ice-pwd", "a=x"),
        ANSWER.replace("sha-256", "sha-1"),
        "",
    ],
)
def test_an_answer_without_the_necessary_is_refused(broken):
    with pytest.raises(SdpError):
        parse_answer(broken)
