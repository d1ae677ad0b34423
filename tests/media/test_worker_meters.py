"""Meters and balance on their way through the worker."""

import msgspec
import pytest

from dsp import denoiser
from mixer.treatment import Character
from rooms.strip import DEFAULT_STRIP, to_wire
from tests.media import test_worker, test_worker_lanes
from tests.media.test_worker import put
from webrtc.control.messages import DropRoom, Meters, PutRoom, WatchMeters
from webrtc.media import metering
from webrtc.media.metering import METERS_EVERY_S
from webrtc.media.strips import character_of, strip_settings

worker = test_worker.worker  # the fixtures
speaker = test_worker_lanes.speaker


def strip(**settings):
    return {**to_wire(DEFAULT_STRIP), **settings}


def play(speaker, packets):
    begin_s = packets[0][0]
    speaker.play([(at_s - begin_s, one) for at_s, one in packets], speaker.by_route)


async def test_the_meters_of_a_watched_strip_are_told_and_no_others(speaker):
    worker, packets = speaker.worker, test_worker_lanes.stream()
    play(speaker, packets[:50])
    assert worker.console.turn(10.0) is None
    worker.handle(WatchMeters(speaker.room.room_id, ["anna", "nobody"], ["anna"]))
    worker.handle(put("anna", subscribes=False, strip=strip(inputTrim=-12.0)))
    play(speaker, packets[50:250])
    told = worker.console.turn(20.0)
    (anna,) = told.strips
    assert anna.participant_id == "anna"
    assert anna.in_rms_db - anna.out_rms_db == pytest.approx(12, abs=1)
    assert -60 < anna.short_term_lufs < 0
    (spectrum,) = told.spectra
    assert len(spectrum.bands_db) == 120
    assert max(spectrum.bands_db) > -60
    assert -60 < anna.out_rms_db < spectrum.true_peak_db < 0
    assert -1 <= spectrum.correlation <= 1
    assert told.limiters == {speaker.room.room_id: 0.0}
    decoded = msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=Meters)
    assert decoded == told
    worker.handle(WatchMeters(speaker.room.room_id))
    play(speaker, packets[250:300])
    assert worker.console.turn(30.0) is None


async def test_meters_are_due_25_times_a_second(speaker, monkeypatch):
    worker = speaker.worker
    worker.handle(WatchMeters(speaker.room.room_id, ["anna"]))
    play(speaker, test_worker_lanes.stream()[:20])
    monkeypatch.setattr(metering, "_message", lambda rooms: "due" if list(rooms) else None)
    turns = [10.0 + 0.0025 * turn for turn in range(4000)]
    told = sum(worker.console.turn(now_s) == "due" for now_s in turns)
    assert told == pytest.approx(10.0 / METERS_EVERY_S, abs=1)


async def test_a_new_front_process_and_a_dropped_room_end_the_watching(speaker):
    worker, room = speaker.worker, speaker.room
    worker.handle(WatchMeters(room.room_id, ["anna"]))
    worker.kept_all()
    assert not room.mixer.treatment.is_watched
    worker.handle(WatchMeters(room.room_id, ["anna"]))
    worker.handle(WatchMeters("another", ["anna"]))
    worker.handle(DropRoom(room.room_id))
    assert not worker.console._metering._watched


async def test_a_room_is_balanced_as_the_front_process_says(speaker):
    worker, room = speaker.worker, speaker.room
    worker.handle(PutRoom(room.room_id, automix=True, ducking_db=9.0, target_lufs=-18.0))
    settings = room.mixer.treatment.balance
    assert (settings.automix, settings.ducking_db, settings.target_lufs) == (True, 9.0, -18.0)
    worker.handle(PutRoom(room.room_id))
    assert room.mixer.treatment.balance.target_lufs is None


async def test_a_quiet_voice_is_levelled_through_the_worker(speaker):
    worker, packets = speaker.worker, test_worker_lanes.stream()
    worker.handle(WatchMeters(speaker.room.room_id, ["anna"]))
    wire = strip(autoLevel=True, autoLevelTarget=-14.0)
    worker.handle(put("anna", subscribes=False, strip=wire))
    play(speaker, packets[:600])
    (anna,) = worker.console.turn(10.0).strips
    assert anna.auto_level_db != 0
    assert anna.out_rms_db - anna.in_rms_db == pytest.approx(anna.auto_level_db, abs=1.5)


def test_what_a_strip_says_of_level_genre_and_noise():
    assert character_of({}) == character_of(strip()) == Character()
    wire = strip(autoLevel=True, autoLevelTarget=-23.0)
    assert character_of(wire).leveller.target_lufs == -23.0
    assert strip_settings(wire).limiter is not None
    assert not character_of(strip(genre="speech")).is_music
    assert character_of(strip(genre="jazz")).is_music
    assert character_of({**wire, "genre": "jazz"}).leveller.spread_db == 0
    assert character_of(wire).leveller.spread_db > 0
    assert character_of(strip(denoise="rnnoise")).denoise == "rnnoise"


@pytest.mark.parametrize("engine", ["webrtc", "rnnoise"])
async def test_the_delay_of_noise_suppression_is_told(speaker, engine):
    if engine not in denoiser.engines():
        pytest.skip(f"{engine} is not installed")
    worker, packets = speaker.worker, test_worker_lanes.stream()
    room = speaker.room
    assert engine in worker.welcome().denoisers
    assert room.mixer.strip_delay_samples("anna") == 0
    worker.handle(put("anna", subscribes=False, strip=strip(denoise=engine)))
    play(speaker, packets[:50])
    assert (
        room.mixer.strip_delay_samples("anna")
        == {
            "webrtc": 335,
            "rnnoise": 960 + room.mixer.block,
        }[engine]
    )
    worker.handle(put("anna", subscribes=False, strip=strip()))
    play(speaker, packets[50:60])
    assert room.mixer.strip_delay_samples("anna") == 0
