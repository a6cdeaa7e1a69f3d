"""Adders onto cells: which adder cells a library has, and how adder modules become them.

Yosys and ABC neither find full adders nor look into them, so the adder modules of ``adders.v``
are replaced by cells before synthesis, as Yosys' ``techmap`` does by files of replacements.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from multipede.asic_flow.liberty.library import Cell, Library

__all__ = ["PREFIX_CHAINS", "AdderCells", "AdderMapping", "adder_cells", "replacements"]

_EXCLUSIVE = {2: 0b0110, 3: 0b10010110}
_CARRY = {2: 0b1000, 3: 0b11101000}


class AdderMapping(Enum):
    """How adder modules become cells."""

    PLAIN = "full-adder cells"
    INVERTED = "full-adder cells between inverted signals"
    """A full adder of inverted bits gives the inverted sum and carry. So whole trees may run
    inverted, and gated bits enter them from NAND gates, which are smaller than AND gates."""
    PLAIN_HALF = "full- and half-adder cells"
    INVERTED_HALF = "full-adder cells between inverted signals, half-adder cells"

    @property
    def inverted(self) -> bool:
        """Whether full adders run inverted."""
        return self in (AdderMapping.INVERTED, AdderMapping.INVERTED_HALF)

    @property
    def half(self) -> bool:
        """Whether half adders become cells and not gates."""
        return self in (AdderMapping.PLAIN_HALF, AdderMapping.INVERTED_HALF)


@dataclass(frozen=True)
class _Adder:
    """An adder cell, its outputs, and whether the library gives them inverted."""

    cell: Cell
    sum: str
    carry: str
    sum_inverted: bool
    carry_inverted: bool


@dataclass(frozen=True)
class AdderCells:
    """The smallest adder cells of a library, None where it has none."""

    full: _Adder | None
    half: _Adder | None

    @property
    def mappings(self) -> list[AdderMapping]:
        """The mappings that the library allows."""
        if self.full is None:
            return []
        if self.half is None:
            return [AdderMapping.PLAIN, AdderMapping.INVERTED]
        return list(AdderMapping)


def adder_cells(library: Library) -> AdderCells:
    """The adder cells of a library."""
    return AdderCells(_find(library, 3), _find(library, 2))


def _find(library: Library, inputs: int) -> _Adder | None:
    ones = (1 << (1 << inputs)) - 1
    found = []
    for sum_inverted in (False, True):
        for carry_inverted in (False, True):
            total = _EXCLUSIVE[inputs] ^ (ones * sum_inverted)
            carry = _CARRY[inputs] ^ (ones * carry_inverted)
            cell = library.smallest(inputs, total, carry)
            if cell is not None:
                names = {table: name for name, table in cell.functions.items()}
                found.append(_Adder(cell, names[total], names[carry], sum_inverted, carry_inverted))
    return min(found, key=lambda adder: (adder.cell.area, adder.cell.name), default=None)


PREFIX_CHAINS = """\
module ripple_adder #(parameter WIDTH = 1) (
  input [WIDTH-1:0] a, b, input ci, output [WIDTH-1:0] sum, output co
);
  // The lowest column makes the carry, the highest one keeps it.
  wire [WIDTH+1:0] total;
  prefix_adder #(.WIDTH(WIDTH + 2)) fast (.a({1'b0, a, ci}), .b({1'b0, b, ci}), .sum(total));
  assign {co, sum} = total[WIDTH+1:1];
endmodule

module ripple_half_adder #(parameter WIDTH = 1) (
  input [WIDTH-1:0] a, input ci, output [WIDTH-1:0] sum, output co
);
  wire [WIDTH:0] total;
  prefix_adder #(.WIDTH(WIDTH + 1)) fast (.a({1'b0, a}), .b({{WIDTH{1'b0}}, ci}), .sum(total));
  assign {co, sum} = total;
endmodule
"""
"""Verilog for ``techmap -map``: chains of adders as parallel-prefix adders."""


def replacements(cells: AdderCells, mapping: AdderMapping) -> str:
    """Verilog for ``techmap -map``: the adder modules as cells."""
    modules = [_full_adders(cells, mapping), _ripple_adder(cells, mapping)]
    if mapping.half and cells.half is not None:
        modules += [_half_adders(cells.half), _ripple_half_adder(cells.half)]
    return "\n".join(modules)


def _instance(adder: _Adder, inputs: Sequence[str], total: str, carry: str) -> str:
    pins = [f".{pin}({value})" for pin, value in zip(adder.cell.inputs, inputs, strict=True)]
    pins += [f".{adder.sum}({total})", f".{adder.carry}({carry})"]
    return f"\\{adder.cell.name}  adder ({', '.join(pins)});"


def _not(condition: bool) -> str:
    return "~" if condition else ""


def _full_adders(cells: AdderCells, mapping: AdderMapping) -> str:
    adder, flip = cells.full, mapping.inverted
    sign = _not(flip)
    return f"""\
module full_adders #(parameter WIDTH = 1) (
  input [WIDTH-1:0] a, b, c, output [WIDTH-1:0] sum, carry
);
  wire [WIDTH-1:0] s, k, x = {sign}a, y = {sign}b, z = {sign}c;
  assign sum = {_not(flip != adder.sum_inverted)}s;
  assign carry = {_not(flip != adder.carry_inverted)}k;
  genvar i;
  generate for (i = 0; i < WIDTH; i = i + 1) begin : bits
    {_instance(adder, ["x[i]", "y[i]", "z[i]"], "s[i]", "k[i]")}
  end endgenerate
endmodule
"""


def _ripple_adder(cells: AdderCells, mapping: AdderMapping) -> str:
    adder, flip = cells.full, mapping.inverted
    sign = _not(flip)
    return f"""\
module ripple_adder #(parameter WIDTH = 1) (
  input [WIDTH-1:0] a, b, input ci, output [WIDTH-1:0] sum, output co
);
  wire [WIDTH-1:0] s, k, x = {sign}a, y = {sign}b;
  wire [WIDTH:0] z;
  assign z[0] = {sign}ci;
  assign z[WIDTH:1] = {_not(adder.carry_inverted)}k;
  assign co = {sign}z[WIDTH];
  assign sum = {_not(flip != adder.sum_inverted)}s;
  genvar i;
  generate for (i = 0; i < WIDTH; i = i + 1) begin : bits
    {_instance(adder, ["x[i]", "y[i]", "z[i]"], "s[i]", "k[i]")}
  end endgenerate
endmodule
"""


def _half_adders(adder: _Adder) -> str:
    return f"""\
module half_adders #(parameter WIDTH = 1) (
  input [WIDTH-1:0] a, b, output [WIDTH-1:0] sum, carry
);
  wire [WIDTH-1:0] s, k;
  assign sum = {_not(adder.sum_inverted)}s;
  assign carry = {_not(adder.carry_inverted)}k;
  genvar i;
  generate for (i = 0; i < WIDTH; i = i + 1) begin : bits
    {_instance(adder, ["a[i]", "b[i]"], "s[i]", "k[i]")}
  end endgenerate
endmodule
"""


def _ripple_half_adder(adder: _Adder) -> str:
    return f"""\
module ripple_half_adder #(parameter WIDTH = 1) (
  input [WIDTH-1:0] a, input ci, output [WIDTH-1:0] sum, output co
);
  wire [WIDTH-1:0] s, k;
  wire [WIDTH:0] z;
  assign z[0] = ci;
  assign z[WIDTH:1] = {_not(adder.carry_inverted)}k;
  assign co = z[WIDTH];
  assign sum = {_not(adder.sum_inverted)}s;
  genvar i;
  generate for (i = 0; i < WIDTH; i = i + 1) begin : bits
    {_instance(adder, ["a[i]", "z[i]"], "s[i]", "k[i]")}
  end endgenerate
endmodule
"""
