"""Which packets of a publisher a worker lets go by a lane, and that nobody hears the difference."""

import asyncio
import random

import pytest
from pylibsrtp import Policy, Session

from mixer.playout_packet import MediaPacket
from tests.media import test_worker
from tests.media.test_lanes import PAYLOADS, RATE
from tests.media.test_peer import KEY, HandshakeLeftOut
from tests.media.test_sdp import MINIMAL
from tests.media.test_worker import offer, put
from webrtc.media import peer as peer_module
from webrtc.media import rtp

worker = test_worker.worker  # the fixture

SAMPLES = 480
SSRC = 7
OPUS, RED = 111, 63
WITH_RED = MINIMAL.replace(f"{OPUS}\n", f"{OPUS} {RED}\n", 1) + f"a=rtpmap:{RED} red/48000/2\n"


class Speaker:
    """A connected publisher; media is given to its connection and played in virtual time."""

    def __init__(self, worker):
        self.worker = worker
        self.participant = worker.participants["anna"]
        self.peer = self.participant.peer
        self.room = self.participant.room
        self._outgoing = Session(Policy(key=KEY, ssrc_type=Policy.SSRC_ANY_OUTBOUND))

    @property
    def stats(self):
        return self.participant.playout.stats()

    @property
    def has_lane(self):
        return self.worker.intake.lanes.get(self.peer._intake_row) is not None

    def by_route(self, packet):
        """The intake has decrypted and parsed it; no lane took it."""
        self.worker.intake.leave_lane(self.peer._intake_row)
        self.peer._on_rtp(packet, OPUS, SSRC)

    def by_route_as_red(self, packet):
        self.worker.intake.leave_lane(self.peer._intake_row)
        self.peer._on_rtp(packet, RED, SSRC)

    def without_route(self, packet):
        """It came from an address that was checked but never selected."""
        head = rtp.pack_fixed(0x80, OPUS, packet.sequence, packet.timestamp, SSRC)
        self.peer.on_srtp(self._outgoing.protect(head + packet.payload), packet.arrival_s)

    def play(self, packets, take, phase_s=0.0145):
        """Deliver packets as they arrive and run the room's blocks; return how many were lent."""
        worker, room = self.worker, self.room
        if not room.awake:
            worker.wake(room)
        slot, lent = room.not_before, 0
        begin_s = worker._timer.time_of(slot) - phase_s
        waiting = [(begin_s + at_s, packet) for at_s, packet in packets]
        while waiting:
            now_s = worker._timer.time_of(slot)
            while waiting and waiting[0][0] <= now_s:
                at_s, packet = waiting.pop(0)
                take(packet._replace(arrival_s=at_s))
                lent += self.has_lane
            for _ in worker.hall.run(slot, now_s):
                pass
            slot = max(room.not_before, slot + 1)
            slot += (room.phase - slot) % room.stride
        return lent


@pytest.fixture
async def speaker(worker, monkeypatch):
    monkeypatch.setattr(peer_module, "DtlsTransport", HandshakeLeftOut)
    worker.handle(put("anna", subscribes=False))
    await offer(worker, "anna", WITH_RED)
    await asyncio.sleep(0)
    worker.participants["anna"].peer._dtls.connect()
    return Speaker(worker)


def stream():
    """Return (arrival, packet) of seven seconds with enough jitter that packets wait."""
    jitter = random.Random(1)
    return [
        (
            i * SAMPLES / RATE + 0.014 * jitter.random(),
            MediaPacket(i, i * SAMPLES, payload, 0.0, False, None, False),
        )
        for i, payload in enumerate(PAYLOADS[SAMPLES])
    ]


def with_copy(packet, before):
    """Return a RED packet (RFC 2198) of both."""
    header = (0x80 | OPUS) << 24 | SAMPLES << 10 | len(before.payload)
    body = header.to_bytes(4, "big") + bytes([OPUS]) + before.payload + packet.payload
    return packet._replace(payload=body)


async def test_an_even_stream_gets_a_lane(speaker):
    assert speaker.play(stream(), speaker.by_route) > 3
    assert speaker.stats.concealed_samples == 0


async def test_a_stream_with_copies_gets_none_and_sounds_without_a_gap(speaker):
    packets = stream()
    doubled = [
        (at_s, with_copy(packet, before))
        for (at_s, packet), (_, before) in zip(packets[1:], packets, strict=False)
    ]
    assert speaker.play(doubled, speaker.by_route_as_red) == 0
    assert speaker.stats.concealed_samples == 0


async def test_packets_from_an_address_without_a_route_end_the_lane_first(speaker):
    assert speaker.play(stream(), speaker.without_route) > 3
    assert speaker.stats.concealed_samples == 0
    assert speaker.stats.duplicates == 0
