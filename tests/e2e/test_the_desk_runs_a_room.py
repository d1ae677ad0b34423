"""Whoever runs a room watches its strips, shares the gain among microphones, and recalls scenes."""

import asyncio
from typing import Any

import pytest

from tests.e2e.conftest import People, all_hear_each_other
from tests.support.patience import PATIENCE_S
from tests.support.people import CLIENT, TONE_DBFS, Person


async def watch(host: Person, other: Person) -> str:
    """Let the host's page watch somebody's strip and spectrum; return whose id that is."""
    participant_id: str = await other.client("room.participantId")
    await host.page.evaluate(
        f"""async (id) => {{
          const {{ desk }} = {CLIENT};
          desk.on('meters', (detail) => (window.latest = detail));
          await desk.watchMeters({{ participantIds: [id], spectrum: id }});
        }}""",
        participant_id,
    )
    return participant_id


async def shows(host: Person, participant_id: str, name: str, wanted_db: float) -> dict[str, Any]:
    """Wait until a strip's meter shows a level, and return all of its meters."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            detail: dict[str, Any] | None = await host.page.evaluate("window.latest")
            meters: list[dict[str, Any]] = detail["meters"] if detail else []
            for one in meters:
                is_right = one[name] == pytest.approx(wanted_db, abs=1.5)
                if one["participantId"] == participant_id and is_right:
                    return one
            await asyncio.sleep(0.05)


async def test_meters_and_spectrum_move_with_the_sound_and_a_recalled_scene_is_heard(
    people: People,
) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    name = await watch(ada, grace)
    meters = await shows(ada, name, "outPeakDb", TONE_DBFS)
    assert meters["inRmsDb"] == pytest.approx(TONE_DBFS - 3, abs=1.5)
    spectrum = await ada.page.wait_for_function("() => window.latest.spectrum")
    bands = (await spectrum.json_value())["bandsDb"]
    pitch_hz = 20 * 2 ** (bands.index(max(bands)) / 12)
    assert pitch_hz == pytest.approx(grace.pitch_hz, rel=0.06)
    await grace.page.evaluate(f"{CLIENT}.updateAudioSettings({{ inputTrim: -12 }})")
    await shows(ada, name, "outPeakDb", TONE_DBFS - 12)

    desk = f"{CLIENT}.desk"
    await ada.page.evaluate(f"{desk}.storeScene('Evening')")
    await grace.page.evaluate(f"{CLIENT}.updateAudioSettings({{ inputTrim: 0 }})")
    await ada.hears_at(grace, TONE_DBFS, TONE_DBFS)
    await ada.page.evaluate(f"{desk}.recallScene('Evening', {{ fadeMs: 1000 }})")
    await ada.hears_at(grace, TONE_DBFS - 12, TONE_DBFS - 12)
    assert await grace.client("settings.inputTrim") == -12
    assert await grace.client("desk.scenes[0].name") == "Evening"

    await grace.page.evaluate(f"{CLIENT}.setMuted(true)")
    await shows(ada, name, "outPeakDb", -120)


async def test_solo_is_heard_by_who_asked_and_two_equally_loud_share_the_gain(
    people: People,
) -> None:
    ada, grace, edsger = await people("Ada", "Grace", "Edsger")
    await all_hear_each_other(ada, grace, edsger)
    name = await grace.client("room.participantId")
    for solo, heard in ((True, [grace]), (False, [grace, edsger])):
        change = f"{{ participantId: '{name}', solo: {str(solo).lower()} }}"
        await ada.page.evaluate(f"{CLIENT}.setListenerMix({change})")
        await ada.hears(*heard)
    await edsger.hears(ada, grace)

    await edsger.page.evaluate(f"{CLIENT}.setMuted(true)")
    await ada.page.evaluate(f"{CLIENT}.desk.setRoom({{ automix: true }})")
    for talker in (ada, grace):
        await edsger.hears_at(talker, TONE_DBFS - 3, TONE_DBFS - 3)
    await grace.page.evaluate(f"{CLIENT}.setMuted(true)")
    await edsger.hears_at(ada, TONE_DBFS, TONE_DBFS)
