"""Verilator's coverage file: what each counter stands for, and how often it counted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

__all__ = ["CoverageKind", "Point", "read_points"]

_ENTRY = re.compile(r"^C '(.*)' (\d+)$", re.M)
_TOGGLE = re.compile(r"^(.*?)(?:\[(\d+)\])?:(0->1|1->0)$")
_PARAMETERS = re.compile(r"__\w+$")
_ROOT = "TOP."


class CoverageKind(Enum):
    """What a counter counts."""

    LINE = "line"
    """that a statement ran"""
    BRANCH = "branch"
    """that a side of a condition was taken"""
    TOGGLE = "toggle"
    """that a bit changed in one direction"""


@dataclass(frozen=True)
class Point:
    """One counter. ``path`` leads to the instance, without the top module, "" for itself.

    Of a toggle ``signal``, ``bit`` and ``rises`` say which; of a line or branch ``signal`` is
    Verilator's word for it, such as ``if``, ``else``, ``block``, ``cond_then``.
    """

    kind: CoverageKind
    module: str
    path: str
    line: int
    signal: str
    bit: int | None
    rises: bool
    count: int


def read_points(text: str) -> list[Point]:
    """All counters of the file. ValueError if it is not Verilator's or holds an unknown kind."""
    if not text.startswith("# SystemC::Coverage-3"):
        raise ValueError(f"no coverage of Verilator's: the file begins with {text[:30]!r}")
    return list(_points(text))


def _points(text: str) -> Iterator[Point]:
    for entry in _ENTRY.finditer(text):
        fields = dict(part.split("\x02", 1) for part in entry[1].split("\x01") if part)
        kind = CoverageKind(fields["t"])
        path = fields["h"].removeprefix(_ROOT).partition(".")[2]
        module = _PARAMETERS.sub("", fields["page"].split("/", 1)[1])
        signal, bit, rises = fields["o"], None, False
        if kind is CoverageKind.TOGGLE:
            found = _TOGGLE.match(signal)
            if found is None:
                raise ValueError(f"no toggle of a bit: {signal!r}")
            signal, bit = found[1], None if found[2] is None else int(found[2])
            rises = found[3] == "0->1"
        yield Point(kind, module, path, int(fields["l"]), signal, bit, rises, int(entry[2]))
