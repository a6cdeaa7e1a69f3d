"""Straightforward floating-point units of the literature, to measure ours against.

They serve IEEE formats with subnormals, round to nearest even, and get what our units get: bit
heaps of the same adder cells, and the smaller of the two kinds of partial products.

- Adder: the single path of Muller et al., Handbook of Floating-Point Arithmetic, 2nd ed., 8.4:
  exponent difference, swap, alignment with guard, round and sticky bits, addition or
  subtraction, negation of a negative difference, leading-zero count, normalising shift that
  stops at the lowest exponent, rounding increment that carries into the exponent.
- Multiplier: ibid., 8.5, with subnormals as of Schwarz, Schmookler and Trong, FPU Implementations
  with Denormalized Numbers, IEEE Trans. Computers 54 (2005): exact product, leading-zero count,
  normalising shift, shift to the right below the lowest exponent, rounding.
- Multiply-adder: Montoye, Hokenek and Runyon, Design of the IBM RISC System/6000 Floating-Point
  Execution Unit, IBM J. R&D 34 (1990): the addend is inverted where signs differ, aligned within
  3p + 5 places beside the multiplication, and joins its carry-save tree; the sum is complemented
  if negative, normalised behind a leading-zero count, and rounded.
"""

from abc import abstractmethod
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.golden.formats import Float, Integer
from multipede.golden.multiplier_tile import PartialProducts
from multipede.hw import Style
from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row
from multipede.hw.arithmetic.products import booth_digits, booth_recode, booth_select
from multipede.hw.arithmetic.summation import Summation
from multipede.hw.hierarchy import shared

__all__ = ["BaselineAdder", "BaselineMultiplier", "BaselineMultiplyAdder"]


@dataclass(frozen=True)
class _Operand:
    """A code taken apart; subnormals have exponent 1 and a leading bit of 0."""

    sign: Value
    exponent: Value
    significand: Value
    infinite: Value
    nan: Value
    zero: Value


class _Baseline(wiring.Component):
    """Input codes ``a``, ``b`` and maybe ``c``, output code ``result``; combinational."""

    inputs = "ab"

    def __init__(self, format_: Float, style: Style, partial_products: PartialProducts):
        self.format, self.style, self.partial_products = format_, style, partial_products
        self.precision = format_.mantissa_bits + 1
        members = {name: In(format_.bits) for name in self.inputs}
        super().__init__(members | {"result": Out(format_.bits)})

    def elaborate(self, platform) -> Module:
        self._m, self._platform = Module(), platform
        operands = [self._unpack(name) for name in self.inputs]
        self._m.d.comb += self.result.eq(self._result(*operands))
        return self._m

    @abstractmethod
    def _result(self, *operands: _Operand) -> Value:
        """The result's code."""

    def _unpack(self, name: str) -> _Operand:
        code, bits = getattr(self, name), self.format.mantissa_bits
        mantissa, exponent = code[:bits], code[bits:-1]
        normal, top = self._named(exponent.any(), f"{name}_normal"), exponent.all()
        return _Operand(
            sign=code[-1],
            exponent=Cat(exponent[0] | ~normal, exponent[1:]),
            significand=Cat(mantissa, normal),
            infinite=top & ~mantissa.any(),
            nan=top & mantissa.any(),
            zero=~normal & ~mantissa.any(),
        )

    def _named(self, value: Value, name: str) -> Signal:
        signal = Signal(len(value), name=name)
        self._m.d.comb += signal.eq(value)
        return signal

    def _sum(self, name: str, width: int, *terms: tuple, plus: int = 0) -> Signal:
        """Sum of (value, shift, negative, signed, gate) modulo 2^width on a bit heap."""
        operands, rows, pins = {}, [], {}
        for index, (value, *rest) in enumerate(terms):
            shift, negative, signed, gate = (*rest, *(0, False, False, None)[len(rest) :])
            operands[f"x{index}"] = Operand(len(value), signed)
            pins[f"x{index}"] = value.as_signed() if signed else value
            if gate is not None:
                operands[f"g{index}"] = Operand(1)
                pins[f"g{index}"], gate = gate, Gate(f"g{index}")
            rows.append(Row(f"x{index}", shift, negative, gate))
        component = Summation(Heap(width, operands, tuple(rows), plus), style=self.style)
        total = Signal(width, name=name)
        shared(self._m, self._platform, name, component, instance=f"{name}_sum", sum=total, **pins)
        return total

    def _shift_right(self, value: Value, amount: Value, name: str) -> tuple[Value, Value]:
        """Shifted by any amount, with the OR of the bits that are lost."""
        levels = min(len(amount), len(value).bit_length())
        far = amount[levels:].any() if len(amount) > levels else Const(0, 1)
        lost = far & value.any()
        value = value & ~far.replicate(len(value))
        for level in range(levels):
            step = min(1 << level, len(value))
            lost = lost | (amount[level] & value[:step].any())
            value = self._named(Mux(amount[level], value[step:], value), f"{name}_{level}")
        return value, lost

    def _shift_left(self, value: Value, amount: Value, name: str) -> Value:
        for level in range(len(amount) - 1, -1, -1):
            step = 1 << level
            moved = Cat(Const(0, step), value)[: len(value)]
            value = self._named(Mux(amount[level], moved, value), f"{name}_{level}")
        return value

    def _leading_zeros(self, value: Value, name: str) -> Value:
        """The number of zeros above the leading one, by a tree; any number for zero."""
        size = 1 << (len(value) - 1).bit_length()
        padded = Cat(Const(0, size - len(value)), value)
        counts = [(bit, Const(0, 0)) for bit in padded]  # whether there is a one, and where
        while len(counts) > 1:
            merged = []
            for (low, low_count), (high, high_count) in zip(counts[::2], counts[1::2], strict=True):
                place = Cat(Mux(high, high_count, low_count), ~high)
                merged.append((low | high, place))
            counts = merged
        return self._named(counts[0][1], f"{name}_zeros")

    def _limited(self, zeros: Value, limit: Value, name: str) -> tuple[Value, Value]:
        """The smaller of both, and whether that is the first."""
        width = max(len(zeros), len(limit)) + 1
        less = self._sum(f"{name}_less", width, (limit,), (zeros, 0, True))
        fits = ~less[-1]
        return Mux(fits, zeros, limit[: len(zeros)]), fits

    def _rounded(self, word: Value, inexact: Value, field: Value) -> tuple[Value, Value]:
        """Exponent and fraction of a word whose top is the leading bit, rounded to nearest even,
        and whether they overflow; ``field`` is the exponent field, 0 for subnormals."""
        kept = word[len(word) - self.precision :]
        guard = word[len(word) - self.precision - 1]
        sticky = word[: len(word) - self.precision - 1].any() | inexact
        up = guard & (sticky | kept[0])
        body = Cat(kept[:-1], field)
        code = self._sum("rounded", len(body), (body,), (up,))
        exponent = code[self.precision - 1 :]
        bits = self.format.exponent_bits
        return code, exponent[:bits].all() | exponent[bits:].any()

    def _packed(self, sign: Value, code: Value, infinite: Value, nan: Value) -> Value:
        bits = self.format.bits - 1
        number = Mux(infinite, self.format.infinity_code, code[:bits])
        return Mux(nan, self.format.nan_code, Cat(number, sign))


class BaselineAdder(_Baseline):
    """result = a + b."""

    def _result(self, a: _Operand, b: _Operand) -> Value:
        p, bits = self.precision, self.format.exponent_bits
        difference = self._sum("difference", bits + 1, (a.exponent,), (b.exponent, 0, True))
        swap = difference[-1]
        flipped = difference[:-1] ^ swap.replicate(bits)
        distance = self._sum("distance", bits, (flipped,), (swap,))
        larger = self._named(Mux(swap, b.significand, a.significand), "larger")
        smaller = self._named(Mux(swap, a.significand, b.significand), "smaller")
        exponent = self._named(Mux(swap, b.exponent, a.exponent), "exponent")
        aligned, lost = self._shift_right(Cat(Const(0, 2), smaller), distance, "aligned")
        aligned = Cat(lost, aligned)  # guard, round and sticky bits
        subtract = self._named(a.sign ^ b.sign, "subtract")
        addend = aligned ^ subtract.replicate(p + 3)
        total = self._sum(
            "total", p + 5, (larger, 3), (Cat(addend, subtract), 0, False, True), (subtract,)
        )
        negative = total[-1]
        magnitude = self._sum(
            "magnitude", p + 4, (total[:-1] ^ negative.replicate(p + 4),), (negative,)
        )
        zeros = self._leading_zeros(magnitude, "magnitude")
        shift, normal = self._limited(zeros, exponent, "shift")
        word = self._shift_left(magnitude, shift, "normalised")
        field = self._sum("field", bits + 1, (exponent,), (zeros, 0, True), plus=1)
        some = magnitude.any()
        keeps = (normal & some).replicate(bits + 1)
        code, overflow = self._rounded(word, Const(0, 1), field & keeps)
        sign = Mux(swap, b.sign, a.sign) ^ negative
        sign = sign & (some | ~subtract)
        nan = a.nan | b.nan | (a.infinite & b.infinite & subtract)
        return self._packed(sign, code, a.infinite | b.infinite | overflow, nan)


class _Multiplying(_Baseline):
    def _product(self, a: Value, b: Value, width: int, shift: int, *terms: tuple) -> Signal:
        """a b 2^shift and more terms on one bit heap."""
        factor = Integer(self.precision, signed=False)
        if self.partial_products is PartialProducts.BAUGH_WOOLEY:
            rows = [(a, shift + place, False, False, bit) for place, bit in enumerate(b)]
        else:
            recoded, rows = booth_recode(self._m, b, factor, name="b"), []
            for digit in range(booth_digits(factor)):
                digits = recoded[3 * digit : 3 * digit + 3]
                row = booth_select(self._m, a, digits, name=f"row_{digit}")
                rows += [(row, shift + 2 * digit, False, True), (digits[2], shift + 2 * digit)]
        return self._sum("product", width, *rows, *terms)


class BaselineMultiplier(_Multiplying):
    """result = a b."""

    def _result(self, a: _Operand, b: _Operand) -> Value:
        p, bits = self.precision, self.format.exponent_bits
        product = self._product(a.significand, b.significand, 2 * p, 0)
        zeros = self._leading_zeros(product, "product")
        word = self._shift_left(product, zeros, "normalised")
        # The exponent field of the product with its leading bit at the top.
        exponents = ((a.exponent,), (b.exponent,), (zeros, 0, True))
        field = self._sum("field", bits + 2, *exponents, plus=1 - self.format.bias)
        depth = self._sum("depth", bits + 2, (field, 0, True, True), plus=1)
        small = ~depth[-1] & depth.any()  # below the lowest exponent
        amount = depth[:-1] & small.replicate(bits + 1)
        word, lost = self._shift_right(word, amount, "denormalised")
        field = field & (~small & product.any()).replicate(bits + 2)
        code, overflow = self._rounded(word, lost, field)
        infinite, nan = a.infinite | b.infinite, a.nan | b.nan
        nan = nan | (a.infinite & b.zero) | (a.zero & b.infinite)
        return self._packed(a.sign ^ b.sign, code, infinite | overflow, nan)


class BaselineMultiplyAdder(_Multiplying):
    """result = a b + c."""

    inputs = "abc"

    def _result(self, a: _Operand, b: _Operand, c: _Operand) -> Value:
        p, bits = self.precision, self.format.exponent_bits
        width = 3 * p + 5  # two guard bits, the product, three places, the addend
        exponents = ((a.exponent,), (b.exponent,), (c.exponent, 0, True))
        distance = self._sum("distance", bits + 2, *exponents, plus=p + 4 - self.format.bias)
        held = distance[-1] | a.zero | b.zero
        amount = self._named(distance[:-1] & (~held).replicate(bits + 1), "amount")
        padded = Cat(Const(0, width - p), c.significand)
        aligned, lost = self._shift_right(padded, amount, "aligned")
        product_sign = a.sign ^ b.sign
        subtract = self._named(product_sign ^ c.sign, "subtract")
        addend = Cat(aligned ^ subtract.replicate(width), subtract)
        terms = ((addend, 0, False, True), (subtract & ~lost,))
        total = self._product(a.significand, b.significand, width + 1, 2, *terms)
        negative = total[-1]
        flipped = total[:-1] ^ negative.replicate(width)
        word = self._sum("magnitude", width, (flipped,), (negative,))
        zeros = self._leading_zeros(word, "magnitude")
        # The exponent field of a sum with its leading bit at the top, less one.
        top = self._sum("top", bits + 2, (c.exponent,), (amount,), plus=-1)
        shift, normal = self._limited(zeros, top, "shift")
        word = self._shift_left(word, shift, "normalised")
        field = self._sum("field", bits + 2, (top,), (zeros, 0, True), plus=1)
        some = word.any() | lost
        code, overflow = self._rounded(word, lost, field & (normal & word[-1]).replicate(bits + 2))
        product_infinite = a.infinite | b.infinite
        infinite = product_infinite | c.infinite
        nan = a.nan | b.nan | c.nan | (product_infinite & c.infinite & subtract)
        nan = nan | (a.infinite & b.zero) | (a.zero & b.infinite)
        sign = (product_sign ^ negative) & (some | ~subtract)
        sign = Mux(infinite, Mux(c.infinite, c.sign, product_sign), sign)
        return self._packed(sign, code, infinite | overflow, nan)
