"""Our own playout path beside the browser's: what is heard on each, and on the way between them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, expect
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from tests.support.chromium import Chromium
from tests.support.firefox import Firefox
from tests.support.hidden_chromium import HiddenChromium
from tests.support.people import CLIENT, TONE_DBFS, Person

PLAYED = Path(__file__).parents[1] / "support" / "played.js"
KEEP_WORKERS = """
window.workers = [];
window.Worker = class extends Worker {
  constructor(...args) { super(...args); window.workers.push(this); }
};
"""
FORGET_TRANSFORMS = """
const forgetful = new Worker('/client/playout/counters.js', { type: 'module' });
window.forgotten = 0;
window.RTCRtpScriptTransform = class extends RTCRtpScriptTransform {
  constructor(worker, ...args) {
    const forget = window.forgotten < MOST;
    if (forget) window.forgotten += 1;
    super(forget ? forgetful : worker, ...args);
  }
};
"""
"""As Chromium does once in hundreds of connections: frames go to a transform that nobody serves."""
NOT_ISOLATED = "Object.defineProperty(window, 'crossOriginIsolated', { value: false });"
STARVE_AT_WILL = """
let underruns = 0;
window.starves = false;
const report = (stats) => {
  if (window.starves && CLIENT.playout.path === 'low-latency') underruns += 1;
  Object.assign(stats, { underruns, lost: 0, wantedMs: Math.min(stats.wantedMs, 40) });
};
window.AudioWorkletNode = class extends AudioWorkletNode {
  constructor(...args) {
    super(...args);
    const { port } = this;
    Object.defineProperty(port, 'onmessage', {
      set(handle) {
        port.addEventListener('message', (event) => {
          if (event.data.stats) report(event.data.stats);
          handle(event);
        });
        port.start();
      },
    });
  }
};
""".replace("CLIENT", CLIENT)
"""Reports of a device that runs dry while `starves` is true, on a network without a fault.

What a busy machine does to the real figures would be another reason to leave the short way, and
each departure begins a new count of underruns.
"""
AS_CALM_AS_THE_BROWSER_LIKES = "delete AudioContext.prototype.playbackStats;"
"""On a busy machine an output that is asked as late as possible crackles: not judged here."""
_WITHIN_S = 45.0
_ATTEMPTS = 3
_GAP_MS = 5.0
_CLICK_DBFS = -50.0
_DEAD_WORKER_MS = 600.0
_TOLERANCE_DB = 1.5

Two = Callable[..., Awaitable[tuple[Person, Person]]]


@pytest.fixture
def two(room_url: str, chromium: Chromium, tmp_path: Path) -> Two:
    """Bring Ada, who is listened through, and Grace: `ada, grace = await two("auto")`."""

    async def bring(playout: str, *scripts: str) -> tuple[Person, Person]:
        likes = json.dumps({"musicMode": True, "playout": playout})
        ada = await Person.open(chromium, "Ada", room_url, tmp_path)
        grace = await Person.open(chromium, "Grace", room_url, tmp_path)
        await ada.page.add_init_script(f"localStorage.setItem('ag06.likes', {likes!r});")
        for script in (AS_CALM_AS_THE_BROWSER_LIKES, *scripts):
            await ada.page.add_init_script(script)
        await ada.page.reload()
        await grace.join()
        await ada.join()
        return ada, grace

    return bring


async def takes(person: Person, path: str, reason: str | None = None) -> None:
    """Wait until somebody hears on a path (for a reason)."""
    is_so = f"{CLIENT}.playout.path === '{path}'"
    if reason is not None:
        is_so += f" && {CLIENT}.playout.reason === '{reason}'"
    try:
        await person.page.wait_for_function(f"() => {is_so}", timeout=_WITHIN_S * 1000)
    except PlaywrightTimeoutError:
        now = await person.client("playout")
        raise AssertionError(f"on {now['path']} for {now['reason']}") from None


def way_shown(person: Person) -> Locator:
    """Return where somebody's page says which way the sound takes."""
    return person.page.locator("[data-ref=playoutNow]")


async def listen(person: Person) -> None:
    """Record what somebody's page plays from now on."""
    await person.page.evaluate(PLAYED.read_text("utf-8"))


async def is_played(
    evaluate: Callable[[str], Awaitable[Any]], pitch_hz: int, level_dbfs: float
) -> None:
    """Wait until a page plays a pitch at a level; below −60 is silence."""
    heard = 0.0
    try:
        async with asyncio.timeout(_WITHIN_S):
            while True:
                heard = await evaluate(f"played.level({pitch_hz})")
                if abs(max(heard, -60.0) - max(level_dbfs, -60.0)) < _TOLERANCE_DB:
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{pitch_hz} Hz is played at {heard:.1f} dBFS") from None


async def is_smooth(person: Person, pitch_hz: int, act: Callable[[], Awaitable[None]]) -> None:
    """Check that the way is changed without a gap or a click in a steady tone.

    Other programs of a busy machine make gaps too, and the browser stretches what it plays; what
    spoils each change is ours.
    """
    there, back = range(2)
    clean: set[int] = set()
    found: list[list[tuple[float, float]]] = []
    for _ in range(_ATTEMPTS):
        since = await person.page.evaluate("played.now")
        await act()
        await asyncio.sleep(0.5)
        changes = await person.page.evaluate(f"played.changes({since}, {pitch_hz})")
        found.append([(one["gapMs"], one["clickDbfs"]) for one in changes])
        for nth, (gap_ms, click_dbfs) in enumerate(found[-1]):
            if gap_ms <= _GAP_MS and click_dbfs <= _CLICK_DBFS:
                clean.add(nth)
        if {there, back} <= clean:
            return
    raise AssertionError(f"gaps in ms and clicks in dBFS of every change: {found}")


async def test_the_short_way_plays_on_any_output_and_the_page_says_so(two: Two) -> None:
    ada, grace = await two("low-latency")
    await takes(ada, "low-latency")
    await listen(ada)
    await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)
    await expect(way_shown(ada)).to_have_text("Low latency, as you chose.")
    await expect(ada.page.get_by_label("Playout")).to_have_value("low-latency")
    stats = await ada.client("getAudioStats()")
    assert stats["playout"]["path"] == "low-latency"
    assert 0 < stats["playout"]["depthMs"] < 100
    assert stats["latency"]["playoutBufferMs"] == stats["playout"]["delayMs"]
    total_ms, complete = stats["latency"].pop("totalMs"), stats["latency"].pop("isComplete")
    hops = stats["latency"].values()
    assert total_ms == pytest.approx(sum(ms or 0 for ms in hops))
    assert complete is (None not in hops)

    others = await ada.page.evaluate(
        "navigator.mediaDevices.enumerateDevices().then((all) => all.filter(({ kind, deviceId }) =>"
        " kind === 'audiooutput' && deviceId !== 'default').map(({ deviceId }) => deviceId))"
    )
    assert others
    sink = f"{CLIENT}.playback.output.context.sinkId"
    await ada.page.evaluate(
        f"""() => {{
          window.changes = [];
          {CLIENT}.on('playout-changed', (change) => window.changes.push(change));
        }}"""
    )
    for device in [*others, ""]:
        await ada.client(f"setOutputDevice('{device}')")
        assert await ada.page.evaluate(sink) == device
        await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)
    assert await ada.page.evaluate("window.changes") == []
    assert await ada.client("playout.path") == "low-latency"


async def test_the_browsers_way_is_an_element_until_the_short_one_is_chosen(two: Two) -> None:
    ada, grace = await two("browser")
    await ada.hears(grace)
    await expect(way_shown(ada)).to_have_text("Played by the browser, as you chose.")
    assert await ada.client("playback.output") is None
    assert await ada.client("playback.element.volume") == 1
    assert await ada.client("peerConnection.getTransceivers()[0].receiver.transform") is None

    await ada.page.get_by_label("Playout").select_option("low-latency")
    await takes(ada, "low-latency")
    await listen(ada)
    await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)
    assert await ada.client("playback.element.volume") == 0
    for mode in ("low-latency", "browser"):  # who is deafened hears nothing on either
        await ada.client(f"setPlayout('{mode}')")
        await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)
        await ada.press("Sound on")
        await is_played(ada.page.evaluate, grace.pitch_hz, -140)
        await ada.press("Sound off")
        await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)


async def test_a_browser_that_gives_no_frames_away_plays_as_it_can(two: Two) -> None:
    ada, grace = await two("auto", "delete window.RTCRtpScriptTransform;")
    await ada.hears(grace)
    words = "Played by the browser, because this browser has no other way."
    await expect(way_shown(ada)).to_have_text(words)
    assert await ada.client("playback.element.volume") == 1
    await expect(ada.page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("script", ["", NOT_ISOLATED], ids=["isolated", "not isolated"])
async def test_both_ways_can_be_taken_in_turn_without_a_gap_or_a_click(
    two: Two, script: str
) -> None:
    ada, grace = await two("low-latency", script)
    assert await ada.page.evaluate("window.crossOriginIsolated") is (script == "")
    await takes(ada, "low-latency")
    await listen(ada)
    await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)

    async def choose(mode: str, path: str) -> None:
        await ada.page.get_by_label("Playout").select_option(mode)
        await takes(ada, path)
        await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)

    async def there_and_back() -> None:
        await choose("browser", "browser")
        await choose("low-latency", "low-latency")

    await is_smooth(ada, grace.pitch_hz, there_and_back)


async def test_a_device_that_starves_is_left_to_the_browser_unheard_and_tried_again(
    two: Two,
) -> None:
    ada, grace = await two("auto", STARVE_AT_WILL)
    await takes(ada, "low-latency")
    await listen(ada)
    await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)

    async def starve_and_recover() -> None:
        await ada.client("setPlayout('auto')")  # the pause does not grow from time to time
        await ada.page.evaluate("window.starves = true")
        await takes(ada, "browser", "underruns")
        await ada.page.evaluate("window.starves = false")
        await takes(ada, "low-latency", "recovered")

    await is_smooth(ada, grace.pitch_hz, starve_and_recover)


async def test_a_worker_that_dies_is_replaced_within_a_moment(two: Two) -> None:
    """The page asks a silent worker twice, 75 ms each; a spare one is started meanwhile."""
    ada, grace = await two("low-latency", KEEP_WORKERS)
    await takes(ada, "low-latency")
    await listen(ada)
    await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)
    gaps_ms: list[float] = []
    for _ in range(_ATTEMPTS):
        since = await ada.page.evaluate("played.now")
        await ada.page.evaluate("window.workers.at(-1).terminate()")
        await takes(ada, "browser", "worker")
        words = "Played by the browser, because the short way broke down; it is tried again."
        await expect(way_shown(ada)).to_have_text(words)
        await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)
        await asyncio.sleep(0.5)
        gaps_ms.append(await ada.page.evaluate(f"played.longestGapMs({since})"))
        await takes(ada, "low-latency")
        await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)
        if gaps_ms[-1] < _DEAD_WORKER_MS:
            return
    raise AssertionError(f"gaps in ms: {gaps_ms}")


@pytest.mark.parametrize(("forgotten", "path"), [(1, "low-latency"), (9, "browser")])
async def test_frames_that_the_browser_loses_before_its_decoder_are_missed(
    two: Two, forgotten: int, path: str
) -> None:
    ada, grace = await two("auto", FORGET_TRANSFORMS.replace("MOST", str(forgotten)))
    await takes(ada, path)
    await ada.hears(grace)
    assert await ada.page.evaluate("window.forgotten") == min(forgotten, 3)


async def test_a_microphone_that_would_hear_the_short_way_keeps_it_away(two: Two) -> None:
    ada, grace = await two("auto")
    await takes(ada, "low-latency")
    await ada.client("stopPublishing()")
    track = (
        "navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: 'remote-only' } })"
        ".then((stream) => stream.getAudioTracks()[0])"
    )
    await ada.page.evaluate(f"async () => {CLIENT}.startPublishing({{ track: await {track} }})")
    await takes(ada, "browser", "echo")
    assert await ada.client("playback.output") is None
    assert await ada.client("playback.element.volume") == 1
    await ada.hears(grace)
    await ada.client("stopPublishing()")
    await takes(ada, "low-latency")
    await listen(ada)
    await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)


async def test_a_new_connection_is_played_the_short_way_as_well(two: Two) -> None:
    ada, grace = await two("low-latency")
    await takes(ada, "low-latency")
    await listen(ada)
    await ada.page.evaluate(f"{CLIENT}.peerConnection.close()")
    await is_played(ada.page.evaluate, grace.pitch_hz, -140)
    await ada.page.evaluate(f"{CLIENT}.retryNow()")
    await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)
    await takes(ada, "low-latency")


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
async def test_a_pitch_stays_what_it_is_at_any_rate_of_the_device(two: Two, rate_hz: int) -> None:
    script = f"""window.AudioContext = class extends AudioContext {{
      constructor(options) {{ super({{ ...options, sampleRate: {rate_hz} }}); }}
    }};"""
    ada, grace = await two("low-latency", script)
    await takes(ada, "low-latency")
    await listen(ada)
    assert await ada.page.evaluate("played.rate") == rate_hz
    await is_played(ada.page.evaluate, grace.pitch_hz, TONE_DBFS)


async def test_firefox_plays_the_short_way_also_in_a_hidden_tab(
    room_url: str, firefox: Firefox, chromium: Chromium, tmp_path: Path
) -> None:
    ada = await Person.open(chromium, "Ada", room_url, tmp_path)
    await ada.join()
    await firefox.goto(room_url)
    likes = json.dumps({"musicMode": True, "playout": "low-latency"})
    await firefox.evaluate(f"localStorage.setItem('ag06.likes', {likes!r})")
    await firefox.goto(room_url)
    await firefox.click("ag-lobby [data-ref=join]")
    async with asyncio.timeout(_WITHIN_S):
        while (await firefox.evaluate(f"{CLIENT}.playout"))["path"] != "low-latency":
            await asyncio.sleep(0.1)
    await firefox.evaluate("(() => {" + PLAYED.read_text("utf-8") + "})()")
    await is_played(firefox.evaluate, ada.pitch_hz, TONE_DBFS)
    await firefox.command("browsingContext.create", type="tab")
    async with asyncio.timeout(_WITHIN_S):
        while await firefox.evaluate("document.visibilityState") != "hidden":
            await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    await is_played(firefox.evaluate, ada.pitch_hz, TONE_DBFS)
    assert (await firefox.evaluate(f"{CLIENT}.playout"))["path"] == "low-latency"
    await firefox.evaluate(f"{CLIENT}.setPlayout('browser')")
    assert (await firefox.evaluate(f"{CLIENT}.playout"))["path"] == "browser"
    await is_played(firefox.evaluate, ada.pitch_hz, TONE_DBFS)
    assert firefox.log == []


async def test_a_hidden_tab_keeps_the_short_way_and_leaves_it_when_it_must(
    room_url: str, chromium: Chromium, tmp_path: Path
) -> None:
    """Chromium leaves hidden tabs their timers while they are heard; the sound needs none."""
    grace = await Person.open(chromium, "Grace", room_url, tmp_path)
    await grace.join()
    async with HiddenChromium() as ada:
        await ada.run_first("localStorage.setItem('ag06.likes', '{\"musicMode\": true}');")
        await ada.run_first(STARVE_AT_WILL)
        await ada.goto(room_url)
        await ada.evaluate("document.querySelector('ag-lobby [data-ref=join]').click()")

        async def takes_way(path: str, reason: str) -> None:
            now: dict[str, Any] = {}
            try:
                async with asyncio.timeout(_WITHIN_S):
                    while (now.get("path"), now.get("reason")) != (path, reason):
                        now = await ada.evaluate(f"{CLIENT}?.playout") or {}
            except TimeoutError:
                raise AssertionError(f"on {now['path']} for {now['reason']}") from None

        await takes_way("low-latency", "ready")
        await ada.evaluate(PLAYED.read_text("utf-8"))
        await is_played(ada.evaluate, grace.pitch_hz, TONE_DBFS)
        await ada.hide()
        await is_played(ada.evaluate, grace.pitch_hz, TONE_DBFS)
        assert await ada.evaluate(f"{CLIENT}.playout.path") == "low-latency"
        await ada.evaluate("window.starves = true")
        await takes_way("browser", "underruns")
        await is_played(ada.evaluate, grace.pitch_hz, TONE_DBFS)
        await ada.evaluate("window.starves = false")
        await takes_way("low-latency", "recovered")
        await is_played(ada.evaluate, grace.pitch_hz, TONE_DBFS)
