"""The offer of a participant, as Chromium words it, and what the client needs of the answer."""

import secrets
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.load.rtp import LEVEL_URI

OPUS_TYPE = 111
RED_TYPE = 63
_ICE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

Direction = Literal["sendrecv", "sendonly", "recvonly"]


class SdpError(Exception):
    """The answer lacks something without which no media can flow."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a participant calls itself in its SDP and on the wire."""

    ufrag: str
    password: str
    ssrc: int

    @classmethod
    def generate(cls) -> "Identity":
        """Return a fresh random identity (RFC 8445 section 5.3: at least 24 and 128 bits)."""
        return cls(_ice_text(4), _ice_text(24), secrets.randbits(32))


def make_offer(
    identity: Identity,
    address: tuple[str, int],
    fingerprint: str,
    direction: Direction,
    *,
    dtx: bool = False,
) -> str:
    """Return the SDP offer of one participant with one audio stream and one host candidate."""
    parameters = "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"
    if dtx:
        parameters += ";usedtx=1"
    lines = [
        "v=0",
        f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS stream",
        f"m=audio 9 UDP/TLS/RTP/SAVPF {OPUS_TYPE} {RED_TYPE}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=candidate:1 1 udp 2130706431 {address[0]} {address[1]} typ host generation 0",
        f"a=ice-ufrag:{identity.ufrag}",
        f"a=ice-pwd:{identity.password}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:actpass",
        "a=mid:0",
        f"a=extmap:1 {LEVEL_URI}",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        f"a=rtpmap:{OPUS_TYPE} opus/48000/2",
        f"a=fmtp:{OPUS_TYPE} {parameters}",
        f"a=rtpmap:{RED_TYPE} red/48000/2",
        f"a=fmtp:{RED_TYPE} {OPUS_TYPE}/{OPUS_TYPE}",
    ]
    if direction != "recvonly":
        lines += ["a=msid:stream track"]
    lines += [f"a=ssrc:{identity.ssrc} cname:load"]
    return "\r\n".join(lines) + "\r\n"


@dataclass(frozen=True, slots=True)
class RemotePeer:
    """What the answer says about the server's side of the connection.

    Attributes:
        address: where checks and media go.
        ufrag: the server's ICE name.
        password: the server's ICE password.
        fingerprint: SHA-256 of its certificate.
        client_is_dtls_client: whether the handshake is ours to begin.
        payload_types: accepted ones, the server's favourite first.
        fmtp: parameters of Opus, as the server wants to receive it.
        ptime_ms: packet time that it wants to receive, None when it does not say.
        level_extension: id of the RFC 6464 header extension, None when it was not taken.
    """

    address: tuple[str, int]
    ufrag: str
    password: str
    fingerprint: str
    client_is_dtls_client: bool
    payload_types: tuple[int, ...]
    fmtp: dict[str, str] = field(default_factory=dict)
    ptime_ms: int | None = None
    level_extension: int | None = None


def parse_answer(sdp: str, hosts: tuple[str, ...] = ("127.0.0.1",)) -> RemotePeer:
    """Return the server's side of the connection.

    Args:
        sdp: the answer.
        hosts: candidates with one of these addresses are taken before all others.

    Raises:
        SdpError: the answer rejects the audio, or names no UDP candidate or credentials.
    """
    lines = [line.strip() for line in sdp.splitlines()]
    media = next((line.split() for line in lines if line.startswith("m=audio ")), None)
    if media is None or media[1] == "0":
        raise SdpError("the answer rejects the audio")
    types = tuple(int(text) for text in media[3:])
    extension = _value(lines, "a=extmap:", LEVEL_URI)
    ptime = _value(lines, "a=ptime:")
    fingerprint = _value(lines, "a=fingerprint:", "sha-256")
    ufrag = _value(lines, "a=ice-ufrag:")
    password = _value(lines, "a=ice-pwd:")
    if fingerprint is None or ufrag is None or password is None:
        raise SdpError("the answer lacks a sha-256 fingerprint or ICE credentials")
    return RemotePeer(
        address=_candidate(lines, hosts),
        ufrag=ufrag,
        password=password,
        fingerprint=fingerprint.split()[1],
        client_is_dtls_client=_value(lines, "a=setup:") == "passive",
        payload_types=types,
        fmtp=_fmtp(lines),
        ptime_ms=int(ptime) if ptime else None,
        level_extension=int(extension.split()[0].split("/")[0]) if extension else None,
    )


def _value(lines: list[str], prefix: str, containing: str = "") -> str | None:
    """Return what follows `prefix` on the first line that has it and contains the other text."""
    for line in lines:
        if line.startswith(prefix) and containing in line:
            return line[len(prefix) :]
    return None


def _fmtp(lines: list[str]) -> dict[str, str]:
    """Return the parameters of Opus under whatever number the answer gives it."""
    opus = next((line for line in lines if line.startswith("a=rtpmap:") and "opus/" in line), "")
    number = opus.removeprefix("a=rtpmap:").split(" ")[0]
    text = _value(lines, f"a=fmtp:{number} ") or ""
    pairs = (part.strip().partition("=") for part in text.split(";") if part.strip())
    return {name: value for name, _, value in pairs}


def _candidate(lines: list[str], hosts: tuple[str, ...]) -> tuple[str, int]:
    """Return the UDP candidate that this machine reaches most directly."""
    found: list[tuple[str, int]] = []
    for line in lines:
        if line.startswith("a=candidate:"):
            fields = line.split()
            if fields[1] == "1" and fields[2].lower() == "udp" and ":" not in fields[4]:
                found.append((fields[4], int(fields[5])))
    if not found:
        raise SdpError("the answer names no IPv4 UDP candidate")
    return next((address for address in found if address[0] in hosts), found[0])


def _ice_text(length: int) -> str:
    return "".join(secrets.choice(_ICE_LETTERS) for _ in range(length))
