"""What the benchmark of forward rooms answers, and how it tells packets."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.forward import packet_delays
from benchmarks.load.commands import RecordedPacket, Sent
from benchmarks.load.forward_door import make_answer
from benchmarks.load.rtp import rtp_packet
from benchmarks.load.sdp import Identity, make_offer
from tests.media.test_sdp import local
from webrtc.media.sdp import LocalTrack, read_offer
from webrtc.media.sdp_offer import read_answer, write_offer

EPOCH_NS = 1_800_000_000_000_000_000


@pytest.mark.parametrize("direction", ["sendrecv", "recvonly"])
def test_every_track_that_is_sent_is_taken_and_the_first_section_stays(direction):
    identity = Identity("ufrag", "p" * 24, 77)
    ours = make_offer(identity, ("127.0.0.1", 4000), "AA:BB", direction)
    offer = read_offer(ours)
    tracks = [LocalTrack("track1", 1, sends=True), LocalTrack("track2", 2, sends=False)]
    theirs = write_offer(offer.audio, offer.sections, local(), tracks)
    first, one, two = read_answer(make_answer(ours, theirs))
    assert (first.mid, first.sends, first.receives) == ("0", direction == "sendrecv", True)
    assert (one.mid, one.receives) == ("track1", True)
    assert (two.mid, two.receives) == ("track2", False)


def test_a_packet_is_told_by_its_payload_and_by_when_it_was_sent():
    clip = SimpleNamespace(packets=[b"a", b"b", b"c", b"d"])
    talking = [SimpleNamespace(number=5), SimpleNamespace(number=6)]
    listener = SimpleNamespace(number=9)

    def recorded(payload, ms):
        return RecordedPacket(EPOCH_NS + int(ms * 1e6), rtp_packet(111, 1, 0, 7, payload))

    def at(*ms):
        return np.array([EPOCH_NS + int(one * 1e6) for one in ms], np.int64)

    # the second speaker begins in the middle of the clip; "a" comes round again after 1.5 s
    sent_ns = at(0, 20, 1500, 5)
    sent = Sent(np.array([5, 5, 5, 6]), np.array([0, 1, 4, 0]), sent_ns, sent_ns)
    recordings = {
        9: [recorded(b"a", 0.25), recorded(b"c", 5.5), recorded(b"a", 1502), recorded(b"x", 30)]
    }
    window = SimpleNamespace(sent=sent, recordings=recordings)
    delays, unknown = packet_delays(window, listener, talking, clip)
    assert delays.tolist() == pytest.approx([0.25, 0.5, 2.0])
    assert unknown == 1
