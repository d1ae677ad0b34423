"""`start_webrtc.py token`: what it prints opens the door that was asked for."""

from urllib.parse import parse_qs, urlsplit

import pytest

import start_webrtc
from tests.support.passes import AUDIENCE, SECRET
from webrtc.access import Access

ASK = ["token", "--room", "studio", "--identity", "ada"]


@pytest.fixture
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBRTC_AUTH_SECRET", SECRET)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert start_webrtc.main([*ASK, *arguments]) == 0
    return capsys.readouterr().out.strip()


@pytest.mark.usefixtures("_secret")
async def test_it_mints_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "--grant", "host", "record", "--name", "Ada", "--ttl", "90s")
    shown = await Access(SECRET, audience=AUDIENCE).enter(text, "studio")
    assert shown is not None
    assert (shown.sub, shown.name, shown.grants) == ("ada", "Ada", ["host", "record"])
    assert shown.jti, "so that it can be taken back"
    assert shown.jti not in printed(capsys)


@pytest.mark.usefixtures("_secret")
async def test_by_default_it_speaks_and_listens(capsys: pytest.CaptureFixture[str]) -> None:
    shown = await Access(SECRET, audience=AUDIENCE).check(printed(capsys))
    assert shown.grants == ["subscribe", "publish", "own_strip"]


@pytest.mark.usefixtures("_secret")
async def test_it_is_a_tenants_when_it_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    access = Access(SECRET, audience=AUDIENCE)
    assert (await access.check(printed(capsys, "--tenant", "acme"))).tenant == "acme"
    assert (await access.check(printed(capsys))).tenant == "default"


@pytest.mark.usefixtures("_secret")
def test_a_link_keeps_the_token_from_servers(capsys: pytest.CaptureFixture[str]) -> None:
    parts = urlsplit(printed(capsys, "--link", "https://mixer.example.org"))
    assert (parts.netloc, parts.path) == ("mixer.example.org", "/")
    assert parse_qs(parts.query) == {"room": ["studio"]}
    assert parts.fragment.startswith("token=ey")


@pytest.mark.parametrize(
    "wrong",
    [
        ["--room", "a/b"],
        ["--room", "a*b*c"],
        ["--identity", ""],
        ["--tenant", "Acme Ltd"],
        ["--link", "mixer.example.org"],
    ],
)
@pytest.mark.usefixtures("_secret")
def test_what_makes_no_token_is_said(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert start_webrtc.main([*ASK, *wrong]) == 2
    assert capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--ttl", "0s"], ["--ttl", "2y"], ["--ttl", "367d"]])
@pytest.mark.usefixtures("_secret")
def test_lives_are_bounded(wrong: list[str]) -> None:
    with pytest.raises(SystemExit):
        start_webrtc.main([*ASK, *wrong])


def test_without_a_secret_there_is_nothing_to_sign_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WEBRTC_AUTH_SECRET", raising=False)
    assert start_webrtc.main(ASK) == 2
    assert "WEBRTC_AUTH_SECRET" in capsys.readouterr().err
