"""What the driver of a load test and its media processes say to each other, over a pipe."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmarks.load.arrivals import Arrivals
from benchmarks.load.dtls import Certificate
from benchmarks.load.participant import Connection
from benchmarks.load.sources import SourcePlan
from mixer.netsim_settings import NetworkConditions

# ---- to a media process --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Open:
    """Open the way of a participant; answered with `Opened`."""

    participant: int


@dataclass(frozen=True, slots=True)
class Connect:
    """Begin checks and handshake; `Connected` or `Failed` follows.

    With a `certificate` of their own for those who must not be taken for somebody known.
    """

    connection: Connection
    record: bool = False
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class Speak:
    """Begin to send, `offset_s` after the next full second of the monotonic clock.

    Packets take their way through a simulated network where there is one, whose chance is `seed`'s.
    """

    participant: int
    plan: SourcePlan
    offset_s: float
    network: NetworkConditions | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """Send from another address from now on, as when a network changes."""

    participant: int


@dataclass(frozen=True, slots=True)
class Leave:
    """Forget a participant without a word to the server."""

    participant: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Begin a window of measurement."""


@dataclass(frozen=True, slots=True)
class Collect:
    """End the window; answered with `Window`."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the process."""


Command = Open | Connect | Speak | Move | Leave | Mark | Collect | Quit

# ---- from a media process ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """The process works; its first message."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The participant's address as the server will see it."""

    participant: int
    address: tuple[str, int]


@dataclass(frozen=True, slots=True)
class Connected:
    """Keys are there; media may flow."""

    participant: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection did not come about."""

    participant: int
    reason: str


@dataclass(frozen=True, slots=True)
class FirstPacket:
    """The participant heard something for the first time."""

    participant: int
    stamp_ns: int


@dataclass(frozen=True, slots=True)
class Sent:
    """Packets that participants had ready in the window, one row each; lost ones too.

    Attributes:
        participant: who.
        number: which packet of its source, from 0.
        ready_ns: when its sound was complete, Unix epoch.
        sent_ns: right before it was handed to the kernel, 0 if it was lost on purpose.
    """

    participant: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]
    ready_ns: npt.NDArray[np.int64]
    sent_ns: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RecordedPacket:
    """A packet in the clear with its kernel arrival time."""

    stamp_ns: int
    packet: bytes


@dataclass(frozen=True, slots=True)
class Window:
    """What one media process saw between `Mark` and `Collect`.

    Attributes:
        arrivals: every RTP packet.
        sent: every packet of those who speak.
        recordings: packets of the recording participants.
        dropped: datagrams that the kernel threw away because the client read too slowly.
        cpu_s: what the process used up.
        duration_s: of the window.
    """

    arrivals: Arrivals
    sent: Sent
    recordings: dict[int, list[RecordedPacket]] = field(default_factory=dict)
    dropped: int = 0
    cpu_s: float = 0.0
    duration_s: float = 0.0


Event = Ready | Opened | Connected | Failed | FirstPacket | Window
