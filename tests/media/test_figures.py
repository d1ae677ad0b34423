"""What a worker says of itself and of its connections."""

from types import SimpleNamespace

import pytest

from dsp.strip import FLAT, StripSettings
from mixer.playout_stats import PlayoutStats
from tests.media.test_hall import House
from webrtc.control.messages import PutParticipant
from webrtc.media.encoding import tier_settings
from webrtc.media.figures import Figures
from webrtc.media.participant import Participant

EAR = PutParticipant("r", "ear 0", 1, publishes=False, subscribes=True)
SINGER = PutParticipant("r", "singer", 2, publishes=True, subscribes=False)


PEER = SimpleNamespace(
    state="connected",
    outputs=[3, 4],
    sent=lambda: (7, 700),
    reception=None,
    round_trip_s=0.0125,
    remote_loss=0.25,
    remote_jitter_s=0.002,
    bytes_received=0,
    allowance=SimpleNamespace(refused=9),
)


def noted(house, room):
    """Return the figures of a worker that has just visited the room's listener."""
    figures = Figures(0)
    figures.note_peer(Participant(EAR, room, PEER))
    return figures


def told_of(house, room):
    """Return what is told of the room's listener."""
    [stats] = noted(house, room).stats(house.hall, {}, {}).peer_stats
    return stats


@pytest.mark.parametrize("tier", [0, 1, 2])
def test_a_listeners_bitrate_is_that_of_its_tier(tier):
    house = House()
    room = house.room("r")
    room.mixer.set_tier("ear 0", tier)
    house.go(20)
    assert told_of(house, room).bitrate_bps == tier_settings(5)[tier].bitrate_bps


def test_nothing_is_spent_on_whoever_hears_nothing_or_is_not_there():
    house = House()
    room = house.room("r")
    room.mixer.set_deafened("ear 0", True)
    house.go(20)
    assert room.mixer.listeners["ear 0"].output is not None
    assert told_of(house, room).bitrate_bps == 0
    room.mixer.remove_listener("ear 0")
    assert told_of(house, room).bitrate_bps == 0


def test_each_figure_is_told_in_its_unit_and_once():
    house = House()
    figures = noted(house, house.room("r"))
    [stats] = figures.stats(house.hall, {}, {}).peer_stats
    assert (stats.rtt_ms, stats.remote_loss, stats.remote_jitter_ms) == (12.5, 0.25, 2.0)
    assert (stats.packets_sent, stats.bytes_sent, stats.tracks) == (7, 700, 2)
    assert stats.packets_refused == 9
    assert figures.stats(house.hall, {}, {}).peer_stats == []


def test_a_strip_delays_only_while_it_is_in_use():
    house = House()
    room = house.room("r")
    singer = Participant(SINGER, room, PEER)

    def strip_ms():
        figures = Figures(0)
        figures.note_peer(singer)
        [stats] = figures.stats(house.hall, {}, {}).peer_stats
        return stats.strip_ms

    assert strip_ms() == 0.0
    room.mixer.set_strip("singer", StripSettings(trim_db=3.0))
    house.go(20)
    assert strip_ms() == 1.48
    room.mixer.set_strip("singer", FLAT)
    house.go(20)
    assert strip_ms() == 0.0


def test_how_long_packets_wait_is_unknown_until_one_was_mixed():
    house = House()
    singer = Participant(SINGER, house.room("r"), PEER)

    def mix_wait_ms(mean_wait_ms):
        singer.playout = SimpleNamespace(stats=lambda: PlayoutStats(mean_wait_ms=mean_wait_ms))
        figures = Figures(0)
        figures.note_peer(singer)
        [stats] = figures.stats(house.hall, {}, {}).peer_stats
        return stats.mix_wait_ms

    assert told_of(house, singer.room).mix_wait_ms is None  # publishes nothing
    assert mix_wait_ms(None) is None
    assert mix_wait_ms(0.0) == 0.0
    assert mix_wait_ms(12.3456) == 12.35


def test_what_every_playout_counts_adds_up_and_outlives_it():
    house = House()
    room = house.room("r")
    figures = Figures(0)
    assert figures.stats(house.hall, {}, {}).counters["packets_late"] == 0
    counted = [PlayoutStats(late=2, concealed_samples=960), PlayoutStats(late=1)]
    speaker = Participant(EAR, room, PEER)

    def visit():
        figures.note_peer(speaker)

    speaker.playout = SimpleNamespace(stats=lambda: counted[0])
    visit()
    counted[0].late = 5
    visit()
    visit()
    assert figures.counters["packets_late"] == 5
    assert figures.counters["concealed_ms"] == 20
    counted[0].late = 7  # between the last visit and its end
    speaker.playout = SimpleNamespace(stats=lambda: counted[1])
    visit()
    assert figures.counters["packets_late"] == 8
    counted[1].late = 3
    figures.stats(house.hall, {}, {})  # the participant has left
    figures.stats(house.hall, {}, {})
    assert figures.counters["packets_late"] == 10
