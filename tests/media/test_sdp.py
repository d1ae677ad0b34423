"""Offers of real clients answered, and broken ones refused in one way only."""

import time
from pathlib import Path

import pytest
from aiortc import RTCPeerConnection
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from webrtc.errors import ClientError
from webrtc.media import rtp, sdp

VECTORS = Path(__file__).parent / "vectors"
OFFERS = {path.stem: path.read_bytes().decode() for path in sorted(VECTORS.glob("*.sdp"))}
BROWSERS = pytest.mark.parametrize("browser", ["chromium", "firefox"])

MINIMAL = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 AA:BB
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
"""


def local(**changes):
    fields = {
        "session_id": 77,
        "version": 3,
        "candidates": [sdp.host_candidate(0, "192.0.2.1", 40000)],
        "ufrag": "ourufrag",
        "password": "p" * 24,
        "fingerprint": ":".join(["AB"] * 32),
        "lite": True,
        "sends": True,
        "receives": True,
        "ssrc": 4711,
        "cname": "us",
        "ptime_ms": 10,
    }
    return sdp.LocalAudio(**{**fields, **changes})


def answer(text, **changes):
    """Return the answer to an offer, as text and as aiortc reads it."""
    written = sdp.write_answer(sdp.read_offer(text), local(**changes))
    return written, SessionDescription.parse(written)


def changed(before, after, text=MINIMAL):
    assert before in text
    return text.replace(before, after)


# ---- offers of browsers --------------------------------------------------------------------


@BROWSERS
@pytest.mark.parametrize(
    ("scene", "sends", "receives"),
    [
        ("speak", True, True),
        ("listen", False, True),
        ("send", True, False),
        ("muted", False, False),
    ],
)
def test_a_browsers_offer_is_understood(browser, scene, sends, receives):
    offer = sdp.read_offer(OFFERS[f"{browser}_{scene}"])
    audio = offer.audio
    assert (audio.sends, audio.receives) == (sends, receives)
    assert offer.taken == 0
    assert offer.bundled
    assert audio.mid == "0"
    assert audio.opus_type == {"chromium": 111, "firefox": 109}[browser]
    assert audio.red_type == {"chromium": 63, "firefox": None}[browser]
    assert audio.opus_parameters["useinbandfec"] == 1
    assert audio.level_id == 1
    assert audio.csrc_level_id == {"chromium": 0, "firefox": 2}[browser]
    assert not audio.client_waits
    assert len(audio.ufrag) >= 4
    assert len(audio.password) >= 22
    [(algorithm, value)] = audio.fingerprints
    assert (algorithm, len(value)) == ("sha-256", 95)


@pytest.mark.parametrize("name", OFFERS)
def test_every_section_of_an_offer_is_answered_in_its_place(name):
    offered = SessionDescription.parse(OFFERS[name])
    text, answered = answer(OFFERS[name])
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert [m.kind for m in answered.media] == [m.kind for m in offered.media]
    assert [m.profile for m in answered.media] == [m.profile for m in offered.media]
    assert [m.rtp.muxId for m in answered.media] == [m.rtp.muxId for m in offered.media]
    for before, after in zip(offered.media, answered.media, strict=True):
        if before.kind == "audio":
            assert after.port != 0
        else:
            assert after.port == 0
    taken = next(m for m in answered.media if m.port)
    assert [group.items for group in answered.group] == [[taken.rtp.muxId]]


@pytest.mark.parametrize("name", OFFERS)
def test_the_answer_holds_what_was_negotiated_and_nothing_that_was_not_offered(name):
    offer = sdp.read_offer(OFFERS[name])
    offered = SessionDescription.parse(OFFERS[name]).media[offer.taken]
    _, answered = answer(OFFERS[name])
    audio = answered.media[offer.taken]
    assert (audio.ice.usernameFragment, audio.ice.password) == ("ourufrag", "p" * 24)
    assert audio.ice.iceLite
    assert audio.dtls.role == "server"
    assert [(f.algorithm, f.value) for f in audio.dtls.fingerprints] == [
        ("sha-256", ":".join(["AB"] * 32))
    ]
    assert audio.rtcp_mux
    assert audio.ice_candidates_complete
    assert [(c.ip, c.port, c.type) for c in audio.ice_candidates] == [("192.0.2.1", 40000, "host")]
    opus = next(c for c in audio.rtp.codecs if c.mimeType == "audio/opus")
    for codec in audio.rtp.codecs:
        twin = next(c for c in offered.rtp.codecs if c.payloadType == codec.payloadType)
        assert (twin.mimeType.lower(), twin.clockRate) == (codec.mimeType.lower(), codec.clockRate)
    offered_extensions = {(e.id, e.uri) for e in offered.rtp.headerExtensions}
    for extension in audio.rtp.headerExtensions:
        assert (extension.id, extension.uri) in offered_extensions
    for switch in ("stereo", "sprop-stereo", "useinbandfec", "usedtx"):
        assert int(opus.parameters[switch]) == 1
    assert [s.ssrc for s in audio.ssrc] == [4711]


@pytest.mark.parametrize(
    ("name", "types", "offered"),
    [
        ("chromium_speak", [111, 63], "111 63 9 0 8 13 110 126"),
        ("chromium_redundant", [63, 111], "63 111"),
        ("firefox_speak", [109], "109 9 0 8 101"),
    ],
)
def test_redundancy_has_the_place_that_the_offer_gives_it(name, types, offered):
    assert f"UDP/TLS/RTP/SAVPF {offered}\r\n" in OFFERS[name]
    text, answered = answer(OFFERS[name])
    assert answered.media[0].fmt == types
    assert ("a=fmtp:63 111/111\r\n" in text) == (63 in types)


@pytest.mark.parametrize(
    ("red", "offered", "taken"),
    [
        ("red/48000/2", "96 111", [96, 111]),
        ("red/48000/2", "111 96", [111, 96]),
        ("red/48000/2", "0 111 8 96", [111, 96]),
        ("red/8000", "96 111", [111]),
        ("red/48000/2", "111", [111]),
    ],
)
def test_only_redundancy_that_can_hold_our_opus_is_taken(red, offered, taken):
    text = changed("SAVPF 111", f"SAVPF {offered}", MINIMAL + f"a=rtpmap:96 {red}\n")
    assert answer(text)[1].media[0].fmt == taken


@pytest.mark.parametrize(
    ("sends", "receives", "direction"),
    [
        (True, True, "sendrecv"),
        (True, False, "sendonly"),
        (False, True, "recvonly"),
        (False, False, "inactive"),
    ],
)
def test_our_direction_is_what_we_do(sends, receives, direction):
    text, answered = answer(OFFERS["chromium_speak"], sends=sends, receives=receives)
    assert answered.media[0].direction == direction
    assert ("a=ssrc:" in text) == sends


def test_the_packet_time_that_we_ask_for_is_in_the_audio_section():
    text, _ = answer(OFFERS["chromium_video_data"], ptime_ms=20)
    sections = text.split("m=")
    assert ["a=ptime:20\r\n" in section for section in sections].count(True) == 1
    assert next(s for s in sections if "a=ptime:20" in s).startswith("audio")


def test_a_further_answer_keeps_the_session_and_counts_the_version():
    first, _ = answer(MINIMAL, version=1)
    second, _ = answer(MINIMAL, version=2)
    assert "o=- 77 1 IN" in first
    assert "o=- 77 2 IN" in second


# ---- aiortc --------------------------------------------------------------------------------


async def test_aiortc_takes_our_answer_to_its_offer():
    client = RTCPeerConnection()
    client.addTransceiver("audio")
    client.createDataChannel("chat")
    client.addTransceiver("video")
    await client.setLocalDescription(await client.createOffer())
    offer = sdp.read_offer(client.localDescription.sdp)
    assert offer.audio.sends
    assert offer.audio.receives
    text = sdp.write_answer(offer, local())
    assert SessionDescription.parse(text).media[offer.taken].port
    await client.close()


# ---- other clients -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setup", "waits", "ours"),
    [("actpass", False, "server"), ("active", False, "server"), ("passive", True, "client")],
)
def test_the_dtls_roles_fit_each_other(setup, waits, ours):
    text = changed("setup:actpass", f"setup:{setup}")
    assert sdp.read_offer(text).audio.client_waits is waits
    assert answer(text)[1].media[0].dtls.role == ours


@pytest.mark.parametrize(
    "text", [changed("a=group:BUNDLE 0\n", ""), changed("BUNDLE 0", "BUNDLE 1 2")]
)
def test_what_was_not_bundled_is_not_bundled_in_the_answer(text):
    assert not sdp.read_offer(text).bundled
    assert "BUNDLE" not in answer(text)[0]


def test_a_client_without_mids_gets_a_fitting_answer():
    assert answer(changed("a=mid:0\n", ""))[1].media[0].port == 9


def extmaps(text):
    """Return the answer's extmap lines, by what stands behind the id."""
    lines = [line for line in answer(text)[0].splitlines() if line.startswith("a=extmap:")]
    return dict(reversed(line.removeprefix("a=extmap:").split()) for line in lines)


def test_firefox_is_told_that_we_send_the_levels_that_it_only_receives():
    assert extmaps(OFFERS["firefox_speak"]) == {
        rtp.AUDIO_LEVEL_URI: "1",
        rtp.CSRC_LEVEL_URI: "2/sendonly",
    }


@pytest.mark.parametrize(
    ("named", "level", "csrc_level"),
    [
        ("", "3", "5"),
        ("/sendrecv", "3/sendrecv", "5/sendrecv"),
        ("/sendonly", "3/recvonly", None),
        ("/recvonly", None, "5/sendonly"),
        ("/inactive", None, None),
        ("/sideways", None, None),
        ("/", None, None),
    ],
)
def test_an_extension_is_accepted_in_the_direction_left_to_us_or_not_at_all(
    named, level, csrc_level
):
    lines = f"a=extmap:3{named} {rtp.AUDIO_LEVEL_URI}\na=extmap:5{named} {rtp.CSRC_LEVEL_URI}\n"
    text = changed("a=sendrecv\n", "a=sendrecv\n" + lines)
    audio = sdp.read_offer(text).audio
    assert (audio.level_id, audio.csrc_level_id) == (3 if level else 0, 5 if csrc_level else 0)
    found = extmaps(text)
    assert (found.get(rtp.AUDIO_LEVEL_URI), found.get(rtp.CSRC_LEVEL_URI)) == (level, csrc_level)


def test_directions_of_other_sections_do_not_count():
    ours = f"a=extmap:5 {rtp.CSRC_LEVEL_URI}\n"
    text = MINIMAL + ours
    text += "m=video 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 0.0.0.0\na=mid:1\n"
    text += MINIMAL[MINIMAL.index("m=audio") :].replace("a=mid:0", "a=mid:2")
    text += f"a=extmap:5/sendonly {rtp.CSRC_LEVEL_URI}\n"
    assert extmaps(text) == {rtp.CSRC_LEVEL_URI: "5"}


def test_credentials_may_stand_above_the_sections():
    lines = ["a=ice-ufrag:abcd\n", "a=ice-pwd:0123456789012345678901\n"]
    lines += ["a=fingerprint:sha-256 AA:BB\n", "a=setup:actpass\n"]
    text = MINIMAL
    for line in lines:
        text = changed(line, "", text)
    text = changed("t=0 0\n", "t=0 0\n" + "".join(lines), text)
    audio = sdp.read_offer(text).audio
    assert (audio.ufrag, audio.fingerprints) == ("abcd", (("sha-256", "AA:BB"),))


def test_the_first_usable_audio_section_is_taken_and_others_are_refused():
    second = MINIMAL[MINIMAL.index("m=audio") :].replace("a=mid:0", "a=mid:1")
    text = changed("m=audio 9", "m=audio 0") + second + second.replace("a=mid:1", "a=mid:2")
    offer = sdp.read_offer(text.replace("BUNDLE 0", "BUNDLE 0 1 2"))
    assert (offer.taken, offer.audio.mid) == (1, "1")
    written = SessionDescription.parse(sdp.write_answer(offer, local()))
    assert [bool(m.port) for m in written.media] == [False, True, False]
    assert [m.rtp.muxId for m in written.media] == ["0", "1", "2"]


@pytest.mark.parametrize("number", [0, 34, 63, 96, 127])
def test_any_payload_type_that_rtp_can_carry_may_be_opus(number):
    text = changed("111", str(number))
    assert sdp.read_offer(text).audio.opus_type == number
    assert answer(text)[1].media[0].rtp.codecs[0].payloadType == number


def test_extension_ids_beyond_one_byte_headers_are_left_out():
    lines = f"a=extmap:15 {rtp.AUDIO_LEVEL_URI}\na=extmap:200 {rtp.CSRC_LEVEL_URI}\n"
    audio = sdp.read_offer(MINIMAL + lines).audio
    assert (audio.level_id, audio.csrc_level_id) == (0, 0)


def test_candidates_are_handed_on_as_they_came():
    candidates = sdp.read_offer(OFFERS["firefox_speak"]).audio.candidates
    assert len(candidates) == 8
    assert ".local" in candidates[0]


# ---- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "v=0\n",
        MINIMAL.partition("m=audio")[0],
        changed("m=audio 9", "m=audio 0"),
        changed("m=audio", "m=video"),
        changed("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        changed("opus/48000/2", "opus/16000"),
        changed("opus/48000/2", "speex/48000"),
        changed("rtpmap:111 opus/48000/2", "rtpmap:112 opus/48000/2"),
        changed("111", "200"),
        changed("111", "72"),
        changed("111", "300"),
        changed("111", "-1"),
        changed("a=rtcp-mux\n", ""),
        changed("a=setup:actpass\n", ""),
        changed("setup:actpass", "setup:whatever"),
        changed("a=fingerprint:sha-256 AA:BB\n", ""),
        changed("a=ice-ufrag:abcd\n", ""),
        changed("a=ice-pwd:0123456789012345678901\n", ""),
        changed("a=mid:0", "a=mid:" + "0" * 65),
        changed("a=mid:0", "a=mid:0 1"),
        changed("a=mid:0", "a=mid:é"),
        MINIMAL + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:1\n" * 32,
        MINIMAL + "a=x\n" * 20_000,
        MINIMAL + "a=rtpmap:1 x/1\n" * 1000,
    ],
)
def test_an_offer_that_cannot_be_taken_is_a_bad_sdp(text):
    with pytest.raises(ClientError) as refusal:
        sdp.read_offer(text)
    assert refusal.value.reason == "bad_sdp"
    assert len(refusal.value.detail) < 100


def test_the_dearest_offer_is_read_in_the_time_of_a_few_ticks():
    """Quadratic parsing of 64 KB held a worker up for seconds. The bound is far above the need."""
    text = changed("a=rtpmap", "a=rtpmap:1 x/1\n" * 290 + "a=rtpmap")
    text += "a=rtcp-fb:* x\n" * 1000 + "a=fmtp:111 x=1\n" * 290
    begun = time.process_time()
    assert sdp.read_offer(text).audio.opus_type == 111
    assert time.process_time() - begun < 0.5


def mutate(text, changes):
    """Return `text` with lines dropped, doubled, swapped or damaged."""
    lines = text.split("\n")
    for kind, where, junk in changes:
        at = where % len(lines)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[at])
        elif kind == 2:
            lines[at], lines[-1] = lines[-1], lines[at]
        elif kind == 3:
            cut = where % (len(lines[at]) + 1)
            lines[at] = lines[at][:cut] + junk + lines[at][cut + len(junk) :]
        else:
            lines.insert(at, lines[where % len(lines)].partition(":")[0] + ":" + junk)
        lines = lines or [""]
    return "\n".join(lines)


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from([*OFFERS, "minimal"]),
    changes=st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 500), st.text(max_size=8)),
        min_size=1,
        max_size=6,
    ),
)
def test_a_damaged_offer_is_answered_well_or_refused_as_bad(name, changes):
    text = mutate(OFFERS.get(name, MINIMAL), changes)
    try:
        offer = sdp.read_offer(text)
    except ClientError:
        return
    written = sdp.write_answer(offer, local())
    answered = SessionDescription.parse(written)
    assert len(answered.media) == len(offer.sections)
    assert [bool(m.port) for m in answered.media].count(True) == 1
    assert 0 <= offer.audio.opus_type <= 127


@given(st.text(max_size=300))
def test_text_of_any_kind_is_refused(text):
    with pytest.raises(ClientError):
        sdp.read_offer(text)


@given(index=st.integers(0, 60_000))
def test_earlier_addresses_are_preferred(index):
    def priority(i):
        return int(sdp.host_candidate(i, "192.0.2.1", 1).split()[3])

    assert 0 < priority(index + 1) < priority(index) < 2**31
