"""What each parameter of a specification means, read from the docstrings that explain it."""

import dataclasses
import inspect
import re

_SECTION = re.compile(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+\n|\Z)", re.DOTALL | re.MULTILINE)
_ENTRY = re.compile(
    r"^(\w+(?:, \w+)*) : (.*?)(?=^\w+(?:, \w+)* : |^\S|\Z)", re.DOTALL | re.MULTILINE
)


def parameter_texts(specification: type) -> dict[str, str]:
    """Parameter name -> one line on its meaning and range, in order of the parameters.

    Each is the entry in the section "Parameters" of the docstring of the class, or else of the
    nearest base that has one; empty where there is none.
    """
    found: dict[str, str] = {}
    for base in reversed(specification.__mro__):
        section = _SECTION.search(inspect.cleandoc(base.__dict__.get("__doc__") or ""))
        for names, text in _ENTRY.findall(section[1] if section else ""):
            found |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return {field.name: found.get(field.name, "") for field in dataclasses.fields(specification)}
