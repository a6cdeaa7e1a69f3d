"""What each parameter of a specification means, read from the docstrings that explain it."""

import dataclasses
import inspect
import re
import typing
from enum import Enum
from typing import Any

_SECTION = re.compile(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", re.DOTALL | re.MULTILINE)
_ROLE = re.compile(r":\w+:`~?([\w.]+)`")
"""a reference to something else, of which its name is shown"""
_ENTRY = re.compile(
    r"^(\w+(?:, \w+)*) : (.*?)(?=^\w+(?:, \w+)* : |^\S|\Z)", re.DOTALL | re.MULTILINE
)


def parameter_texts(specification: type) -> dict[str, str]:
    """Parameter name -> one line on its meaning and range, in order of the parameters.

    Each is the entry in the section "Parameters" of the docstring of the class, or else of the
    nearest base that has one; empty where there is none. The values of enums are listed behind it.
    """
    found: dict[str, str] = {}
    for base in reversed(specification.__mro__):
        section = _SECTION.search(inspect.cleandoc(base.__dict__.get("__doc__") or ""))
        for names, text in _ENTRY.findall(section[1] if section else ""):
            plain = _ROLE.sub(lambda role: role[1].rpartition(".")[2], " ".join(text.split()))
            found |= dict.fromkeys(names.split(", "), plain)
    hints = typing.get_type_hints(specification)
    return {
        field.name: f"{found.get(field.name, '')}{_choices(hints[field.name])}"
        for field in dataclasses.fields(specification)
    }


def _choices(hint: Any) -> str:
    """The values of an enum, as they are typed; empty for other kinds of parameter."""
    options = typing.get_args(hint) or (hint,)
    for option in options:
        if isinstance(option, type) and issubclass(option, Enum):
            return f" ({', '.join(str(member.value) for member in option)})"
    return ""
