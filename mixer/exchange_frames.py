"""What the workers of one room tell each other with every block."""

import msgspec
import numpy as np

LEVEL = np.dtype([("level_dbov", np.uint8), ("floor_dbov", np.uint8), ("flags", np.uint8)])
"""How loud a source is, what its noise floor is, and the flags below."""

SPEAKING, WANTS_IN, MUTED = 1, 2, 4
MOST_SOUNDS = 20  # 16 that may be chosen, and some that somebody hears alone
MOST_SAMPLES = 960
BYTES_PER_SAMPLE = 8  # float32, two channels


class RosterEntry(msgspec.Struct, frozen=True):
    """A source as the workers that do not have its connection know it."""

    source_id: str
    csrc: int
    standing: int = 0
    is_music: bool = False


class Sound(msgspec.Struct, frozen=True):
    """A block of one source, as its strip left it.

    Attributes:
        place: In the roster.
        pcm: float32 (n, 2), little-endian, full scale ±1.
    """

    place: int
    pcm: bytes


class Decision(msgspec.Struct, frozen=True):
    """Who is heard where more are audible than anybody may hear.

    Attributes:
        main: CSRC of those heard by everyone.
        reserve: CSRC of the one heard by those, 0 for nobody.
    """

    main: list[int]
    reserve: int = 0


class ForwardedPacket(msgspec.Struct, frozen=True):
    """A packet of a room that forwards, as it came.

    Attributes:
        place: Of its source in the roster.
        stream: Counts the source's streams: each has numbers of its own.
        sequence: As the source counts.
        timestamp: As the source counts.
        payload: Opus.
        level_dbov: As the worker believes that has the connection.
        voice: Whether it holds a voice; None if nobody knows.
        marker: Of its header.
        redundant: As in `MediaPacket`.
    """

    place: int
    stream: int
    sequence: int
    timestamp: int
    payload: bytes
    level_dbov: int
    voice: bool | None = None
    marker: bool = False
    redundant: bool = False


class ForwardNews(msgspec.Struct, frozen=True):
    """What one worker has to say of a room that forwards; see `mixer.forward_exchange`.

    Attributes:
        roster: All sources whose connection the worker has, without those who are muted; left out
            while nothing changed.
        offers: Places in it of those whose packets are sent.
        packets: Of these.
        mixes: Whether somebody there is sent a mix.
    """

    roster: list[RosterEntry] | None
    offers: list[int]
    packets: list[ForwardedPacket]
    mixes: bool = False


class MeteredStrip(msgspec.Struct, frozen=True):
    """What a strip did since the last time; see `mixer.meter_news`.

    Attributes:
        source_id: Whose.
        tenths: Its figures in tenths of dB, in the order of `mixer.meters.Meter`.
        speaking: Whether there is a voice.
    """

    source_id: str
    tenths: list[int]
    speaking: bool


class DrawnSpectrum(msgspec.Struct, frozen=True):
    """What there is to draw of one strip; see `mixer.meter_news`.

    Attributes:
        source_id: Whose.
        bands: int8, dBFS.
        correlation_percent: Of left and right.
        true_peak_tenths: Tenths of dBTP.
    """

    source_id: str
    bands: bytes
    correlation_percent: int
    true_peak_tenths: int


class MeterNews(msgspec.Struct, frozen=True):
    """What workers of different servers tell each other of strips that somebody looks at.

    Attributes:
        watched: Whose meters are looked at there; None where that is not said.
        drawn: Whose spectra are.
        strips: Meters that others asked for.
        spectra: Spectra that others asked for.
    """

    watched: list[str] | None = None
    drawn: list[str] = []
    strips: list[MeteredStrip] = []
    spectra: list[DrawnSpectrum] = []


class BusFrame(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that one worker has to say about one block of a room.

    Attributes:
        room_id: Whose block.
        worker: Who says it.
        number: Counts the worker's frames of this room: a gap is a loss.
        media_time: Of the block's first sample, on the worker's clock of this room.
        samples: Length of the block.
        roster_serial: Of the roster that `levels` and `sounds` go by.
        roster: All sources whose connection the worker has; left out while nothing changed.
        levels: `LEVEL` of all of these, in the order of the roster.
        sounds: Of those whom anybody hears. Who is left out is silent.
        decision: Whom the worker has chosen, None if it did not have to choose.
        wanted: CSRC of sources of other workers that somebody hears alone.
        moved_s: By how much later the worker runs this room's blocks than it did at first. What
            differs from the frame before is no jitter.
        forward: What it says instead as one that forwards; then all else is empty.
        meters: What it says instead of watched strips; then all else is empty.
    """

    room_id: str
    worker: int
    number: int
    media_time: int
    samples: int
    roster_serial: int
    roster: list[RosterEntry] | None
    levels: bytes
    sounds: list[Sound]
    decision: Decision | None = None
    wanted: tuple[int, ...] = ()
    moved_s: float = 0.0
    forward: ForwardNews | None = None
    meters: MeterNews | None = None
