"""Messages between the front process and a media worker, typed and versioned.

One Unix stream socket per worker. The worker listens, the front process connects; a frame is a
4-byte big-endian length followed by one msgpack object tagged with its type. The worker outlives
the front process: every participant and room carries an opaque `state` blob that the worker keeps
and hands back after `Welcome`, so that a restarted front process knows its rooms again.

Requests carry an `id`; exactly one `Done`, `Answer` or `Failed` with the same `id` answers each.
Their `request_id` names the client's request that they are part of, for logs. Everything else is
one-way. All times are seconds, all levels dBov (RFC 6464: 0 loudest, 127 silent).
"""

from typing import Literal

import msgspec

from dsp.genre.labels import Label
from dsp.genre.profiles import Profile
from mixer.selection_settings import SelectionSettings

CONTROL_VERSION = 3
MAX_FRAME_BYTES = 4 * 1024 * 1024

RoomMode = Literal["mix", "forward"]
PeerStateName = Literal["connecting", "connected", "disconnected", "failed", "closed"]


class _Message(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Base of every control message; the class name is its tag."""


class SourceMix(msgspec.Struct, frozen=True):
    """What one listener alone hears of one source."""

    gain_db: float = 0.0  # −60 (which means silence) to +12
    pan: float = 0.0  # −1 left to +1 right
    muted: bool = False
    solo: bool = False


class SimulatedNetwork(msgspec.Struct, frozen=True):
    """What publishers' packets go through, as `mixer.netsim_settings` reads it; and its seed."""

    conditions: str
    seed: int = 0


# ---- front process to worker ---------------------------------------------------------------


class Hello(_Message, frozen=True):
    """First message of a connection; answered with `Welcome`, any number of `Kept`, `KeptAll`."""

    version: int = CONTROL_VERSION


class RecordRoom(msgspec.Struct, frozen=True):
    """What is recorded of a room, and where to.

    `rings` are memory that the recorder shares, by the number of the worker; `spans` beginning and
    end of each stretch on the machine's monotonic clock. `mix_by` is the worker that gives the mix.
    """

    recording_id: str
    rings: dict[int, str]
    spans: list[tuple[float, float | None]]
    mix_by: int
    dry: bool = False
    processed: bool = False


class PutRoom(_Message, frozen=True):
    """Create or update a room, in which `selection` says who is heard.

    Microphones share one gain if `automix` is on, music goes down by `ducking_db` under speech, and
    the mix is brought to `target_lufs`. In mode `forward` packets of those who are heard are
    forwarded undecoded to whoever takes tracks. `workers` are all that serve the room if there are
    several; then they exchange sources. With `archive` on, what publishers say is handed over to
    the front process. All of it goes through `network` first.
    """

    room_id: str
    state: bytes = b""
    selection: SelectionSettings = SelectionSettings()
    automix: bool = False
    ducking_db: float = 0.0
    target_lufs: float | None = None
    mode: RoomMode = "mix"
    workers: list[int] = []
    archive: bool = False
    recording: RecordRoom | None = None
    broadcast: RecordRoom | None = None
    network: SimulatedNetwork | None = None


class DropRoom(_Message, frozen=True):
    """Remove a room and everyone in it."""

    room_id: str


class UdpClient(msgspec.Struct, frozen=True):
    """How a client of the UDP gateway comes; `client_id` is a secret."""

    client_id: str
    payload: Literal["pcm", "opus"] = "pcm"
    host: int = 0  # IPv4 address of its control line; 0 for any


class Feed(msgspec.Struct, frozen=True):
    """Sound that the front process feeds a participant with, in memory shared at `path`."""

    path: str
    plays: bool = True


class PutParticipant(_Message, frozen=True):
    """Create or update a participant; idempotent. The room exists already.

    `mix` holds the listener's personal settings by source participant id; an empty map means the
    shared mix. `strip` holds the publisher's strip settings as the wire names them. Who has
    `priority` is heard before others, and who is `pinned` before those. A changed strip is reached
    within `ramp_ms`, which is no part of what the worker remembers. Who `takes_tracks` answers
    offers of ours and hears a forward room on tracks instead of a mix. What it sends goes through
    `network`, in place of the room's.
    """

    room_id: str
    participant_id: str
    csrc: int
    publishes: bool
    subscribes: bool
    muted: bool = False
    deafened: bool = False
    priority: bool = False
    pinned: bool = False
    takes_tracks: bool = False
    mix: dict[str, SourceMix] = {}
    strip: dict[str, float | int | str | bool] = {}
    ramp_ms: int = 0
    udp: UdpClient | None = None
    feed: Feed | None = None
    network: SimulatedNetwork | None = None
    state: bytes = b""


class DropParticipant(_Message, frozen=True):
    """Remove a participant and close its peer connection."""

    participant_id: str


class WatchMeters(_Message, frozen=True):
    """Measure these strips of a room from now on, and these spectra; nothing else of it."""

    room_id: str
    strips: list[str] = []
    spectra: list[str] = []


class Offer(_Message, frozen=True):
    """The client's SDP offer: first negotiation, renegotiation or ICE restart. Answer or Failed.

    `renew` throws a previous peer connection away first (the client built a new one). Without it
    the worker decides by the offer's DTLS fingerprint and ICE credentials.
    """

    id: int
    participant_id: str
    sdp: str
    renew: bool = False
    request_id: str = ""


class RemoteAnswer(_Message, frozen=True):
    """The client's SDP answer to an offer of the server. Done or Failed."""

    id: int
    participant_id: str
    sdp: str
    request_id: str = ""


class Candidate(_Message, frozen=True):
    """A trickled ICE candidate; `candidate` None ends the candidates. Done or Failed."""

    id: int
    participant_id: str
    candidate: str | None
    sdp_mid: str | None = None
    sdp_mline_index: int | None = None
    request_id: str = ""


class Drain(_Message, frozen=True):
    """Stop taking offers; what runs goes on."""


# ---- worker to front process ---------------------------------------------------------------


class KeptRoom(msgspec.Struct, frozen=True):
    """A room as the worker remembers it; `workers` as in `PutRoom`."""

    room_id: str
    state: bytes
    workers: list[int]


class Welcome(_Message, frozen=True):
    """First answer to `Hello`: what the worker is.

    `engine` sends packets, `dsp` runs the strips, `voice` tells voices from noise; `denoisers` are
    the engines of noise suppression that are installed.
    """

    version: int
    worker: int
    pid: int
    udp_port: int
    realtime: bool
    engine: str
    dsp: str = ""
    denoisers: list[str] = []
    voice: str = ""
    gateway_port: int = 0  # UDP; 0 without a gateway


class Kept(_Message, frozen=True):
    """A part of what the worker remembers: a frame could not hold all of it."""

    rooms: list[KeptRoom] = []
    participants: list[PutParticipant] = []


class KeptAll(_Message, frozen=True):
    """Last answer to `Hello`: nothing else is remembered, and from now on anything may be said."""

    media: dict[str, PeerStateName] = {}  # of those who have a connection


class Done(_Message, frozen=True):
    """A request was carried out."""

    id: int


class Answer(_Message, frozen=True):
    """The worker's SDP answer to `Offer`."""

    id: int
    sdp: str


class Failed(_Message, frozen=True):
    """A request was refused; `reason` is a code of docs/protocol.md, `detail` one sentence."""

    id: int
    reason: str
    detail: str


class PeerState(_Message, frozen=True):
    """A participant's media connection changed."""

    participant_id: str
    state: PeerStateName


class PlainClient(_Message, frozen=True):
    """A client of the gateway's old kind, which nobody knows, sends sound from `host` (IPv4)."""

    client_id: str
    host: int


class SourceLevel(msgspec.Struct, frozen=True, array_like=True):
    """Level of one source over the last period."""

    participant_id: str
    level_dbov: int  # 0 loudest … 127 silence
    speaking: bool


class ServerOffer(_Message, frozen=True):
    """The worker wants to renegotiate; the client's answer comes back as `RemoteAnswer`."""

    participant_id: str
    sdp: str


class TrackGroup(msgspec.Struct, frozen=True, array_like=True):
    """Listeners on whose tracks the same people are; `tracks` is source by mid, None for nobody."""

    participant_ids: list[str]
    tracks: dict[str, str | None]


class TracksAssigned(_Message, frozen=True):
    """Who is on which track of those of whom that changed; the last word on each counts."""

    room_id: str
    groups: list[TrackGroup]


class Levels(_Message, frozen=True):
    """Levels of a room that changed since the last message; at most ten a second per room."""

    room_id: str
    levels: list[SourceLevel]


class StripMeters(msgspec.Struct, frozen=True):
    """What a strip did since the last meters; levels in dBFS, −120 is silence.

    `in_…` is before automatic level and the strip, `out_…` after them. `gate_db`, `comp_db` and
    `limiter_db` are what these let through at least, 0 or less. `auto_level_db` is the gain of
    automatic level, `balance_db` that of the room's automix, ducking and target together.
    `short_term_lufs` is the loudness of the last 3 s, `voice` whether somebody speaks.
    """

    participant_id: str
    in_peak_db: float
    in_rms_db: float
    out_peak_db: float
    out_rms_db: float
    gate_db: float
    comp_db: float
    limiter_db: float
    auto_level_db: float
    balance_db: float
    short_term_lufs: float
    voice: bool


class StripSpectrum(msgspec.Struct, frozen=True):
    """The spectrum of what leaves a strip, and what else is drawn of one strip alone.

    `bands_db` are the levels of 120 bands, each a twelfth of an octave wide: band n is around
    20 · 2^(n/12) Hz. A sine shows its peak level in dBFS; −120 is silence. `correlation` tells how
    alike left and right are: 1 the same, 0 unrelated, −1 upside down. `true_peak_db` is the true
    peak (ITU-R BS.1770) in dBTP.
    """

    participant_id: str
    bands_db: list[int]
    correlation: float = 1.0
    true_peak_db: float = -120.0


class Meters(_Message, frozen=True):
    """What was measured of watched strips, of all rooms together; at most 25 a second.

    A strip that falls silent says so at once, and again every second while its room is awake.
    `limiters` are gains by room: of that mix's limiter which works hardest, 0 dB or less.
    """

    strips: list[StripMeters]
    spectra: list[StripSpectrum] = []
    limiters: dict[str, float] = {}


class Content(_Message, frozen=True):
    """What a publisher's sound is thought to be, when that has changed, and now and then.

    `genre` is a class, `unknown` or `silence`, `confidence` how likely that is right, and `firm`
    whether it is worth acting on. `speech` is how likely somebody speaks, alone or over music;
    `probabilities` are those of `dsp.genre.labels.CLASSES`. `profile` is the mixing profile that
    suits it.
    """

    participant_id: str
    genre: Label
    confidence: float
    firm: bool
    speech: float
    probabilities: list[float]
    profile: Profile


class PeerStats(msgspec.Struct, frozen=True, omit_defaults=True):
    """Figures of one participant's connection, cumulative counters since it connected."""

    participant_id: str
    state: PeerStateName
    rtt_ms: float | None = None
    packets_received: int = 0
    packets_lost: int = 0
    packets_late: int = 0
    packets_sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    jitter_ms: float = 0.0
    concealed_ms: float = 0.0
    fec_ms: float = 0.0
    buffer_ms: float = 0.0
    target_ms: float = 0.0
    # Mean wait of this publisher's packets before they are mixed; None before there was one.
    mix_wait_ms: float | None = None
    strip_ms: float = 0.0  # by how much this publisher's strip delays its sound
    remote_loss: float = 0.0  # share of our packets the listener lost, 0 to 1
    remote_jitter_ms: float = 0.0
    ptime_ms: int = 20
    bitrate_bps: int = 0
    own_mix: bool = False
    tracks: int = 0  # on which a forward room is heard, instead of a mix
    packets_refused: int = 0  # of this publisher's, for its bitrate was above what it may take


class SpreadStats(msgspec.Struct, frozen=True):
    """How often something took how long, cumulative: a histogram.

    `counts` are of those that took no longer than each of `bounds_s`; the last one is of all.
    """

    bounds_s: list[float]
    counts: list[int]
    sum_s: float


class WorkerStats(_Message, frozen=True):
    """Pushed once a second; counters are cumulative since the worker started.

    `shedding` is the step of `mixer.shedding`: above 0, newcomers are to be refused. `tick` is the
    work of each turn, `mix_wait` the wait of each publisher's packets, once a second, and
    `bus_round_trip` the time that Redis takes to answer what is sent to other replicas.
    """

    worker: int
    uptime_s: float
    cpu_s: float
    rooms: int
    participants: int
    peers: int
    ticks: int
    tick_overruns: int
    late_ticks: int
    tick_p50_ms: float
    tick_p99_ms: float
    lateness_p99_ms: float
    encodes: int
    counters: dict[str, int] = {}
    peer_stats: list[PeerStats] = []
    shedding: int = 0
    tick: SpreadStats | None = None
    mix_wait: SpreadStats | None = None
    bus_round_trip: SpreadStats | None = None


ToWorker = (
    Hello
    | PutRoom
    | DropRoom
    | PutParticipant
    | DropParticipant
    | WatchMeters
    | Offer
    | RemoteAnswer
    | Candidate
    | Drain
)
ToFront = (
    Welcome
    | Kept
    | KeptAll
    | Done
    | Answer
    | Failed
    | PeerState
    | PlainClient
    | ServerOffer
    | Levels
    | Meters
    | TracksAssigned
    | Content
    | WorkerStats
)
