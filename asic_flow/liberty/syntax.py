"""The syntax of Liberty files: groups, which hold attributes and other groups."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = ["Group", "parse_group"]

_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<mark>[{}();:,])
      | (?P<line>\n)
      | (?P<word>[^\s{}();:,"\\]+)
      | \\\s*\n | [^\S\n]+ | \\""",
    re.VERBOSE | re.DOTALL,
)
_CONTINUED = re.compile(r"\\\s*\n")


@dataclass(frozen=True)
class Group:
    """``kind (arguments) { ... }``.

    Attributes
    ----------
    attributes : name -> the values of each time that it stands there: one for ``name : value``,
        any number for ``name (value, ...)``; quotation marks are taken off.
    groups : in the order of the file.
    """

    kind: str
    arguments: tuple[str, ...]
    attributes: Mapping[str, tuple[tuple[str, ...], ...]]
    groups: tuple["Group", ...]

    def of(self, kind: str) -> list["Group"]:
        """The groups of a kind."""
        return [group for group in self.groups if group.kind == kind]

    def text(self, name: str, default: str = "") -> str:
        """The first value of an attribute."""
        values = self.attributes.get(name)
        return values[0][0] if values and values[0] else default

    def number(self, name: str, default: float | None = None) -> float | None:
        """The first value of an attribute as a number. ValueError if it is none."""
        text = self.text(name)
        if not text:
            return default
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{name} = {text!r} in {self}: a number is needed") from None

    def numbers(self, name: str) -> list[float]:
        """All numbers of an attribute, of several texts with commas too. ValueError for others."""
        texts = self.attributes.get(name, ((),))[0]
        words = [word for text in texts for word in text.replace(",", " ").split()]
        try:
            return [float(word) for word in words]
        except ValueError:
            raise ValueError(f"{name} in {self}: numbers are needed") from None

    def __str__(self) -> str:
        return f"{self.kind} ({', '.join(self.arguments)})"


def parse_group(text: str) -> Group:
    """The group that a text holds. ValueError, naming the line, if it is broken."""
    reader = _Reader(text)
    group = reader.group()
    reader.end()
    return group


class _Reader:
    """Reads token by token; line ends count where the semicolon of an attribute is missing."""

    def __init__(self, text: str):
        self._tokens = list(_tokens(text))
        self._place = 0

    def group(self) -> Group:
        kind = self._word()
        arguments = self._arguments()
        self._expect("{")
        return self._body(kind, arguments)

    def end(self) -> None:
        self._skip_lines()
        if self._place < len(self._tokens):
            raise self._error("the end")

    def _body(self, kind: str, arguments: tuple[str, ...]) -> Group:
        attributes: dict[str, list[tuple[str, ...]]] = {}
        groups = []
        while True:
            self._skip_lines(";")
            if self._next() == "}":
                self._place += 1
                break
            name = self._word()
            if self._next() == ":":
                self._place += 1
                attributes.setdefault(name, []).append((self._value(),))
                continue
            given = self._arguments()
            self._skip_lines()
            if self._next() == "{":
                self._place += 1
                groups.append(self._body(name, given))
            else:
                attributes.setdefault(name, []).append(given)
        fixed = {name: tuple(values) for name, values in attributes.items()}
        return Group(kind, arguments, fixed, tuple(groups))

    def _value(self) -> str:
        words = []
        while self._next() not in (";", "}", "\n", ""):
            words.append(self._tokens[self._place][0])
            self._place += 1
        return " ".join(map(_bare, words))

    def _arguments(self) -> tuple[str, ...]:
        self._expect("(")
        values: list[str] = []
        while True:
            self._skip_lines(",")
            token = self._next()
            if token == ")":
                self._place += 1
                return tuple(values)
            if token in ("", "{", "}", ";"):
                raise self._error("an argument or )")
            values.append(_bare(token))
            self._place += 1

    def _word(self) -> str:
        self._skip_lines()
        token = self._next()
        if not token or token in "{}();:,":
            raise self._error("a name")
        self._place += 1
        return _bare(token)

    def _expect(self, mark: str) -> None:
        self._skip_lines()
        if self._next() != mark:
            raise self._error(mark)
        self._place += 1

    def _next(self) -> str:
        return self._tokens[self._place][0] if self._place < len(self._tokens) else ""

    def _skip_lines(self, others: str = "") -> None:
        while self._next() == "\n" or (others and self._next() == others):
            self._place += 1

    def _error(self, wanted: str) -> ValueError:
        if self._place >= len(self._tokens):
            return ValueError(f"it ends where {wanted} is needed")
        token, line = self._tokens[self._place]
        return ValueError(f"line {line}: {token!r} where {wanted} is needed")


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line, place = 1, 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise ValueError(f"line {line}: a text without its closing quotation mark")
        if found.lastgroup not in (None, "comment"):
            yield found[0], line
        line += found[0].count("\n")
        place = found.end()


def _bare(token: str) -> str:
    return _CONTINUED.sub("", token[1:-1]) if token.startswith('"') else token
