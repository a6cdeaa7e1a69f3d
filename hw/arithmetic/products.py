"""Rows of integer products, for the bit heap: gated copies (Baugh-Wooley) and radix-4 Booth."""

from amaranth.hdl import Cat, Const, Module, Signal, Value

from multipede.golden.formats import Integer
from multipede.hw.arithmetic.bitheap import Gate, Row

__all__ = ["booth_digits", "booth_recode", "booth_row_width", "booth_select", "gated_rows"]


def gated_rows(multiplicand: str, multiplier: str, format_: Integer) -> list[Row]:
    """``multiplicand * multiplier`` as copies gated by the multiplier's bits.

    ``format_`` is the multiplier's; the top copy of a signed one is subtracted.
    """
    return [
        Row(
            multiplicand,
            shift=bit,
            negative=format_.signed and bit == format_.bits - 1,
            gate=Gate(multiplier, bit),
        )
        for bit in range(format_.bits)
    ]


def booth_digits(format_: Integer) -> int:
    """Number of radix-4 digits -2..2 that a number of this format is recoded to."""
    return (format_.bits + 1) // 2 if format_.signed else format_.bits // 2 + 1


def booth_recode(m: Module, value: Value, format_: Integer, *, name: str) -> Value:
    """Three bits per digit, lowest digit first: take 1 time, take 2 times, negate.

    Digit i of the number is b[2i-1] + b[2i] - 2 b[2i+1] (MacSorley 1961).
    """
    extended = Signal(2 * booth_digits(format_) + 1, name=f"{name}_extended")
    sign = value[-1] if format_.signed else 0
    m.d.comb += extended.eq(Cat(0, value, sign, sign))
    digits = Signal(3 * booth_digits(format_), name=f"{name}_booth")
    for digit in range(booth_digits(format_)):
        low, middle, high = (extended[2 * digit + place] for place in range(3))
        once = low ^ middle
        m.d.comb += digits[3 * digit : 3 * digit + 3].eq(Cat(once, ~once & (high ^ middle), high))
    return digits


def booth_select(m: Module, multiplicand: Value, digit: Value, *, name: str) -> Signal:
    """The row of a digit in one's complement, :func:`booth_row_width` bits.

    The digit's negate bit must be added at the row's lowest place.
    """
    is_signed = multiplicand.shape().signed
    width = booth_row_width(len(multiplicand), is_signed)
    once, twice = Signal(width, name=f"{name}_once"), Signal(width, name=f"{name}_twice")
    sign = multiplicand[-1] if is_signed else Const(0, 1)
    zeros = Const(0, width - len(multiplicand) - 1)
    m.d.comb += [once.eq(Cat(multiplicand, sign)), twice.eq(Cat(Const(0, 1), multiplicand, zeros))]
    row = Signal(width, name=name)
    selected = (once & digit[0].replicate(width)) | (twice & digit[1].replicate(width))
    m.d.comb += row.eq(selected ^ digit[2].replicate(width))
    return row


def booth_row_width(bits: int, is_signed: bool) -> int:
    """Bits of a row: twice an unsigned multiplicand needs one more for the sign."""
    return bits + (1 if is_signed else 2)
