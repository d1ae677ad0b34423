"""Stock aiortc clients around a real worker process: who hears whom, whatever happens."""

import asyncio
import os
import re
import socket
import sys
import time

import pytest

from tests.media.fakes import binding_request
from tests.media.studio import Client, Front, loopback_only, pitches_in, running_worker
from tests.support.patience import PATIENCE_S
from webrtc.control.messages import SourceMix
from webrtc.errors import ClientError

pytestmark = pytest.mark.slow

PITCHES = [440.0, 1000.0, 2500.0]


@pytest.fixture(scope="module")
def worker():
    with loopback_only(), running_worker() as process:
        yield process


@pytest.fixture
async def front(worker):
    async with Front(worker) as made:
        yield made


async def gather_people(front, room, count):
    """Return so many connected clients of a room, each with a pitch of its own."""
    people = [Client(front, room, f"{room}-{i}", 100 + i, PITCHES[i]) for i in range(count)]
    await asyncio.gather(*(person.join() for person in people))
    return people


@pytest.fixture
async def trio(front, request):
    people = await gather_people(front, request.node.name, 3)
    yield people
    for person in people:
        await person.leave()


@pytest.fixture
async def duo(front, request):
    people = await gather_people(front, request.node.name, 2)
    yield people
    for person in people:
        await person.leave()


async def hears(person, expected, within_s=8.0):
    """Wait until a person hears exactly these pitches, and say what it heard instead."""
    heard = None
    for _ in range(int(within_s / 0.4)):
        heard = pitches_in(await person.listen_for(0.4), PITCHES)
        if heard == expected:
            return
    raise AssertionError(f"{person.name} hears {heard}, not {expected}")


def attribute(text, name):
    return re.search(rf"a={name}:(\S+)", text).group(1)


async def test_three_people_hear_the_others_and_not_themselves(trio):
    await asyncio.gather(*(hears(person, set(PITCHES) - {person.pitch_hz}) for person in trio))


async def test_who_reloads_and_has_kept_the_certificate_is_heard_again(duo):
    """As pages may that keep what `generateCertificate` made: the handshake begins afresh."""
    anna, bert = duo
    await hears(bert, {440.0})
    await asyncio.sleep(1.0)  # aiortc takes its session number from the second
    again = Client(anna.front, anna.put.room_id, anna.name, 100, 2500.0)
    certificates = "_RTCPeerConnection__certificates"
    setattr(again._connection, certificates, getattr(anna._connection, certificates))
    anna.front.states.clear()
    await again.join()
    assert attribute(again.sdp, "fingerprint") == attribute(anna.sdp, "fingerprint")
    await asyncio.gather(hears(bert, {2500.0}), hears(again, {1000.0}))
    await again.hang_up()


async def test_muting_silences_for_the_others_alone_and_unmuting_brings_back(trio):
    anna, bert, cleo = trio
    anna.change(muted=True)
    await hears(bert, {2500.0})
    await hears(anna, {1000.0, 2500.0})
    anna.change(muted=False)
    await hears(cleo, {440.0, 1000.0})


async def test_a_personal_volume_concerns_one_listener(trio):
    anna, bert, cleo = trio
    anna.change(mix={bert.name: SourceMix(muted=True)})
    await hears(anna, {2500.0})
    await hears(cleo, {440.0, 1000.0})
    anna.change(mix={})
    await hears(anna, {1000.0, 2500.0})


async def test_a_right_that_is_withdrawn_ends_at_once_and_comes_back(duo):
    anna, bert = duo
    anna.change(publishes=False)
    await hears(bert, set())
    anna.change(publishes=True)
    await hears(bert, {440.0})
    anna.change(subscribes=False)
    await hears(anna, set())
    anna.change(subscribes=True)
    await hears(anna, {1000.0})


async def test_a_client_that_stops_listening_hears_again_when_it_listens_again(front, duo):
    anna, _ = duo
    send_only = anna.sdp.replace("a=sendrecv", "a=sendonly")
    for _ in range(3):
        assert "a=recvonly" in await front.offer(anna.name, send_only)
        await hears(anna, set())
        assert "a=sendrecv" in await front.offer(anna.name, anna.sdp)
        await hears(anna, {1000.0})


async def test_an_ice_restart_gives_new_credentials_and_keeps_the_sound(front, duo):
    anna, bert = duo
    restart = re.sub(r"a=ice-ufrag:\S+", "a=ice-ufrag:fresh123", anna.sdp)
    answer = await front.offer(anna.name, restart)
    assert attribute(answer, "ice-ufrag") != attribute(anna.answer, "ice-ufrag")
    assert attribute(answer, "ice-pwd") != attribute(anna.answer, "ice-pwd")
    fingerprint = re.compile(r"a=fingerprint:.*")
    assert fingerprint.search(answer)[0] == fingerprint.search(anna.answer)[0]
    await hears(bert, {440.0})
    await hears(anna, {1000.0})
    # The client's new path: a check with the new credentials nominates another address.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.setblocking(False)
        check = binding_request(attribute(answer, "ice-ufrag"), attribute(answer, "ice-pwd"))
        elsewhere.sendto(check, front.worker.address)
        await asyncio.sleep(0.3)
        kinds = {elsewhere.recv(2048)[0] for _ in range(10)}
    assert 0x01 in kinds  # the answer to the check
    media = kinds - {0x01}
    assert media
    assert all(kind >> 6 == 2 for kind in media)


async def test_a_new_connection_of_the_same_person_replaces_the_old_one(front, duo):
    anna, bert = duo
    again = Client(front, bert.put.room_id, anna.name, 100, 2500.0)
    front.states.clear()
    await again.join()
    await hears(bert, {2500.0})
    await hears(again, {1000.0})
    await again.leave()


async def test_offers_that_cannot_be_taken_leave_the_connection_as_it_was(front, duo):
    anna, bert = duo
    broken = (anna.sdp.replace("opus/", "speex/"), re.sub(r"\b96\b", "300", anna.sdp))
    assert all(text != anna.sdp for text in broken)
    for text in ("", "v=0", *broken):
        with pytest.raises(ClientError) as refusal:
            await front.offer(anna.name, text)
        assert refusal.value.reason == "bad_sdp"
    with pytest.raises(ClientError) as refusal:
        await front.offer("nobody", anna.sdp)
    assert refusal.value.reason == "participant_not_found"
    await hears(bert, {440.0})


JUNK = {
    "unknown_protocol": [b"", b"GET /", b"\xff" * 100],
    "stun_malformed": [bytes(20), b"\0\1" + bytes(100), b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)],
    "stun_unknown": [binding_request("nobody", "x" * 24)],
    "unknown_address": [b"\x80\x6f" + bytes(50), b"\x16\xfe\xfd" + bytes(50)],
}
KNOWN_JUNK = {
    "srtp_rejected": [
        b"\x80\x6f" + os.urandom(60),
        b"\x90\xef" + os.urandom(1480),
        b"\x80\x6f" + bytes(1990),  # longer than SRTP libraries take
        b"\x80\xc8" + bytes(1990),
        b"\x80\xc9" + os.urandom(40),
        b"\x80\x6f",
    ]
}


async def test_floods_of_garbage_are_counted_and_the_sound_goes_on(front, duo):
    anna, bert = duo
    before = (await front.next_stats()).counters
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(150):
            for data in (each for kind in JUNK.values() for each in kind):
                stranger.sendto(data, front.worker.address)
            for data in KNOWN_JUNK["srtp_rejected"]:
                anna.inject(data)
            anna.inject(b"\x16\xfe\xfd" + os.urandom(40))
            await asyncio.sleep(0.005)
    await hears(bert, {440.0})
    await hears(anna, {1000.0})
    await front.next_stats()
    after = (await front.next_stats()).counters
    for counter, kinds in {**JUNK, **KNOWN_JUNK}.items():
        grown = after.get(counter, 0) - before.get(counter, 0)
        assert grown >= 0.9 * 150 * len(kinds), counter
    assert after["room_defects"] == 0


async def test_a_hog_on_the_workers_cpu_leaves_people_hearing_each_other(front, duo):
    anna, bert = duo
    before = os.sched_getaffinity(front.worker.pid)
    cpu = min(before)
    hog = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"import os\nos.sched_setaffinity(0, [{cpu}])\nwhile True: pass"
    )
    os.sched_setaffinity(front.worker.pid, {cpu})
    try:
        await asyncio.sleep(0.5)
        await hears(bert, {440.0})
        await hears(anna, {1000.0})
    finally:
        hog.kill()
        await hog.wait()
        os.sched_setaffinity(front.worker.pid, before)
    assert (await front.next_stats()).counters["room_defects"] == 0


async def test_a_person_who_hangs_up_is_gone_for_the_others(front, trio):
    anna, bert, cleo = trio
    await anna.hang_up()
    await front.until_state(anna.name, "closed")
    await hears(bert, {2500.0})
    await hears(cleo, {1000.0})


async def test_levels_and_figures_tell_who_speaks(front, duo):
    names = {person.name for person in duo}
    figures = {}

    def is_complete():
        return names == {
            name
            for name, peer in figures.items()
            if min(peer.packets_received, peer.packets_sent) > 20 and peer.own_mix
        }

    deadline_s = time.monotonic() + PATIENCE_S
    while not is_complete() and time.monotonic() < deadline_s:
        stats = await front.next_stats()
        figures |= {p.participant_id: p for p in stats.peer_stats if p.participant_id in names}
    assert is_complete(), figures
    assert {(peer.state, peer.ptime_ms) for peer in figures.values()} == {("connected", 20)}
    async with asyncio.timeout(PATIENCE_S):  # on a busy machine the clients themselves stutter
        while any(
            not speaking or not 14 <= level <= 20  # a sine at 0.2 is 17 dB below full scale
            for level, speaking in (front.levels[name] for name in names)
        ):
            await asyncio.sleep(0.01)
