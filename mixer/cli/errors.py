"""What may go wrong that the user can mend, each with its exit status.

CliError
├── InputError    3: a file that cannot be read
└── OutputError   4: a file that cannot be written

Status 0 is success, 2 a wrong command line (argparse's), 130 an interruption, 1 a defect.
"""


class CliError(Exception):
    """One sentence for the user."""

    status = 1


class InputError(CliError):
    """A file that cannot be read."""

    status = 3


class OutputError(CliError):
    """A file that cannot be written."""

    status = 4
