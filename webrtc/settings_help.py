"""The settings as an operator reads them: in --help, .env.example and docs/operations.md.

All three are made from the one table in settings.py; a test compares the files with these texts.
"""

import textwrap

from webrtc.settings import NOT_YET, VARIABLES


def for_terminal() -> str:
    """Return the list that --help shows."""
    blocks = ["settings, by environment variables (empty counts as unset):"]
    blocks += [
        f"  {item.name} (default: {item.default})" + _hang(item.meaning) for item in VARIABLES
    ]
    blocks.append("\nnot in this version yet, and refused when set:")
    blocks += [f"  {later.name}" + _hang(later.meaning) for later in NOT_YET]
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
    lines += ["", "# Not in this version yet; setting one of these stops the start."]
    for later in NOT_YET:
        lines += ["", *_comment(later.meaning), f"#{later.name}="]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, width=98, initial_indent="# ", subsequent_indent="# ")


def for_manual() -> str:
    """Return the two Markdown tables of docs/operations.md."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    rows += [f"| `{item.name}` | {item.default} | {item.meaning} |" for item in VARIABLES]
    rows += ["", "Not in this version yet; setting one of these stops the start:", ""]
    rows += ["| Variable | Meaning | Refused because |", "|---|---|---|"]
    rows += [f"| `{later.name}` | {later.meaning} | {later.refusal} |" for later in NOT_YET]
    return "\n".join(rows) + "\n"
