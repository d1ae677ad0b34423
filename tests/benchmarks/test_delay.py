import numpy as np
import pytest

from benchmarks.load.clip import make_clip
from benchmarks.load.commands import RecordedPacket, Sent
from benchmarks.load.delay import decode_recording, pulse_delays, sent_pulses
from benchmarks.load.rtp import rtp_packet

EPOCH_NS = 1_800_000_000_000_000_000
PACKET_NS = 20_000_000
LOOKAHEAD = 312
"""Of the clip's encoder, which here stands for the server's."""


def sent_log(first: int, count: int, lost: frozenset[int] = frozenset()) -> Sent:
    number = np.arange(first, first + count)
    ready_ns = EPOCH_NS + number * PACKET_NS
    sent_ns = np.where(np.isin(number, list(lost)), 0, ready_ns)
    return Sent(np.full(count, 4, np.int64), number, ready_ns, sent_ns)


def recording(first: int, count: int, delay_ms: float, start: int = 0) -> list[RecordedPacket]:
    """What a listener gets from a server that hands packets on unchanged."""
    clip = make_clip(20)
    return [
        RecordedPacket(
            EPOCH_NS + number * PACKET_NS + int(delay_ms * 1e6),
            rtp_packet(
                111,
                number,
                2**32 - 4000 + 960 * number,
                5,
                clip.packets[(start + number) % len(clip.packets)],
            ),
        )
        for number in range(first, first + count)
    ]


@pytest.mark.parametrize("delay_ms", [0.3, 12.0, 180.0])
def test_the_delay_of_every_pulse_is_the_way_from_packet_to_packet(delay_ms):
    pulses = sent_pulses(sent_log(0, 600), 4, make_clip(20), 0)
    assert pulses.size == len(make_clip(20).pulses)
    heard = decode_recording(recording(0, 600, delay_ms))
    found = pulse_delays(heard, pulses, 0)
    assert found.delay_ms.size == pulses.size
    assert np.allclose(found.delay_ms, delay_ms, atol=0.01)
    assert np.array_equal(found.sent_ns, pulses)


def test_look_ahead_is_taken_off_in_media_time():
    pulses = sent_pulses(sent_log(0, 600), 4, make_clip(20), 0)
    heard = decode_recording(recording(0, 600, 40.0))
    found = pulse_delays(heard, pulses, LOOKAHEAD)
    # A pulse less than the look-ahead behind a packet's beginning went in with the one before.
    inside = np.array(make_clip(20).pulses) % 960
    assert np.allclose(found.delay_ms, np.where(inside < LOOKAHEAD, 20.0, 40.0), atol=0.01)


def test_a_speaker_may_begin_anywhere_in_the_clip_and_windows_anywhere_in_time():
    clip = make_clip(20)
    pulses = sent_pulses(sent_log(700, 500), 4, clip, start=900)
    heard = decode_recording(recording(700, 500, 7.0, start=900))
    found = pulse_delays(heard, pulses, 0)
    assert found.delay_ms.size >= pulses.size - 1
    assert np.allclose(found.delay_ms, 7.0, atol=0.01)


def test_pulses_of_lost_packets_and_of_other_speakers_do_not_count():
    clip = make_clip(20)
    first = clip.pulse_packets(0, 600)[0]
    whole = sent_pulses(sent_log(0, 600), 4, clip, 0)
    assert sent_pulses(sent_log(0, 600, frozenset({first})), 4, clip, 0).size == whole.size - 1
    assert sent_pulses(sent_log(0, 600), 5, clip, 0).size == 0


def test_a_recording_is_laid_out_in_media_time_whatever_the_order_of_arrival():
    packets = recording(0, 200, 5.0)
    swapped = [*packets[:50], packets[51], packets[50], packets[50], *packets[52:]]
    straight, crooked = decode_recording(packets), decode_recording(swapped)
    assert np.array_equal(straight.sound, crooked.sound)
    assert np.array_equal(straight.starts, crooked.starts)


def test_a_hole_is_concealed_and_keeps_its_length():
    packets = recording(0, 100, 5.0)
    heard = decode_recording(packets[:40] + packets[60:])
    assert len(heard.sound) == 100 * 960
    assert heard.starts[40] == 60 * 960
    assert np.all(heard.sound[52 * 960 : 59 * 960] == 0)
