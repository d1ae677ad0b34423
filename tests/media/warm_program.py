"""A program of its own: warm up, then do what a worker does, and compile nothing on the way."""

from collections import Counter

from numba.core.dispatcher import Dispatcher
from pylibsrtp import Policy, Session

from dsp import gain_kernels, loudness_kernels
from dsp import kernels as strip_kernels
from dsp.leveller import LevellerSettings
from mixer import kernels
from mixer.balance import BalanceSettings
from mixer.listener import PersonalGain
from mixer.treatment import Character
from tests.media.fakes import address_of, bound_socket
from tests.mixer.stage import Voice
from webrtc.media import fanout_kernel, intake_kernel, rtp
from webrtc.media.fanout import SendTable
from webrtc.media.hall import Hall
from webrtc.media.intake import Intake
from webrtc.media.strips import strip_settings
from webrtc.media.udp import UdpPort
from webrtc.media.warm import warm_up

ENGINE = warm_up()
assert ENGINE == "compiled"
loops = {
    f"{module.__name__}.{name}": thing
    for module in (
        kernels,
        strip_kernels,
        gain_kernels,
        loudness_kernels,
        fanout_kernel,
        intake_kernel,
    )
    for name, thing in vars(module).items()
    if isinstance(thing, Dispatcher)
}
warm = {name: list(loop.signatures) for name, loop in loops.items()}
assert sum(map(bool, warm.values())) >= 6, warm


def session(kind):
    return Session(Policy(key=bytes(30), ssrc_type=kind))


with bound_socket() as ours, bound_socket() as theirs:
    port, heard = UdpPort(ours), []
    intake = Intake(port, Counter())
    row = intake.add(session(Policy.SSRC_ANY_INBOUND), 1, lambda *packet: heard.append(packet))
    intake.route(address_of(theirs), row)
    outgoing = session(Policy.SSRC_ANY_OUTBOUND)
    packet = outgoing.protect(rtp.pack_fixed(0x80, 111, 1, 480, 7) + b"opus")
    theirs.sendto(packet, ours.getsockname())
    theirs.sendto(b"something else", ours.getsockname())
    assert len(intake.read()) == 1
    assert len(heard) == 1
    for i in range(200):  # the table grows
        another = intake.add(session(Policy.SSRC_ANY_INBOUND), 0, print)
        intake.route(address_of(theirs) + i, another)
    intake.remove(row)

    table = SendTable(port)
    for ptime in ("auto", 20):
        hall = Hall(ptime, 5, table)
        room = hall.put_room("r", b"")
        for i, name in enumerate(("anna", "bert")):
            voice = Voice(300.0 * (i + 1))
            voice.sings = True
            room.mixer.add_source(name, i + 1, voice)
            row = table.add(session(Policy.SSRC_ANY_OUTBOUND), i, 111, address_of(theirs))
            room.mixer.add_listener(name, row, 5 * i)
        hall.wake(room, 1)
        for slot in range(1, 200):
            if slot == 50:
                room.mixer.set_gains("bert", {"anna": PersonalGain(-6.0, 0.5)})
            if slot == 60:
                room.mixer.set_strip("anna", strip_settings({"preset": "voice", "delayMix": 20.0}))
            if slot == 70:
                treatment = room.mixer.treatment
                treatment.balance = BalanceSettings(automix=True, ducking_db=12.0, target_lufs=-20)
                room.mixer.set_character("bert", Character(leveller=LevellerSettings()))
                treatment.watch(["anna", "bert"], ["anna"])
            if slot == 90:
                treatment.take_meters(room.mixer.sources)
            if slot == 100:
                room.mixer.mute_source("anna", True)
            for _ in hall.run(slot, slot * 0.0025):
                pass
        assert hall.defects == 0
        assert hall.encodes > 20, hall.encodes
    assert table.sent > 100

late = {name: loop.signatures for name, loop in loops.items() if loop.signatures != warm[name]}
assert not late, late
