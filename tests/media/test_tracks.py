"""Tracks from wish to agreement, and the offers and answers in which that is said."""

import pytest
from aiortc.sdp import SessionDescription

from tests.media.test_sdp import MINIMAL, OFFERS, answer, local
from webrtc.errors import ClientError
from webrtc.media.sdp import LocalTrack, read_offer, write_answer
from webrtc.media.sdp_offer import MAX_ANSWER_LINES, AnsweredSection, read_answer, write_offer
from webrtc.media.tracks import PeerTracks

ALL = 15


def said(tracks, *receiving):
    """Return an answer that receives on these tracks and on no other."""
    mids = [track.mid for track in tracks.all]
    return [AnsweredSection(mid, False, mid in receiving) for mid in mids]


def agreed(count):
    """Return so many tracks that the client has taken."""
    tracks = PeerTracks()
    tracks.want(count, ())
    tracks.offer(0.0)
    tracks.answered(said(tracks, *(track.mid for track in tracks.all)))
    return tracks


def flowing(tracks):
    return [track.mid for track in tracks.flowing]


# ---- agreement -----------------------------------------------------------------------------


def test_a_track_flows_when_the_client_has_taken_it_and_not_before():
    tracks = PeerTracks()
    tracks.want(2, ())
    assert tracks.is_unsettled
    assert flowing(tracks) == []
    tracks.offer(0.0)
    assert tracks.is_answer_due
    tracks.answered(said(tracks, "track1", "track2"))
    assert flowing(tracks) == ["track1", "track2"]
    assert not tracks.is_unsettled
    assert not tracks.is_answer_due


def test_fewer_are_wanted_and_more_again_and_their_numbers_stay():
    tracks = agreed(3)
    ssrcs = [track.ssrc for track in tracks.all]
    tracks.want(1, ())
    assert flowing(tracks) == ["track1"]
    assert tracks.is_unsettled
    tracks.offer(1.0)
    tracks.answered(said(tracks, "track1"))
    assert not tracks.is_unsettled
    tracks.want(2, ())
    assert flowing(tracks) == ["track1"]
    tracks.offer(2.0)
    tracks.answered(said(tracks, "track1", "track2"))
    assert flowing(tracks) == ["track1", "track2"]
    assert [track.ssrc for track in tracks.all] == ssrcs


def test_what_is_not_wanted_any_more_but_was_not_said_yet_flows_on_when_it_is_wanted_again():
    tracks = agreed(2)
    tracks.want(1, ())
    tracks.want(2, ())
    assert flowing(tracks) == ["track1", "track2"]
    assert not tracks.is_unsettled


def test_an_answer_that_is_older_than_the_wish_refuses_nothing():
    tracks = agreed(1)
    tracks.offer(1.0)
    tracks.want(3, ())
    tracks.answered(said(tracks, "track1"))
    assert tracks.is_unsettled
    assert not tracks.is_refused


def test_a_client_that_refuses_is_not_asked_again():
    tracks = PeerTracks()
    tracks.want(2, ())
    tracks.offer(0.0)
    tracks.answered(said(tracks))
    assert tracks.is_refused
    tracks.want(2, ())
    assert not tracks.is_unsettled
    assert flowing(tracks) == []


def test_a_client_that_takes_some_gets_these():
    tracks = PeerTracks()
    tracks.want(2, ())
    tracks.offer(0.0)
    tracks.answered(said(tracks, "track2"))
    assert flowing(tracks) == ["track2"]
    assert not tracks.is_refused


def test_an_offer_of_the_client_makes_ours_void():
    tracks = agreed(1)
    tracks.want(2, ())
    tracks.offer(1.0)
    tracks.offered({"track1"}, {"0", "track1"})
    assert not tracks.is_answer_due
    assert tracks.is_unsettled
    assert flowing(tracks) == ["track1"]


def test_a_client_that_does_not_receive_any_more_is_not_sent_to():
    tracks = agreed(2)
    tracks.offered({"track1"}, {"0", "track1", "track2"})
    assert flowing(tracks) == ["track1"]


def test_a_client_that_names_its_sections_like_ours_gets_no_tracks():
    tracks = PeerTracks()
    tracks.want(3, {"track2"})
    assert len(tracks.all) == 1


# ---- descriptions --------------------------------------------------------------------------


def offer_of(name="chromium_speak", count=3, sends=True):
    """Return our offer to a client of a browser's vector, as text and as aiortc reads it."""
    theirs = read_offer(OFFERS[name])
    tracks = [LocalTrack(f"track{i + 1}", 100 + i, sends) for i in range(count)]
    text = write_offer(theirs.audio, theirs.sections, local(), tracks)
    return text, SessionDescription.parse(text)


@pytest.mark.parametrize("name", sorted(OFFERS))
def test_our_offer_keeps_the_sections_that_were_there_and_adds_the_tracks(name):
    theirs = read_offer(OFFERS[name])
    _, ours = offer_of(name)
    mids = [section.mid for section in theirs.sections]
    assert [m.rtp.muxId for m in ours.media] == [*mids, "track1", "track2", "track3"]
    assert ours.group[0].items == [theirs.audio.mid, "track1", "track2", "track3"]
    for media in ours.media[-3:]:
        assert media.direction == "sendonly"
        assert media.ice.usernameFragment == "ourufrag"
        assert media.dtls.fingerprints[0].algorithm == "sha-256"
        assert [codec.payloadType for codec in media.rtp.codecs] == [theirs.audio.opus_type]
        assert media.rtcp_mux
    assert len({media.ssrc[0].ssrc for media in ours.media[-3:]}) == 3
    assert len({media.msid for media in ours.media[-3:]}) == 3


def test_a_refused_section_stays_refused():
    theirs = read_offer(OFFERS["chromium_video_data"])
    _, ours = offer_of("chromium_video_data")
    for section, media in zip(theirs.sections, ours.media, strict=False):
        assert (media.port == 0) == (section.mid != theirs.audio.mid)


def test_fifteen_tracks_and_one_that_rests():
    text, ours = offer_of(count=ALL)
    assert len(ours.media) == 1 + ALL
    assert text.count("a=sendonly") == ALL
    assert offer_of(count=1, sends=False)[1].media[1].direction == "inactive"


def test_the_clients_own_offer_keeps_the_tracks_that_it_receives():
    tracks = [LocalTrack("track1", 1, True), LocalTrack("track2", 2, True)]
    more = "".join(
        f"m=audio 9 UDP/TLS/RTP/SAVPF 111\nc=IN IP4 0.0.0.0\na=mid:{mid}\na={direction}\n"
        "a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\na=fingerprint:sha-256 AA:BB\n"
        "a=setup:actpass\na=rtcp-mux\na=rtpmap:111 opus/48000/2\n"
        for mid, direction in (("track1", "recvonly"), ("track2", "inactive"), ("9", "recvonly"))
    )
    theirs = read_offer(MINIMAL + more)
    ours = SessionDescription.parse(write_answer(theirs, local(), tracks))
    assert [media.direction for media in ours.media] == [
        "sendrecv",
        "sendonly",
        "inactive",
        "inactive",
    ]
    assert [media.port != 0 for media in ours.media] == [True, True, True, False]
    assert ours.group[0].items == ["0", "track1", "track2"]


def test_without_tracks_an_answer_is_what_it_was():
    assert answer(MINIMAL)[0] == write_answer(
        read_offer(MINIMAL), local(), [LocalTrack("track1", 1, True)]
    )


def test_an_answer_is_read_by_its_sections():
    text = (
        "v=0\r\nm=audio 9 X 111\r\na=mid:0\r\na=sendrecv\r\nm=audio 9 X 111\r\na=mid:track1\r\n"
        "a=recvonly\r\nm=audio 0 X 111\r\na=mid:track2\r\na=recvonly\r\nm=audio 9 X 111\r\n"
        "a=mid:track3\r\na=inactive\r\n"
    )
    assert read_answer(text) == (
        AnsweredSection("0", sends=True, receives=True),
        AnsweredSection("track1", sends=False, receives=True),
        AnsweredSection("track2", sends=False, receives=False),
        AnsweredSection("track3", sends=False, receives=False),
    )


@pytest.mark.parametrize(
    "text",
    ["", "v=0", "m=audio\na=mid:0", "m=audio 9 X 111\n", "m=audio 9 X 111\na=mid:0\n" * 2000],
    ids=["nothing", "no section", "no fields", "no mid", "endless"],
)
def test_a_broken_answer_is_the_clients_mistake(text):
    with pytest.raises(ClientError) as raised:
        read_answer(text)
    assert raised.value.reason == "bad_sdp"
    assert MAX_ANSWER_LINES < 4000
