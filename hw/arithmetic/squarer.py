"""The square of an unsigned word as rows of a bit heap, half as many as a product's."""

from multipede.golden.folded_square import SquareBit, square_bits
from multipede.hw.arithmetic.circuit import ONE, Circuit, Term, Word, opposite

__all__ = ["square_terms"]


def square_terms(c: Circuit, word: Word, name: str, *, cut: int = 0) -> list[Term]:
    """Rows whose sum is the square of ``word``, or that without the array's columns below ``cut``.

    The array is that of :mod:`multipede.golden.folded_square`; its columns, the highest first, are
    dealt out to rows so that each row is a run of neighbouring columns.
    """
    columns: dict[int, list[SquareBit]] = {}
    for bit in square_bits(len(word), cut):
        columns.setdefault(bit.column, []).append(bit)
    terms = []
    while columns:
        start = next(iter(columns))
        run = [columns[start].pop()]
        while columns.get(start + len(run)):
            run.append(columns[start + len(run)].pop())
        columns = {column: bits for column, bits in columns.items() if bits}
        terms.append(_row(c, word, run, f"{name}_row_{len(terms)}"))
    return terms


def _row(c: Circuit, word: Word, run: list[SquareBit], name: str) -> Term:
    """The ANDs of a run of columns, each of which needs its own two bits."""
    ones = tuple(word[bit.one] for bit in run)
    others = tuple(
        ONE if bit.other is None else opposite(word[bit.other]) if bit.inverted else word[bit.other]
        for bit in run
    )
    return Term(c.both(ones, others, name), run[0].column, name=name)
