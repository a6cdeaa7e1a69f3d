"""What all number formats share: `Format`, the interface between values, codes and wires."""

import dataclasses
from abc import ABC, abstractmethod
from enum import Enum
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from multipede.golden.arrays import (
    ArrayLike,
    exact_floats,
    integers,
    like,
    map_chunks,
    refuse,
    to_numpy,
)
from multipede.golden.rounding import Overflow, Rounding

INADMISSIBLE = np.iinfo(np.int64).min
"""What an encoding kernel returns for a value that has no code; no code is as low as this."""

MAXIMUM_CODE_BITS = 63
"""Codes are int64; wider formats name ports only, whose values travel as 32-bit limbs."""

MAXIMUM_LISTED_BITS = 24

MAXIMUM_SHOWN = 60
"""Characters of a wrong value that a message still shows; whole operands have many lines."""


def require_type(name: str, value: object, kind: type) -> None:
    """Raise TypeError unless `value` is a `kind`; a bool is no int."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        allowed = f"; allowed are {', '.join(map(repr, kind))}" if issubclass(kind, Enum) else ""
        raise _wrong_type(name, value, (kind,), allowed)


def require_kinds(name: str, value: object, kinds: tuple[type, ...], allowed: str = "") -> None:
    """Raise TypeError unless `value` is of one of the kinds.

    Of a format of another kind the message says what is `allowed` instead, if that is given.
    """
    if isinstance(value, kinds):
        return
    if allowed and isinstance(value, Format):
        raise TypeError(f"{name} = {value}: {allowed}")
    raise _wrong_type(name, value, kinds)


def _wrong_type(name: str, value: object, kinds: tuple[type, ...], allowed: str = "") -> TypeError:
    """What says which kinds are needed, and shows the value if that fits a line."""
    *first, last = map(_in_words, kinds)
    words = f"{', '.join(first)} or {last}" if first else last
    text = value.name if isinstance(value, Format) else repr(value)
    short = len(text) <= MAXIMUM_SHOWN and "\n" not in text
    shown = f": {text}" if short else ""
    if isinstance(value, str) and issubclass(kinds[-1], Format):
        allowed = f"; parse_format({text if short else '...'}) reads names"
    return TypeError(f"{name} must be {words}, not {_in_words(type(value))}{shown}{allowed}")


def _in_words(kind: type) -> str:
    """Formats are met by their names on the command line, where classes are unknown."""
    return kind.noun if issubclass(kind, Format) else kind.__name__


def require_range(name: str, value: object, low: int, high: int) -> None:
    """Raise TypeError unless `value` is an int, ValueError unless low <= value <= high."""
    require_type(name, value, int)
    if not low <= value <= high:
        raise ValueError(f"{name} = {value}: allowed are {low} to {high}")


class Format(ABC):
    """A set of numbers with a code for each; immutable, hashable and comparable.

    A *code* is what a port carries in Python, an int64: the value itself for `Integer`, the
    scaled integer for `FixedPoint`, the raw bit pattern for `Float`, the index for `Codebook`.
    `to_bits` turns codes into the unsigned pattern on the wires.

    All methods take and return numpy arrays of any shape, torch tensors (the result is on the
    same device) or plain numbers, element by element.
    """

    bits: int
    kind: ClassVar[str]
    noun: ClassVar[str] = "a number format"
    overflows: ClassVar[tuple[Overflow, ...]]

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that `parse_format` understands."""

    @property
    @abstractmethod
    def minimum(self) -> Real:
        """The lowest finite value, exactly."""

    @property
    @abstractmethod
    def maximum(self) -> Real:
        """The highest finite value, exactly."""

    @abstractmethod
    def corners(self) -> list[int]:
        """A few codes where errors like to hide, without repetition."""

    @property
    @abstractmethod
    def _allowed(self) -> str:
        """The valid codes in words."""

    @abstractmethod
    def _valid(self, codes: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _decode(self, codes: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _encode(self, values: np.ndarray, rounding: Rounding, overflow: Overflow) -> np.ndarray: ...

    def __str__(self) -> str:
        return self.name

    def encode(
        self,
        values: ArrayLike,
        *,
        rounding: Rounding = Rounding.NEAREST_EVEN,
        overflow: Overflow = Overflow.SATURATE,
    ) -> ArrayLike:
        """The codes (int64) of `values`, each rounded exactly once.

        `values` are floats of up to 64 bits or integers. Raises TypeError for other dtypes and
        ValueError for a NaN where the format has none, for an overflow policy that the format
        cannot serve, and, under `Overflow.RAISE`, for values out of range.
        """
        require_type("rounding", rounding, Rounding)
        require_type("overflow", overflow, Overflow)
        self._require_codes()
        if overflow not in self.overflows:
            allowed = ", ".join(policy.name for policy in self.overflows)
            raise ValueError(f"overflow = {overflow.name}: {self.name} allows {allowed}")
        array = to_numpy(values, "values")
        codes = self._encode_array(array, rounding, overflow)
        self._refuse_inadmissible(codes, array)
        return like(codes, values)

    def decode(self, codes: ArrayLike) -> ArrayLike:
        """The values of `codes`, exactly, as float64.

        Raises what `check` raises, and ValueError for a format that float64 cannot hold.
        """
        self._require_codes()
        return like(
            map_chunks(self._decode, self._checked(codes, "codes"), np.int64, np.float64), codes
        )

    def codes(self) -> np.ndarray:
        """All valid codes in ascending order, int64. ValueError above 24 bits."""
        if self.bits > MAXIMUM_LISTED_BITS:
            raise ValueError(
                f"{self.name} has {self.bits} bits: codes are listed up to {MAXIMUM_LISTED_BITS}"
            )
        patterns = np.arange(1 << self.bits, dtype=np.int64)
        codes = np.sort(self._from_bits(patterns))
        return codes[self._valid(codes)]

    def is_valid(self, codes: ArrayLike) -> ArrayLike:
        """Which of the integers `codes` are codes of this format, as booleans."""
        self._require_codes()
        return like(map_chunks(self._valid, integers(codes, "codes"), np.int64, np.bool_), codes)

    def check(self, codes: ArrayLike, name: str = "codes") -> ArrayLike:
        """`codes` as int64, if all of them are valid.

        Raises TypeError unless they are integers, and ValueError with `name`, the first
        invalid code, its index and what is allowed.
        """
        self._require_codes()
        return like(self._checked(codes, name), codes)

    def to_bits(self, codes: ArrayLike) -> ArrayLike:
        """The unsigned bit patterns (int64) that `codes` have on the wires."""
        self._require_codes()
        return like(self._checked(codes, "codes") & ((1 << self.bits) - 1), codes)

    def from_bits(self, patterns: ArrayLike) -> ArrayLike:
        """The codes of unsigned bit patterns. ValueError for patterns that are no code."""
        self._require_codes()
        array = integers(patterns, "patterns")
        outside = (array < 0) | (array >> self.bits != 0)
        refuse(outside, array, "patterns", f"{self.name} has patterns 0 to 2**{self.bits} - 1")
        return like(self._checked(self._from_bits(array), "codes"), patterns)

    def to_dict(self) -> dict[str, Any]:
        """A description that `format_from_dict` reads and JSON can hold."""
        fields = {
            key: value.value if isinstance(value, Enum) else value
            for key, value in dataclasses.asdict(self).items()
        }
        return {"kind": self.kind} | fields

    def _from_bits(self, patterns: np.ndarray) -> np.ndarray:
        return patterns

    def _encode_array(
        self, values: np.ndarray, rounding: Rounding, overflow: Overflow
    ) -> np.ndarray:
        return map_chunks(
            lambda chunk: self._encode(chunk, rounding, overflow),
            exact_floats(values, "values"),
            np.float64,
            np.int64,
        )

    def _checked(self, codes: ArrayLike, name: str) -> np.ndarray:
        array = integers(codes, name)
        valid = map_chunks(self._valid, array, np.int64, np.bool_)
        refuse(~valid, array, name, f"codes of {self.name} are {self._allowed}")
        return array

    def _refuse_inadmissible(self, codes: np.ndarray, values: np.ndarray) -> None:
        bad = codes == INADMISSIBLE
        if bad.any() and np.isnan(values.flat[int(np.argmax(bad))]):
            refuse(bad, values, "values", f"{self.name} has no NaN")
        refuse(bad, values, "values", f"{self.name} holds {self.minimum} to {self.maximum}")

    def _require_codes(self) -> None:
        if self.bits > MAXIMUM_CODE_BITS:
            raise ValueError(
                f"{self.name} has {self.bits} bits: int64 codes reach up to {MAXIMUM_CODE_BITS}"
            )
