"""What a publisher's strip settings do to what the others hear, by ear."""

from tests.e2e.conftest import People, all_hear_each_other
from tests.support.people import CLIENT, TONE_DBFS, Person


async def change(person: Person, settings: str) -> None:
    """Change a person's own strip through the client of their page."""
    await person.page.evaluate(f"{CLIENT}.updateAudioSettings({settings})")


async def test_trim_equaliser_and_limiter_of_a_strip_act_for_all_others(people: People) -> None:
    ada, grace, edsger = await people("Ada", "Grace", "Edsger")
    await all_hear_each_other(ada, grace, edsger)
    for settings, level_dbfs in (
        ("{ inputTrim: -12 }", TONE_DBFS - 12),
        (f"{{ inputTrim: 0, eq2Freq: {ada.pitch_hz}, eq2Gain: -9 }}", TONE_DBFS - 9),
        ("{ eq2Gain: 0, limiterCeiling: -18 }", -18.0),
        ("{ limiterCeiling: -1 }", TONE_DBFS),
    ):
        await change(ada, settings)
        await grace.hears_at(ada, level_dbfs, level_dbfs)
        await edsger.hears_at(ada, level_dbfs, level_dbfs)
    await ada.hears_at(grace, TONE_DBFS, TONE_DBFS)


async def test_a_gate_closes_on_what_is_quieter_and_opens_again(people: People) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    await change(ada, "{ inputTrim: -24, gateThreshold: -20 }")
    await grace.hears()
    await change(ada, "{ inputTrim: 0, gateThreshold: -60 }")
    await all_hear_each_other(ada, grace)
