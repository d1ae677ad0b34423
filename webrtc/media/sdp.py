"""Reading a client's offer and writing our answer (RFC 8829, RFC 8839, RFC 7587).

One audio section is taken: the first that carries Opus over DTLS-SRTP with RTCP multiplexing. All
others are refused with port 0, but those of tracks that we have offered before (`sdp_offer`).
Whatever the offer says, we are ICE-lite; we wait for the ClientHello unless the client does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from webrtc.errors import ClientError
from webrtc.media import rtp
from webrtc.media.aiortc_adapter import (
    MediaDescription,
    SessionDescription,
    candidate_to_sdp,
    parse_sdp,
)

MAX_SECTIONS = 32
MAX_SDP_CHARS = 64 * 1024
MAX_LINES = 600  # of those that are read: parsing takes time that grows with their square
BITRATE_BPS = 128_000
_ATTRIBUTES = {
    "candidate", "extmap", "fingerprint", "fmtp", "group", "ice-lite", "ice-pwd", "ice-ufrag",
    "inactive", "recvonly", "rtcp-mux", "rtpmap", "sendonly", "sendrecv", "setup",
}  # fmt: skip
_LINES = ("v=", "o=", "s=", "t=", "m=")
_SENDS = ("sendrecv", "sendonly")
_RECEIVES = ("sendrecv", "recvonly")
_MIRRORED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly"}


@dataclass(frozen=True, slots=True)
class RemoteAudio:
    """The audio section of an offer that we take.

    Attributes:
        mid: Its identification tag.
        ufrag, password: The client's ICE credentials.
        fingerprints: (algorithm, value) of its certificate.
        client_waits: Whether the client insists on waiting for our ClientHello (`setup:passive`).
        opus_type: Payload type of Opus.
        red_type: Payload type of RED around Opus, None when it was not offered.
        prefers_red: Whether it was offered before Opus.
        opus_parameters: What the client said of its Opus decoder, by name.
        level_id: Extension id of RFC 6464, 0 when it was not offered.
        csrc_level_id: Extension id of RFC 6465, likewise.
        extension_directions: Direction that the offer names for an extension, by its id.
        sends, receives: What the client wants to do.
        candidates: Its ICE candidates so far, as attribute values.
    """

    mid: str
    ufrag: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]
    client_waits: bool
    opus_type: int
    red_type: int | None
    prefers_red: bool
    opus_parameters: dict[str, str | int | None]
    level_id: int
    csrc_level_id: int
    extension_directions: dict[int, str]
    sends: bool
    receives: bool
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A client's offer: the section that we take, and enough of the others to refuse them.

    Attributes:
        audio: The section that we take.
        sections: All of them, in order.
        taken: Which of them it is.
        bundled: Whether it is in a BUNDLE group.
        receiving: Identification tags of sections that carry Opus to the client.
        session: User name and number of its `o=` line, which a peer connection keeps for its life
            (RFC 8829 section 5.2.2).
    """

    audio: RemoteAudio
    sections: tuple["Section", ...]
    taken: int
    bundled: bool
    receiving: frozenset[str] = frozenset()
    session: tuple[str, ...] = ()


class Section(NamedTuple):
    """What of a media section has to stay as it is."""

    kind: str
    profile: str
    form: str
    mid: str


def read_offer(text: str) -> Offer:
    """Return what we need of an offer.

    Raises:
        ClientError: `bad_sdp`, with what is missing.
    """
    essence = _essence(text)
    try:
        description = parse_sdp(essence)
    except ValueError:
        raise ClientError("bad_sdp", "The offer cannot be parsed.") from None
    if not 1 <= len(description.media) <= MAX_SECTIONS:
        raise ClientError("bad_sdp", f"An offer has 1 to {MAX_SECTIONS} media sections.")
    taken = next((i for i, m in enumerate(description.media) if _is_usable(m)), None)
    if taken is None:
        raise ClientError("bad_sdp", "The offer has no audio section with Opus over DTLS-SRTP.")
    sections = tuple(
        Section(m.kind, m.profile, str(m.fmt[0]) if m.fmt else "0", m.rtp.muxId or str(i))
        for i, m in enumerate(description.media)
    )
    if any(not _is_token(part) for section in sections for part in section):
        raise ClientError("bad_sdp", "A media section has a malformed line.")
    mid = sections[taken].mid
    audio = _read_audio(description.media[taken], mid, _extension_directions(essence, taken))
    receiving = frozenset(
        section.mid
        for section, m in zip(sections, description.media, strict=True)
        if _is_usable(m) and (m.direction or "sendrecv") in _RECEIVES
    )
    session = tuple((description.origin or "").split()[:2])
    return Offer(audio, sections, taken, _is_bundled(description, mid), receiving, session)


def _essence(text: str) -> str:
    """Return the lines of an offer that we read, in their order.

    Raises:
        ClientError: There are too many.
    """
    lines = []
    kind = "audio"  # session attributes hold for all sections
    for line in text[: MAX_SDP_CHARS + 1].splitlines():
        if line.startswith("m="):
            kind = line[2:].partition(" ")[0]
        name = line[2:].partition(":")[0].rstrip() if line.startswith("a=") else ""
        if line[:2] in _LINES or name == "mid" or (kind == "audio" and name in _ATTRIBUTES):
            lines.append(line)
    if len(text) > MAX_SDP_CHARS or len(lines) > MAX_LINES:
        raise ClientError("bad_sdp", "The offer is too long.")
    return "\r\n".join(lines) + "\r\n"


def _is_usable(media: MediaDescription) -> bool:
    return (
        media.kind == "audio"
        and media.port != 0
        and media.profile.startswith("UDP/TLS/RTP/SAVP")
        and _payload_type(media, "audio/opus") is not None
    )


def _payload_type(media: MediaDescription, mime_type: str) -> int | None:
    """Return the first payload type of a codec at 48 kHz that RTP beside RTCP can carry."""
    for codec in media.rtp.codecs:
        number = codec.payloadType
        if (
            number is not None
            and codec.mimeType.lower() == mime_type
            and codec.clockRate == 48000
            and number in media.fmt
            and 0 <= number <= 127
            and not 64 <= number <= 95  # RFC 5761 section 4
        ):
            return number
    return None


def _extension_directions(essence: str, taken: int) -> dict[int, str]:
    """Return the directions named in a section's extmap lines, by id (RFC 8285 section 5)."""
    directions = {}
    section = -1
    for line in essence.splitlines():
        section += line.startswith("m=")
        if section == taken and line.startswith("a=extmap:"):
            number, slash, direction = line[9:].split()[0].partition("/")
            if slash:
                directions[int(number)] = direction
    return directions


def _extension_id(
    media: MediaDescription, directions: dict[int, str], uri: str, wanted: tuple[str, ...]
) -> int:
    """Return the id of an extension that the client uses in the `wanted` way; 0 without."""
    for extension in media.rtp.headerExtensions:
        if extension.uri == uri and 1 <= extension.id <= 14:
            return extension.id if directions.get(extension.id, "sendrecv") in wanted else 0
    return 0


def _read_audio(media: MediaDescription, mid: str, directions: dict[int, str]) -> RemoteAudio:
    opus_type = _payload_type(media, "audio/opus")
    assert opus_type is not None
    ice = media.ice
    if ice is None or not ice.usernameFragment or not ice.password:
        raise ClientError("bad_sdp", "The offer has no ICE credentials.")
    if media.dtls is None or not media.dtls.fingerprints:
        raise ClientError("bad_sdp", "The offer has no DTLS fingerprint or setup role.")
    if not media.rtcp_mux:
        raise ClientError("bad_sdp", "The offer does not multiplex RTCP.")
    red_type = _payload_type(media, "audio/red")
    formats = list(media.fmt)
    opus = next(c for c in media.rtp.codecs if c.payloadType == opus_type)
    direction = media.direction or "sendrecv"
    return RemoteAudio(
        mid=mid,
        ufrag=ice.usernameFragment,
        password=ice.password,
        fingerprints=tuple((f.algorithm, f.value) for f in media.dtls.fingerprints),
        client_waits=media.dtls.role == "server",
        opus_type=opus_type,
        red_type=red_type,
        prefers_red=red_type is not None and formats.index(red_type) < formats.index(opus_type),
        opus_parameters=dict(opus.parameters),
        level_id=_extension_id(media, directions, rtp.AUDIO_LEVEL_URI, _SENDS),
        csrc_level_id=_extension_id(media, directions, rtp.CSRC_LEVEL_URI, _RECEIVES),
        extension_directions=directions,
        sends=direction in _SENDS,
        receives=direction in _RECEIVES,
        candidates=tuple(candidate_to_sdp(c) for c in media.ice_candidates),
    )


def _is_bundled(description: SessionDescription, mid: str) -> bool:
    return any(group.semantic == "BUNDLE" and mid in group.items for group in description.group)


def _is_token(text: str) -> bool:
    return 0 < len(text) <= 64 and text.isascii() and text.isprintable() and " " not in text


@dataclass(frozen=True, slots=True)
class LocalAudio:
    """Our half of the section that we take.

    Attributes:
        session_id: `o=` number of this connection.
        version: Counts our answers, from 1.
        candidates: Addresses and port, the preferred one first.
        ufrag, password: Our ICE credentials.
        fingerprint: SHA-256 of our certificate.
        lite: Whether we are ICE-lite.
        sends, receives: What we do.
        ssrc: SSRC of what we send.
        cname: Our canonical name, random.
        ptime_ms: Packet time that we ask the client for.
        bitrate_bps: How much the client's encoder may make.
    """

    session_id: int
    version: int
    candidates: Sequence[str]
    ufrag: str
    password: str
    fingerprint: str
    lite: bool
    sends: bool
    receives: bool
    ssrc: int
    cname: str
    ptime_ms: int
    bitrate_bps: int = BITRATE_BPS


@dataclass(frozen=True, slots=True)
class LocalTrack:
    """One further section, in which we send what a forward room forwards.

    Attributes:
        mid: Its identification tag, ours.
        ssrc: SSRC of what we send.
        sends: Whether we send.
    """

    mid: str
    ssrc: int
    sends: bool


def write_answer(offer: Offer, local: LocalAudio, tracks: Sequence[LocalTrack] = ()) -> str:
    """Return the SDP of our answer.

    Args:
        offer: What is answered.
        local: Our half of the section that we take.
        tracks: Ours; those that the client does not know are left out.
    """
    audio = offer.audio
    setup = "active" if audio.client_waits else "passive"
    known = {track.mid: track for track in tracks}
    mids = [s.mid for i, s in enumerate(offer.sections) if i == offer.taken or s.mid in known]
    lines = session_lines(local, mids if offer.bundled else [])
    for index, section in enumerate(offer.sections):
        track = known.get(section.mid)
        if index == offer.taken:
            lines += audio_section(audio, section.profile, local, setup)
        elif track is not None:
            sends = track.sends and track.mid in offer.receiving
            lines += track_section(
                audio, section.profile, local, replace(track, sends=sends), setup
            )
        else:
            lines += refused_section(section)
    return "\r\n".join(lines) + "\r\n"


def session_lines(local: LocalAudio, bundled: Sequence[str]) -> list[str]:
    """Return what stands before the first media section of a description of ours."""
    lines = [
        "v=0",
        f"o=- {local.session_id} {local.version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
    ]
    if bundled:
        lines.append(f"a=group:BUNDLE {' '.join(bundled)}")
    if local.lite:
        lines.append("a=ice-lite")
    return [*lines, "a=msid-semantic: WMS *"]


def refused_section(section: Section) -> list[str]:
    """Return a section that is not used."""
    kind, profile, form, mid = section
    lines = [f"m={kind} 0 {profile} {form}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}"]
    return [*lines, "a=inactive"] if kind in ("audio", "video") else lines


def track_section(
    audio: RemoteAudio, profile: str, local: LocalAudio, track: LocalTrack, setup: str
) -> list[str]:
    """Return the section of a track; it has no candidates, for it is bundled with the first."""
    return [
        f"m=audio 9 {profile} {audio.opus_type}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        *_transport_lines(local, setup, track.mid),
        f"a={'sendonly' if track.sends else 'inactive'}",
        "a=rtcp-mux",
        *_opus_lines(audio.opus_type, local.bitrate_bps),
        f"a=msid:ag06-{track.mid} ag06-{track.mid}-audio",
        f"a=ssrc:{track.ssrc} cname:{local.cname}",
    ]


def _transport_lines(local: LocalAudio, setup: str, mid: str) -> list[str]:
    return [
        f"a=ice-ufrag:{local.ufrag}",
        f"a=ice-pwd:{local.password}",
        f"a=fingerprint:sha-256 {local.fingerprint}",
        f"a=setup:{setup}",
        f"a=mid:{mid}",
    ]


def _opus_lines(opus: int, bitrate_bps: int) -> list[str]:
    return [
        f"a=rtpmap:{opus} opus/48000/2",
        # Stereo both ways, FEC where the mode has it, DTX so that a muted microphone is quiet.
        f"a=fmtp:{opus} minptime=10;useinbandfec=1;usedtx=1;stereo=1;sprop-stereo=1;"
        f"maxaveragebitrate={bitrate_bps}",
    ]


def audio_section(audio: RemoteAudio, profile: str, local: LocalAudio, setup: str) -> list[str]:
    """Return our half of the section that we take."""
    opus = audio.opus_type
    types = [opus] if audio.red_type is None else [opus, audio.red_type]
    if audio.prefers_red:
        types.reverse()  # a browser sends RED only when the answer prefers it as its offer did
    direction = {
        (True, True): "sendrecv",
        (True, False): "sendonly",
        (False, True): "recvonly",
        (False, False): "inactive",
    }[local.sends, local.receives]
    lines = [
        f"m=audio 9 {profile} {' '.join(map(str, types))}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        *(f"a=candidate:{candidate}" for candidate in local.candidates),
        "a=end-of-candidates",
        *_transport_lines(local, setup, audio.mid),
    ]
    if audio.level_id:
        lines.append(_extmap(audio, audio.level_id, rtp.AUDIO_LEVEL_URI))
    if audio.csrc_level_id:
        lines.append(_extmap(audio, audio.csrc_level_id, rtp.CSRC_LEVEL_URI))
    lines += [
        f"a={direction}",
        "a=rtcp-mux",
        *_opus_lines(opus, local.bitrate_bps),
    ]
    if audio.red_type is not None:
        lines += [
            f"a=rtpmap:{audio.red_type} red/48000/2",
            f"a=fmtp:{audio.red_type} {opus}/{opus}",
        ]
    lines += [f"a=ptime:{local.ptime_ms}"]
    if local.sends:
        lines += [
            "a=msid:ag06-mix ag06-mix-audio",
            f"a=ssrc:{local.ssrc} cname:{local.cname}",
        ]
    return lines


def _extmap(audio: RemoteAudio, number: int, uri: str) -> str:
    """Return the line that accepts an extension, in the direction that the offer left us."""
    direction = audio.extension_directions.get(number)
    named = "" if direction is None else f"/{_MIRRORED[direction]}"
    return f"a=extmap:{number}{named} {uri}"


def host_candidate(index: int, ip: str, port: int) -> str:
    """Return the candidate line of one of our addresses (RFC 8839 section 5.1)."""
    # Type preference 126 for host; earlier addresses get the higher local preference.
    priority = 126 << 24 | (65535 - index) << 8 | 255
    return f"{index + 1} 1 udp {priority} {ip} {port} typ host"
