"""What is said about one file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixer.cli.inputs import Input, parse_input
from mixer.cli.presets import PRESETS
from mixer.listener import PersonalGain
from mixer.netsim_settings import NetworkConditions, quality


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a.wav", Input(Path("a.wav"))),
        ("a.wav,gain=-3", Input(Path("a.wav"), PersonalGain(-3.0))),
        ("a.wav,gain=-3dB,pan=0.5", Input(Path("a.wav"), PersonalGain(-3.0, 0.5))),
        ("one, two.wav,pan=-1", Input(Path("one, two.wav"), PersonalGain(0.0, -1.0))),
        ("a,x=1.wav,preset=voice", Input(Path("a,x=1.wav"), strip=PRESETS["voice"])),
        ("a.wav,network=50%", Input(Path("a.wav"), network=quality(50))),
        (
            "a.wav,network=loss=5+burst=2,gain=1",
            Input(
                Path("a.wav"),
                PersonalGain(1.0),
                network=NetworkConditions(loss_percent=5, burst_packets=2),
            ),
        ),
    ],
)
def test_settings_follow_the_name(text: str, meant: Input) -> None:
    assert parse_input(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",gain=1",
        "a,gain=x",
        "a,gain=99",
        "a,pan=2",
        "a,preset=no",
        "a,network=no",
        "a,pan=0,pan=0",
    ],
)
def test_what_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"name|gain|pan|preset|no|twice"):
        parse_input(text)


@given(st.text(st.characters(exclude_characters=",\0"), min_size=1))
def test_any_name_without_commas_is_a_name(name: str) -> None:
    assert parse_input(name).path == Path(name)
