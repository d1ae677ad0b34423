import asyncio
import base64
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.browser_loop_ear import delays_ms, onsets
from benchmarks.browser_loop_page import thread_seconds
from benchmarks.browser_loop_relay import Relay, is_rtp
from benchmarks.browser_loop_sound import (
    RATE_HZ,
    decode,
    gaps_ms,
    longest_gap_ms,
    loudest_click_dbfs,
)
from benchmarks.browser_loop_speech import judge as judge_speech
from benchmarks.browser_loop_tone import PITCH_HZ, count_clicks
from benchmarks.browser_loop_tone import judge as judge_changes
from mixer.netsim_settings import NetworkConditions
from tests.support.patience import PATIENCE_S

RTP = bytes([128, 111]) + bytes(30)
OTHERS = {
    "STUN": bytes([0, 1]) + bytes(30),
    "DTLS": bytes([22, 254]) + bytes(30),
    "RTCP": bytes([128, 200]) + bytes(30),
    "marked RTCP": bytes([129, 201]) + bytes(30),
    "a stump": RTP[:4],
}


def tone(seconds: float) -> np.ndarray:
    turns = PITCH_HZ * np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (0.25 * np.sin(2 * np.pi * turns)).astype(np.float32)


def test_a_whole_tone_has_no_gap_and_no_click():
    assert longest_gap_ms(tone(1)) == 0
    assert loudest_click_dbfs(tone(1), PITCH_HZ) < -100


@settings(max_examples=20, deadline=None)
@given(at=st.integers(0, 40_000), length_ms=st.floats(2, 100))
def test_a_gap_is_found_and_measured(at, length_ms):
    sound = tone(1)
    sound[at : at + round(length_ms * RATE_HZ / 1000)] = 0
    (found,) = gaps_ms(sound)
    rest_ms = 1000 * (sound.size - at) / RATE_HZ
    assert found == pytest.approx(min(length_ms, rest_ms), abs=0.1)


def test_gaps_that_are_no_longer_than_a_crossing_of_zero_do_not_count():
    sound = tone(1)
    sound[1000:1040] = 0
    assert gaps_ms(sound).size == 0


@given(height_db=st.floats(-60, -10))
@settings(max_examples=20, deadline=None)
def test_a_step_is_a_click_of_its_own_height(height_db):
    sound = tone(1)
    sound[20_000:] += 10 ** (height_db / 20)
    assert loudest_click_dbfs(sound, PITCH_HZ) == pytest.approx(height_db, abs=1.0)


def test_each_tenth_of_a_second_with_a_click_counts_once():
    sound = tone(1)
    for at in (5_000, 5_100, 30_000):
        sound[at] += 0.1
    assert count_clicks(sound) == 2


def test_changes_are_judged_where_they_were():
    sound = tone(4)
    sound[48_000:48_300] = 0
    sound[144_000] += 0.1
    found = judge_changes(sound, [48_000, 96_000])
    assert found.gap_ms[0] == pytest.approx(300 / 48, abs=0.1)
    assert found.gap_ms[1] == 0
    assert found.click_dbfs[0] > -50
    assert found.click_dbfs[1] < -100
    assert found.still_click_dbfs.max() < -100


def test_recordings_are_16_bits_little_endian():
    packed = base64.b64encode(np.array([0, 16_384, -32_768], "<i2").tobytes()).decode()
    assert decode(packed).tolist() == [0, 0.5, -1]


def test_speech_is_found_again_wherever_the_recording_begins():
    pytest.importorskip("pesq", reason="pesq is not installed: make install-bench")
    random = np.random.default_rng(3)
    envelope = np.repeat(random.uniform(0, 0.3, 50), RATE_HZ // 10)
    speech = (envelope * random.standard_normal(envelope.size)).astype(np.float32)
    said = np.roll(np.tile(speech, 3), -30_000)
    heard = np.concatenate([np.zeros(1_920, np.float32), said])[: said.size]
    found = judge_speech(speech, said, heard)
    assert found.delay_ms == pytest.approx(np.full(found.delay_ms.size, 40.0))
    assert found.delay_ms.size >= 8
    assert found.pesq_wb.min() > 4.5


def test_only_rtp_is_rtp():
    assert is_rtp(RTP)
    assert [name for name, datagram in OTHERS.items() if is_rtp(datagram)] == []


class Peer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.got: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()

    def datagram_received(self, data, addr):
        self.got.put_nowait((data, addr))


async def peer() -> tuple[asyncio.DatagramTransport, Peer]:
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(Peer, local_addr=("127.0.0.1", 0))


async def carry(conditions: NetworkConditions, packets: int) -> tuple[Relay, list[bytes]]:
    """Send RTP and then a report from a server through a relay; return what the browser got."""
    server, at_server = await peer()
    browser, at_browser = await peer()
    relay = Relay(server.get_extra_info("sockname"), conditions)
    port = await relay.open()
    got = []
    try:
        browser.sendto(OTHERS["STUN"], ("127.0.0.1", port))
        async with asyncio.timeout(PATIENCE_S):
            check, relays_address = await at_server.got.get()
            assert check == OTHERS["STUN"]
            for _ in range(packets):
                server.sendto(RTP, relays_address)
            server.sendto(OTHERS["RTCP"], relays_address)
            while not got or got[-1] != OTHERS["RTCP"]:
                got.append((await at_browser.got.get())[0])
            while got.count(RTP) < relay.stats.passed:
                got.append((await at_browser.got.get())[0])
    finally:
        relay.close()
        server.close()
        browser.close()
    return relay, got


def test_a_relay_loses_the_share_that_it_should_and_no_report():
    relay, got = asyncio.run(carry(NetworkConditions(loss_percent=50), 60))
    assert relay.stats.passed + relay.stats.lost == 60
    assert 10 < relay.stats.lost < 50
    assert got.count(RTP) == relay.stats.passed


def test_a_relay_lets_reports_overtake_what_it_delays():
    relay, got = asyncio.run(carry(NetworkConditions(scatter_ms=100), 20))
    assert relay.stats.lost == 0
    assert got.count(RTP) == 20
    assert got.index(OTHERS["RTCP"]) < 19


def test_a_process_of_its_own_threads_costs_something():
    sum(number * number for number in range(200_000))
    assert sum(thread_seconds(os.getpid()).values()) > 0
    assert thread_seconds(2**22 + 1) == {}


def test_the_way_from_mouth_to_ear_is_told_burst_by_burst():
    mouth, ear = np.zeros((2, 5 * RATE_HZ), np.float32)
    said = np.array([0.0, 0.9, 1.7, 2.6, 3.4])
    for at_s, late_s in zip(said, [0.1, 0.2, 0.05, 0.06, 0.07], strict=True):
        mouth[round(at_s * RATE_HZ) :][:240] = 0.9
        ear[round((at_s + late_s) * RATE_HZ) :][:240] = -0.3
    ear[round((said[3] + 0.06) * RATE_HZ) :][:240] = 0  # one is not heard
    assert onsets(mouth).size == 5
    assert delays_ms(mouth, ear, 5) == pytest.approx([100, 200, 50, 70])
    assert delays_ms(mouth, ear, 1) == pytest.approx([70])
    assert delays_ms(mouth, np.zeros_like(ear), 5).size == 0
