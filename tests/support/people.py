"""People in a room: a page each, with a pitch for a voice and an ear at what the page plays."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.support.chromium import Chromium
from tests.support.tones import write_tone

EAR = Path(__file__).with_name("ear.js")
CLIENT = "document.querySelector('ag-app').client"
PITCHES_HZ = {"Ada": 440, "Grace": 1000, "Edsger": 2500}
TONE_DBFS = -12.0
"""Peak level at which everybody's tone leaves the browser in music mode."""
SILENCE_DBFS = -60.0
"""A pitch that is no louder is not there."""

_HEARS_S = 30.0
_HEARD_DBFS = -40.0
_TOLERANCE_DB = 1.5
_BLOCKS = 5
_SITUATION = f"{CLIENT}.getAudioStats()"
_SITUATION_WITHIN_S = 5.0
_MUSIC_MODE = "localStorage.setItem('ag06.likes', JSON.stringify({ musicMode: true }));"


class Ear:
    """What a page hears, through the `window.ear` of ear.js.

    Args:
        evaluate: runs JavaScript in the page and returns its JSON value.
    """

    def __init__(self, evaluate: Callable[[str], Awaitable[Any]]) -> None:
        self._evaluate = evaluate

    async def hears(self, *pitches_hz: int, within_s: float = _HEARS_S) -> None:
        """Wait until half a second holds these pitches and nobody else's."""
        absent = sorted(set(PITCHES_HZ.values()) - set(pitches_hz))
        await self._evaluate(
            f"ear.until({list(pitches_hz)}, {absent}, {_BLOCKS}, {within_s * 1000})"
        )

    async def level_dbfs(self, pitch_hz: int) -> tuple[float, float]:
        """Return how loud a pitch was on the left and on the right in the last second."""
        left, right = await self._evaluate(f"ear.level({pitch_hz}, 10)")
        return left, right

    async def loudest_dbfs(self, pitch_hz: int) -> float:
        """Return how loud a pitch has ever been since the page began."""
        loudest: float = await self._evaluate(f"ear.loudest({pitch_hz})")
        return loudest

    async def now_ms(self) -> float:
        """Return the time on the page's clock."""
        now: float = await self._evaluate("performance.now()")
        return now

    async def longest_silence_ms(self, since_ms: float) -> float:
        """Return the longest stretch without sound since an instant of `now_ms`; Chromium only."""
        silence: float = await self._evaluate(f"ear.longestSilenceMs({since_ms})")
        return silence


class Person:
    """Somebody with a Chromium page of their own.

    Attributes:
        name: as shown to others.
        pitch_hz: their voice.
        page: their page.
        ear: what it hears.
    """

    def __init__(self, name: str, page: Page) -> None:
        self.name = name
        self.pitch_hz = PITCHES_HZ[name]
        self.page = page
        self.ear = Ear(page.evaluate)

    @classmethod
    async def open(
        cls,
        chromium: Chromium,
        name: str,
        url: str,
        folder: Path,
        *flags: str,
        music_mode: bool = True,
    ) -> "Person":
        """Open the page at an address, in front of the room.

        Args:
            chromium: opens the browser.
            name: one of `PITCHES_HZ`.
            url: of the page.
            folder: for the WAV file of the voice.
            flags: of the browser.
            music_mode: the browser leaves the voice alone, a steady tone. Else, as by default, it
                would take that for noise: the voice comes in syllables.
        """
        pitch_hz = PITCHES_HZ[name]
        voice = write_tone(
            folder / f"{name}.wav", pitch_hz, peak_dbfs=TONE_DBFS, syllables=not music_mode
        )
        page = await (await chromium.launch(voice, *flags)).new_page()
        if music_mode:
            await page.add_init_script(_MUSIC_MODE)
        await page.add_init_script(path=EAR)
        await page.goto(url)
        return cls(name, page)

    async def join(self, *, broadcast: bool = True) -> None:
        """Join the room of the address and wait until sound can flow."""
        await self.page.get_by_label("Your name").fill(self.name)
        await self.page.get_by_label("Start Broadcasting").set_checked(broadcast)
        await self.press("Join Room")
        await self.is_connected()

    async def is_connected(self) -> None:
        """Wait until sound can flow."""
        await self.page.wait_for_function(f"() => {CLIENT}.mediaState === 'connected'")

    async def press(self, name: str) -> None:
        """Press a button by its label."""
        await self.page.get_by_role("button", name=name).click()

    async def hears(self, *others: "Person", within_s: float = _HEARS_S) -> None:
        """Wait until half a second holds exactly the voices of these people."""
        try:
            await self.ear.hears(*(other.pitch_hz for other in others), within_s=within_s)
        except Exception as error:
            situation = await self._situation()
            raise AssertionError(f"{self.name}: {error}\n{situation}") from error

    async def _situation(self) -> str:
        """Tell where the sound may have got lost, by the browser's and the server's figures."""
        try:
            async with asyncio.timeout(_SITUATION_WITHIN_S):
                stats: dict[str, Any] = await self.page.evaluate(_SITUATION)
        except Exception as error:
            return f"no figures: {error}"
        return json.dumps(stats)

    async def has_heard(self, other: "Person") -> None:
        """Wait until somebody's voice has been there, be it for a moment."""
        async with asyncio.timeout(_HEARS_S):
            while await self.ear.loudest_dbfs(other.pitch_hz) < _HEARD_DBFS:
                await asyncio.sleep(0.1)

    async def level_of(self, other: "Person") -> tuple[float, float]:
        """Return how loud somebody was on the left and on the right in the last second, dBFS."""
        return await self.ear.level_dbfs(other.pitch_hz)

    async def hears_at(self, other: "Person", left_dbfs: float, right_dbfs: float) -> None:
        """Wait until somebody is as loud as that on both sides; −60 and less is silence."""
        wanted = (left_dbfs, right_dbfs)
        try:
            async with asyncio.timeout(_HEARS_S):
                while not _alike(heard := await self.level_of(other), wanted):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(
                f"{self.name} hears {other.name} at {heard}, not {wanted}"
            ) from None

    async def client(self, expression: str) -> Any:
        """Return the value of an expression about the page's client, such as `room.roomId`."""
        return await self.page.evaluate(f"{CLIENT}.{expression}")

    def strip_of(self, other: "Person") -> Locator:
        """Return the strip that shows somebody."""
        name = self.page.get_by_role("heading", name=other.name)
        return self.page.get_by_role("listitem").filter(has=name)

    async def sees(self, *people: "Person") -> None:
        """Wait until the list shows exactly these people, oneself among them, each once."""
        await expect(self.page.locator("ag-room [data-ref=count]")).to_have_text(str(len(people)))
        for person in people:
            await expect(self.strip_of(person)).to_have_count(1)


def _alike(heard: tuple[float, float], wanted: tuple[float, float]) -> bool:
    return all(
        abs(max(one, SILENCE_DBFS) - max(other, SILENCE_DBFS)) <= _TOLERANCE_DB
        for one, other in zip(heard, wanted, strict=True)
    )
