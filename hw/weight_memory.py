"""A memory of weights that reads zeros until written, from each reset on.

Memories have no reset, so that one bit beside each row tells whether it was written since.
"""

from collections import Counter

from amaranth.hdl import Cat, MemoryData, MemoryInstance, Module, Shape, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.hw.multiplexer import equals

__all__ = ["WeightMemory"]


class WeightMemory(wiring.Component):
    """Rows of words; a row is read at once, a word is written.

    Parameters
    ----------
    rows : how many, and ``words`` in each, of ``bits`` bits.

    Members
    -------
    row : In, the row that is read; ``words_out`` : Out(words * bits), what is in it, one clock
        later, the first word in the lowest bits.
    write : In(1), whether ``word`` of row ``row_in`` becomes ``data``.
    """

    def __init__(self, rows: int, words: int, bits: int):
        self.rows, self.words, self.bits = rows, words, bits
        super().__init__(
            {
                "row": In(_number(rows)),
                "words_out": Out(words * bits),
                "write": In(1),
                "row_in": In(_number(rows)),
                "word": In(_number(words)),
                "data": In(bits),
            }
        )

    @property
    def key(self) -> tuple:
        """Equal for equal memories."""
        return type(self), self.rows, self.words, self.bits

    def duplicate(self) -> "WeightMemory":
        """Another one of the same size."""
        return WeightMemory(self.rows, self.words, self.bits)

    @staticmethod
    def inventory(rows: int, words: int, bits: int) -> Counter:
        """Bits of memory and registers."""
        gates = {"and": 2 * words * bits}
        return Counter(memory_bit=rows * words * bits, register=rows + 1 + words * bits, **gates)

    def elaborate(self, platform) -> Module:
        m = Module()
        width, address = self.words * self.bits, (self.rows - 1).bit_length()
        memory = MemoryInstance(data=MemoryData(shape=width, depth=self.rows, init=[]))
        m.submodules.memory = memory
        written = Signal(self.rows, name="written")
        read_row, write_row = (
            Signal(self.rows, name="read_row"),
            Signal(self.rows, name="write_row"),
        )
        old, valid = Signal(name="row_is_old"), Signal(name="row_is_valid", reset_less=True)
        fresh, stored = Signal(width, name="fresh"), Signal(width, name="stored")
        enable, held = (
            Signal(self.words, name="enable"),
            Signal(width, name="held", reset_less=True),
        )
        memory.write_port(domain="sync", addr=self.row_in[:address], data=fresh, en=enable)
        memory.read_port(
            domain="comb", addr=self.row[:address], data=stored, en=1, transparent_for=()
        )
        # One bit is 1 in each, that of the row.
        m.d.comb += [
            read_row.eq(Cat(equals(self.row, row) for row in range(self.rows))),
            write_row.eq(Cat(equals(self.row_in, row) for row in range(self.rows))),
            old.eq((written & write_row).any()),
        ]
        # The first word that is written into a row clears the others.
        for word in range(self.words):
            chosen = Signal(name=f"word_{word}_chosen")
            m.d.comb += [
                chosen.eq(equals(self.word, word)),
                fresh.word_select(word, self.bits).eq(self.data & chosen.replicate(self.bits)),
                enable[word].eq(self.write & (chosen | ~old)),
            ]
        with m.If(self.write):
            m.d.sync += written.eq(written | write_row)
        m.d.sync += [held.eq(stored), valid.eq((written & read_row).any())]
        m.d.comb += self.words_out.eq(held & valid.replicate(width))
        return m


def _number(count: int) -> Shape:
    """The shape of a number below ``count``, of one bit at least."""
    return unsigned(max(1, (count - 1).bit_length()))
