"""Who is heard when many speak at the same time: right or wrong, how soon, and at what cost.

    python -m benchmarks.selection [--seconds S] [--minutes M] [--quick] [--only {choice,cost}]
        [--seed N]

Choice: real speech overlaps in virtual time, through the mixer that the server runs. Each person
says phrases of Debian's alsa-utils recordings at a pitch, a loudness and a background noise of
their own, and coughs in between. What each microphone would have sent without noise and coughs
tells who should have been heard.

A place is *due* to whoever begins to speak (after half a second without a word) while fewer others
than there are places have spoken within half a second, or make another sound or did so 60 ms ago:
as long as it lasts, nobody can know that it is a cough and no word. A beginning is the first block
within 15.9 dB of the speaker's own level, which is what ITU-T P.56 takes for speech. Who begins
while only a cough is in the way has to wait for its end, and 40 ms at most from there; the table
also tells how long they waited from their own first loud block. A switch is *wrong* when somebody
who spoke within 200 ms before it and goes on within 200 ms lost the place to nobody who is louder
by 3 dB, each voice over its own background and averaged over the second before and after.

Cost: a room of 50 in which all talk all the time, at the real server.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.io.wavfile
import scipy.signal

from benchmarks.capacity import Scene, measure_scene
from benchmarks.harness.options import Options, add_options, options_from, run
from benchmarks.harness.packages import MissingPackageError, ensure
from benchmarks.harness.report import Figure, print_result, print_table, quantiles
from benchmarks.load.doors import SocketIoDoor
from benchmarks.loss_offline import SPEECH_FOLDERS
from mixer.arena import BLOCK_20MS, SAMPLE_RATE_HZ, Arena, Block, SourceArena
from mixer.levels import AUDIBLE_DBOV
from mixer.playout_packet import Pull
from mixer.room import RoomMixer

Mono = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

PLACES = 6
MAX_WRONG_PER_MINUTE = 1.0
MAX_TIME_TO_BE_IN_MS = 40.0
COST = Scene("room of 50, all speak", 1, 50, 50, 6.0)

_SPEECH_DBFS = -50.0  # a block of clean speech above this is speech, not its fading end
_ACTIVE_MARGIN_DB = 15.9
_COUGH_EVERY_S = 15.0
_COUGH_S = (0.03, 0.1)
_COUGH_PEAK = 0.7
_CLEARLY_LOUDER_DB = 3.0
_AROUND_BLOCKS = 10  # 200 ms: who spoke before and after is in the middle of it
_LOUDNESS_BLOCKS = 100
_PAUSE_BLOCKS = 15  # who has paused for longer need not be heard
_USED_BLOCKS = 25
_OVER_BLOCKS = 4  # 60 ms after its last block a cough is over
_LONGEST_COUGH_BLOCKS = 10


@dataclass(frozen=True, slots=True)
class Talk:
    """A kind of conversation.

    Attributes:
        name: for tables.
        people: how many there are.
        talking: how many of them talk at the same time on average.
    """

    name: str
    people: int
    talking: float


TALKS = (
    Talk("meeting", 10, 2.5),
    Talk("heated debate", 12, 5.5),
    Talk("everybody at once", 16, 11.0),
)


@dataclass(frozen=True, slots=True)
class Microphone:
    """What one person sends, and what of it is speech.

    Attributes:
        sound: all of it, 48 kHz.
        noise_dbfs: level of the background.
        speech_dbfs: level of the speech alone in each block of 20 ms.
        coughs: in which blocks a cough sounds.
    """

    sound: Mono
    noise_dbfs: float
    speech_dbfs: npt.NDArray[np.float64]
    coughs: Flags

    @property
    def speaks(self) -> Flags:
        """Return in which blocks there is speech."""
        return self.speech_dbfs > _SPEECH_DBFS

    @property
    def is_loud(self) -> Flags:
        """Return in which blocks it is not much softer than this person speaks (ITU-T P.56)."""
        if not self.speaks.any():
            return self.speaks
        active_dbfs = 10 * np.log10(np.mean(10 ** (self.speech_dbfs[self.speaks] / 10)))
        return np.asarray(self.speech_dbfs > active_dbfs - _ACTIVE_MARGIN_DB)


class Tape:
    """A playout that plays a microphone from the beginning."""

    is_buffering = True

    def __init__(self, sound: Mono) -> None:
        self._sound = sound
        self._at = 0
        self.packet_samples = 480

    def pull(self, out: Block, now_s: float) -> Pull:
        """Write the next block."""
        out[:] = self._sound[self._at : self._at + len(out), None]
        self._at += len(out)
        return Pull.SOUND

    def safe_time_s(self) -> float | None:
        """Return None: nothing is ever late."""
        return None


@dataclass(frozen=True, slots=True)
class Score:
    """How well the choice was made.

    Attributes:
        heard_share: of the speech, while no more spoke than may be heard, what was heard.
        filled_share: of the places, while more spoke, how many somebody had who spoke.
        waits_ms: from the moment a place was due to who began to speak until they were heard.
        starts_ms: the same from their first block.
        wrong: how often somebody in the middle of speaking lost the place to somebody who was
            not clearly louder, or did not speak.
        switches: how often somebody got a place.
        minutes: of conversation.
    """

    heard_share: float
    filled_share: float | None
    waits_ms: npt.NDArray[np.float64]
    starts_ms: npt.NDArray[np.float64]
    wrong: int
    switches: int
    minutes: float


# ---- making a conversation -------------------------------------------------------------------


def read_phrases() -> list[Mono]:
    """Return the recordings one by one, mono, 48 kHz, of equal loudness.

    Raises:
        MissingPackageError: they are not there and may not be installed.
    """
    ensure("alsa-utils", lambda: any(folder.is_dir() for folder in SPEECH_FOLDERS))
    phrases = []
    for folder in SPEECH_FOLDERS:
        for file in sorted(folder.glob("*.wav")):
            if file.stem == "Noise":
                continue
            rate_hz, pcm = scipy.io.wavfile.read(file)
            sound = scipy.signal.resample_poly(pcm.astype(np.float32), SAMPLE_RATE_HZ, rate_hz)
            phrases.append(np.asarray(sound * (0.1 / np.std(sound)), np.float32))
    return phrases


def make_microphone(
    phrases: Sequence[Mono], seconds: float, talking: float, rng: np.random.Generator
) -> Microphone:
    """Let somebody talk for so much of the time."""
    pitch = rng.uniform(0.8, 1.25)
    voice = [
        np.asarray(scipy.signal.resample(one, round(one.size / pitch)), np.float32)
        for one in phrases
    ]
    total = round(seconds * SAMPLE_RATE_HZ) // BLOCK_20MS * BLOCK_20MS
    speech = np.zeros(total, np.float32)
    coughs = np.zeros(total, np.float32)
    at = round(rng.uniform(0, 8) * SAMPLE_RATE_HZ)
    while at < total:
        begun = at
        for _ in range(rng.integers(1, 5)):
            phrase = voice[rng.integers(len(voice))][: total - at]
            speech[at : at + phrase.size] = phrase
            at = min(total, at + phrase.size + round(rng.uniform(0.05, 0.3) * SAMPLE_RATE_HZ))
        pause = max(0.3 * SAMPLE_RATE_HZ, (at - begun) * (1 / talking - 1) * rng.exponential())
        _cough(coughs[at : at + round(pause)], rng)
        at += round(pause)
    gain = 10 ** (rng.uniform(-6, 6) / 20)
    noise_dbfs = rng.uniform(-75, -58)
    noise = 10 ** (noise_dbfs / 20) * rng.standard_normal(total)
    blocks = np.square(speech * gain).reshape(-1, BLOCK_20MS).mean(axis=1)
    sound = np.clip(speech * gain + coughs + noise, -1, 1).astype(np.float32)
    coughing = np.abs(coughs).reshape(-1, BLOCK_20MS).max(axis=1) > 0
    return Microphone(sound, noise_dbfs, 10 * np.log10(np.maximum(blocks, 1e-12)), coughing)


def _cough(pause: Mono, rng: np.random.Generator) -> None:
    """Write coughs into a pause; each is a burst of noise that dies away."""
    at = 0.0
    while (at := at + rng.exponential(_COUGH_EVERY_S) * SAMPLE_RATE_HZ) < pause.size:
        begin = round(at)
        size = min(round(rng.uniform(*_COUGH_S) * SAMPLE_RATE_HZ), pause.size - begin)
        burst = rng.uniform(-1, 1, size) * np.linspace(1, 0.1, size)
        pause[begin : begin + size] = _COUGH_PEAK * burst


# ---- listening to it -------------------------------------------------------------------------


def play(microphones: Sequence[Microphone], places: int) -> Flags:
    """Return who was in the main mix in each block of 20 ms, shape (people, blocks)."""
    room = RoomMixer("r", SourceArena(), Arena())
    room.max_speakers = places
    room.add_listener("ear", 0, 0)
    for number, microphone in enumerate(microphones):
        room.add_source(str(number), number + 1, Tape(microphone.sound))
    blocks = microphones[0].speech_dbfs.size
    heard = np.zeros((len(microphones), blocks), np.bool_)
    for block in range(blocks):
        for half in range(2):
            room.tick(1.0 + 0.02 * block + 0.01 * half)
        heard[:, block] = [source.engaged for source in room.sources.values()]
    return heard


def judge(microphones: Sequence[Microphone], heard: Flags, places: int) -> Score:
    """Compare who was heard with who should have been."""
    speaks = np.array([microphone.speaks for microphone in microphones])
    busy = np.array([_held(row, _PAUSE_BLOCKS) for row in speaks])
    fits = busy.sum(axis=0) <= places
    loud = speaks & fits
    crowded = busy[:, ~fits] & heard[:, ~fits]
    wrong = 0
    lost = heard[:, :-1] & ~heard[:, 1:]
    gained = ~heard[:, :-1] & heard[:, 1:]
    for person, block in np.argwhere(lost):
        after = block + 1
        before = speaks[person, max(0, after - _AROUND_BLOCKS) : after]
        if before.any() and speaks[person, after : after + _AROUND_BLOCKS].any():
            loudness = [_loudness_db(microphone, block) for microphone in microphones]
            winners = np.flatnonzero(gained[:, block])
            wrong += not any(
                loudness[winner] > loudness[person] + _CLEARLY_LOUDER_DB for winner in winners
            )
    starts, waits = _waits_ms(microphones, heard, places)
    return Score(
        float((loud & heard).sum() / max(1, loud.sum())),
        float(crowded.sum() / (places * (~fits).sum())) if not fits.all() else None,
        np.array(waits),
        np.array(starts),
        wrong,
        int(gained.sum()),
        speaks.shape[1] * 0.02 / 60,
    )


def _held(row: Flags, blocks: int) -> Flags:
    """Return where a flag was set within so many blocks."""
    return np.asarray(np.convolve(row, np.ones(blocks), "full")[: row.size] > 0)


def _loudness_db(microphone: Microphone, block: int) -> float:
    """Return how far the voice stands out from its background, or from what is inaudible."""
    around = slice(max(0, block - _LOUDNESS_BLOCKS // 2), block + _LOUDNESS_BLOCKS // 2)
    levels = microphone.speech_dbfs[around]
    spoken = levels[levels > _SPEECH_DBFS]
    background_dbfs = max(microphone.noise_dbfs, -AUDIBLE_DBOV)
    return float(spoken.mean()) - background_dbfs if spoken.size else -np.inf


def _waits_ms(
    microphones: Sequence[Microphone], heard: Flags, places: int
) -> tuple[list[float], list[float]]:
    """Return how long each utterance waited to which a place was due, see the module.

    Returns:
        From its first loud block, and from when the place was due.
    """
    starts, waits = [], []
    recent = np.array([_held(one.speaks, _USED_BLOCKS) for one in microphones])
    using = recent | np.array([_held(one.coughs, _OVER_BLOCKS) for one in microphones])
    for person, one in enumerate(microphones):
        for first in np.flatnonzero(one.speaks[1:] & ~recent[person, :-1]) + 1:
            loud = np.flatnonzero(one.is_loud[first : first + _USED_BLOCKS])
            block = first + (loud[0] if loud.size else 0)
            if not loud.size or recent[:, block].sum() > places:
                continue
            others = using[:, block : block + _LONGEST_COUGH_BLOCKS].copy()
            others[person] = False
            free = np.flatnonzero(others.sum(axis=0) < places)
            if not free.size:  # somebody else began to speak meanwhile
                continue
            there = np.flatnonzero(heard[person, block : block + 100])
            # A block is complete 20 ms after it began.
            start_ms = 20.0 * (there[0] + 1) if there.size else 2000.0
            starts.append(start_ms)
            waits.append(max(20.0, start_ms - 20.0 * free[0]))
    return starts, waits


# ---- telling it ------------------------------------------------------------------------------


async def _measure_cost(options: Options) -> dict[str, float]:
    async with options.server() as server:
        cost = await measure_scene(server, SocketIoDoor(server.base_url), COST, options.seconds)
    return {
        "ms_per_participant_second": round(cost.ms_per_participant_second, 3),
        "bad_share": round(cost.punctuality.bad_share, 5),
        "client_dropped": cost.client_dropped,
    }


def _measure_choice(minutes: float, seed: int) -> dict[str, object]:
    try:
        phrases = read_phrases()
    except MissingPackageError as error:
        raise SystemExit(f"no speech: {error}") from None
    rows: list[list[Figure]] = []
    figures: dict[str, object] = {}
    for number, talk in enumerate(TALKS):
        rng = np.random.default_rng(seed + number)
        share = talk.talking / talk.people
        microphones = [
            make_microphone(phrases, 60 * minutes, share, rng) for _ in range(talk.people)
        ]
        score = judge(microphones, play(microphones, PLACES), PLACES)
        waits, starts = quantiles(score.waits_ms), quantiles(score.starts_ms)
        late = int((score.waits_ms > MAX_TIME_TO_BE_IN_MS).sum())
        wrong_per_minute = score.wrong / score.minutes
        rows.append(
            [
                f"{talk.name}, {talk.people} people",
                100 * score.heard_share,
                None if score.filled_share is None else 100 * score.filled_share,
                waits["p50"],
                waits["p99"],
                100 * late / max(1, len(score.waits_ms)),
                starts["p99"],
                wrong_per_minute,
                score.switches / score.minutes,
            ]
        )
        figures[talk.name] = {
            "heard_share": round(score.heard_share, 4),
            "filled_share": score.filled_share and round(score.filled_share, 4),
            "time_to_be_in_ms": waits,
            "time_from_first_sound_ms": starts,
            "beginnings": len(score.waits_ms),
            "beginnings_later_than_40_ms": late,
            "wrong_switches_per_minute": round(wrong_per_minute, 2),
        }
    columns = ["talk", "heard %", "filled %", "in p50 ms", "p99 ms", "over 40 ms %"]
    columns += ["p99 from start ms", "wrong/min", "switches/min"]
    print_table(f"Whom {PLACES} places go to, {minutes:g} minutes each", columns, rows)
    print(f"to reach: {MAX_TIME_TO_BE_IN_MS:.0f} ms, {MAX_WRONG_PER_MINUTE:g} wrong per minute")
    return figures


async def main() -> None:
    """Judge every kind of talk, measure the cost and tell the result."""
    parser = argparse.ArgumentParser(description="who is heard when many speak")
    add_options(parser)
    parser.add_argument("--minutes", type=float, help="length of each conversation")
    parser.add_argument("--seed", type=int, default=0, help="for other conversations")
    parser.add_argument("--only", choices=["choice", "cost"], help="leave the other out")
    arguments = parser.parse_args()
    options = options_from(arguments, 20, 6)
    minutes = arguments.minutes or (1 if options.quick else 10)
    figures: dict[str, object] = {}
    if arguments.only != "cost":
        figures |= _measure_choice(minutes, arguments.seed)
    if arguments.only != "choice":
        figures["cost"] = cost = await _measure_cost(options)
        print_table(
            "Server CPU",
            ["scene", "ms/participant-s", "target", "bad %"],
            [[COST.name, cost["ms_per_participant_second"], COST.target, 100 * cost["bad_share"]]],
        )
    print_result("selection", {"minutes": minutes, "seed": arguments.seed, **figures})


if __name__ == "__main__":
    run(main)
