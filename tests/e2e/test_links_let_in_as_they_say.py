"""Join tokens, HTTPS and the door of a room, as people with links meet them."""

import datetime
from collections.abc import Awaitable, Callable
from pathlib import Path

from playwright.async_api import expect

from tests.support.chromium import Chromium
from tests.support.passes import SECRET, token
from tests.support.patience import PATIENCE_MS
from tests.support.people import Person
from tests.support.server import LiveServer
from webrtc.certificate_command import make
from webrtc.token_command import link

SELF_SIGNED = "--ignore-certificate-errors"


async def test_links_let_in_as_they_say_and_a_host_keeps_the_door(
    start_server: Callable[..., Awaitable[LiveServer]], chromium: Chromium, tmp_path: Path
) -> None:
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    names = ("localhost", "127.0.0.1")
    for path, content in zip(
        (chain, key), make(names, datetime.datetime.now(datetime.UTC)), strict=True
    ):
        path.write_bytes(content)
    server = await start_server(
        WEBRTC_AUTH_SECRET=SECRET, WEBRTC_TLS_CERT=str(chain), WEBRTC_TLS_KEY=str(key)
    )
    assert server.page_url.startswith("https:")

    async def come(name: str, *grants: str) -> Person:
        url = server.page_url
        if grants:
            url = link(url, "studio", token(*grants, room="studio", sub=name))
        return await Person.open(chromium, name, url, tmp_path, SELF_SIGNED)

    ada = await come("Ada", "host")
    assert "token" not in ada.page.url
    await ada.join()
    assert "token" not in ada.page.url

    grace = await come("Grace", "subscribe")
    await grace.join()  # and would like to speak, which the link does not let her
    await grace.hears(ada)
    assert await grace.client("room.rights") == ["subscribe"]
    assert not await grace.client("isPublishing")
    await grace.page.reload()
    await grace.is_connected()
    await grace.hears(ada)

    await ada.page.get_by_role("switch", name="Waiting room").click()
    edsger = await come("Edsger", "publish", "subscribe")
    await edsger.page.get_by_label("Your name").fill("Edsger")
    await edsger.press("Join Room")
    waits = edsger.page.get_by_text("Waiting for a host")
    await expect(waits).to_be_visible(timeout=PATIENCE_MS)
    await edsger.press("Stop waiting")
    await expect(waits).to_be_hidden(timeout=PATIENCE_MS)
    await expect(ada.page.get_by_role("alert")).to_have_count(0, timeout=PATIENCE_MS)
    await edsger.press("Join Room")
    await expect(waits).to_be_visible(timeout=PATIENCE_MS)
    knock = ada.page.get_by_role("alert").filter(has_text="Edsger waits at the door")
    await knock.get_by_role("button", name="Let in").click(timeout=PATIENCE_MS)
    await edsger.is_connected()
    await expect(waits).to_be_hidden(timeout=PATIENCE_MS)
    await expect(knock).to_have_count(0)
    await ada.hears(edsger)

    await ada.page.get_by_label("Person", exact=True).select_option("Edsger")
    await ada.press("Ban")
    put_out = edsger.page.get_by_text("You were put out")
    await expect(put_out).to_be_visible(timeout=PATIENCE_MS)
    await ada.hears()
    await edsger.press("Join Room")
    kept_out = edsger.page.get_by_text("You cannot come into this room")
    await expect(kept_out).to_be_visible(timeout=PATIENCE_MS)

    await edsger.page.evaluate("sessionStorage.clear()")
    await edsger.page.goto(f"{server.page_url}?room=studio")
    await edsger.press("Join Room")
    invitation = edsger.page.get_by_text("This server wants an invitation")
    await expect(invitation).to_be_visible(timeout=PATIENCE_MS)
