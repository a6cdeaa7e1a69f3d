"""The constants of the n28 library, each with its unit, its source and how it was come by."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache as once
from importlib.resources import files
from typing import Any

__all__ = ["Constant", "ConstantKind", "constants", "read_constants"]


class ConstantKind(Enum):
    """How a constant was come by; see the head of ``constants.toml``."""

    PUBLISHED = "published"
    DERIVED = "derived"
    FITTED = "fitted"
    ASSUMED = "assumed"


@dataclass(frozen=True)
class Constant:
    """A number, or several of one kind, in ``unit``."""

    value: float | tuple[float, ...]
    unit: str
    kind: ConstantKind
    source: str

    @property
    def number(self) -> float:
        """The one value. ValueError if there are several."""
        if isinstance(self.value, tuple):
            raise ValueError(f"value = {self.value}: one number is needed")
        return self.value

    @property
    def numbers(self) -> tuple[float, ...]:
        """The values, where there are several or one."""
        return self.value if isinstance(self.value, tuple) else (self.value,)


@once
def constants() -> Mapping[str, Constant]:
    """Those of ``constants.toml``; of a corner as ``"tt_0p90v_25c.fo4"``."""
    return read_constants((files(__package__) / "constants.toml").read_text())


def read_constants(text: str) -> dict[str, Constant]:
    """Constants from TOML, by name.

    Raises
    ------
    ValueError
        If the text is no TOML, or a constant lacks its unit or source, or its value is no number,
        or its kind is not known.
    """
    try:
        return dict(_of(tomllib.loads(text), ""))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"constants: {error}") from None


def _of(table: Mapping[str, Any], prefix: str) -> list[tuple[str, Constant]]:
    found = []
    for name, entry in table.items():
        if not isinstance(entry, dict):
            raise ValueError(f"constant {prefix}{name}: a table with a value is needed")
        if "value" in entry:
            found.append((prefix + name, _constant(prefix + name, entry)))
        else:
            found += _of(entry, f"{prefix}{name}.")
    return found


def _constant(name: str, entry: Mapping[str, Any]) -> Constant:
    value = entry["value"]
    numbers = value if isinstance(value, list) else [value]
    if not numbers or not all(type(number) in (int, float) for number in numbers):
        raise ValueError(f"constant {name}: value = {value!r}: a number, or several, are needed")
    for field in ("unit", "source"):
        text = entry.get(field)
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"constant {name}: {field} = {text!r}: a text is needed")
    kinds = [kind.value for kind in ConstantKind]
    if entry.get("kind") not in kinds:
        raise ValueError(
            f"constant {name}: kind = {entry.get('kind')!r}: one of {', '.join(kinds)} is needed"
        )
    values = tuple(float(number) for number in numbers)
    fixed = values if isinstance(value, list) else values[0]
    return Constant(fixed, entry["unit"], ConstantKind(entry["kind"]), entry["source"])
