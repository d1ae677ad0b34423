"""What a setting is: a variable of the environment, and how it is read, written and explained."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the environment and the field that it fills.

    Attributes:
        default: what an operator reads as the default.
        example_value: stands in .env.example where the default is no value.
        parse: text to value; its ValueError completes the sentence "NAME must be …".
        text: value to text, the reverse of `parse`.
        secret: whether its value may hold a secret and is never repeated in a message.
    """

    name: str
    field: str
    default: str
    meaning: str
    parse: Callable[[str], Any]
    text: Callable[[Any], str] = str
    secret: bool = False
    example_value: str | None = None

    @property
    def example(self) -> str:
        """A value as it stands in .env.example, quoted for a shell."""
        return self.default if self.example_value is None else self.example_value
