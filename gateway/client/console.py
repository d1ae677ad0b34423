"""The client on a terminal: what happens on lines, commands from the keyboard."""

import asyncio
import sys
from typing import Final

from gateway.client.engine import Engine
from gateway.client.options import Options

_HELP: Final = """\
m            microphone on or off
s            loudspeaker on or off
u            who is here
v N DB       volume of number N of that list, −60 to 12 dB
q            leave"""


async def run(options: Options) -> int:
    """Be a client on the terminal; return the exit status."""
    console = _Console(options)
    return await console.run()


class _Console:
    def __init__(self, options: Options) -> None:
        self._engine = Engine(options, self._show)
        self._said: dict[str, str] = {}

    async def run(self) -> int:
        _say(_HELP)
        work = asyncio.create_task(self._engine.run(), name="client")
        keys = asyncio.create_task(self._read(), name="keyboard")
        await asyncio.wait({work, keys}, return_when=asyncio.FIRST_COMPLETED)
        quit_by_key = not work.done()
        for task in (work, keys):
            task.cancel()
        outcomes = await asyncio.gather(work, keys, return_exceptions=True)
        if isinstance(outcomes[0], OSError):
            sys.stderr.write(f"gateway: {outcomes[0]}\n")
            return 4
        return 0 if quit_by_key else 1

    def _show(self) -> None:
        engine = self._engine
        self._once("state", f"{engine.session.state}: {engine.detail}")
        if engine.microphone.problem:
            self._once("microphone", f"no microphone: {engine.microphone.problem}")
        if engine.loudspeaker.problem:
            self._once("loudspeaker", f"no loudspeaker: {engine.loudspeaker.problem}")
        self._once("users", self._users(speaking=False))

    def _users(self, *, speaking: bool) -> str:
        marks = [
            f"{number}. {user.name or '(no name)'}"
            + (" (muted)" if user.muted else "")
            + (" (speaks)" if speaking and user.speaking else "")
            for number, user in enumerate(self._engine.users, 1)
        ]
        return "here: " + (", ".join(marks) or "nobody")

    def _once(self, what: str, line: str) -> None:
        if self._said.get(what) != line:
            self._said[what] = line
            _say(line)

    async def _read(self) -> None:
        """Obey the keyboard until `q` or its end; without one, for ever."""
        reader = asyncio.StreamReader()
        try:
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
            )
        except (OSError, ValueError):
            await asyncio.Event().wait()
        while line := await reader.readline():
            if not self._obey(line.decode("utf-8", "replace").split()):
                return
        await asyncio.Event().wait()  # no keyboard is no reason to leave

    def _obey(self, words: list[str]) -> bool:
        engine = self._engine
        match words:
            case ["q"]:
                return False
            case ["m"]:
                engine.set_muted(not engine.is_muted)
                _say(f"microphone {'off' if engine.is_muted else 'on'}")
            case ["s"]:
                engine.set_deafened(not engine.is_deafened)
                _say(f"loudspeaker {'off' if engine.is_deafened else 'on'}")
            case ["u"]:
                _say(self._users(speaking=True))
            case ["v", number, gain]:
                self._volume(number, gain)
            case []:
                pass
            case _:
                _say(_HELP)
        return True

    def _volume(self, number: str, gain: str) -> None:
        users = self._engine.users
        try:
            user, gain_db = users[int(number) - 1], float(gain)
        except (ValueError, IndexError):
            _say("v N DB: N is a number of the list, DB is −60 to 12")
            return
        self._engine.set_volume(user.participant_id, max(-60.0, min(12.0, gain_db)))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
