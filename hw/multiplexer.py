"""Choices by numbers: a tree of multiplexers with one level for each bit of an index."""

from collections.abc import Sequence

from amaranth.hdl import Mux, Value

__all__ = ["chosen", "equals"]


def chosen(index: Value, values: Sequence[Value]) -> Value:
    """``values[index]``; behind the last of them, any.

    Amaranth's arrays become cases that tools are told to be parallel, which simulators then check
    while lines of one bit each are still being worked out.
    """
    if len(values) == 1:
        return values[0]
    level = (len(values) - 1).bit_length() - 1
    half = 1 << level
    lower, upper = chosen(index[:level], values[:half]), chosen(index[:level], values[half:])
    return Mux(index[level], upper, lower)


def equals(value: Value, number: int) -> Value:
    """Whether a value is this number; 0 without Verilog's ``!``, which linters take for a slip."""
    return value == number if number else ~value.any()
