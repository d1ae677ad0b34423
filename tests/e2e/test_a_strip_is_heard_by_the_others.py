"""What a publisher's strip settings do to what the others hear, by ear."""

import json

from tests.e2e.conftest import People, all_hear_each_other
from tests.support.people import CLIENT, TONE_DBFS, Person
from tests.support.strip_levels import through_strip


async def change(person: Person, settings: str) -> None:
    """Change a person's own strip through the client of their page."""
    await person.page.evaluate(f"{CLIENT}.updateAudioSettings({settings})")


async def test_trim_equaliser_limiter_and_gate_of_a_strip_act_for_all_others(
    people: People,
) -> None:
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
    await change(ada, "{ inputTrim: -24, gateThreshold: -20 }")
    await grace.hears(edsger)
    await ada.hears_at(grace, TONE_DBFS, TONE_DBFS)
    await change(ada, "{ inputTrim: 0, gateThreshold: -60 }")
    await all_hear_each_other(ada, grace, edsger)


async def test_reverb_delay_and_fader_act_as_computed_and_cease_again(people: People) -> None:
    ada, grace = await people("Ada", "Grace")
    await all_hear_each_other(ada, grace)
    for settings in (
        {"reverbMix": 100.0, "reverbDecay": 0.5, "reverbSize": 20.0},
        {"reverbMix": 0.0, "delayMix": 30.0, "delayTime": 500 / ada.pitch_hz, "delayFeedback": 0.0},
        {"delayMix": 0.0, "fader": -9.0},
    ):
        await change(ada, json.dumps(settings))
        expected = through_strip(ada.pitch_hz, settings)
        assert max(abs(level - TONE_DBFS) for level in expected) > 4
        await grace.hears_at(ada, *expected)
    await change(ada, "{ preset: 'flat', fader: 0 }")
    await grace.hears_at(ada, TONE_DBFS, TONE_DBFS)
