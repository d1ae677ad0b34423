"""The client without a face: microphone to datagrams, datagrams to loudspeaker, and the switches.

Sound runs in PortAudio's threads, the session in an event loop; between them stand a lock round
the playout and `call_soon_threadsafe`, and nothing else.
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from gateway.client.cleaning import Cleaner
from gateway.client.coding import BLOCK, Hearing, Mono, Speech, speech
from gateway.client.devices import Loudspeaker, Microphone, look_again
from gateway.client.options import Options
from gateway.client.recorder import Recorder
from gateway.client.session import Session, State
from gateway.client.voice import VoiceGate
from gateway.wire.lines import Deafen, Mute, User, Volume
from mixer.arena import SAMPLE_RATE_HZ
from mixer.levels import SILENCE_DBOV, level_dbov

_TEND_EVERY_S: Final = 0.25
_LOOK_AGAIN_EVERY: Final = 8  # tendings: 2 s
_BLOCK_S: Final = BLOCK / SAMPLE_RATE_HZ
_FAR_BLOCKS: Final = 50


class Engine:
    """A client; made in its event loop.

    Attributes:
        session: Line and datagrams.
        microphone: May be missing.
        loudspeaker: Likewise.
        gate: Whether one speaks, and how loud.
        heard_level: Of what is played, 0 (full scale) to 127 (silence).
        users: Who is in the room.
        detail: What the session said last of its state.
        cleans: Whether echo and noise are taken from the microphone.
    """

    def __init__(self, options: Options, changed: Callable[[], None] = lambda: None) -> None:
        """Prepare; `run` does everything.

        Args:
            options: What was asked for.
            changed: Called in the event loop when something is new that a face shows.
        """
        self.users: list[User] = []
        self.detail = ""
        self.heard_level = SILENCE_DBOV
        self.cleans = True
        self.gate = VoiceGate(always=options.always)
        self.session = Session(options, self)
        self.microphone = Microphone(options.microphone, self._capture, wanted=not options.muted)
        self.loudspeaker = Loudspeaker(options.speaker, self._play)
        self.cleaner = Cleaner()
        self._options = options
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._hearing = Hearing(options.payload)
        self._speech: Speech = speech(options.payload)
        self._far: deque[Mono] = deque(maxlen=_FAR_BLOCKS)  # played, not yet set against a block
        self._recorder = Recorder(options.record) if options.record is not None else None
        self._deafened = False

    async def run(self) -> None:
        """Be a client until the session ends or the task is cancelled.

        Raises:
            OSError: The recording cannot be written.
        """
        tender = asyncio.create_task(self._tend(), name="tend the devices")
        try:
            await self.session.run()
        finally:
            tender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await tender
            for device in (self.microphone, self.loudspeaker):
                await asyncio.to_thread(device.close)
            self._hearing.close()
            if self._recorder is not None:
                await asyncio.to_thread(self._recorder.close)

    # ---- switches --------------------------------------------------------------------------

    @property
    def is_muted(self) -> bool:
        """Whether the microphone is off."""
        return not self.microphone.wanted

    @property
    def is_deafened(self) -> bool:
        """Whether the loudspeaker is off."""
        return self._deafened

    def set_muted(self, muted: bool) -> None:
        """Close the microphone, or open it."""
        self.microphone.wanted = not muted
        self.session.say(Mute(on=muted))
        self._changed()

    def set_deafened(self, deafened: bool) -> None:
        """Close the loudspeaker, or open it."""
        self._deafened = deafened
        self.loudspeaker.wanted = not deafened
        self.session.say(Deafen(on=deafened))
        self._changed()

    def set_volume(self, participant_id: str, gain_db: float) -> None:
        """Change how loud one hears somebody, −60 to 12 dB."""
        self.session.say(Volume(participant_id=participant_id, gain_db=gain_db))

    # ---- SessionOwner ----------------------------------------------------------------------

    def state_changed(self, state: State, detail: str) -> None:
        """See `SessionOwner`: after a lost line the switches are told again."""
        self.detail = detail
        if state == "joined":
            with self._lock:
                self._speech = speech(self._options.payload)
            self.session.say(Mute(on=self.is_muted))
            self.session.say(Deafen(on=self._deafened))
        else:
            self.users = []
        self._changed()

    def users_changed(self, users: list[User]) -> None:
        """See `SessionOwner`."""
        self.users = users
        self._changed()

    def sound_came(self, payload: bytes, now_s: float) -> None:
        """See `SessionOwner`."""
        with self._lock:
            self._hearing.push(payload, now_s)

    def silence(self) -> bytes:
        """See `SessionOwner`."""
        return self._speech.silence()

    # ---- sound, in PortAudio's threads -----------------------------------------------------

    def _play(self) -> Mono:
        # The loop's clock, which stamps what comes, is the monotonic one.
        with self._lock:
            block = self._hearing.pull(time.monotonic())
        self.heard_level = level_dbov(float(np.mean(np.square(block))))
        self._far.append(block)
        if self._recorder is not None:
            self._recorder.add(block)
        return block

    def _capture(self, block: Mono) -> None:
        far = self._far.popleft() if self._far else np.zeros(BLOCK, np.float32)
        clean = self.cleaner.process(block, far) if self.cleans else block
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._speak, clean, self.gate.hear(clean, _BLOCK_S))

    # ---- in the event loop -----------------------------------------------------------------

    def _speak(self, block: Mono, speaks: bool) -> None:
        if not speaks or self.is_muted:
            self._speech.skip()
            return
        payload = self._speech.add(block)
        if payload is not None:
            self.session.send(payload)

    async def _tend(self) -> None:
        """Bring the devices to what is wanted, and look for missing ones."""
        turn = 0
        shown = ("", "")
        while True:
            for device in (self.microphone, self.loudspeaker):
                await asyncio.to_thread(device.tend)
            problems = (self.microphone.problem, self.loudspeaker.problem)
            if problems != shown:
                shown = problems
                self._changed()
            turn += 1
            idle = not self.microphone.is_open and not self.loudspeaker.is_open
            if idle and any(problems) and turn % _LOOK_AGAIN_EVERY == 0:
                await asyncio.to_thread(look_again)
            await asyncio.sleep(_TEND_EVERY_S)
