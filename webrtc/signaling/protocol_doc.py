"""The tables of docs/protocol.md, printed from the definitions that the server checks with.

`python -m webrtc.signaling.protocol_doc` rewrites them in place; a test fails when they are stale.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from rooms import door, models, rights, scenes
from rooms.models import RoomSettings, SimulatedNetwork, SourceMix
from rooms.passes import MAX_TOKEN_CHARS
from rooms.strip import StripSettings
from webrtc.api import guard
from webrtc.control.messages import PeerStats, StripMeters, StripSpectrum
from webrtc.errors import REASONS
from webrtc.front_limits import FrontLimits
from webrtc.sessions import shapes
from webrtc.signaling import (
    events,
    messages_desk,
    messages_hosting,
    messages_joining,
    messages_media,
    messages_parts,
    waiting_room,
)
from webrtc.signaling.events import SERVER_EVENTS
from webrtc.signaling.messages import CLIENT_EVENTS

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"

_TYPES: Final[tuple[type[msgspec.Struct], ...]] = (
    messages_joining.JoinRoom,
    messages_joining.Joined,
    messages_joining.ParticipantInfo,
    messages_media.SessionOffer,
    messages_media.Answered,
    messages_media.SessionAnswer,
    messages_media.IceCandidate,
    messages_desk.EffectiveStrip,
    messages_desk.ListenerMix,
    messages_desk.EffectiveMix,
    SourceMix,
    messages_desk.RoomChange,
    messages_desk.EffectiveRoom,
    RoomSettings,
    messages_desk.SpeakerChange,
    messages_desk.EffectiveSpeaker,
    messages_hosting.RoleChange,
    messages_hosting.EffectiveRole,
    messages_desk.NetworkChange,
    messages_desk.EffectiveNetwork,
    SimulatedNetwork,
    messages_hosting.DoorChange,
    messages_hosting.EffectiveDoor,
    messages_hosting.DoorState,
    messages_hosting.AdmissionChoice,
    messages_hosting.MutedParticipant,
    messages_hosting.RemovedParticipant,
    messages_desk.SceneRequest,
    messages_desk.SceneRecall,
    messages_desk.EffectiveScenes,
    messages_desk.RecalledScene,
    messages_desk.SceneInfo,
    messages_desk.RecordingInfo,
    messages_desk.BroadcastInfo,
    messages_media.WatchedMeters,
    messages_media.EffectiveMeters,
    messages_media.MyStats,
    shapes.WatchSessions,
    shapes.WatchedSessions,
    shapes.SessionInfo,
    shapes.SessionRemoved,
    PeerStats,
    messages_parts.Done,
    messages_parts.Refused,
    messages_parts.Problem,
    events.ParticipantLeft,
    events.LevelsChanged,
    events.MetersTaken,
    events.GenreDetected,
    StripMeters,
    StripSpectrum,
    events.ActiveSpeakers,
    events.QualitiesChanged,
    events.TrackAssignments,
    events.AssignedTrack,
    events.ServerOffered,
    events.RoomUpdated,
    events.ScenesChanged,
    events.GuestsWaiting,
    events.Guest,
    events.Admission,
    events.RoomClosed,
    events.ServerDraining,
    events.ServerState,
    events.MediaReset,
    messages_joining.Track,
)
_SECTION: Final = re.compile(
    r"(<!-- printed: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(\n?<!-- end -->)", re.DOTALL
)

_Schema = dict[str, Any]


def printed(document: str) -> str:
    """Return `document` with every printed section as it has to be now.

    Raises:
        KeyError: a section that nobody knows how to print.
    """

    def section(match: re.Match[str]) -> str:
        return f"{match[1]}\n{_SECTIONS[match['name']]()}\n{match[4].lstrip()}"

    return _SECTION.sub(section, document)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def _client_events() -> str:
    return _table(
        ("event", "payload", "acknowledgement", "meaning"),
        (
            (f"`{event.name}`", _payload(event.payload), _link(event.ack), event.meaning)
            for event in CLIENT_EVENTS.values()
        ),
    )


def _payload(kind: Any) -> str:
    if kind is None:
        return "–"
    if kind is messages_desk.StripUpdatePayload:
        return "any of the [strip's settings](#the-strip), `participant_id`"
    (schema,), _ = msgspec.json.schema_components([kind])
    return _type_text(schema)


def _server_events() -> str:
    return _table(
        ("event", "payload", "meaning"),
        (
            (f"`{event.name}`", _link(event.payload), event.meaning)
            for event in SERVER_EVENTS.values()
        ),
    )


def _reasons() -> str:
    return _table(
        ("reason", "meaning"), ((f"`{reason}`", meaning) for reason, meaning in REASONS.items())
    )


def _strip() -> str:
    return _table(("setting", "range", "unit", "default", "meaning"), _setting_rows())


def _setting_rows() -> Iterator[tuple[str, str, str, str, str]]:
    _, components = msgspec.json.schema_components([StripSettings])
    for name, schema in components["StripSettings"]["properties"].items():
        yield (
            f"`{name}`",
            _range_text(schema) or _type_text(schema),
            schema.get("unit", ""),
            _value(schema["default"]),
            schema.get("description", ""),
        )


def _types() -> str:
    _, components = msgspec.json.schema_components(_TYPES)
    return "\n\n".join(_type_section(kind, components[kind.__name__]) for kind in _TYPES)


def _type_section(kind: type[msgspec.Struct], schema: _Schema) -> str:
    rows = []
    for name, field in schema["properties"].items():
        optional = name not in schema["required"] and "default" not in field
        default = "may be left out" if optional else _value(field.get("default", ""))
        known = _main_option(field)
        meaning = [_range_text(known), known.get("unit", ""), known.get("description", "")]
        rows.append((f"`{name}`", _type_text(field), default, " ".join(filter(None, meaning))))
    text = inspect.cleandoc(kind.__doc__ or "").split("\n\nAttributes:")[0]
    table = _table(("field", "type", "default", "meaning"), rows)
    return f"### {kind.__name__}\n\n{text}\n\n{table}"


def _limits() -> str:
    limits = FrontLimits()
    return _table(
        ("limit", "value"),
        (
            ("length of a websocket message", f"{messages_parts.MAX_MESSAGE_BYTES} bytes"),
            ("length of an SDP", f"{messages_parts.MAX_SDP_CHARS} characters"),
            ("rooms", str(limits.max_rooms)),
            ("participants", str(limits.max_participants)),
            ("rooms of a tenant", str(limits.max_rooms_per_tenant)),
            ("participants of a tenant", str(limits.max_participants_per_tenant)),
            ("participants of a room", str(limits.max_participants_per_room)),
            ("participants of a room who may speak", str(limits.max_publishers_per_room)),
            (
                "REST requests from one address",
                f"{limits.request_rate_per_s:g} per second, {limits.request_burst:g} at once",
            ),
            ("sockets", str(limits.max_sockets)),
            ("seat kept after a lost socket", f"{limits.resume_window_s:g} s"),
            ("shown without socket and media", f"{limits.lost_after_s:g} s"),
            ("socket without a good token, where one is wanted", f"{limits.stranger_s:g} s"),
            ("length of a token", f"{MAX_TOKEN_CHARS} characters"),
            ("empty room kept when made through REST", f"{limits.empty_room_s:g} s"),
            ("bans of a room; the oldest goes first", str(door.MAX_BANS)),
            ("guests at the door of a room", str(waiting_room.MAX_GUESTS)),
            ("scenes of a room", str(scenes.MAX_SCENES)),
            ("strips of a scene", str(scenes.MAX_SCENE_STRIPS)),
            ("others whom one hears in a way of their own", str(models.MAX_PERSONAL_MIX)),
            ("strips whose meters a page sees", str(messages_parts.MAX_WATCHED)),
            ("wait for the media worker", f"{limits.negotiation_timeout_s:g} s"),
            ("wait for the client's answer", f"{limits.server_offer_timeout_s:g} s"),
            (
                "events of a connection",
                f"{limits.event_rate_per_s:g} per second, {limits.event_burst:g} at once",
            ),
            *(
                (f"`{event.name}` counts as", f"{event.cost} events")
                for event in CLIENT_EVENTS.values()
                if event.cost > 1
            ),
        ),
    )


def _rights() -> str:
    return _tables_of(rights)[0]


def _grants() -> str:
    return _tables_of(rights)[1]


def _needs() -> str:
    return _tables_of(guard)[0]


def _tables_of(module: ModuleType) -> list[str]:
    """Return the tables of a module's docstring."""
    parts = (inspect.getdoc(module) or "").split("\n\n")
    return [part for part in parts if part.startswith("|")]


def _link(kind: type[msgspec.Struct]) -> str:
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


def _type_text(schema: _Schema) -> str:
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": list(options)}:
            return " or ".join(dict.fromkeys(map(_type_text, options)))
        case {"enum": list(values)}:
            return ", ".join(f"`{_value(value).strip('`')}`" for value in values)
        case {"type": "array", "prefixItems": list(items)}:
            return f"[{', '.join(map(_type_text, items))}]"
        case {"type": "array", "items": dict(items)}:
            return f"list of {_type_text(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"map to {_type_text(values)}"
        case {"type": str(name)}:
            return name
    return "anything"


def _main_option(schema: _Schema) -> _Schema:
    """Return the first alternative where there are several: the others are only `null`."""
    options: list[_Schema] = schema.get("anyOf", [schema])
    return options[0]


def _range_text(schema: _Schema) -> str:
    match schema:
        case {"minimum": low, "maximum": high}:
            return f"{_value(low)} … {_value(high)}".replace("`", "").replace("-", "−")
        case {"maxLength": int(length)}:
            return f"At most {length} characters."
    return ""


def _value(value: Any) -> str:
    match value:
        case "":
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case None:
            return "`null`"
        case float():
            return f"`{value:g}`"
        case list() | dict() if not value:
            return "empty"
    return f"`{value}`"


_SECTIONS: Final[dict[str, Callable[[], str]]] = {
    "client-events": _client_events,
    "server-events": _server_events,
    "reasons": _reasons,
    "strip": _strip,
    "types": _types,
    "limits": _limits,
    "rights": _rights,
    "grants": _grants,
    "needs": _needs,
}


if __name__ == "__main__":
    DOCUMENT.write_text(printed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit(0)
