"""Truth tables of the Boolean functions in Liberty files."""

import re
from collections.abc import Sequence

__all__ = ["depends_on", "difference", "truth_table"]

_TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\]]*|[01]|[!'&*|+^()])")


def truth_table(function: str, inputs: Sequence[str]) -> int:
    """The function's value for every assignment: bit ``i`` is that where input ``k`` is bit ``k``
    of ``i``.

    Operators in order of strength, as Yosys and the Liberty manual have it: ``!a`` and ``a'``;
    ``a^b``; ``a&b``, ``a*b`` and ``a b``; ``a|b`` and ``a+b``.

    Raises ValueError for a function that cannot be read or names another input.
    """
    return _Reader(function, inputs).read()


def difference(table: int, place: int, inputs: int) -> int:
    """Where the function changes with input ``place``, as a truth table that does not."""
    step = 1 << place
    return sum((table >> i & 1 ^ table >> (i ^ step) & 1) << i for i in range(1 << inputs))


def depends_on(table: int, place: int, inputs: int) -> bool:
    """Whether the function changes with input ``place`` anywhere."""
    return difference(table, place, inputs) != 0


class _Reader:
    def __init__(self, function: str, inputs: Sequence[str]):
        self._function = function
        self._tokens = _tokens(function)
        size = 1 << len(inputs)
        self._ones = (1 << size) - 1
        self._values = {"0": 0, "1": self._ones}
        for place, name in enumerate(inputs):
            self._values[name] = sum(((i >> place) & 1) << i for i in range(size))

    def read(self) -> int:
        value = self._either()
        if self._tokens:
            raise self._error()
        return value

    def _next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _error(self) -> ValueError:
        rest = " ".join(self._tokens) or "its end"
        return ValueError(f"function {self._function!r}: cannot read {rest!r}")

    def _either(self) -> int:
        value = self._both()
        while self._next() in ("|", "+"):
            self._tokens.pop(0)
            value |= self._both()
        return value

    def _both(self) -> int:
        value = self._exclusive()
        while self._next() not in ("", "|", "+", ")", "'"):
            if self._next() in ("&", "*"):
                self._tokens.pop(0)
            value &= self._exclusive()
        return value

    def _exclusive(self) -> int:
        value = self._single()
        while self._next() == "^":
            self._tokens.pop(0)
            value ^= self._single()
        return value

    def _single(self) -> int:
        if not self._tokens:
            raise self._error()
        token = self._tokens.pop(0)
        if token == "!":
            return self._ones & ~self._single()
        if token == "(":
            value = self._either()
            if not self._tokens or self._tokens.pop(0) != ")":
                raise self._error()
        elif token in self._values:
            value = self._values[token]
        else:
            self._tokens.insert(0, token)
            raise self._error()
        while self._next() == "'":
            self._tokens.pop(0)
            value = self._ones & ~value
        return value


def _tokens(function: str) -> list[str]:
    tokens, place = [], 0
    text = function.strip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise ValueError(f"function {function!r}: cannot read {text[place:]!r}")
        tokens.append(found[1])
        place = found.end()
    return tokens
