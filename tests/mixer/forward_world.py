"""A forward room in virtual time, with publishers that say how loud they are, and may lie."""

from dataclasses import dataclass

from mixer.forward import ForwardRoom
from mixer.playout_packet import DecodeError, MediaPacket
from mixer.selection_settings import SelectionSettings

STEP_S = 0.02
LENGTH = 960
LOUD, SILENT = 25, 127
GARBAGE = b"\xff\xff\xff"


def payload_of(level_dbov):
    """Return a payload that `TellingDecoder` takes for sound of this level."""
    return bytes([level_dbov, 1, 2, 3])


class TellingDecoder:
    """Decodes to the level that stands in the payload."""

    def samples(self, payload):
        return LENGTH

    def is_dtx(self, payload):
        return len(payload) <= 2

    def carries_fec(self, payload):
        return False

    def decode(self, payload, out):
        if payload == GARBAGE:
            raise DecodeError("garbage")
        out[:] = 10 ** (-payload[0] / 20)
        return LENGTH

    def decode_fec(self, payload, out):
        raise NotImplementedError

    def conceal(self, out):
        raise NotImplementedError

    def reset(self):
        pass


@dataclass
class Publisher:
    """Says a level, and what it sends in truth.

    Attributes:
        says: The level in its packets, None for no level at all.
        sends: How loud it is, `says` if None.
        per_step: Packets in 20 ms.
    """

    says: int | None = SILENT
    sends: int | None = None
    per_step: int = 1
    sequence: int = 0

    def packet(self, now_s):
        self.sequence += 1
        truth = self.says if self.sends is None else self.sends
        return MediaPacket(
            self.sequence & 0xFFFF,
            self.sequence * LENGTH & 0xFFFFFFFF,
            payload_of(SILENT if truth is None else truth),
            now_s,
            level_dbov=self.says,
            voice=self.says is not None and self.says < 60,
        )


class World:
    """A forward room and who is in it."""

    def __init__(self, **settings):
        self.room = ForwardRoom(SelectionSettings(**settings), TellingDecoder)
        self.now_s = 0.0
        self.publishers = {}
        self.got = {}  # by output: (source, sequence) of every packet

    def come(self, name, tracks=None, **publisher):
        """Let a publisher in, who listens as well if there are tracks."""
        self.publishers[name] = Publisher(**publisher)
        self.room.add_source(name, len(self.publishers), self.now_s)
        if tracks:
            self.listen(name, tracks)

    def listen(self, name, tracks):
        self.room.add_listener(name, tracks)

    def run(self, seconds):
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            for place, (name, publisher) in enumerate(self.publishers.items()):
                for _ in range(publisher.per_step):
                    self.send(name, publisher.packet(self.now_s + place * 1e-4))

    def send(self, name, packet):
        rows = self.room.handle_packet(name, packet, packet.arrival_s)
        for row in [] if rows is None else rows.tolist():
            self.got.setdefault(row, []).append((name, packet.sequence))
        return rows

    def heard_on(self, outputs):
        """Return who was heard on these outputs since the last call, and forget it."""
        return {name for row in outputs for name, _ in self.got.pop(row, [])}
