"""Tiles whose sums run from one ``last`` to the next: accumulators, and what steers them."""

from abc import abstractmethod
from collections import Counter
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value

from multipede.golden.ungrouped_tile import UngroupedTile
from multipede.hw.unit import Unit, UnitPlan, delayed

__all__ = ["UngroupedTilePlan", "UngroupedTileUnit"]


class UngroupedTilePlan(UnitPlan):
    """The accumulators are one of the register ranks."""

    spec: UngroupedTile

    @property
    @abstractmethod
    def accumulator_bits(self) -> int:
        """Bits of the accumulator of each row and column."""

    def _common_inventory(self) -> Counter:
        """Accumulators and what steers them."""
        spec = self.spec
        registers = spec.rows * spec.columns * self.accumulator_bits
        registers += 2 * (spec.stages - 1) + 2  # accept and last; fresh and valid
        return Counter(register=registers)


class UngroupedTileUnit(Unit):
    """Any :class:`UngroupedTile`; subclasses say what comes of rows and of columns, and how these
    meet."""

    def elaborate(self, platform) -> Module:
        m = Module()
        spec: UngroupedTile = self.spec
        ends = self._ends(m)
        activations = self._activations(m, platform)
        weights = self._weights(m, platform)
        accept = delayed(m, self.i.valid, spec.stages - 1, name="accept", reset=True)
        last = delayed(m, ends, spec.stages - 1, name="last_in")
        fresh = Signal(name="fresh", init=1)
        with m.If(accept):
            m.d.sync += fresh.eq(last)
        self._prepare()
        for row, a in enumerate(activations):
            for column, w in enumerate(weights):
                name = f"{row}_{column}"
                register = Signal(self.plan.accumulator_bits, name=f"y_{name}", reset_less=True)
                so_far = Signal.like(register, name=f"so_far_{name}")
                m.d.comb += so_far.eq(Mux(fresh, 0, register))
                following = self._following(m, platform, name, so_far, a, w)
                with m.If(accept):
                    m.d.sync += register.eq(following)
                self._put(m, row, column, register)
        valid = delayed(m, accept & last, 1, name="valid", reset=True)
        m.d.comb += self.o.valid.eq(valid)
        return m

    def _ends(self, m: Module) -> Value:
        """Whether a sum ends with this clock."""
        return self.i.payload.last

    @abstractmethod
    def _activations(self, m: Module, platform) -> list[Any]:
        """What comes of each row."""

    @abstractmethod
    def _weights(self, m: Module, platform) -> list[Any]:
        """What comes of each column."""

    def _prepare(self) -> None:
        """Make what all rows and columns share instances of."""

    @abstractmethod
    def _following(self, m: Module, platform, name: str, so_far: Value, a: Any, w: Any) -> Value:
        """The accumulator's next value, of what comes of its row and its column."""

    def _put(self, m: Module, row: int, column: int, register: Value) -> None:
        """The outputs of a row and a column."""
        m.d.comb += self.o.payload.y[row][column].eq(register)

    def _lanes(self, values) -> list[Value]:
        """Those of all lanes, of a row or a column."""
        return [values[lane] for lane in range(self.spec.lanes)]
