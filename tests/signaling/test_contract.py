"""Every row of the table of client events, as an outside client relies on it."""

from typing import Any

import msgspec
import pytest

from mixer.selection_settings import RANGES, SelectionSettings
from rooms.models import RoomSettings
from rooms.profiles import with_profile
from rooms.strip import DEFAULT_STRIP, to_wire
from tests.support.front import RunningFront
from webrtc.control.messages import (
    Answer,
    Candidate,
    Failed,
    Offer,
    PeerStats,
    PutParticipant,
    RemoteAnswer,
    ServerOffer,
    SourceMix,
)
from webrtc.signaling import changes, conference
from webrtc.signaling.messages import CLIENT_EVENTS

ROOM = msgspec.to_builtins(RoomSettings())

OFFER = {"type": "offer", "sdp": "v=0 offer"}
ANSWER = {"type": "answer", "sdp": "v=0 answer"}
CANDIDATE = {
    "candidate": "candidate:1 1 udp 1 192.0.2.1 1 typ host",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "usernameFragment": "abcd",
}
GOOD_PAYLOADS = {
    "leave_room": (),
    "offer": (OFFER,),
    "answer": (ANSWER,),
    "ice_candidate": (CANDIDATE,),
    "audio_stream_metadata": ({"fader": 0},),
    "set_listener_mix": ({"participant_id": "somebody"},),
    "set_room": ({"max_speakers": 3},),
    "set_network": ({"network": "wifi"},),
    "set_speaker": ({"participant_id": "somebody", "pinned": True},),
    "set_role": ({"participant_id": "somebody", "role": "engineer"},),
    "set_door": ({"locked": True},),
    "admit": ({"guest_id": "somebody"},),
    "mute_participant": ({"participant_id": "somebody"},),
    "remove_participant": ({"participant_id": "somebody"},),
    "store_scene": ({"name": "Evening"},),
    "recall_scene": ({"name": "Evening"},),
    "delete_scene": ({"name": "Evening"},),
    "watch_meters": ({},),
    "set_muted": (True,),
    "set_deafened": (True,),
    "set_visibility": (True,),
    "get_stats": (),
}


def test_no_event_is_left_out() -> None:
    assert set(GOOD_PAYLOADS) == set(CLIENT_EVENTS) - {"join_room", "watch_sessions"}


@pytest.mark.parametrize("event", sorted(GOOD_PAYLOADS))
async def test_everything_but_join_needs_a_room(front: RunningFront, event: str) -> None:
    client = await front.client()
    assert await client.refused(event, *GOOD_PAYLOADS[event]) == "not_joined"


ONES_OWN_AFFAIR = {
    "leave_room", "offer", "answer", "ice_candidate", "set_muted", "set_deafened",
    "set_visibility", "get_stats",
}  # fmt: skip


@pytest.mark.parametrize("event", sorted(GOOD_PAYLOADS))
async def test_whatever_concerns_others_or_the_sound_is_asked_of_may(
    front: RunningFront, event: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = await front.joined()
    monkeypatch.setattr(conference, "may", lambda *_: False)
    payload = GOOD_PAYLOADS[event] if event != "watch_meters" else ({"participants": ["any"]},)
    answer = await client.call(event, *payload)
    refused = not answer["ok"] and answer["error"]["reason"] == "forbidden"
    assert refused == (event not in ONES_OWN_AFFAIR)


async def test_offer_is_answered_in_the_acknowledgement_only(front: RunningFront) -> None:
    alice, ack = await front.joined()
    answer = await alice.ok("offer", OFFER)
    assert answer == {"ok": True, "type": "answer", "sdp": "answer to v=0 offer"}
    again = await alice.ok("offer", {"type": "offer", "sdp": "v=0 restart"})
    assert again["sdp"] == "answer to v=0 restart"
    offers = [one for one in front.worker.handled if isinstance(one, Offer)]
    assert [(one.participant_id, one.sdp) for one in offers] == [
        (ack["participant_id"], "v=0 offer"),
        (ack["participant_id"], "v=0 restart"),
    ]
    assert alice.events == []


async def test_a_refused_offer_says_why(front: RunningFront) -> None:
    alice, _ = await front.joined()
    front.worker.answer_offer = lambda it: Failed(it.id, "bad_sdp", "there is no audio in it")
    assert await alice.call("offer", OFFER) == {
        "ok": False,
        "error": {"reason": "bad_sdp", "detail": "there is no audio in it"},
    }


async def test_answer_goes_to_the_worker_once(front: RunningFront) -> None:
    alice, ack = await front.joined()
    assert await alice.refused("answer", ANSWER) == "no_offer_pending"
    front.worker.send(ServerOffer(ack["participant_id"], "v=0 server"))
    assert await alice.event("offer") == {"type": "offer", "sdp": "v=0 server"}
    assert await alice.ok("answer", ANSWER) == {"ok": True}
    (answer,) = (one for one in front.worker.handled if isinstance(one, RemoteAnswer))
    assert (answer.participant_id, answer.sdp) == (ack["participant_id"], "v=0 answer")
    assert await alice.refused("answer", ANSWER) == "no_offer_pending"


async def test_ice_candidate_is_handed_on_and_null_ends_them(front: RunningFront) -> None:
    alice, ack = await front.joined()
    assert await alice.ok("ice_candidate", CANDIDATE) == {"ok": True}
    assert await alice.ok("ice_candidate", None) == {"ok": True}
    assert await alice.ok("ice_candidate", {"candidate": ""}) == {"ok": True}
    me = ack["participant_id"]
    candidates = [one for one in front.worker.handled if isinstance(one, Candidate)]
    assert [(one.participant_id, one.candidate, one.sdp_mid) for one in candidates] == [
        (me, CANDIDATE["candidate"], "0"),
        (me, None, None),
        (me, None, None),
    ]
    front.worker.answer_candidate = lambda it: Failed(it.id, "bad_candidate", "no port")
    assert await alice.refused("ice_candidate", CANDIDATE) == "bad_candidate"


async def test_audio_stream_metadata_answers_with_the_effective_strip(
    front: RunningFront,
) -> None:
    alice, ack = await front.joined()
    bob, _ = await front.joined()
    me = ack["participant_id"]
    update = {"genre": "jazz", "gateThreshold": -35, "compRatio": 6, "reverbMix": 25}
    values = {**to_wire(with_profile(DEFAULT_STRIP, "jazz")), **update}
    expected = {**values, "preset": "custom"}
    assert await alice.ok("audio_stream_metadata", update) == {
        "ok": True,
        "participant_id": me,
        "settings": expected,
    }
    told = await bob.event("participant_updated")
    assert (told["participant_id"], told["settings"]) == (me, expected)
    await front.worker.wait_until(lambda it: it.participants[me].strip == expected)
    _, late = await front.joined()
    assert late["participants"][0]["settings"] == expected


@pytest.mark.parametrize(
    "update",
    [
        {"gateThreshold": -61},
        {"gateThreshold": -19.9},
        {"compRatio": 0},
        {"reverbMix": 101},
        {"genre": "polka"},
        {"fader": None},
        {"fader": "0"},
        {"fader": True},
        {"gate_threshold": -30},
        {"fader": -3, "unknown": 1},
    ],
)
async def test_a_strip_update_out_of_range_changes_nothing(
    front: RunningFront, update: dict[str, object]
) -> None:
    alice, _ = await front.joined()
    assert await alice.refused("audio_stream_metadata", update) == "bad_message"
    assert (await alice.ok("audio_stream_metadata", {}))["settings"] == to_wire(DEFAULT_STRIP)


async def test_somebody_elses_strip_takes_the_right_to_engineer(front: RunningFront) -> None:
    host, _ = await front.joined()
    speaker, ack = await front.joined()
    listener, _ = await front.joined(role="subscriber")
    other, _ = await front.joined("another")
    update = {"participant_id": ack["participant_id"], "fader": -6}
    assert (await host.ok("audio_stream_metadata", update))["settings"]["fader"] == -6
    assert (await speaker.event("participant_updated"))["settings"]["fader"] == -6
    assert (await speaker.ok("audio_stream_metadata", update))["settings"]["fader"] == -6
    assert await listener.refused("audio_stream_metadata", update) == "forbidden"
    assert await listener.refused("audio_stream_metadata", {"fader": 0}) == "forbidden"
    assert await other.refused("audio_stream_metadata", update) == "participant_not_found"
    update["participant_id"] = "nobody"
    assert await host.refused("audio_stream_metadata", update) == "participant_not_found"
    assert await speaker.refused("audio_stream_metadata", update) == "forbidden"


async def test_set_listener_mix_is_mine_alone_and_changes_what_is_given(
    front: RunningFront,
) -> None:
    alice, ack = await front.joined()
    bob, other = await front.joined()
    me, him = ack["participant_id"], other["participant_id"]

    async def mix(**change: object) -> dict[str, object]:
        answer = await alice.ok("set_listener_mix", {"participant_id": him, **change})
        assert answer["participant_id"] == him
        return dict(answer["mix"])

    assert await mix(gain_db=-12) == {"gain_db": -12, "pan": 0, "muted": False, "solo": False}
    assert await mix(pan=0.5) == {"gain_db": -12, "pan": 0.5, "muted": False, "solo": False}
    assert await mix(muted=True) == {"gain_db": -12, "pan": 0.5, "muted": True, "solo": False}
    put = front.worker.participants[me]
    assert put.mix == {him: SourceMix(gain_db=-12, pan=0.5, muted=True)}
    assert await mix(gain_db=0, pan=0, muted=False) == {
        "gain_db": 0,
        "pan": 0,
        "muted": False,
        "solo": False,
    }
    assert front.worker.participants[me].mix == {}, "back in the shared mix"
    assert front.worker.participants[him].mix == {}
    await bob.ok("set_visibility", True)
    assert bob.events == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"gain_db": 13}, "bad_message"),
        ({"gain_db": -61}, "bad_message"),
        ({"pan": 1.01}, "bad_message"),
        ({"muted": 1}, "bad_message"),
        ({"participant_id": "nobody"}, "participant_not_found"),
    ],
)
async def test_a_mix_out_of_range_or_of_nobody_is_refused(
    front: RunningFront, change: dict[str, object], reason: str
) -> None:
    alice, _ = await front.joined()
    _, other = await front.joined()
    request = {"participant_id": other["participant_id"], **change}
    assert await alice.refused("set_listener_mix", request) == reason


async def test_nobody_mixes_oneself_or_people_elsewhere(front: RunningFront) -> None:
    alice, ack = await front.joined()
    _, other = await front.joined("another")
    own = {"participant_id": ack["participant_id"], "gain_db": 0}
    assert await alice.refused("set_listener_mix", own) == "forbidden"
    elsewhere = {"participant_id": other["participant_id"]}
    assert await alice.refused("set_listener_mix", elsewhere) == "participant_not_found"


async def test_a_mix_forgets_who_left(front: RunningFront) -> None:
    alice, ack = await front.joined()
    bob, second = await front.joined()
    _, third = await front.joined()
    for other in (second, third):
        await alice.ok(
            "set_listener_mix", {"participant_id": other["participant_id"], "muted": True}
        )
    await bob.ok("leave_room")
    await alice.ok("set_listener_mix", {"participant_id": third["participant_id"], "pan": 1})
    assert set(front.worker.participants[ack["participant_id"]].mix) == {third["participant_id"]}


async def test_a_mix_has_an_end(front: RunningFront, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_PERSONAL_MIX", 1)
    alice, _ = await front.joined()
    him, her = [(await front.joined())[1]["participant_id"] for _ in range(2)]
    await alice.ok("set_listener_mix", {"participant_id": him, "pan": 1})
    refused = {"participant_id": her, "pan": 1}
    assert await alice.refused("set_listener_mix", refused) == "too_many_mixes"
    await alice.ok("set_listener_mix", {"participant_id": her})
    await alice.ok("set_listener_mix", {"participant_id": him, "muted": True})
    await alice.ok("set_listener_mix", {"participant_id": him, "pan": 0, "muted": False})
    await alice.ok("set_listener_mix", refused)


@pytest.mark.parametrize(("event", "field"), [("set_muted", "muted"), ("set_deafened", "deafened")])
async def test_mutes_are_stored_applied_and_shown(
    front: RunningFront, event: str, field: str
) -> None:
    alice, ack = await front.joined()
    bob, _ = await front.joined()
    for value in (True, False):
        assert await alice.ok(event, value) == {"ok": True}
        told = await bob.event("participant_updated", lambda it, v=value: it[field] is v)
        assert told["participant_id"] == ack["participant_id"]
        assert getattr(front.worker.participants[ack["participant_id"]], field) is value


async def test_set_room_is_stored_applied_and_shown(front: RunningFront) -> None:
    host, ack = await front.joined()
    bob, _ = await front.joined()
    assert ack["room_settings"] == {**ROOM, "max_speakers": 6}
    assert await host.ok("set_room", {"max_speakers": 3}) == {
        "ok": True,
        "settings": {**ROOM, "max_speakers": 3},
    }
    for client in (host, bob):
        assert await client.event("room_updated") == {"settings": {**ROOM, "max_speakers": 3}}
    await front.worker.wait_until(lambda it: it.rooms["room"].selection.max_speakers == 3)
    assert (await host.ok("set_room", {}))["settings"] == {**ROOM, "max_speakers": 3}
    _, late = await front.joined()
    assert late["room_settings"] == {**ROOM, "max_speakers": 3}


async def test_the_rules_of_the_choice_reach_the_worker_and_stay(front: RunningFront) -> None:
    host, _ = await front.joined()
    rules = {
        "speaker_open_db": 6.0,
        "speaker_hysteresis_db": 3.0,
        "speaker_hold_ms": 1000.0,
        "speaker_attack_ms": 300.0,
        "speaker_yield_ms": 250.0,
        "speaker_timeout_ms": 5000.0,
        "speaker_voice_weight_db": 0.0,
    }
    for name, value in rules.items():
        await host.ok("set_room", {name: value})
    assert (await host.ok("set_room", {}))["settings"] == {**ROOM, **rules}
    wanted = SelectionSettings(6, 6.0, 3.0, 1000.0, 300.0, 250.0, 5000.0, 0.0)
    await front.worker.wait_until(lambda it: it.rooms["room"].selection == wanted)


@pytest.mark.parametrize("name", sorted(name for name in ROOM if name.startswith("speaker_")))
async def test_a_rule_out_of_range_changes_nothing(front: RunningFront, name: str) -> None:
    host, _ = await front.joined()
    low, high = RANGES[name.removeprefix("speaker_")]
    for value in (low - 0.5, high + 0.5, str(low), True, None):
        assert await host.refused("set_room", {name: value}) == "bad_message"
    assert (await host.ok("set_room", {}))["settings"] == ROOM
    for value in (low, high):
        assert (await host.ok("set_room", {name: value}))["settings"][name] == value


@pytest.mark.parametrize("count", [0, 16, 2.5, "3", True, None])
async def test_a_room_setting_out_of_range_changes_nothing(
    front: RunningFront, count: object
) -> None:
    host, _ = await front.joined()
    assert await host.refused("set_room", {"max_speakers": count}) == "bad_message"
    assert (await host.ok("set_room", {}))["settings"] == {**ROOM, "max_speakers": 6}
    assert front.worker.rooms["room"].selection.max_speakers == 6


async def test_set_speaker_lets_somebody_come_first(front: RunningFront) -> None:
    host, _ = await front.joined()
    bob, ack = await front.joined()
    him = ack["participant_id"]

    async def speaker(**change: bool) -> tuple[bool, bool]:
        answer = await host.ok("set_speaker", {"participant_id": him, **change})
        assert answer["participant_id"] == him
        put = front.worker.participants[him]
        assert (put.priority, put.pinned) == (answer["priority"], answer["pinned"])
        return answer["priority"], answer["pinned"]

    assert await speaker(priority=True) == (True, False)
    told = await bob.event("participant_updated", lambda it: it["priority"])
    assert (told["participant_id"], told["pinned"]) == (him, False)
    assert await speaker(pinned=True) == (True, True)
    assert await speaker() == (True, True)
    assert await speaker(priority=False) == (False, True)
    assert await speaker(pinned=False) == (False, False)


@pytest.mark.parametrize("event", ["set_room", "set_speaker"])
async def test_who_is_heard_is_for_hosts_and_engineers_to_say(
    front: RunningFront, event: str
) -> None:
    _, hosts = await front.joined()
    speaker, own = await front.joined()
    listener, _ = await front.joined(role="subscriber")
    for client in (speaker, listener):
        payload = {"participant_id": own["participant_id"], "priority": True}
        request = payload if event == "set_speaker" else {"max_speakers": 1}
        assert await client.refused(event, request) == "forbidden"
    assert front.worker.rooms["room"].selection.max_speakers == 6
    assert not front.worker.participants[own["participant_id"]].priority
    assert "choose_speakers" in hosts["rights"]
    assert "choose_speakers" not in own["rights"]


async def test_nobody_elsewhere_comes_first(front: RunningFront) -> None:
    host, _ = await front.joined()
    _, other = await front.joined("another")
    for name in (other["participant_id"], "nobody"):
        request = {"participant_id": name, "priority": True}
        assert await host.refused("set_speaker", request) == "participant_not_found"


async def test_get_stats_shows_every_figure_of_my_connection(front: RunningFront) -> None:
    alice, ack = await front.joined()
    assert await alice.ok("get_stats") == {"ok": True, "stats": None}
    front.worker.send_stats(PeerStats(ack["participant_id"], "connected", rtt_ms=12.5))
    # An answer of the worker proves that the figures, sent before it, have come.
    await alice.ok("offer", OFFER)
    stats = (await alice.ok("get_stats"))["stats"]
    assert set(stats) == set(PeerStats.__struct_fields__)
    assert (stats["state"], stats["rtt_ms"], stats["packets_lost"]) == ("connected", 12.5, 0)


async def test_a_report_that_leaves_a_connection_out_takes_no_figure_away(
    front: RunningFront,
) -> None:
    """Connections are told of when they were visited, which is not before every report."""
    alice, ack = await front.joined()
    me = ack["participant_id"]

    async def told() -> dict[str, Any] | None:
        await alice.ok("offer", OFFER)  # its answer comes after what was said before
        stats: dict[str, Any] | None = (await alice.ok("get_stats"))["stats"]
        return stats

    front.worker.send_stats(PeerStats(me, "connected", mix_wait_ms=12.0))
    front.worker.send_stats(PeerStats("stranger", "connected"))
    stats = await told()
    assert stats is not None
    assert stats["mix_wait_ms"] == 12.0

    front.worker.send_stats(PeerStats(me, "connected"))
    stats = await told()
    assert stats is not None
    assert stats["mix_wait_ms"] is None  # not yet known, which is not zero

    front.worker.send_media(me, "connecting")  # another connection: nothing is known of it
    assert await told() is None
    front.worker.send_media(me, "closed")
    front.worker.send_stats(PeerStats(me, "connected"))  # noted before it closed
    assert await told() is None
    assert front.front.desk.workers.peer_stats(0, "stranger") is None


async def test_whoever_leaves_takes_the_figures_along(front: RunningFront) -> None:
    alice, ack = await front.joined()
    me = ack["participant_id"]
    front.worker.send_stats(PeerStats(me, "connected"))
    await alice.ok("offer", OFFER)
    assert front.front.desk.workers.peer_stats(0, me) is not None
    await alice.ok("leave_room")
    assert front.front.desk.workers.peer_stats(0, me) is None


async def test_glare_the_client_answers_first(front: RunningFront) -> None:
    alice, ack = await front.joined()
    front.worker.send(ServerOffer(ack["participant_id"], "v=0 server"))
    await alice.event("offer")
    assert await alice.refused("offer", OFFER) == "glare"
    await alice.ok("answer", ANSWER)
    await alice.ok("offer", OFFER)


async def test_an_answered_offer_leaves_room_for_the_next(front: RunningFront) -> None:
    alice, _ = await front.joined()
    answers = iter([Failed(1, "negotiation_failed", "once"), Answer(2, "fine")])
    front.worker.answer_offer = lambda _: next(answers)
    assert await alice.refused("offer", OFFER) == "negotiation_failed"
    assert (await alice.ok("offer", OFFER))["sdp"] == "fine"


async def test_what_is_not_installed_is_refused_and_changes_nothing(front: RunningFront) -> None:
    worker = front.worker
    alice, ack = await front.joined()
    await alice.ok("audio_stream_metadata", {"denoise": "rnnoise"})
    worker.denoisers = ["webrtc"]
    worker.handled.clear()
    await worker.stop()
    await alice.ok("set_muted", True)
    await worker.start()
    await worker.wait_until(lambda it: any(isinstance(one, PutParticipant) for one in it.handled))
    assert await alice.refused("audio_stream_metadata", {"denoise": "rnnoise"}) == "not_installed"
    settings = (await alice.ok("audio_stream_metadata", {"denoise": "webrtc"}))["settings"]
    assert settings["denoise"] == "webrtc"
    assert worker.participants[ack["participant_id"]].strip["denoise"] == "webrtc"
