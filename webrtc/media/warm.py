"""Compile, or load from the cache, every compiled loop before anybody waits for it.

`python -m webrtc.media.warm` does it once at installation.
"""

import socket
from collections import Counter

import numpy as np
import numpy.typing as npt
from pylibsrtp import Policy, Session

from dsp.automix import GainSharing
from dsp.denoiser import engines, make_denoiser
from dsp.leveller import Leveller, LevellerBank, LevellerSettings
from dsp.limiter import LimiterSettings
from dsp.loudness import LoudnessBank
from dsp.strip import StripBank, StripSettings
from dsp.voice_detector import make_detector
from mixer import kernels
from mixer.arena import SourceArena
from mixer.playout_packet import MediaPacket
from webrtc.media import opus
from webrtc.media.fanout import SendTable
from webrtc.media.forward_table import ForwardTable
from webrtc.media.intake import Intake
from webrtc.media.udp import UdpPort, pack_address


def warm_up() -> str:
    """Run each loop once and return which fan-out engine there is."""
    arena = SourceArena(1)
    sources = arena.data
    mixes = np.zeros((1, 960, 2), np.float32)
    row = np.zeros(1, np.int32)
    kernels.observe(sources, arena.meters, row, 480, 0.02, 0.0)
    told = np.zeros(3, np.uint8)
    kernels.tell_levels(arena.meters, row, told)
    told = np.frombuffer(told.tobytes(), np.uint8)
    kernels.follow_levels(arena.meters, row, np.zeros(1, np.intp), told, True)
    peak = np.zeros(1, np.float32)
    kernels.measure(sources, row, 0, 480, peak, peak)
    kernels.mix(
        sources,
        0,
        mixes,
        0,
        480,
        row,
        np.array([0, 1], np.int32),
        row,
        np.ones((1, 4), np.float32),
        np.ones(1, np.float32),
        np.float32(0.9),
        np.float32(0.1),
    )
    bank = StripBank()
    bank.take(0)
    bank.set(0, StripSettings(limiter=LimiterSettings()))
    bank.process(sources, row, 0, 480)
    _warm_up_automatics(sources, row)
    encoder = opus.Encoder(opus.EncoderSettings(application=opus.Application.RESTRICTED_LOWDELAY))
    opus.Decoder().decode(encoder.encode(mixes[0]), sources[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = UdpPort(sock)
        table = SendTable(port)
        session = Session(Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_OUTBOUND))
        index = table.add(session, 1, 111, pack_address("127.0.0.1", port.port))
        intake = Intake(port, Counter())
        policy = Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_INBOUND)
        for number in (1, 2):
            sender = intake.add(Session(policy), 0, lambda packet, kind, ssrc: None)
            if sender is not None:
                intake.route(pack_address("127.0.0.1", number), sender)
        if sender is not None:
            intake.remove(sender)
        intake.read()
        if intake.lanes is not None:
            intake.lanes.play(row, sources, 480, 0.0)
        members = np.array([index], np.int32)
        table.send(members, b"\xfc", 0, False, (0x80, b""))
        tracks = ForwardTable(port)
        track = tracks.add(session, 2, 111, pack_address("127.0.0.1", port.port))
        tracks.send(np.array([track], np.int32), MediaPacket(0, 0, b"\xfc", 0.0), 960, 1)
        if table.sends_blocks:
            from webrtc.media.fanout_kernel import JOB

            jobs = np.array([(encoder.pointer, 0, 0, 480, 0, 0, 1, -1, 1, 0)], JOB)
            one = np.ones(1, np.uint32)
            table.send_block(mixes, jobs, members, one, arena.meters, row, row, 0)
        return table.engine


def _warm_up_automatics(sources: npt.NDArray[np.float32], row: npt.NDArray[np.int32]) -> None:
    loudness = LoudnessBank()
    loudness.take(0)
    loudness.process(sources, row, 0, 480)
    loudness.wait(row, 480)
    for engine in engines():
        make_denoiser(engine).process(sources[0, :480])
    detector = make_detector()
    if detector is not None:
        for _ in range(4):  # a network waits for a whole window
            detector.process(sources[0, :480])
    levellers = LevellerBank()
    levellers.set(0, LevellerSettings())
    levellers.process(sources, row, 0, 480)
    leveller = Leveller(LevellerSettings())
    leveller.observe(-20.0, 10.0)
    leveller.advance(0.01)
    GainSharing().process([0], np.ones(1), 0.01)


if __name__ == "__main__":
    print(f"fan-out: {warm_up()}")  # noqa: T201
