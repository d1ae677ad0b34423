"""The client's window on a display of its own, with a sound system and a server made up."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from gateway.client.options import Options
from gateway.wire.lines import Deafen, Mute, User, Users, Volume, write_line
from tests.support.display import running_display
from tests.support.gateway_fakes import FakeStream, Server
from tests.support.patience import PATIENCE_S

tkinter = pytest.importorskip("tkinter")
if shutil.which("Xvfb") is None:
    pytest.skip("there is no Xvfb", allow_module_level=True)

from gateway.client.window import ABSENT, OFF, ON, Window  # noqa: E402


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_display(tmp_path_factory.mktemp("display")) as display:
        yield display.name


class Shown:
    """A window whose events are run while the test waits."""

    def __init__(self, window: Window) -> None:
        self.window = window

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.window.root.update()
                await asyncio.sleep(0.01)

    def click(self, widget: "tkinter.Widget") -> None:
        self.window.root.update()
        for event in ("<Enter>", "<Button-1>", "<ButtonRelease-1>"):
            widget.event_generate(event, x=5, y=5)
        self.window.root.update()


@pytest.fixture
async def shown(
    display: str,
    server: tuple[Server, int],
    sound_system: type[FakeStream],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Shown]:
    monkeypatch.setenv("DISPLAY", display)
    options = Options("127.0.0.1", server[1], name="Ada", payload="pcm")
    shown = Shown(Window(tkinter.Tk(), options))
    thread = shown.window.start()
    await shown.until(lambda: "joined" in shown.window.status.cget("text"))
    yield shown
    shown.window.close()
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()
    assert sound_system.open_now == 0, "no device stays open"


async def test_switches_show_what_they_do_and_do_it(
    shown: Shown, server: tuple[Server, int]
) -> None:
    window = shown.window
    for button, line in ((window.microphone, Mute), (window.speaker, Deafen)):
        await shown.until(lambda button=button: button.cget("bg") == ON)
        shown.click(button)
        await shown.until(lambda button=button: button.cget("bg") == OFF)
        await shown.until(lambda line=line: line(on=True) in server[0].said)
        shown.click(button)
        await shown.until(lambda button=button: button.cget("bg") == ON)
    assert window.camera.cget("state") == "disabled"
    assert window.camera.cget("bg") == ABSENT


async def test_switches_close_and_open_their_devices(
    shown: Shown, sound_system: type[FakeStream]
) -> None:
    await shown.until(lambda: sound_system.open_now == 2)
    for _ in range(10):  # quickly, more often than devices follow
        shown.click(shown.window.microphone)
    await shown.until(lambda: sound_system.open_now == 2)
    shown.click(shown.window.microphone)
    await shown.until(lambda: sound_system.open_now == 1)
    shown.click(shown.window.speaker)
    await shown.until(lambda: sound_system.open_now == 0)


async def test_no_click_is_lost_while_the_client_is_busy(
    shown: Shown, server: tuple[Server, int]
) -> None:
    def switched() -> list[object]:
        return [line for line in server[0].said if isinstance(line, Mute | Deafen)]

    await shown.until(lambda: len(switched()) == 2)  # how it joined
    shown.window._ask(time.sleep, 0.5)
    for button in (shown.window.microphone, shown.window.speaker):
        shown.click(button)
        shown.click(button)
    await shown.until(lambda: len(switched()) == 6)
    assert switched()[2:] == [Mute(on=True), Mute(on=False), Deafen(on=True), Deafen(on=False)]


async def test_everybody_has_a_row_and_the_others_a_volume(
    shown: Shown, server: tuple[Server, int]
) -> None:
    window = shown.window
    me = User(participant_id="me", name="Ada")
    grace = User(participant_id="g", name="Grace", speaking=True)
    server[0].writers[0].write(write_line(Users(users=[me, grace])))
    await shown.until(lambda: set(window._rows) == {"me", "g"})
    assert window._rows["me"].cget("text") == "Ada (you)"
    assert window._rows["g"].cget("text").startswith("Grace")
    assert set(window._volumes) == {"g"}
    window._volumes["g"].set(-12)
    await shown.until(lambda: Volume(participant_id="g", gain_db=-12.0) in server[0].said)
    server[0].writers[0].write(write_line(Users(users=[me])))
    await shown.until(lambda: set(window._rows) == {"me"})


async def test_a_missing_microphone_is_told(
    shown: Shown, sound_system: type[FakeStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.click(shown.window.microphone)
    await shown.until(lambda: sound_system.open_now == 1)
    monkeypatch.setattr(sound_system, "broken", True)
    shown.click(shown.window.microphone)
    text = "no microphone: no such device"
    await shown.until(lambda: text in shown.window.status.cget("text"))
    monkeypatch.setattr(sound_system, "broken", False)
    await shown.until(lambda: text not in shown.window.status.cget("text"))
