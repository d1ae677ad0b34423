"""The settings as an operator reads them: in --help, .env.example and docs/operations.md.

All three are made from the one table in settings_table.py; a test compares the files with these
texts.
"""

import textwrap

from webrtc.settings_table import VARIABLES


def for_terminal() -> str:
    """Return the list that --help shows."""
    blocks = ["settings, by environment variables (empty counts as unset):"]
    blocks += [
        f"  {item.name} (default: {item.default})" + _hang(item.meaning) for item in VARIABLES
    ]
    blocks.append("\nexit status: 0 after a signal, 2 when the operator has to change something")
    return "\n".join(blocks)


def _hang(meaning: str) -> str:
    return "\n" + textwrap.fill(
        meaning, width=88, initial_indent=" " * 6, subsequent_indent=" " * 6
    )


def for_env_file() -> str:
    """Return the text of .env.example: every variable, commented out, with its default."""
    lines = [
        "# Settings of AG06 Mixer. Copy this file to .env and take the # off the lines to change;",
        "# `make run` reads it. Other ways to set them, and more words: docs/operations.md.",
    ]
    for item in VARIABLES:
        lines += ["", *_comment(f"{item.meaning} Default: {item.default}.")]
        lines.append(f"#{item.name}={item.example}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, width=98, initial_indent="# ", subsequent_indent="# ")


def for_manual() -> str:
    """Return the Markdown table of docs/operations.md."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    rows += [f"| `{item.name}` | {item.default} | {item.meaning} |" for item in VARIABLES]
    return "\n".join(rows) + "\n"
