"""One sound as it goes on: what it is thought to be, second by second.

Two tiers. *Hearing* takes features of our own: every half second while the sound is new or a
change is in the air, every second otherwise. *Looking* asks musicnn, 40 times as dear: only while
it may be music, when there are 3 s of it, and then every 3 s, or every 1.5 s until it is sure.
Both are asked for (`wants_hearing`, `wants_look`) and carried out when whoever runs the stream has
time; late ones work with the newest sound. Time is what has been pushed; nothing here reads a
clock.
"""

from typing import Final

import numpy as np

from dsp.genre import features, head, musicnn
from dsp.genre.classes import Opinion, opinion_of
from dsp.genre.head import Head
from dsp.genre.log_mel import RATE_HZ, Samples, log_mel
from dsp.genre.smoothing import Smoothed

WINDOW_S: Final = 3.0
FIRST_HEARING_S: Final = 1.5

_WINDOW: Final = int(WINDOW_S * RATE_HZ)
_WINDOW_FRAMES: Final = (_WINDOW - features.WINDOW) // features.HOP + 1
_NEW_S: Final = 5.0
_SILENT_DBFS: Final = -65.0
_SILENCE_S: Final = 2.0
_LOUDEST: Final = 8.0
_FORGOTTEN_S: Final = 10.0
_MAYBE_MUSIC: Final = 0.2
_SURE: Final = 0.8
_LOOK_EVERY_S: Final = 3.0
_LOOK_SOON_S: Final = 1.5


class Stream:
    """Listens to one sound, mono at 16 kHz.

    Attributes:
        heard_s: How much of it came so far.
        sounding_s: How much of that since it was last silent.
    """

    def __init__(self, *, looks: bool = True, chosen: Head | None = None) -> None:
        """Know nothing yet.

        Args:
            looks: Whether musicnn is asked at all.
            chosen: The head; None for the one that comes with this program.
        """
        self.heard_s = 0.0
        self.sounding_s = 0.0
        self._head = head.load() if chosen is None else chosen
        self._may_look = looks
        self._recent = np.zeros(0, np.float32)
        self._unframed = np.zeros(0, np.float32)
        self._frames = features.frames_of(self._unframed)
        self._silent_s = 0.0
        self._since_hearing_s = 0.0
        self._since_look_s = float("inf")
        self._looked_once = False
        self._speech = 0.5
        self._restless = False
        self._kinds = Smoothed(3, 1.0, 6.0)
        self._genres = Smoothed(4, 3.0, 10.0)
        self._opinion = opinion_of(np.zeros(3), np.zeros(4), 0.5)

    # ---- what comes in ---------------------------------------------------------------------

    def push(self, samples: Samples) -> None:
        """Take in what follows, at most a few seconds; what is no number is silence."""
        samples = np.nan_to_num(samples, posinf=0.0, neginf=0.0).clip(-_LOUDEST, _LOUDEST)
        samples = samples.astype(np.float32, copy=False)
        duration_s = len(samples) / RATE_HZ
        self.heard_s += duration_s
        if _level_dbfs(samples) < _SILENT_DBFS:
            self._fall_silent(duration_s)
            if self.is_silent:
                return
        else:
            self._silent_s = 0.0
        self.sounding_s += duration_s
        self._since_hearing_s += duration_s
        self._since_look_s += duration_s
        self._recent = np.concatenate([self._recent, samples])[-_WINDOW:]
        self._unframed = np.concatenate([self._unframed, samples])

    def pause(self, lasted_s: float) -> None:
        """Take note that nothing came for so long, as between the words of who sends no silence."""
        self.push(np.zeros(int(min(lasted_s, _SILENCE_S) * RATE_HZ), np.float32))
        if lasted_s > _SILENCE_S:
            self._fall_silent(lasted_s - _SILENCE_S)

    def _fall_silent(self, duration_s: float) -> None:
        self._silent_s += duration_s
        if not self.is_silent:
            return
        self.sounding_s = 0.0
        self._recent = np.zeros(0, np.float32)
        self._unframed = np.zeros(0, np.float32)
        self._frames = self._frames.last(0)
        self._since_hearing_s, self._since_look_s = 0.0, float("inf")
        if self._silent_s > _FORGOTTEN_S:
            self._kinds.reset()
            self._genres.reset()
            self._looked_once = False

    # ---- what it makes of it ---------------------------------------------------------------

    @property
    def is_silent(self) -> bool:
        """Whether there has been nothing to hear for a while."""
        return self._silent_s >= _SILENCE_S

    @property
    def opinion(self) -> Opinion:
        """What it is thought to be at the moment."""
        if self.is_silent:
            return Opinion(self._opinion.probabilities, 0.0, silent=True)
        return self._opinion

    @property
    def wants_hearing(self) -> bool:
        """Whether `hear` would say something new."""
        if self.sounding_s < FIRST_HEARING_S:
            return False
        brisk = self.sounding_s < _NEW_S or self._restless
        return self._since_hearing_s >= (0.5 if brisk else 1.0)

    def hear(self) -> Opinion:
        """Form an opinion by features of our own."""
        frames = features.frames_of(self._unframed)
        self._unframed = self._unframed[len(frames) * features.HOP :]
        self._frames = self._frames.followed_by(frames).last(_WINDOW_FRAMES)
        if len(self._frames) >= features.LEAST_FRAMES:
            own = features.summary(self._frames)
            kinds = self._head.kinds(own)
            self._restless = int(np.argmax(kinds)) != int(np.argmax(self._kinds.logs))
            self._kinds.add(kinds, self._since_hearing_s)
            share = 1.0 - np.exp(-self._since_hearing_s / 1.5)
            self._speech += share * (self._head.speech(own) - self._speech)
            if not self._looked_once:  # a first guess
                self._genres.add(self._head.genres(own), self._since_hearing_s)
            self._opinion = self._combined()
        self._since_hearing_s = 0.0
        return self.opinion

    @property
    def wants_look(self) -> bool:
        """Whether `look` is worth what it costs."""
        if not self._may_look or len(self._recent) < _WINDOW or not self._kinds.knows:
            return False
        music = float(self._opinion.probabilities[1:].sum())
        if music < _MAYBE_MUSIC:
            return False
        sure = music > _SURE and float(self._opinion.probabilities.max()) > _SURE
        return self._since_look_s >= (_LOOK_EVERY_S if sure else _LOOK_SOON_S)

    def look(self) -> Opinion:
        """Form an opinion with the help of musicnn; there must be 3 s of sound."""
        spectrogram = log_mel(self._recent)[: musicnn.FRAMES]
        looked = head.look_row([musicnn.load(name)(spectrogram) for name in musicnn.NAMES])
        own = features.summary(features.frames_of(self._recent))
        genres = self._head.genres(own, looked)
        lasted_s = min(self._since_look_s, _LOOK_EVERY_S)
        if not self._looked_once:
            self._genres.reset()  # a first guess counts nothing against this
            self._looked_once = True
        self._genres.add(genres, lasted_s)
        self._kinds.add(self._head.kinds(own, looked), min(lasted_s, _LOOK_SOON_S))
        self._since_look_s = 0.0
        self._opinion = self._combined()
        return self.opinion

    def _combined(self) -> Opinion:
        return opinion_of(self._kinds.logs, self._genres.logs, float(self._speech))


def _level_dbfs(samples: Samples) -> float:
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return 10.0 * float(np.log10(power + 1e-12))
