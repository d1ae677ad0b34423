"""Change access rules and packet parsers a little, and count which changes no test notices.

    nice -n 10 python -m tests.mutation [--only rtp] [--survivors]

Each change runs the tests of its file in a forked process: what they all need is imported once.
The last line is JSON.
"""

import argparse
import ast
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import hypothesis

from tests.mutation.mutants import Mutant, mutants_of

_ROOT = Path(__file__).parents[2]
_SHARED = (
    "aiohttp", "aioice", "aiortc", "anyio.pytest_plugin", "cryptography", "hypothesis", "jwt",
    "msgspec", "numba", "numpy", "playwright.async_api", "pylibsrtp", "pytest", "pytest_asyncio",
    "redis.asyncio", "socketio", "xdist.plugin",
)  # fmt: skip
TIMEOUT_S = 90
_ELSEWHERE = (
    "tests/signaling/test_replicas_hosts.py::test_who_is_elsewhere_is_told_what_who_is_here_is",
    "tests/signaling/test_replicas_hosts.py::test_who_is_banned_while_their_replica_is_dead_stays_out",
)
_PHASES = (hypothesis.Phase.explicit, hypothesis.Phase.generate)


@dataclass(frozen=True)
class Target:
    """A source file, and the tests that judge it."""

    source: str
    tests: tuple[str, ...]

    @property
    def module(self) -> str:
        """Its name when imported."""
        return self.source.removesuffix(".py").replace("/", ".")


TARGETS = (
    Target("webrtc/access.py", ("tests/run/test_access.py", "tests/run/test_access_keys.py")),
    Target("webrtc/access_keys.py", ("tests/run/test_access_keys.py",)),
    Target("rooms/rights.py", ("tests/rooms/test_rights.py",)),
    Target("rooms/passes.py", ("tests/rooms/test_passes.py", "tests/run/test_access.py")),
    Target("rooms/tokens.py", ("tests/rooms/test_tokens.py",)),
    Target("rooms/revocations.py", ("tests/rooms/test_revocations.py",)),
    Target("rooms/door.py", ("tests/rooms/test_door.py",)),
    Target("webrtc/api/guard.py", ("tests/api/test_guard.py",)),
    Target("webrtc/api/actors.py", ("tests/api/test_actors.py",)),
    Target("webrtc/api/security.py", ("tests/api/test_security.py", "tests/api/test_origins.py")),
    Target("webrtc/front_origins.py", ("tests/api/test_origins.py",)),
    Target("webrtc/front_addresses.py", ("tests/run/test_front_addresses.py",)),
    Target("webrtc/api/tickets.py", ("tests/api/test_tickets.py",)),
    Target("webrtc/sessions/access.py", ("tests/archive/test_session_access.py",)),
    Target("webrtc/sessions/playbacks.py", ("tests/archive/test_session_playbacks.py",)),
    Target("webrtc/signaling/applicant.py", ("tests/signaling/test_applicant.py",)),
    Target(
        "webrtc/signaling/hosting.py",
        ("tests/signaling/test_hosting.py", *_ELSEWHERE),
    ),
    Target("webrtc/signaling/waiting_room.py", ("tests/signaling/test_hosting.py",)),
    Target("webrtc/signaling/far_guests.py", ("tests/signaling/test_replicas_guests.py",)),
    Target("webrtc/media/stun.py", ("tests/media/test_stun.py",)),
    Target("webrtc/media/rtp.py", ("tests/media/test_rtp.py",)),
    Target("webrtc/media/rtcp.py", ("tests/media/test_rtcp.py",)),
    Target("webrtc/media/sdp.py", ("tests/media/test_sdp.py", "tests/media/test_sdp_lines.py")),
    Target("webrtc/signaling/sdp_fragments.py", ("tests/signaling/test_sdp_fragments.py",)),
    Target("mixer/red.py", ("tests/mixer/test_red.py",)),
    Target(
        "gateway/wire/datagrams.py", ("tests/gateway/test_guard.py", "tests/gateway/test_plain.py")
    ),
    Target("gateway/wire/plain.py", ("tests/gateway/test_plain.py",)),
    Target("gateway/wire/guard.py", ("tests/gateway/test_guard.py",)),
    Target("gateway/wire/lines.py", ("tests/gateway/test_lines.py",)),
)


class _Changed(MetaPathFinder, Loader):
    """Imports one module from a changed tree."""

    def __init__(self, module: str, path: str, tree: ast.Module) -> None:
        self._module, self._path, self._tree = module, path, tree

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self._module:
            return None
        return ModuleSpec(fullname, self, origin=self._path)

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self._path
        exec(compile(self._tree, self._path, "exec"), module.__dict__)


def notices(target: Target, mutant: Mutant | None) -> bool:
    """Return whether the tests fail, in a process of their own; hanging counts."""
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        os.setsid()
        signal.alarm(TIMEOUT_S)
        if mutant is not None:
            path = str(_ROOT / target.source)
            sys.meta_path.insert(0, _Changed(target.module, path, mutant.tree))
        pytest = importlib.import_module("pytest")
        options = ["-x", "-q", "-p", "no:cacheprovider"]
        options += ["--hypothesis-profile", "mutation", *target.tests]
        os._exit(0 if pytest.main(options) == 0 else 1)
    _, status = os.waitpid(child, 0)
    return status != 0


def judge(target: Target) -> tuple[int, list[Mutant]]:
    """Return how many mutants there are of a file, and those that nobody notices."""
    if notices(target, None):
        raise SystemExit(f"the tests of {target.source} fail without any change")
    made = list(mutants_of((_ROOT / target.source).read_text()))
    return len(made), [mutant for mutant in made if not notices(target, mutant)]


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Judge the files that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="files whose name contains this")
    parser.add_argument("--survivors", action="store_true", help="name what nobody notices")
    arguments = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for name in _SHARED:
        importlib.import_module(name)
    hypothesis.settings.register_profile(  # a failing example need not be made small
        "mutation", deadline=None, max_examples=25, database=None, phases=_PHASES
    )
    figures: dict[str, dict[str, float]] = {}
    for target in TARGETS:
        if arguments.only not in target.source:
            continue
        started = time.monotonic()
        count, survivors = judge(target)
        share = 100 * (1 - len(survivors) / count)
        figures[target.source] = {
            "mutants": count,
            "survivors": len(survivors),
            "noticed_percent": round(share, 1),
        }
        say(f"{target.source}: {share:.1f} % of {count} ({time.monotonic() - started:.0f} s)")
        for mutant in survivors if arguments.survivors else ():
            say(f"  {target.source}:{mutant.line}: {mutant.change}")
    total = sum(int(one["mutants"]) for one in figures.values())
    left = sum(int(one["survivors"]) for one in figures.values())
    noticed = round(100 * (1 - left / max(1, total)), 1)
    say(json.dumps({"mutants": total, "noticed_percent": noticed, "files": figures}))


if __name__ == "__main__":
    main()
