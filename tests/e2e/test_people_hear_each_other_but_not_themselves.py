"""Two and three people in a room, and what each of them hears."""

from tests.e2e.conftest import People, all_hear_each_other
from tests.support.people import TONE_DBFS


async def test_voices_get_through_the_processing_that_is_on_by_default(people: People) -> None:
    ada, grace = await people("Ada", "Grace", music_mode=False)
    await ada.has_heard(grace)
    await grace.has_heard(ada)


async def test_three_people_hear_both_others_as_loud_as_they_are(people: People) -> None:
    three = await people("Ada", "Grace", "Edsger")
    await all_hear_each_other(*three)
    for listener in three:
        for voice in three:
            if voice is not listener:
                await listener.hears_at(voice, TONE_DBFS, TONE_DBFS)
