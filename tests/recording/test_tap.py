"""What a tap hands over of a room: dry, processed and mix, sample by sample."""

import numpy as np
import pytest

from mixer.room_mixes import CEILING
from tests.mixer.stage import Stage
from webrtc.recording import ring as module
from webrtc.recording.ring import Kind, RingReader, RingWriter
from webrtc.recording.tap import RECORDER, Interval, RecordingTap, Wanted, intervals_of

ALWAYS = [Interval(0, None, 0)]
EVERYTHING = Wanted(mix=True, dry=True, processed=True)


class Tapped:
    """A stage whose room is tapped; positions are media times."""

    def __init__(self, ptime: int | str = 10, wanted: Wanted = EVERYTHING) -> None:
        self.stage = Stage(ptime)  # type: ignore[arg-type]
        self.reader = RingReader("test")
        self.tap = RecordingTap(self.stage.room, RingWriter(self.reader.path), wanted)
        self.tap.intervals = ALWAYS
        self.stage._handles[-(2**30)] = RECORDER
        from tests.mixer.stage import Tape

        self.stage.tapes[RECORDER] = Tape()

    def recorded(self) -> dict[tuple[str, int], np.ndarray]:
        """Return every track since the last time, by kind and csrc, from position 0 on."""
        slots = self.reader.take()
        end = int(slots["position"].max()) + 480 if len(slots) else 0
        tracks: dict[tuple[str, int], np.ndarray] = {}
        for slot in slots:
            key = Kind(int(slot["kind"])).name, int(slot["track"])
            track = tracks.setdefault(key, np.zeros((end + 2000, 2), np.float32))
            at = int(slot["position"])
            track[max(0, at) : at + 480] = slot["sound"][max(0, -at) :]
        return {key: track[:end] for key, track in tracks.items()}


@pytest.fixture(params=[10, 20])
def tapped(request: pytest.FixtureRequest) -> Tapped:
    return Tapped(request.param)


def test_processed_tracks_add_up_to_the_mix_whatever_happens(tapped: Tapped) -> None:
    stage = tapped.stage
    voices = [stage.publish(name, 300.0 + 111 * at) for at, name in enumerate("abcd")]
    stage.subscribe("a")
    stage.tick(20)
    stage.room.mute_source("b", True)
    stage.tick(5)
    stage.room.remove_source("c")
    stage.tick(5)
    voices[3].sings = False
    stage.tick(300)
    voices[3].sings = True
    stage.room.mute_source("b", False)
    stage.tick(20)
    tracks = tapped.recorded()
    mix = tracks.pop(("MIX", 0))
    total = sum(track for (kind, _), track in tracks.items() if kind == "PROCESSED")
    assert np.abs(mix).max() > 0.1
    assert np.abs(mix).max() < CEILING
    difference = np.abs(mix - total).max() / np.abs(mix).max()
    assert 20 * np.log10(difference + 1e-12) < -100


def test_dry_is_what_came(tapped: Tapped) -> None:
    voice = tapped.stage.publish("a", 440.0)
    heard = []
    for _ in range(10):
        tapped.stage.tick()
        heard.append(voice.last)
    tracks = tapped.recorded()
    sound = np.concatenate(heard)
    assert np.array_equal(tracks["DRY", 1][-len(sound) :], sound)


def test_of_people_elsewhere_comes_what_is_in_the_mix_with_the_mix() -> None:
    """Of those of this server, whose worker has a tap of its own, nothing does."""
    tapped = Tapped()
    for name in ("here", "beside", "far"):
        tapped.stage.publish(name, 440.0)
    sources = tapped.stage.room.sources
    sources["beside"].remote = sources["far"].remote = sources["far"].foreign = True
    tapped.stage.tick(20)
    tracks = tapped.recorded()
    assert tracks.keys() == {("MIX", 0), ("DRY", 1), ("PROCESSED", 1), ("PROCESSED", 3)}
    tapped.tap.wanted = Wanted(mix=False, dry=True, processed=True)
    tapped.stage.tick(20)
    assert tapped.recorded().keys() == {("DRY", 1), ("PROCESSED", 1)}


def test_nothing_of_the_muted_is_taken(tapped: Tapped) -> None:
    tapped.stage.publish("a", 440.0)
    tapped.stage.room.mute_source("a", True)
    tapped.stage.tick(20)
    tracks = tapped.recorded()
    assert ("DRY", 1) not in tracks
    assert not np.abs(tracks["MIX", 0]).any()


def test_only_what_is_wanted_is_taken() -> None:
    tapped = Tapped(10, Wanted(mix=False, dry=False, processed=True))
    tapped.stage.publish("a", 440.0)
    tapped.stage.tick(20)
    assert tapped.recorded().keys() == {("PROCESSED", 1)}


@pytest.mark.parametrize("packet_samples", [480, 960])
def test_blocks_are_as_long_as_without_a_tap(packet_samples: int) -> None:
    tapped, plain = Tapped("auto"), Stage("auto")
    for stage in (tapped.stage, plain):
        for name in "ab":
            stage.publish(name, 440.0).packet_samples = packet_samples
            stage.subscribe(name)
        stage.tick(200)
    assert tapped.stage.room.wanted_block == plain.room.wanted_block == packet_samples
    mix = tapped.recorded()["MIX", 0]
    assert np.abs(mix[9600:-1920]).max() > 0.09, "both are heard in it all the time"


def test_pauses_are_cut_out(tapped: Tapped) -> None:
    tapped.stage.publish("a", 440.0)
    tapped.tap.intervals = [Interval(960, 3840, 0), Interval(9600, None, 2880)]
    tapped.stage.tick(40)
    slots = tapped.reader.take()
    positions = np.unique(slots["position"][slots["kind"] == Kind.MIX])
    assert positions[0] == 0
    assert (np.diff(positions) == 480).all(), "what comes after a pause follows without a gap"


def test_what_finds_no_room_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOTS", 32)
    monkeypatch.setattr(module, "SIZE_BYTES", 64 + 32 * module.SLOT.itemsize)
    tapped = Tapped(10)
    tapped.stage.publish("a", 440.0)
    tapped.stage.tick(40)
    kept = tapped.recorded()["MIX", 0]
    assert tapped.reader.dropped > 50
    assert len(kept) < 12 * 480
    tapped.stage.tick(5)
    slots = tapped.reader.take()
    assert len(slots) == 15, "it goes on as soon as there is room"
    assert len(np.unique(slots["position"])) == 5


def test_a_tap_that_is_closed_leaves_nothing() -> None:
    tapped = Tapped(10)
    tapped.stage.tick(3)
    tapped.tap.close()
    tapped.stage.tick(2)
    assert tapped.stage.room.tap is None
    assert RECORDER not in tapped.stage.room.listeners
    assert not tapped.stage.room.outputs


def test_spans_of_the_clock_become_intervals_of_media_time() -> None:
    spans = [(10.0, 12.5), (20.0, 21.0), (30.0, None)]
    assert intervals_of(spans, [0, 480_000, 960_000]) == [
        Interval(0, 120_000, 0),
        Interval(480_000, 528_000, 120_000),
        Interval(960_000, None, 168_000),
    ]
