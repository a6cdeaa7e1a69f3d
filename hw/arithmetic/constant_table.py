"""Words chosen from a table of constants by an index."""

from collections.abc import Sequence

from multipede.hw.arithmetic.circuit import Circuit, Word, constant

__all__ = ["constant_table"]


def constant_table(c: Circuit, index: Word, entries: Sequence[int], width: int, name: str) -> Word:
    """``entries[index]`` in ``width`` bits.

    Multiplexers of one index bit after the other, the lowest first; halves that are equal are made
    once, and bits that do not depend on an index bit need no multiplexer for it.
    """
    if len(entries) != 1 << len(index):
        raise ValueError(f"{name} has {len(entries)} entries for {len(index)} index bits")
    made: dict[tuple[int, ...], Word] = {}

    def chosen(part: tuple[int, ...]) -> Word:
        if part not in made:
            made[part] = constant(part[0], width) if len(part) == 1 else halves(part)
        return made[part]

    def halves(part: tuple[int, ...]) -> Word:
        half = len(part) // 2
        low, high = chosen(part[:half]), chosen(part[half:])
        return c.choose(index[half.bit_length() - 1], high, low, name)

    return chosen(tuple(entries))
