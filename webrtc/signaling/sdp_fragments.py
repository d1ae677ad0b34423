"""SDP fragments of WHIP and WHEP (RFC 8840, RFC 9725 section 4.3): candidates and ICE restarts.

A restart is an offer like the first one but for its ICE credentials and candidates, so that it
takes the way of every other offer.
"""

import hashlib
from dataclasses import dataclass

from webrtc.errors import ClientError
from webrtc.signaling.messages_media import IceCandidate

CONTENT_TYPE = "application/trickle-ice-sdpfrag"
MAX_FRAGMENT_BYTES = 16 * 1024
MAX_CANDIDATES = 64
_MAX_CREDENTIAL_CHARS = 256
_OF_ICE = ("a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", "a=end-of-candidates", "a=ice-options:")


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a client's fragment says.

    Attributes:
        ufrag, password: its ICE credentials, empty if it names none.
        candidates: in order.
    """

    ufrag: str
    password: str
    candidates: tuple[IceCandidate, ...]


def read_fragment(text: str) -> Fragment:
    """Return what a fragment says; lines that do not concern ICE are skipped (RFC 8840 9.2).

    Raises:
        ClientError: `bad_candidate` when it is no fragment, or holds too much.
    """
    credentials = {"a=ice-ufrag:": "", "a=ice-pwd:": ""}
    candidates: list[IceCandidate] = []
    mid, section = None, -1
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if line.startswith("m="):
            section, mid = section + 1, None
        elif name == "a=mid":
            mid = value[:_MAX_CREDENTIAL_CHARS]
        elif name + colon in credentials:
            if not 4 <= len(value) <= _MAX_CREDENTIAL_CHARS or not value.isascii():
                raise ClientError("bad_candidate", "an ICE credential is malformed")
            credentials[name + colon] = value
        elif name == "a=candidate":
            if len(line) > 1024 or len(candidates) >= MAX_CANDIDATES:
                raise ClientError("bad_candidate", "the candidates are too many or too long")
            candidates.append(IceCandidate(line[2:], mid, max(0, section)))
        elif line and line[1:2] != "=":
            raise ClientError("bad_candidate", "this is no SDP fragment")
    ufrag, password = credentials.values()
    if bool(ufrag) != bool(password):
        raise ClientError("bad_candidate", "ICE credentials come in pairs")
    return Fragment(ufrag, password, tuple(candidates))


def restarted(offer: str, fragment: Fragment) -> str:
    """Return the client's first offer with the credentials and candidates of a restart."""
    added = [f"a=ice-ufrag:{fragment.ufrag}", f"a=ice-pwd:{fragment.password}"]
    added += [f"a={one.candidate}" for one in fragment.candidates]
    lines: list[str] = []
    for line in offer.splitlines():
        if line.startswith(_OF_ICE):
            continue
        lines.append(line)
        if line.startswith("a=mid:"):
            lines += added
    return "\r\n".join(lines) + "\r\n"


def answered(answer: str) -> str:
    """Return the fragment that answers a restart, of the answer to its offer."""
    lines = ["a=ice-options:trickle ice2"]
    used = True  # what stands before the first section is not left out
    for line in answer.splitlines():
        if line.startswith("m="):
            used = line.split(" ", 2)[1:2] != ["0"]
        kept = (*_OF_ICE, "m=", "a=mid:", "a=group:", "a=ice-lite")
        if used and line.startswith(kept) and not line.startswith("a=ice-options:"):
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def tag_of(answer: str) -> str:
    """Return the entity tag of the ICE session that an answer of ours describes."""
    ours = [line for line in answer.splitlines() if line.startswith(("a=ice-ufrag:", "a=ice-pwd:"))]
    return hashlib.sha256("\n".join(ours).encode()).hexdigest()[:20]
