"""Float activations as integers that are summed: in fixed point, or aligned to a row's exponent."""

from multipede.golden.formats import Float
from multipede.hw.arithmetic.circuit import (
    Bit,
    Circuit,
    Term,
    Word,
    constant,
    inverted,
    opposite,
    padded,
)
from multipede.hw.arithmetic.operands import Number, unpack
from multipede.hw.arithmetic.shifters import shift_right

__all__ = ["aligned_lanes", "fixed_point", "in_fixed_point", "raised_accumulator"]


def fixed_point(format_: Float, width: int) -> Circuit:
    """``code`` -> ``addend``, the number in units of the smallest one, ``width`` bits in two's
    complement; 0 for what is no finite number, of which ``special`` tells.
    """
    c = Circuit()
    number = unpack(c, format_, c.input("code", format_.bits), "a")
    # Exponents count from 1, so that the lowest bit is 0.
    addend, special = in_fixed_point(c, number, number.exponent, width + 1)
    c.output("addend", addend[1:])
    c.output("special", (special,))
    return c


def in_fixed_point(c: Circuit, number: Number, shift: Word, width: int) -> tuple[Word, Bit]:
    """The significand times ``2**shift``, ``width`` bits in two's complement, or 0 for what is no
    finite number; and whether it is none.
    """
    special = _special(c, number)
    word = _signed(c, number, special)
    for level, moves in enumerate(shift):
        step = 1 << level
        word = c.choose(moves, constant(0, step) + word, word + (word[-1],) * step, f"by_{step}")
        word = word[:width]
    return padded(word, width, word[-1]), special


def aligned_lanes(format_: Float, lanes: int, guard: int) -> Circuit:
    """``code0``.. of a row's lanes and its ``exponent`` so far -> ``addend0``.., the significands
    in the unit of the row's ``raised`` exponent, by how much it was raised (``rise``), and
    whether a lane holds no finite number (``special``); those count as 0.
    """
    c = Circuit()
    before = c.input("exponent", format_.exponent_bits)
    numbers, words, specials = [], [], []
    raised = before
    for lane in range(lanes):
        number = unpack(c, format_, c.input(f"code{lane}", format_.bits), f"a{lane}")
        special = _special(c, number, f"_{lane}")
        present = c.any_of(number.significand, f"present_{lane}")
        gate = c.all_of((present, opposite(special)), f"counts_{lane}")
        exponent = c.both(number.exponent, (gate,), f"exponent_{lane}")
        raised = _larger(c, raised, exponent, f"largest_{lane}")
        numbers.append(number)
        words.append(_signed(c, number, special, f"_{lane}"))
        specials.append(special)
    for lane, (number, word) in enumerate(zip(numbers, words, strict=True)):
        distance = _difference(c, raised, number.exponent, f"distance_{lane}")
        scaled = constant(0, guard) + word
        shifted, _ = shift_right(c, scaled, distance, len(scaled), f"aligned_{lane}", signed=True)
        c.output(f"addend{lane}", shifted)
    c.output("raised", raised)
    c.output("rise", _difference(c, raised, before, "rise"))
    c.output("special", (c.any_of(specials, "special"),))
    return c


def raised_accumulator(width: int, exponent_bits: int) -> Circuit:
    """``value`` of ``width`` bits in two's complement, shifted right by ``rise`` -> ``kept``, the
    floor.
    """
    c = Circuit()
    value, rise = c.input("value", width), c.input("rise", exponent_bits)
    kept, _ = shift_right(c, value, rise, width, "kept", signed=True)
    c.output("kept", kept)
    return c


def _special(c: Circuit, number: Number, suffix: str = "") -> Bit:
    return c.any_of((number.infinite, number.nan), f"special{suffix}")


def _signed(c: Circuit, number: Number, special: Bit, suffix: str = "") -> Word:
    """The significand in two's complement, 0 where ``special`` holds."""
    gated = c.both(number.significand, (opposite(special),), f"significand{suffix}")
    word = c.exclusive((*gated, constant(0, 1)[0]), (number.sign,), f"complement{suffix}")
    terms = (Term(word, signed=True), Term((number.sign,)))
    return c.sum(len(word), terms, f"signed{suffix}")


def _larger(c: Circuit, a: Word, b: Word, name: str) -> Word:
    """The larger of two unsigned words: the carry of a - b tells which."""
    difference = c.sum(len(a) + 1, (Term(a), Term(inverted(b))), f"{name}_at_least", plus=1)
    return c.choose(difference[-1], a, b, name)


def _difference(c: Circuit, a: Word, b: Word, name: str) -> Word:
    """a - b, which is not negative where it counts."""
    return c.sum(len(a), (Term(a), Term(inverted(b))), name, plus=1)
