"""Fuzzing of every parser of outside bytes; see `python -m tests.fuzz --help`."""
