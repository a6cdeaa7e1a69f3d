"""The ways in which one plan becomes RTL."""

from collections.abc import Sequence
from enum import Enum

__all__ = ["Style", "checked_styles"]


class Style(Enum):
    """How sums are written out. All styles of a unit compute the same bits in the same clocks."""

    WORD = "word"
    """Word-wide sums: readable Verilog, fast to simulate, mapped to carry chains on FPGAs."""
    CELLS = "cells"
    """Single full and half adders, final adder with ripple carry: smallest on standard cells."""
    CELLS_PREFIX = "cells-prefix"
    """As CELLS with a parallel-prefix final adder: faster and larger."""

    @classmethod
    def parse(cls, text: str) -> "Style":
        """The style of this name; ValueError names the styles there are."""
        for style in cls:
            if text == style.value:
                return style
        raise ValueError(f"style must be one of {[s.value for s in cls]}, not {text!r}")


def checked_styles(styles: Sequence[Style] | None) -> list[Style]:
    """The styles asked for, each once, by default all.

    Raises TypeError unless they are a sequence of styles, ValueError for an empty one.
    """
    if styles is None:
        return list(Style)
    if isinstance(styles, str | Style) or not all(isinstance(style, Style) for style in styles):
        raise TypeError(f"styles must be a sequence of Style, not {styles!r}")
    if not styles:
        raise ValueError("styles = []: name at least one")
    return list(dict.fromkeys(styles))
