"""The client in a window (Tk): three switches, who is here, how loud, and what is wrong.

Tk keeps the main thread, the engine an event loop in another; each asks the other to do things and
never waits for it.
"""

import asyncio
import contextlib
import threading
import tkinter as tk
from collections.abc import Callable
from concurrent.futures import Future
from tkinter import ttk
from typing import Any, Final

from gateway.client.engine import Engine
from gateway.client.options import Options

ON: Final = "#2e7d32"
OFF: Final = "#c62828"
ABSENT: Final = "#757575"
_REFRESH_MS: Final = 100
_QUIETEST_DB: Final = 60
_TEXT_WIDTH: Final = 400  # pixels


def run(options: Options) -> int:
    """Open the window and be a client until it is closed; return the exit status.

    Raises:
        tkinter.TclError: There is no display.
    """
    window = Window(tk.Tk(), options)
    return window.run()


class Window:
    """The window; its widgets are attributes, so that a test can click them."""

    def __init__(self, root: tk.Tk, options: Options) -> None:
        """Build the window."""
        self.root = root
        self._options = options
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._work: Future[None] | asyncio.Task[None] | None = None
        self._volumes: dict[str, tk.Scale] = {}
        self._rows: dict[str, tk.Label] = {}
        root.title("AG06 Mixer")
        root.protocol("WM_DELETE_WINDOW", self.close)
        bar = tk.Frame(root)
        bar.pack(anchor="w", padx=8, pady=4)  # switches stay where they are, whatever comes below
        self.camera = self._button(bar, "🎥 Camera", None)
        self.microphone = self._button(bar, "🎤 Microphone", self._toggle_microphone)
        self.speaker = self._button(bar, "🔊 Speaker", self._toggle_speaker)
        self.camera.configure(state="disabled")
        _colour(self.camera, ABSENT)
        tk.Label(root, text="The camera waits for a version with video.", fg=ABSENT).pack(
            anchor="w", padx=8
        )
        self.spoken = self._meter("You")
        self.heard = self._meter("Heard")
        self.clean = tk.BooleanVar(value=True)
        self.cleaning = tk.Checkbutton(
            root,
            text="Take echo and noise from the microphone",
            variable=self.clean,
            command=self._clean,
        )
        self.cleaning.pack(anchor="w", padx=8)
        self.status = tk.Label(root, anchor="w", justify="left", text="connecting")
        self.status.configure(wraplength=_TEXT_WIDTH)
        self.status.pack(side="bottom", fill="x", padx=8, pady=4)
        self.people = tk.Frame(root)
        self.people.pack(fill="both", expand=True, padx=8, pady=8)

    def start(self) -> threading.Thread:
        """Become a client, in a thread that ends after `close`."""
        thread = threading.Thread(target=self._serve, name="client", daemon=True)
        thread.start()
        self.root.after(_REFRESH_MS, self._refresh)
        return thread

    def run(self) -> int:
        """Be a client until the window is closed."""
        thread = self.start()
        self.root.mainloop()
        thread.join(timeout=5.0)
        return 0

    def close(self) -> None:
        """Leave the room and close the window."""
        loop, work = self._loop, self._work
        if loop is not None and work is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(work.cancel)
        self.root.destroy()

    # ---- the engine's thread ---------------------------------------------------------------

    def _serve(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self._be_client())

    async def _be_client(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.current_task()
        self._engine = Engine(self._options)
        await self._engine.run()

    def _ask(self, act: Callable[..., None], *values: Any) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(act, *values)

    # ---- Tk's thread -----------------------------------------------------------------------

    def _toggle_microphone(self) -> None:
        engine = self._engine
        if engine is not None:  # in its thread: here it may not know of the last click yet
            self._ask(lambda: engine.set_muted(not engine.is_muted))

    def _toggle_speaker(self) -> None:
        engine = self._engine
        if engine is not None:
            self._ask(lambda: engine.set_deafened(not engine.is_deafened))

    def _clean(self) -> None:
        if self._engine is not None:
            self._engine.cleans = self.clean.get()

    def _refresh(self) -> None:
        engine = self._engine
        if engine is not None:
            problems = [
                f"no {name}: {device.problem}"
                for name, device in (
                    ("microphone", engine.microphone),
                    ("speaker", engine.loudspeaker),
                )
                if device.problem
            ]
            state = f"{engine.session.state}: {engine.detail}"
            self.status.configure(text=" · ".join([state, *problems]))
            _colour(self.microphone, OFF if engine.is_muted else ON)
            _colour(self.speaker, OFF if engine.is_deafened else ON)
            self.spoken.configure(value=max(0, _QUIETEST_DB - engine.gate.level))
            self.heard.configure(value=max(0, _QUIETEST_DB - engine.heard_level))
            self._show_people(engine)
        self.root.after(_REFRESH_MS, self._refresh)

    def _show_people(self, engine: Engine) -> None:
        here = {user.participant_id: user for user in engine.users}
        for gone in [name for name in self._rows if name not in here]:
            self._rows.pop(gone).master.destroy()
            self._volumes.pop(gone, None)
        me = engine.session.welcome.participant_id if engine.session.welcome else ""
        for participant_id, user in here.items():
            if participant_id not in self._rows:
                self._add_person(engine, participant_id, own=participant_id == me)
            marks = " 🔇" if user.muted else " 🗣" if user.speaking else ""
            text = (user.name or "(no name)") + (" (you)" if participant_id == me else "") + marks
            self._rows[participant_id].configure(text=text)

    def _add_person(self, engine: Engine, participant_id: str, *, own: bool) -> None:
        row = tk.Frame(self.people)
        row.pack(fill="x")
        self._rows[participant_id] = label = tk.Label(row, anchor="w", width=24)
        label.pack(side="left")
        if own:
            return

        def change(value: str) -> None:
            self._ask(engine.set_volume, participant_id, float(value))

        scale = tk.Scale(row, from_=-60, to=12, orient="horizontal", length=160)
        scale.set(0)
        scale.configure(command=change)
        scale.pack(side="right")
        self._volumes[participant_id] = scale

    def _button(self, parent: tk.Frame, text: str, command: Callable[[], None] | None) -> tk.Button:
        act = command or (lambda: None)
        button = tk.Button(parent, text=text, fg="white", activeforeground="white", command=act)
        _colour(button, OFF)
        button.pack(side="left", padx=4)
        return button

    def _meter(self, text: str) -> ttk.Progressbar:
        row = tk.Frame(self.root)
        row.pack(fill="x", padx=8, pady=2)
        tk.Label(row, text=text, width=8, anchor="w").pack(side="left")
        meter = ttk.Progressbar(row, maximum=_QUIETEST_DB)
        meter.pack(side="left", fill="x", expand=True)
        return meter


def _colour(button: tk.Button, colour: str) -> None:
    """Show a colour, under the pointer too."""
    button.configure(bg=colour, activebackground=colour)
