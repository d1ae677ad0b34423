"""The command line as a script sees it: status, output, files."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mixer.cli.command import main


def write(path: Path, pitch_hz: float, *, rate_hz: int = 48_000, seconds: float = 1.0) -> str:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * pitch_hz * time_s), rate_hz, "FLOAT")
    return str(path)


def pitches(path: Path) -> list[int]:
    """Whole pitches in Hz that stand out of a file's spectrum, in its middle second or less."""
    sound, rate_hz = soundfile.read(path, always_2d=True)
    middle = sound[len(sound) // 4 : len(sound) * 3 // 4, 0]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), n=rate_hz))
    found = []
    while spectrum.max() > 0.02 * len(middle) / 4:
        peak = int(spectrum.argmax())
        found.append(peak)
        spectrum[max(0, peak - 20) : peak + 20] = 0
    return sorted(found)


def test_files_are_mixed_and_each_hears_the_others(tmp_path: Path) -> None:
    inputs = [
        write(tmp_path / "a.wav", 500),
        write(tmp_path / "b.wav", 900, rate_hz=44_100) + ",gain=-6",
        write(tmp_path / "c.flac.wav", 1300, rate_hz=16_000) + ",preset=limit",
    ]
    out, stems = tmp_path / "out.wav", tmp_path / "stems"
    assert main(["mix", *inputs, "-o", str(out), "--stems", str(stems), "--quiet"]) == 0
    assert pitches(out) == pytest.approx([500, 900, 1300], abs=2)
    names = sorted(path.name for path in stems.iterdir())
    assert names == ["01-a-minus.wav", "02-b-minus.wav", "03-c.flac-minus.wav"]
    assert pitches(stems / names[0]) == pytest.approx([900, 1300], abs=2)
    assert pitches(stems / names[1]) == pytest.approx([500, 1300], abs=2)
    assert pitches(stems / names[2]) == pytest.approx([500, 900], abs=2)


def test_the_mix_is_as_long_as_the_longest_and_starts_with_all(tmp_path: Path) -> None:
    """Also where one has a strip, which delays it: the others wait for it."""
    click = np.zeros(10_000)
    click[100] = 0.5
    soundfile.write(tmp_path / "a.wav", click, 48_000, "FLOAT")
    soundfile.write(tmp_path / "b.wav", click[:5_000], 48_000, "FLOAT")
    inputs = [f"{tmp_path}/a.wav,pan=-1", f"{tmp_path}/b.wav,pan=1,preset=limit"]
    assert main(["mix", *inputs, "-o", f"{tmp_path}/o.wav", "--bits", "float"]) == 0
    sound, _ = soundfile.read(tmp_path / "o.wav")
    assert sound.shape == (10_000, 2)
    assert np.abs(sound[:, 0]).argmax() == 100
    assert abs(int(np.abs(sound[:, 1]).argmax()) - 100) <= 1


def test_a_network_is_the_same_in_every_run(tmp_path: Path) -> None:
    source = write(tmp_path / "a.wav", 500)
    for name in ("one", "two"):
        out = f"{tmp_path}/{name}.wav"
        assert main(["mix", source, "-o", out, "--network", "40%", "--seed", "7"]) == 0
    out = f"{tmp_path}/three.wav"
    assert main(["mix", source, "-o", out, "--network", "40%", "--seed", "8"]) == 0
    one, two, three = ((tmp_path / f"{n}.wav").read_bytes() for n in ("one", "two", "three"))
    assert one == two
    assert one != three


def test_the_outcome_is_told_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "a.wav", 500)
    assert main(["mix", source, "-o", f"{tmp_path}/o.flac", "--bits", "24", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["files"] == [f"{tmp_path}/o.flac"]
    assert told["seconds"] == pytest.approx(1.0)
    assert told["peak"] == pytest.approx(0.2, abs=0.001)


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["{d}/a.wav", "{d}/no.wav", "-o", "{d}/o.wav"], 3, "no.wav: no such file"),
        (["{d}/bad.wav", "-o", "{d}/o.wav"], 3, "bad.wav: not a sound file"),
        (["{d}/a.wav", "-o", "{d}/a.wav"], 4, "a.wav: exists already; --force"),
        (["{d}/a.wav", "-o", "{d}/no/o.wav"], 4, "o.wav: cannot be written"),
        (["{d}/a.wav", "-o", "{d}/o.mp3"], 4, "must end in"),
        (["{d}/a.wav", "-o", "{d}/o.wav", "--stems", "{d}/a.wav"], 4, "a.wav: "),
    ],
)
def test_failures_have_a_status_and_one_sentence(
    arguments: list[str],
    status: int,
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path / "a.wav", 500)
    (tmp_path / "bad.wav").write_bytes(b"bad")
    before = sorted(tmp_path.iterdir())
    assert main(["mix", *(text.format(d=tmp_path) for text in arguments)]) == status
    told = capsys.readouterr()
    assert told.out == ""
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before, "nothing is left behind"


@pytest.mark.parametrize(
    "arguments",
    [
        ["mix"],
        ["mix", "a.wav,gain=99", "-o", "o.wav"],
        ["mix", "a.wav"],
        ["demo", "--seconds", "0"],
    ],
)
def test_a_wrong_command_line_has_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_the_demonstration_runs_from_first_to_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo.wav"
    files = tmp_path / "files"
    arguments = ["demo", "--no-play", "--seconds", "2", "-o", str(out), "--files", str(files)]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:5] == [
        "Added participant: user1",
        "Added participant: user2",
        "Added participant: user3",
        "Started audio mixing",
        "",
    ]
    told = [line for line in lines if line.startswith("Mixed audio max amplitude: ")]
    assert told[1] == "Mixed audio max amplitude: 0.707"
    assert len(told) == 6
    assert "[Network quality reduced to 50%]" in lines
    assert "Removing user2..." in lines
    assert "[Participant removed, mixing continues with remaining users]" in lines
    assert lines[-1] == "Demo completed"
    assert sorted(path.name for path in files.iterdir()) == ["user1.wav", "user2.wav", "user3.wav"]
    sound, _ = soundfile.read(out, always_2d=True)
    assert len(sound) == 6 * 48_000
    soundfile.write(tmp_path / "begin.wav", sound[: 2 * 48_000], 48_000)
    soundfile.write(tmp_path / "end.wav", sound[-2 * 48_000 :], 48_000)
    assert pitches(tmp_path / "begin.wav") == pytest.approx([440, 554, 659], abs=2)
    assert pitches(tmp_path / "end.wav") == pytest.approx([440, 659], abs=2)


def test_files_of_one_rate_are_the_same_together_as_each_by_itself(tmp_path: Path) -> None:
    """Without stems they are summed before they are resampled, with stems they cannot be."""
    random = np.random.default_rng(3)
    inputs = []
    for number, (rate_hz, channels, seconds, settings) in enumerate(
        [
            (44_100, 1, 2.5, ""),
            (44_100, 2, 1.2, ",gain=-6"),
            (44_100, 1, 0.0, ",gain=3"),
            (44_100, 1, 1.7, ",pan=0.4"),
            (44_100, 1, 1.7, ",gain=-3,preset=limit"),
            (22_050, 1, 2.0, ",gain=-1"),
            (22_050, 1, 1.0, ""),
            (48_000, 1, 1.0, ""),
            (96_000, 2, 1.0, ",gain=-60"),
        ]
    ):
        count = round(rate_hz * seconds)
        sound = random.uniform(-0.04, 0.04, (count, channels))
        sound *= np.hanning(count)[:, None]  # else a file's end cuts off the resampler's ringing
        soundfile.write(tmp_path / f"{number}.wav", sound, rate_hz, "FLOAT")
        inputs.append(f"{tmp_path}/{number}.wav{settings}")
    inputs.append(inputs[0])  # twice the same
    mixes = []
    for name, options in (("apart", ["--stems", f"{tmp_path}/stems"]), ("together", [])):
        out = f"{tmp_path}/{name}.wav"
        assert main(["mix", *inputs, "-o", out, "--bits", "float", "--quiet", *options]) == 0
        mixes.append(soundfile.read(out, always_2d=True)[0])
    apart, together = mixes
    assert len(apart) == len(together) == 120_000
    assert np.abs(apart - together).max() < 2e-6
    assert np.abs(together).max() > 0.05
