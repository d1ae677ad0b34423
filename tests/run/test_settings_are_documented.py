"""The settings table, .env.example, the operations manual and the code tell the same."""

import shlex
from pathlib import Path

from webrtc.settings import Settings, load
from webrtc.settings_help import for_env_file, for_manual
from webrtc.settings_table import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
REMEDY = "run `python tools/document_settings.py`"


def test_env_example_is_the_table() -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == for_env_file(), REMEDY


def test_the_operations_manual_holds_the_table() -> None:
    assert for_manual() in (ROOT / "docs/operations.md").read_text("utf-8"), REMEDY


def test_every_field_has_one_variable() -> None:
    fields = [item.field for item in VARIABLES]
    assert sorted(fields) == sorted(Settings.__dataclass_fields__)
    names = [item.name for item in VARIABLES]
    assert len(set(names)) == len(names)


def test_documented_defaults_are_the_fields_defaults() -> None:
    of_the_host = {"announced_ips", "media_workers", "replica"}
    for item in VARIABLES:
        if item.field not in of_the_host:
            expected = item.text(getattr(Settings(), item.field)) or "none"
            assert item.default == expected, item.name


def test_the_example_file_with_every_line_switched_on_is_a_valid_environment() -> None:
    environ = {}
    for line in for_env_file().splitlines():
        name, assigned, value = line.removeprefix("#").partition("=")
        if assigned and name.replace("_", "").isupper():
            (environ[name],) = shlex.split(value) or [""]
    assert environ.keys() == {item.name for item in VARIABLES}
    assert load(environ).static_port == 8081
