"""Participants whose sound the front process feeds through shared memory: files and the like."""

import logging
from pathlib import Path

from webrtc.control.messages import Feed
from webrtc.media.console import Console
from webrtc.media.participant import Participant
from webrtc.playback.feed_playout import FeedPlayout
from webrtc.playback.ring import FeedReader

logger = logging.getLogger(__name__)


class FedPlayout(FeedPlayout):
    """What plays a feed.

    Attributes:
        path: Where its memory is.
    """

    def __init__(self, feed: Feed) -> None:
        """Play a feed.

        Raises:
            OSError: Its memory is not there.
            ValueError: It is no feed.
        """
        super().__init__(FeedReader(Path(feed.path)), plays=feed.plays)
        self.path = feed.path


def put(participant: Participant, feed: Feed, console: Console) -> bool:
    """Play a feed as the front process says; return whether that is news for the room."""
    known, mixer = participant.feed, participant.room.mixer
    name = participant.put.participant_id
    if known is not None and known.path == feed.path and name in mixer.sources:
        if known.plays == feed.plays:
            return False
        known.plays = feed.plays
        mixer.stirred = True
        return True
    try:
        participant.feed = FedPlayout(feed)
    except (OSError, ValueError) as error:  # the front process has given it up since
        logger.warning("a feed cannot be played: %s", error)
        return False
    mixer.add_source(name, participant.put.csrc, participant.feed)
    mixer.mute_source(name, participant.put.muted)
    console.set_strip(participant)
    mixer.set_standing(name, participant.standing)
    return True


def drop(participant: Participant) -> None:
    """Play a participant's feed no longer."""
    if participant.feed is not None:
        participant.feed = None
        participant.room.mixer.remove_source(participant.put.participant_id)
