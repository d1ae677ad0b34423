"""`python -m dsp.genre`."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import soundfile

from dsp.genre.command import main
from tests.dsp.genre.sounds import RATE, voice


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a voice & more.wav"
    soundfile.write(path, np.stack([voice(4)] * 2, axis=1), RATE)
    return path


def test_a_table_says_what_a_file_is(file, capsys):
    assert main([str(file)]) == 0
    assert "speech" in capsys.readouterr().out


def test_json_and_a_picture_come_where_they_are_asked_for(file, tmp_path, capsys):
    assert main(["--json", "--timeline", str(tmp_path / "pictures"), str(file)]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["label"], row["duration_s"]) == ("speech", 4.0)
    picture = ElementTree.parse(row["timeline"]).getroot()
    texts = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "a voice & more.wav" in texts
    assert "2 s" in texts


def test_what_is_no_sound_file_is_said_and_the_others_go_on(file, tmp_path, capsys):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF and nothing else")
    assert main([str(broken), str(tmp_path / "missing.ogg"), str(file)]) == 1
    told = capsys.readouterr()
    assert "broken.wav" in told.err
    assert "missing.ogg" in told.err
    assert "speech" in told.out
