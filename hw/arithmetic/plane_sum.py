"""Sums of activations gated with bit planes of weights, and what puts a plane to its place."""

from multipede.hw.arithmetic.circuit import Circuit, Term, Word, constant, padded

__all__ = ["plane_sum", "shifted_by_cycle"]


def plane_sum(
    low: int, high: int, lanes: int, planes: int, signed: bool, shifts: tuple[int, ...]
) -> Circuit:
    """``a0``.. from ``low`` to ``high``, ``w0``.. of so many planes -> ``total``, the sum of their
    products at the place of clock ``cycle``, two's complement.

    Of ``signed`` weights a plane counts negatively where its bit of ``highest`` is 1.
    """
    c = Circuit()
    addend_bits = max((~low).bit_length(), high.bit_length()) + 1
    addends = [c.input(f"a{lane}", addend_bits) for lane in range(lanes)]
    weights = [c.input(f"w{lane}", planes) for lane in range(lanes)]
    cycle = c.input("cycle", (len(shifts) - 1).bit_length()) if len(shifts) > 1 else ()
    largest = lanes * max(-low, high)
    terms: list[Term] = []
    if signed:
        highest = c.input("highest", planes)
        width = largest.bit_length() + 1
        for plane in range(planes):
            word = c.sum(width, _gated(addends, weights, plane, 0), f"plane_{plane}")
            word = c.exclusive(word, (highest[plane],), f"plane_{plane}_with_sign")
            terms.append(Term(word, shift=plane, signed=True, name=f"plane_{plane}"))
            terms.append(Term((highest[plane],), shift=plane, name=f"negate_{plane}"))
    else:
        for plane in range(planes):
            terms += _gated(addends, weights, plane, plane)
    width = (largest * ((1 << planes) - 1)).bit_length() + 1
    total = c.sum(width, terms, "sum_of_planes")
    c.output("total", shifted_by_cycle(c, total, cycle, shifts, "total"))
    return c


def _gated(addends: list[Word], weights: list[Word], plane: int, shift: int) -> list[Term]:
    return [
        Term(a, shift=shift, signed=True, gate=w[plane], name=f"a{lane}")
        for lane, (a, w) in enumerate(zip(addends, weights, strict=True))
    ]


def shifted_by_cycle(
    c: Circuit, word: Word, cycle: Word, shifts: tuple[int, ...], name: str
) -> Word:
    """A two's complement word shifted to the left by ``shifts[cycle]``, which are multiples of the
    second; sign extended to the width of the furthest.
    """
    step = shifts[1] if len(shifts) > 1 else 0
    width = len(word) + shifts[-1]
    for level, moves in enumerate(cycle):
        moved = constant(0, step << level) + word
        stays = padded(word, len(moved), word[-1])
        word = c.choose(moves, moved, stays, f"{name}_by_{step << level}")[:width]
    return word
