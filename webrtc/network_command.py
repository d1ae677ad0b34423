"""`python start_webrtc.py network`: make a room's network worse on a running server, or one's."""

import argparse
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from webrtc.settings import Settings, StartError

_PATIENCE_S: Final = 10.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="start_webrtc.py network",
        description="Look at the networks that a running server simulates in a room, or change "
        "them. The server must run with WEBRTC_SIMULATED_NETWORK=clean, or any other.",
    )
    parser.add_argument("server", help="its address, such as http://127.0.0.1:8080")
    parser.add_argument("room", help="room id")
    parser.add_argument(
        "network",
        nargs="?",
        help="a quality in percent (50%%), a name (wifi, mobile), figures (loss=5,jitter=20), or "
        "off; none shows what there is",
    )
    parser.add_argument("--participant", help="one alone, by id or by a name that only one has")
    parser.add_argument("--seed", type=int, default=0, help="the same one loses the same packets")
    parser.add_argument(
        "--key", default="", help="the room's host key, a resume token, or a join token"
    )
    return parser


def run(arguments: Sequence[str], settings: Settings) -> str:
    """Return what the room's networks are, after the change.

    Raises:
        StartError: the server refuses, or is not there.
    """
    given = _parser().parse_args(arguments)
    room = f"{given.server.rstrip('/')}/api/rooms/{quote(given.room, safe='')}"
    if given.network is not None:
        change = {"network": given.network, "seed": given.seed}
        if given.participant is not None:
            people = _ask("GET", room, given.key)["participants"]
            change["participant_id"] = _only(given.participant, people)
        _ask("PUT", f"{room}/network", given.key, change)
    shown = _ask("GET", f"{room}/network", given.key)
    lines = [f"everybody: {_words(shown['network'])}"]
    lines += [f"{name}: {_words(one)}" for name, one in shown["participants"].items()]
    return "\n".join(lines)


def _only(wanted: str, people: list[dict[str, Any]]) -> str:
    """Return the id of the one who is meant.

    Raises:
        StartError: Nobody is, or several are.
    """
    found = [one["participant_id"] for one in people if one["participant_id"] == wanted]
    found = found or [one["participant_id"] for one in people if one["name"] == wanted]
    if len(found) != 1:
        raise StartError(f"{len(found) or 'No'} participants of the room are called {wanted}.")
    return str(found[0])


def _words(network: dict[str, Any] | None) -> str:
    return "as it is" if network is None else f"{network['conditions']}, seed {network['seed']}"


def _ask(method: str, address: str, key: str, body: dict[str, Any] | None = None) -> Any:
    """Return the server's answer.

    Raises:
        StartError: It refuses, is not there, or is no such server.
    """
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise StartError(f"The server refuses: {_detail(error)}.") from None
    except (OSError, ValueError) as error:
        raise StartError(f"{address} does not answer: {error}.") from None


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        detail = json.load(error)["detail"]
    except (OSError, ValueError, KeyError, TypeError):
        return str(error.reason)
    return str(detail).rstrip(".")
