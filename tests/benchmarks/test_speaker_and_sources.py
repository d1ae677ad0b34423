import numpy as np
import pytest

from benchmarks.load.clip import make_clip, make_sound
from benchmarks.load.sources import ClipPlan, LivePlan, LiveSource
from benchmarks.load.speaker import Speaker
from mixer.netsim import NetworkSimulator
from mixer.netsim_settings import NetworkConditions
from webrtc.media.opus_packets import Mode, inspect

MS = 1_000_000


def live(pcm, **changes) -> LiveSource:
    wishes = {"ptime_ms": 20, "bitrate_bps": 32_000, "stereo": False, "dtx": True, **changes}
    source = LivePlan(pcm=pcm, **wishes).build()
    assert isinstance(source, LiveSource)
    return source


def voice() -> np.ndarray:
    return make_sound(pulses=False)[:, :1]


def test_a_speakers_packets_leave_as_its_network_lets_them():
    def speaker(network: NetworkSimulator | None) -> Speaker:
        return Speaker(ClipPlan(make_clip(10)).build(), 5000, network)

    assert speaker(None).leave_at(7 * MS, 100) == [7 * MS]
    one = speaker(NetworkSimulator(NetworkConditions(delay_ms=20, duplicate_percent=100), 1))
    assert one.leave_at(7 * MS, 100) == pytest.approx([27 * MS] * 2, abs=MS // 100)
    lossy = NetworkConditions(loss_percent=10, scatter_ms=60)
    bad = speaker(NetworkSimulator(lossy, 3))
    leaves = [bad.leave_at(number * 10 * MS, 100) for number in range(1000)]
    same = speaker(NetworkSimulator(lossy, 3))
    assert leaves == [same.leave_at(number * 10 * MS, 100) for number in range(1000)]
    assert 50 < leaves.count([]) < 150
    flat = [leave_ns for one in leaves for leave_ns in one]
    assert sorted(flat) != flat, "packets overtake each other"


def test_a_speaker_never_drifts():
    speaker = Speaker(ClipPlan(make_clip(10)).build(), 5000, None)
    assert speaker.due_ns == 5000
    speaker.number = 360_000  # an hour
    assert speaker.due_ns == 5000 + 3600 * 1000 * MS


def test_a_clip_goes_round():
    clip = make_clip(20)
    source = ClipPlan(clip, start=len(clip.packets) - 1).build()
    assert source.packet(0) == (clip.packets[-1], clip.levels[-1])
    assert source.packet(1) == (clip.packets[0], clip.levels[0])


def test_a_live_source_codes_what_the_answer_asked_for():
    payload, level = live(voice(), ptime_ms=10, stereo=True, bitrate_bps=96_000).packet(0)
    assert inspect(payload).samples == 480
    assert level & 0x80
    assert inspect(live(voice()).packet(0)[0]).samples == 960


def test_reported_loss_brings_the_mode_with_fec_and_is_not_forgotten_at_once():
    source = live(voice(), stereo=True, bitrate_bps=96_000)
    before = {inspect(source.packet(n)[0]).mode for n in range(50)}
    source.handle_loss(0.1)
    source.handle_loss(0.0)
    after = {inspect(source.packet(n)[0]).mode for n in range(60, 110)}
    assert before == {Mode.CELT}
    assert after == {Mode.HYBRID}


def test_silence_goes_unsent_but_for_the_first_packet_and_refreshes():
    assert silence_packets(dtx=True)[-40:].count(None) > 30
    assert silence_packets(dtx=False).count(None) == 0


def silence_packets(*, dtx: bool) -> list[tuple[bytes, int] | None]:
    source = live(np.zeros((48_000, 1), np.float32), dtx=dtx)
    return [source.packet(number) for number in range(100)]
