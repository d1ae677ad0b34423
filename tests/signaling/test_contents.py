"""What sounds are recognised as: told to the room, and followed by strips that may."""

from typing import Any

from dsp.genre.profiles import CROSSFADE_MS, PROFILES
from tests.support.front import RunningFront
from webrtc.control.messages import Content


def heard(participant_id: str, genre: Any = "jazz", **more: Any) -> Content:
    given = {
        "confidence": 0.91,
        "firm": True,
        "speech": 0.02,
        "probabilities": [0.02, 0.03, 0.91, 0.02, 0.01],
        "profile": genre,
    }
    return Content(participant_id=participant_id, genre=genre, **{**given, **more})


async def test_everyone_is_told_and_those_who_come_late_see_it(front: RunningFront) -> None:
    anna, ack = await front.joined(name="Anna")
    bob, _ = await front.joined(name="Bob")
    name = ack["participant_id"]
    assert ack["participants"][0]["genre"] is None
    front.worker.send(heard(name))
    for one in (anna, bob):
        event = await one.event("genre_detected")
        assert (event["participant_id"], event["genre"], event["firm"]) == (name, "jazz", True)
        assert event["probabilities"]["jazz"] == event["confidence"] == 0.91
        assert event["profile"] == "jazz"
    _, late = await front.joined()
    seen = next(one for one in late["participants"] if one["participant_id"] == name)
    assert (seen["genre"], seen["confidence"]) == ("jazz", 0.91)
    async with front.http.get("/api/rooms/room") as response:
        room = await response.json()
    shown = next(one for one in room["participants"] if one["participant_id"] == name)
    assert (shown["genre"], shown["confidence"]) == ("jazz", 0.91)


async def test_a_strip_that_follows_fades_to_the_profile(front: RunningFront) -> None:
    anna, ack = await front.joined()
    name = ack["participant_id"]
    set_by_hand = await anna.ok("audio_stream_metadata", {"genre": "auto", "inputTrim": -3})
    assert set_by_hand["settings"]["profile"] == "neutral"
    front.worker.send(heard(name, "classical"))
    told = await anna.event(
        "participant_updated", lambda it: it["settings"]["profile"] != "neutral"
    )
    assert told["settings"]["profile"] == "classical"
    assert told["settings"]["reverbMix"] == PROFILES["classical"]["reverb_mix_percent"]
    assert told["settings"]["inputTrim"] == -3
    put = front.worker.participants[name]
    assert (put.strip["profile"], put.ramp_ms) == ("classical", CROSSFADE_MS)


async def test_a_choice_by_hand_stays_whatever_is_heard(front: RunningFront) -> None:
    anna, ack = await front.joined()
    name = ack["participant_id"]
    front.worker.send(heard(name, "rock"))
    await anna.event("genre_detected")
    by_hand = await anna.ok("audio_stream_metadata", {"genre": "jazz"})
    assert by_hand["settings"]["profile"] == "jazz"
    front.worker.send(heard(name, "speech"))
    await anna.event("genre_detected", lambda it: it["genre"] == "speech")
    assert front.worker.participants[name].strip["profile"] == "jazz"
    back = await anna.ok("audio_stream_metadata", {"genre": "auto"})
    assert back["settings"]["profile"] == "speech"


async def test_strips_of_those_who_never_chose_stay_as_they_are(front: RunningFront) -> None:
    anna, ack = await front.joined()
    name = ack["participant_id"]
    before = front.worker.participants[name].strip
    front.worker.send(heard(name, "rock"))
    await anna.event("genre_detected")
    await anna.ok("set_muted", True)
    assert front.worker.participants[name].strip == before


async def test_the_profile_is_the_servers_to_set(front: RunningFront) -> None:
    anna, _ = await front.joined()
    assert await anna.refused("audio_stream_metadata", {"profile": "rock"}) == "bad_message"


async def test_what_is_said_of_strangers_is_ignored_and_who_left_is_forgotten(
    front: RunningFront,
) -> None:
    anna, ack = await front.joined()
    bob, other = await front.joined()
    front.worker.send(heard("nobody"))
    front.worker.send(heard(other["participant_id"], "rock"))
    event = await anna.event("genre_detected")
    assert event["participant_id"] == other["participant_id"]
    await bob.ok("leave_room")
    await anna.event("participant_left")
    contents = front.front.desk.conference.contents
    assert contents.of(other["participant_id"]) is None
    assert contents.of(ack["participant_id"]) is None
