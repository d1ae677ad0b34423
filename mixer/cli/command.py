"""The command line: `demo` and `mix`."""

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO, TypeVar

from mixer.cli.errors import CliError
from mixer.cli.inputs import Input, parse_input
from mixer.cli.presets import PRESETS
from mixer.netsim_settings import PRESETS as NETWORKS
from mixer.netsim_settings import parse_conditions

T = TypeVar("T")

_INTERRUPTED = 130
_DEFECT = 1

_MIX_HELP = f"""\
Settings follow a file's name, each behind a comma:

  gain=DB        -60 to 12
  pan=P          -1 (left) to 1 (right)
  preset=NAME    a channel strip: {", ".join(PRESETS)}
  network=N      what it went through: a quality in percent, one of
                 {", ".join(NETWORKS)},
                 or figures with + between them: network=loss=5+burst=3+jitter=20

  python -m mixer mix host.wav,preset=voice guest.flac,gain=-3,network=60% -o talk.wav

Exit status: 0 done, 2 wrong command line, 3 a file cannot be read, 4 a file cannot be written,
130 interrupted, 1 a defect. A file appears under its name only when it is complete.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = _parser().parse_args(arguments)
    try:
        if given.command == "demo":
            return _demo(given)
        return _mix(given)
    except CliError as error:
        sys.stderr.write(f"mixer: {error}\n")
        return error.status
    except KeyboardInterrupt:
        sys.stderr.write("mixer: interrupted\n")
        return _INTERRUPTED
    except Exception:
        logging.getLogger("mixer").exception("a defect")
        return _DEFECT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m mixer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    demo = commands.add_parser("demo", help="a conference of three tones, from first to last")
    demo.add_argument("-o", "--output", type=Path, help="write what is heard to this file")
    demo.add_argument("--files", type=Path, help="folder for the three generated WAV files")
    demo.add_argument("--seconds", type=_typed(_seconds), default=5.0, help="length of each act")
    demo.add_argument("--no-play", action="store_true", help="do not look for speakers")
    demo.add_argument("--plain", action="store_true", help="lines only, no live view")
    demo.add_argument("--seed", type=int, default=0, help="of the simulated network")
    demo.add_argument("--force", action="store_true", help="replace a file that exists")

    mix = commands.add_parser(
        "mix",
        help="mix files into one",
        epilog=_MIX_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    mix.add_argument("inputs", nargs="+", type=_typed(parse_input), metavar="FILE[,key=value…]")
    mix.add_argument("-o", "--output", type=Path, required=True, help=".wav, .flac or .aiff")
    mix.add_argument("--bits", choices=["8", "16", "24", "32", "float"], default="16")
    mix.add_argument("--rate", type=_typed(_rate), default=48_000, help="in Hz (default 48000)")
    mix.add_argument("--channels", type=int, choices=[1, 2], default=2)
    mix.add_argument(
        "--network", type=_typed(parse_conditions), help="for files without one of their own"
    )
    mix.add_argument("--seed", type=int, default=0, help="of simulated networks")
    mix.add_argument("--stems", type=Path, help="folder for the mix without each of the files")
    mix.add_argument("--force", action="store_true", help="replace files that exist")
    mix.add_argument("--quiet", action="store_true", help="say nothing unless something is wrong")
    mix.add_argument("--json", action="store_true", help="describe the outcome as JSON")
    return parser


def _typed(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Let argparse show the sentence of a `ValueError`."""

    def read(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 600:
        raise ValueError(f"must be 0.1 to 600 seconds, not {text}")
    return value


def _rate(text: str) -> int:
    value = int(text)
    if not 8000 <= value <= 192_000:
        raise ValueError(f"must be 8000 to 192000 Hz, not {text}")
    return value


def _mix(given: argparse.Namespace) -> int:
    from mixer.cli.mixdown import OutputFormat, mixdown
    from mixer.cli.progress import progress_bar

    inputs = [_with_network(one, given.network) for one in given.inputs]
    form = OutputFormat(given.bits, given.rate, given.channels, given.force)
    began_s = time.perf_counter()
    shown = not given.quiet and sys.stderr.isatty()
    with progress_bar([one.path for one in inputs], shown=shown) as progress:
        done = mixdown(
            inputs,
            given.output,
            form,
            seed=given.seed,
            stems=given.stems,
            progress=progress,
        )
    took_s = time.perf_counter() - began_s
    if given.json:
        _say(
            sys.stdout,
            json.dumps(
                {
                    "files": [str(path) for path in done.files],
                    "seconds": round(done.seconds, 6),
                    "peak": round(done.peak, 6),
                    "times_real_time": round(done.seconds / took_s, 1),
                }
            ),
        )
    elif not given.quiet:
        _say(
            sys.stdout,
            f"Mixed {len(inputs)} files into {given.output}: {done.seconds:.2f} s, "
            f"peak {done.peak:.3f}, {done.seconds / took_s:.0f} times real time",
        )
    return 0


def _with_network(one: Input, network: Any) -> Input:
    if one.network is not None or network is None:
        return one
    return Input(one.path, one.gain, one.strip, network)


def _demo(given: argparse.Namespace) -> int:
    from mixer.cli.demo import Demo, Options

    Demo(
        Options(
            act_s=given.seconds,
            output=given.output,
            folder=given.files,
            plays=not given.no_play,
            live=not given.plain and sys.stdout.isatty(),
            seed=given.seed,
            overwrite=given.force,
        )
    ).run()
    return 0


def _say(to: TextIO, line: str) -> None:
    to.write(line + "\n")
