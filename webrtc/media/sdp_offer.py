"""Writing an offer of ours and reading the client's answer: more tracks, or fewer (RFC 9429).

We offer only to who has a connection already. The sections that were there stay in their order; a
track that is not needed becomes inactive, and serves again when it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from webrtc.errors import ClientError
from webrtc.media.sdp import (
    MAX_SDP_CHARS,
    LocalAudio,
    LocalTrack,
    RemoteAudio,
    Section,
    audio_section,
    refused_section,
    session_lines,
    track_section,
)

MAX_ANSWER_LINES = 2000
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


def write_offer(
    audio: RemoteAudio, sections: Sequence[Section], local: LocalAudio, tracks: Sequence[LocalTrack]
) -> str:
    """Return the SDP of our offer.

    Args:
        audio: What is known of the client's first section.
        sections: All sections so far.
        local: Our half of the first.
        tracks: All of ours; those without a section get one.
    """
    known = {track.mid: track for track in tracks}
    here = {section.mid for section in sections}
    profile = next(section.profile for section in sections if section.mid == audio.mid)
    new = [Section("audio", profile, "", track.mid) for track in tracks if track.mid not in here]
    lines = session_lines(local, [audio.mid, *known])
    for section in (*sections, *new):
        if section.mid == audio.mid:
            lines += audio_section(audio, profile, local, "actpass")
        elif section.mid in known:
            lines += track_section(audio, profile, local, known[section.mid], "actpass")
        else:
            lines += refused_section(section)
    return "\r\n".join(lines) + "\r\n"


@dataclass(frozen=True, slots=True)
class AnsweredSection:
    """What a client's answer says of one section."""

    mid: str
    sends: bool
    receives: bool


def read_answer(text: str) -> tuple[AnsweredSection, ...]:
    """Return the sections of a client's answer, in order; refused ones neither send nor receive.

    Raises:
        ClientError: `bad_sdp`, with what is wrong.
    """
    lines = text[: MAX_SDP_CHARS + 1].splitlines()
    if len(text) > MAX_SDP_CHARS or len(lines) > MAX_ANSWER_LINES:
        raise ClientError("bad_sdp", "The answer is too long.")
    found: list[AnsweredSection] = []
    starts = [at for at, line in enumerate(lines) if line.startswith("m=")]
    if not starts:
        raise ClientError("bad_sdp", "The answer has no media sections.")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        fields = lines[start].split()
        names = {line[2:].rstrip() for line in lines[start:end] if line.startswith("a=")}
        mid = next((name[4:] for name in names if name.startswith("mid:")), "")
        if len(fields) < 4 or not mid:
            raise ClientError("bad_sdp", "A section of the answer is malformed.")
        direction = next((name for name in _DIRECTIONS if name in names), "sendrecv")
        used = fields[1] != "0"
        found.append(
            AnsweredSection(
                mid,
                used and direction in ("sendrecv", "sendonly"),
                used and direction in ("sendrecv", "recvonly"),
            )
        )
    return tuple(found)
