import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrtc.errors import ClientError
from webrtc.signaling import sdp_fragments
from webrtc.signaling.messages_media import IceCandidate
from webrtc.signaling.sdp_fragments import Fragment, read_fragment

CANDIDATE = "candidate:1 1 udp 2130706431 192.0.2.1 9 typ host"
TAG = "c5db8c2c7f51a64a4e0d"
OFFER = """v=0
o=- 1 1 IN IP4 127.0.0.1
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=ice-ufrag:OLD1
a=ice-pwd:oldoldoldoldoldoldoldold
a=candidate:7 1 udp 1 192.0.2.9 9 typ host
a=rtpmap:111 opus/48000/2
"""


def test_candidates_know_their_section() -> None:
    credentials = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n"
    section = f"m=audio 9 X 0\r\na=mid:a\r\na={CANDIDATE}\r\na=end-of-candidates\r\n"
    text = credentials + section
    assert read_fragment(text) == Fragment(
        "EsAw", "P2uYro0UCOQ4zxjKXaWCBui1", (IceCandidate(CANDIDATE, "a", 0),)
    )


def test_an_empty_fragment_says_nothing() -> None:
    assert read_fragment("") == Fragment("", "", ())


@pytest.mark.parametrize(
    "text",
    [
        "a=ice-ufrag:only",
        "a=ice-ufrag:abc\na=ice-pwd:too-short-ufrag",
        "a=ice-ufrag:caf\u00e9\na=ice-pwd:not-ascii-not-ascii",
        "hello",
        '{"candidate": 1}',
        f"a={CANDIDATE}\n" * (sdp_fragments.MAX_CANDIDATES + 1),
        "a=candidate:" + "x" * 2000,
    ],
)
def test_what_is_no_fragment_is_refused(text: str) -> None:
    with pytest.raises(ClientError) as error:
        read_fragment(text)
    assert error.value.reason == "bad_candidate"


@given(st.text(max_size=300))
def test_nothing_else_comes_of_any_text(text: str) -> None:
    with contextlib.suppress(ClientError):
        assert isinstance(read_fragment(text), Fragment)


def test_a_restart_is_the_first_offer_with_new_credentials() -> None:
    fragment = Fragment("NEW1", "newnewnewnew", (IceCandidate(CANDIDATE, "0", 0),))
    lines = sdp_fragments.restarted(OFFER, fragment).split("\r\n")
    assert "a=ice-ufrag:NEW1" in lines
    assert "a=ice-pwd:newnewnewnew" in lines
    assert f"a={CANDIDATE}" in lines
    assert not any("old" in line or "OLD1" in line or "192.0.2.9" in line for line in lines)
    assert "a=rtpmap:111 opus/48000/2" in lines


def test_the_answer_to_a_restart_leaves_refused_sections_out() -> None:
    text = sdp_fragments.answered(OFFER + "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n")
    assert "m=audio" in text
    assert "a=ice-ufrag:OLD1" in text
    assert "m=video" not in text
    assert "a=mid:1" not in text
    assert "rtpmap" not in text


def test_the_tag_follows_the_credentials() -> None:
    other = OFFER.replace("OLD1", "OLD2")
    assert sdp_fragments.tag_of(OFFER) == sdp_fragments.tag_of(OFFER + "a=ptime:20\r\n")
    assert sdp_fragments.tag_of(OFFER) != sdp_fragments.tag_of(other)


def test_sections_are_counted_and_what_stands_above_them_is_of_the_first() -> None:
    text = f"a={CANDIDATE}\nm=audio 9 X 0\nm=video 9 X 0\na={CANDIDATE}\nm=audio 9 X 0\na=mid:c\n"
    text += f"a={CANDIDATE}\n"
    assert read_fragment(text).candidates == (
        IceCandidate(CANDIDATE, None, 0),
        IceCandidate(CANDIDATE, None, 1),
        IceCandidate(CANDIDATE, "c", 2),
    )


def test_candidates_have_a_length_at_most() -> None:
    longest = "a=" + CANDIDATE.ljust(1022, "x")
    assert len(read_fragment(longest).candidates) == 1
    with pytest.raises(ClientError):
        read_fragment(longest + "x")


def test_a_restart_line_by_line() -> None:
    fragment = Fragment("NEW1", "newnewnewnew", (IceCandidate(CANDIDATE, "0", 0),))
    offer = OFFER + "a=end-of-candidates\na=ice-options:trickle\n"
    wanted = f"""v=0
o=- 1 1 IN IP4 127.0.0.1
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=ice-ufrag:NEW1
a=ice-pwd:newnewnewnew
a={CANDIDATE}
a=rtpmap:111 opus/48000/2
"""
    assert sdp_fragments.restarted(offer, fragment) == wanted.replace("\n", "\r\n")


def test_the_answer_to_a_restart_line_by_line() -> None:
    answer = OFFER.replace("a=group", "a=ice-lite\na=group") + "a=end-of-candidates\n"
    answer += "a=ice-options:renomination\nm=video 0 UDP/TLS/RTP/SAVPF 96\na=mid:1\n"
    wanted = """a=ice-options:trickle ice2
a=ice-lite
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:0
a=ice-ufrag:OLD1
a=ice-pwd:oldoldoldoldoldoldoldold
a=candidate:7 1 udp 1 192.0.2.9 9 typ host
a=end-of-candidates
"""
    assert sdp_fragments.answered(answer) == wanted.replace("\n", "\r\n")


def test_a_tag_is_twenty_digits_that_stay_from_release_to_release() -> None:
    assert sdp_fragments.tag_of(OFFER) == TAG
    other = OFFER.replace("oldoldoldoldoldoldoldold", "otherotherotherotherother")
    assert sdp_fragments.tag_of(other) != TAG
