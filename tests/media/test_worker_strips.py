"""A strip on its way through the worker: from the front process's word to the measured level."""

import asyncio

import pytest

from rooms.strip import DEFAULT_STRIP, to_wire
from tests.media import test_worker, test_worker_lanes
from tests.media.test_peer import HandshakeLeftOut
from tests.media.test_sdp import MINIMAL
from tests.media.test_worker import offer, put
from tests.media.test_worker_lanes import Speaker
from webrtc.media import peer as peer_module

worker = test_worker.worker  # the fixtures
speaker = test_worker_lanes.speaker


def strip(**settings):
    return {**to_wire(DEFAULT_STRIP), **settings}


def level_after(speaker, packets):
    speaker.play(packets, speaker.by_route)
    return speaker.room.mixer.sources["anna"].level


def gain_db(speaker, packets):
    """Return by how much the strip changed the level, over all of the packets."""
    treatment, sources = speaker.room.mixer.treatment, speaker.room.mixer.sources
    treatment.watch(["anna"], [])
    speaker.play(packets, speaker.by_route)
    ((meter,), _) = treatment.take_meters(sources)
    return meter.out_rms_db - meter.in_rms_db


@pytest.mark.parametrize("settings", [{"inputTrim": -12.0}, {"eq2Freq": 300.0, "eq2Gain": -12.0}])
async def test_settings_change_the_sound_while_it_runs_and_back(speaker, settings):
    packets = test_worker_lanes.stream()
    thirds = packets[:230], packets[230:460], packets[460:]
    worker = speaker.worker
    gains_db = []
    for part, wire in zip(thirds, ({}, settings, {}), strict=True):
        worker.handle(put("anna", subscribes=False, strip=strip(**wire)))
        begin_s = part[0][0]
        gains_db.append(gain_db(speaker, [(at_s - begin_s, one) for at_s, one in part]))
    plain, changed, again = gains_db
    assert plain == pytest.approx(0, abs=0.01)
    assert -13 <= changed <= -9  # the equaliser takes most of it, not all
    assert again == pytest.approx(0, abs=0.5)


async def test_a_stored_strip_is_there_when_its_publisher_connects(worker, monkeypatch):
    monkeypatch.setattr(peer_module, "DtlsTransport", HandshakeLeftOut)
    worker.handle(put("anna", subscribes=False, strip=strip(inputTrim=-24.0)))
    await offer(worker, "anna", MINIMAL)
    await asyncio.sleep(0)
    worker.participants["anna"].peer._dtls.connect()
    anna = Speaker(worker)
    assert level_after(anna, test_worker_lanes.stream()[:200]) >= 30
    assert anna.stats.concealed_samples == 0
