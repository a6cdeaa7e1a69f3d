"""LUT Tensor Core: dot products with weights of few bits, looked up in tables of signed sums."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from multipede.golden.codebook import ODD
from multipede.golden.formats import INT8, UINT2, Codebook, Format, Integer
from multipede.golden.integer_tile import TileState
from multipede.golden.lookup_table import (
    entry_format,
    fold,
    require_table_inputs,
    signed_sums,
    subset_sums,
)
from multipede.golden.number_format import require_kinds, require_type
from multipede.golden.odd_quantisation import ternary_hint
from multipede.golden.serial_tile import SerialTile
from multipede.golden.spec import Port
from multipede.golden.table_precompute import TablePrecompute

if TYPE_CHECKING:
    from torch import Tensor


class Tables(Enum):
    """Where the tables are made."""

    INTERNAL = "internal"
    """in the tile, which takes activations"""
    EXTERNAL = "external"
    """by a :class:`~multipede.golden.table_precompute.TablePrecompute`, whose records it takes"""

    def __repr__(self) -> str:
        return f"Tables.{self.name}"


@dataclass(frozen=True, kw_only=True)
class LutTensorCore(SerialTile):
    """LUT-Tensor-Core-style tile: a lookup for each ``table_inputs`` lanes and weight bit.

    All columns share a row's tables; see :mod:`multipede.golden.lookup_table`. Weights q of b bits
    are **reinterpreted**: each bit 0 means -1, so that q' = 2q - (2**b - 1), and

        D = sum of (q - z) a = (P' - z' S) / 2,  z' = 2z + 1 - 2**b

    with P' the sum of q' a, which is looked up, and S that of a, which is the sum of the tables'
    first entries. Signed weights are q - 2**(b-1). Weights of an **odd** format (``binary``,
    ``odd2``, ...) are q' themselves: D = P'.

    The port ``w`` takes **folded** weights, :func:`~multipede.golden.lookup_table.fold` of the
    codes, unless ``folded`` is false. For ``tables`` = ``external`` there is, instead of ``a``, a
    port ``t`` (rows, tables, entries). Tables that are no table of any activations give
    D = floor((P' - z' S) / 2) of their entries, whose lowest bits are all that of the first: sums
    and differences of the same numbers are all even or all odd.

    The paper's integer unit is not public; this is a reconstruction from its equations, and with
    ``reinterpreted`` and ``folded`` false from what it says of the unit that it starts from (UNPU,
    Lee et al., JSSC 2019): whole tables of the sums of bits 0 and 1.

    Parameters not named here are those of :class:`SerialTile`. Float activations are shifted to
    fixed point or aligned once per row and lane, as in :class:`MixedTile`, and tables hold exact
    sums of these. Aligned sums are those of P' and S, and D = floor((P' - z' S) / 2).

    Parameters
    ----------
    weight : integer format of 1 to 8 bits, or odd format of 1 to 8 bits without zero point.
    activation : signed integer format of 2 to 16 bits, or signed float of at most 16 bits.
    table_inputs : lanes of a table, 2 to 6; ``lanes`` is a multiple.
    tables : ``internal``, or ``external`` for integer activations.
    reinterpreted : whether bits 0 mean -1 and tables are halved; else tables are whole.
    folded : whether weights arrive folded; else the index is inverted for each lookup.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "lut_tensor_core"
    title: ClassVar[str] = "table-lookup tile for weights of 1 to 8 bits"
    source: ClassVar[str] = (
        "Mo et al., LUT Tensor Core: A Software-Hardware Co-Design for LUT-Based Low-Bit LLM"
        " Inference, ISCA 2025, arXiv 2408.06003, equations 1 to 8"
    )
    weight_bits: ClassVar[tuple[int, int]] = (1, 8)
    activation_bits: ClassVar[tuple[int, int]] = (2, 16)

    weight: Integer | Codebook = UINT2
    activation: Format = INT8
    rows: int = 2
    columns: int = 16
    lanes: int = 4
    table_inputs: int = 4
    tables: Tables = Tables.INTERNAL
    reinterpreted: bool = True
    folded: bool = True

    def __post_init__(self):
        require_type("tables", self.tables, Tables)
        require_type("reinterpreted", self.reinterpreted, bool)
        require_type("folded", self.folded, bool)
        require_type("lanes", self.lanes, int)
        require_table_inputs(self.table_inputs, self.lanes)
        super().__post_init__()
        if self.folded and not self.reinterpreted:
            raise ValueError("folded = true: only weights that are reinterpreted can be folded")
        if self.is_odd and not self.reinterpreted:
            raise ValueError(
                f"reinterpreted = false: weight = {self.weight} has no bits that are 0"
            )
        if isinstance(self.activation, Integer) and not self.activation.signed:
            raise ValueError(f"activation = {self.activation}: {self.unit} takes int2 to int16")
        if self.run_time_bits and self.is_aligned and self.is_halved and not self.weight.signed:
            raise ValueError(
                f"run_time_bits = true: with aligned sums not for weight = {self.weight}, but for"
                " signed and odd weights"
            )

    def _check_weight(self) -> None:
        allowed = (
            "allowed are integers of 1 to 8 bits and"
            f" {', '.join(number_format.name for number_format in ODD)}"
        )
        require_kinds("weight", self.weight, (Integer, Codebook), allowed)
        if isinstance(self.weight, Integer):
            super()._check_weight()
        elif self.weight not in ODD:
            raise ValueError(f"weight = {self.weight}: {allowed}{ternary_hint(self.weight)}")
        elif self.zero_point:
            raise ValueError(f"zero_point = true: weight = {self.weight} has none")

    def _check_activation(self) -> None:
        super()._check_activation()
        if self.is_external and self.is_float:
            raise ValueError(f"tables = external: not with activation = {self.activation}")

    @property
    def least_lanes(self) -> int:
        return self.table_inputs

    @property
    def is_odd(self) -> bool:
        """Whether weights are odd integers, so that what is looked up is the result."""
        return isinstance(self.weight, Codebook)

    @property
    def is_external(self) -> bool:
        """Whether tables come from outside."""
        return self.tables is Tables.EXTERNAL

    @property
    def precompute(self) -> TablePrecompute:
        """The unit that makes the tables of a record, if they come from outside."""
        return TablePrecompute(
            activation=self.activation,
            rows=self.rows,
            lanes=self.lanes,
            table_inputs=self.table_inputs,
            reinterpreted=self.reinterpreted,
        )

    @property
    def tables_per_row(self) -> int:
        """Tables of a row."""
        return self.lanes // self.table_inputs

    @property
    def entries(self) -> int:
        """Entries of a table."""
        return 1 << (self.table_inputs - self.reinterpreted)

    @property
    def entry(self) -> Integer:
        """The narrowest format of a table's entries."""
        return entry_format(*self.addend_range, self.table_inputs, signed_sums=self.reinterpreted)

    @property
    def is_halved(self) -> bool:
        """Whether accumulators hold P', twice as large as products of the weights."""
        return self.reinterpreted and not self.is_odd

    @property
    def product_sum(self) -> Integer:
        """Format of the accumulators: wide enough for what is looked up for a group, or for as much
        of it as D needs; no narrower than an accumulator that was asked for."""
        if not self.is_halved:
            return self.result
        largest = (1 << self.weight.bits) - 1
        low, high = self.entry.minimum, self.entry.maximum
        count = self.records_per_group * self.tables_per_row * largest
        whole = Integer.spanning(count * min(low, -high), count * max(high, -low))
        least = 1 if self.accumulator is None else self.result.bits
        return Integer(max(least, min(whole.bits, self.result.bits + 1)))

    @property
    def activation_sum(self) -> Integer:
        """The narrowest format of S; tables from outside may hold anything."""
        if not self.is_external:
            return super().activation_sum
        count = self.records_per_group * self.tables_per_row
        return Integer.spanning(count * self.entry.minimum, count * self.entry.maximum)

    @property
    def _operands(self) -> dict[str, Port]:
        """``a`` (rows, lanes) or ``t`` (rows, tables, entries), and ``w`` (columns, lanes)."""
        ports = super()._operands
        meaning = "weights of each column" + (", folded" if self.folded else "")
        ports["w"] = Port(self.weight, (self.columns, self.lanes), meaning)
        if not self.is_external:
            return ports
        shape = (self.rows, self.tables_per_row, self.entries)
        return {"t": Port(self.entry, shape, "tables of each row"), "w": ports["w"]}

    def _sum_range(self, low: int, high: int) -> tuple[int, int]:
        """Lowest and highest D of a group; tables from outside may hold anything."""
        if not self.is_external:
            return super()._sum_range(low, high)
        count = self.records_per_group * self.tables_per_row
        low, high = count * self.entry.minimum, count * self.entry.maximum
        largest = (1 << self.weight.bits) - 1
        zeros = self.weight_range if self.zero_point else (0,)
        sums = (low, high)
        if not self.is_halved:
            weights = self.weight_range
            ends = [w * s - z * t for w in weights for s in sums for z in zeros for t in sums]
            return min(ends), max(ends)
        offset = -1 if self.weight.signed else largest
        factors = (-largest, largest)
        ends = [
            (f * s + offset * t) // 2 - z * t
            for f in factors
            for s in sums
            for z in zeros
            for t in sums
        ]
        return min(ends), max(ends)

    def with_bits(self, bits: int) -> Format:
        """The format of weights of so many bits at run time."""
        return ODD[bits - 1] if self.is_odd else super().with_bits(bits)

    def port_records(self, records: "dict[str, Tensor]", weight: Format) -> "dict[str, Tensor]":
        """With folded weights, and tables instead of activations, as the ports ask for."""
        import torch

        records = super().port_records(records, weight)
        if self.folded:
            records = records | {"w": fold(records["w"], self.table_inputs)}
        if self.is_external:
            a = records["a"]
            tables = self.tables_of(torch.as_tensor(a))
            tables = tables if isinstance(a, torch.Tensor) else tables.numpy()
            rest = {name: codes for name, codes in records.items() if name != "a"}
            records = {"t": tables} | rest
        return records

    def tables_of(self, activations: "Tensor") -> "Tensor":
        """The tables of integer activations (..., lanes): int64 (..., tables, entries)."""
        sums = signed_sums if self.reinterpreted else subset_sums
        return sums(activations, self.table_inputs)

    def values_of(self, codes: "Tensor", bits: "Tensor") -> "Tensor":
        """The integers that the lower ``bits`` of codes, folded or not, stand for."""
        if self.folded:
            codes = fold(codes, self.table_inputs)
        if not self.is_odd:
            return super().values_of(codes, bits)
        return 2 * (codes & ((1 << bits) - 1)) + 1 - (1 << bits)

    def _group_reference(
        self, state: TileState | None, inputs: "dict[str, Tensor]"
    ) -> "tuple[dict[str, Tensor], TileState]":
        """Exact or aligned group sums."""
        if not self.is_external:
            return super()._group_reference(state, inputs)
        import torch

        t = self._with_common_lowest_bits(inputs["t"].to(torch.int64)).flatten(2)
        special = torch.zeros(t.shape[:2], dtype=torch.int64)
        sums, rest = self._sums(state, t[:, None], special, inputs)
        return {"d": sums["d"][:, 0], "last": sums["last"]}, rest

    def _with_common_lowest_bits(self, tables: "Tensor") -> "Tensor":
        """Tables whose entries are all even or all odd, as the first one is."""
        return tables & ~1 | tables[..., :1] & 1 if self.reinterpreted else tables

    def weight_values(self, inputs: "Mapping[str, Tensor]") -> "Tensor":
        """What the weights count for: of aligned sums in P', of tables from outside what each of
        their entries counts for in 2D."""
        count = self.record_bits(inputs)
        if not self.is_external:
            values = super().weight_values(inputs)
            if self.is_aligned and self.is_halved:
                return 2 * values - self._offsets(count)[:, None, None]
            return values
        import torch

        codes = inputs["w"].to(torch.int64)
        if self.reinterpreted and not self.folded:
            codes = fold(codes, self.table_inputs)
        lanes = codes.reshape(*codes.shape[:2], self.tables_per_row, self.table_inputs)
        factors = torch.zeros((*lanes.shape[:3], self.entries), dtype=torch.int64)
        weights = 1 << torch.arange(self.table_inputs)
        for plane in range(self.weight.bits):
            bits = lanes >> plane & 1
            value = (plane < count).to(torch.int64) << plane
            if not self.is_odd and self.weight.signed:
                value = torch.where(plane == count - 1, -value, value)
            value = value[:, None, None].expand(bits.shape[:3])
            if self.reinterpreted:
                value = torch.where(bits[..., -1] == 1, value, -value)
                bits = bits[..., :-1]
            index = (bits * weights[: bits.shape[-1]]).sum(-1, keepdim=True)
            factors.scatter_add_(3, index, value[..., None])
        if self.is_halved:  # P' - z' S + 2 z S, of which S is in the first entries
            factors[..., 0] += self._offsets(count)[:, None, None]
        return factors.flatten(2)

    def _offsets(self, bits: "Tensor") -> "Tensor":
        """2z - z', by which S counts in 2D beside the zero points."""
        return bits * 0 - 1 if self.weight.signed else (1 << bits) - 1

    def _activation_sums(self, digits: "Tensor") -> "Tensor":
        """S of every record; of tables from outside, what their entries say of it."""
        if not self.is_external:
            return super()._activation_sums(digits)
        whole = 0 if self.reinterpreted else self.entries - 1
        tables = digits.reshape(*digits.shape[:3], self.tables_per_row, self.entries)
        return tables[..., whole].sum(dim=3)

    def corrected(
        self, products: "Tensor", activations: "Tensor", ends: "Mapping[str, Tensor]"
    ) -> "Tensor":
        """D of groups from what :meth:`weight_values` sums and S."""
        if self.is_halved and self.is_aligned:
            offset = self._offsets(self.record_bits(ends))[:, None, None]
            products = (products + offset * activations[..., None]) >> 1
        elif self.is_halved and self.is_external:
            products = products >> 1
        return super().corrected(products, activations, ends)
