"""The ways in which one plan becomes RTL."""

from enum import Enum

__all__ = ["Style"]


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
