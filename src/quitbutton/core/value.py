"""Values that are made anew with every turn, and read all the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

Made = TypeVar("Made")


@dataclass_transform(frozen_default=True)
def value(cls: type[Made]) -> type[Made]:
    """A frozen dataclass as far as type checkers go; while the program runs, nothing keeps anybody from writing to one.

    To make one takes a quarter of a frozen dataclass's instructions, to read it a third of a named tuple's (CPython 3.11).
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
