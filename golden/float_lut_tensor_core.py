"""LUT Tensor Core with float tables and float accumulators, a rival of float multipliers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from multipede.golden.codebook import ODD, ODD2
from multipede.golden.exact_arithmetic import multiply, unpack
from multipede.golden.float_tile import CHUNK, FloatTile, SumOrder
from multipede.golden.formats import FP16, FP32, Codebook, Float, Format, Integer, Overflow
from multipede.golden.lookup_table import fold, require_table_inputs
from multipede.golden.lut_tensor_core import Tables
from multipede.golden.number_format import require_kinds, require_type
from multipede.golden.serial_tile import BitSerial
from multipede.golden.spec import Port
from multipede.golden.table_precompute import TableFormat, TablePrecompute

if TYPE_CHECKING:
    from torch import Tensor

_SUM = Integer(32)
"""holds what is looked up in tables of codes"""


@dataclass(frozen=True, kw_only=True)
class FloatLutTensorCore(BitSerial, FloatTile):
    """Y[r, c] = sum over k of a[r, k] w[c, k] from tables of float sums, step by step rounded.

    Weights are of an **odd** format: their bits mean -1 and +1 times 1, 2, 4, ... What they select
    is an entry of a table of ``table_inputs`` activations and its sign; see
    :mod:`multipede.golden.lookup_table`. The port ``w`` takes weights **folded** by
    :func:`~multipede.golden.lookup_table.fold`. All columns share a row's tables, which are made as
    :class:`~multipede.golden.table_precompute.TablePrecompute` says.

    A clock has these terms, in order of their tables, and within a table of planes:

    - from tables of the activations' format, for each plane t of the clock p = round(+-entry 2**t),
      or +0 if the weights have no such plane;
    - from tables of codes, for each table p = round(scale L), where L is the sum of +-code 2**t
      over the clock's planes, and the product is exact.

    They join the accumulator Y, clock after clock, according to ``order``:

    - ``tree``: each pair of neighbours becomes one, as in :class:`FloatTile`, until one is left,
      and then Y = round(Y + p);
    - ``sequential``: Y = round(Y + p) for one term after the other.

    All of it is rounded to nearest even in the accumulator's format. Zeros, infinities and NaN are
    those of IEEE 754-2019; any NaN result is the accumulator's ``nan_code``. What is out of its
    range becomes infinite, and infinities and NaN of tables stay what they are in every plane.

    Parameters not named here are those of :class:`FloatTile` and :class:`BitSerial`.

    Parameters
    ----------
    weight : odd format of 1 to 8 bits: ``binary``, ``odd2``, ... ``odd8``.
    activation : signed float of at most 16 bits.
    table_inputs : lanes of a table, 2 to 6; ``lanes`` is a multiple.
    table : ``activation`` or ``int8``.
    tables : ``internal``, or ``external``: instead of ``a`` the ports ``t`` (rows, tables, entries)
        and with ``int8`` ``table_scale`` (rows, tables), whose codes may be any.
    overflow : what a table's sum out of range becomes; None for infinity where the activations'
        format has it, as :class:`~multipede.golden.table_precompute.TablePrecompute` says.
    table_scale : format of the scales of ``int8``; None for the activations' if it has 16 bits,
        else FP16.
    stages : register ranks between input and output, 1 to 16. One is the accumulator, the next one
        stands behind the tables. Under ``tree`` others cut the tables and the tree, under
        ``sequential`` all stand in the tables.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "float_lut_tensor_core"
    title: ClassVar[str] = "table-lookup tile with float tables and accumulators"
    source: ClassVar[str] = (
        "Mo et al., LUT Tensor Core: A Software-Hardware Co-Design for LUT-Based Low-Bit LLM"
        " Inference, ISCA 2025, arXiv 2408.06003, equations 1 to 8 and section 3.1.3"
    )
    folded: ClassVar[bool] = True
    """weights always arrive folded"""

    weight: Codebook = ODD2
    activation: Float = FP16
    accumulator: Float = FP32
    rows: int = 2
    columns: int = 16
    lanes: int = 4
    table_inputs: int = 4
    table: TableFormat = TableFormat.ROUNDED
    tables: Tables = Tables.INTERNAL
    overflow: Overflow | None = None
    table_scale: Float | None = None

    def __post_init__(self):
        allowed = f"allowed are {', '.join(number_format.name for number_format in ODD)}"
        require_kinds("weight", self.weight, (Codebook,), allowed)
        if self.weight not in ODD:
            raise ValueError(f"weight = {self.weight}: {allowed}")
        require_type("tables", self.tables, Tables)
        require_type("table", self.table, TableFormat)
        require_type("lanes", self.lanes, int)
        require_table_inputs(self.table_inputs, self.lanes)
        super().__post_init__()
        if not self.activation.signed:
            raise ValueError(f"activation = {self.activation}: {self.unit} takes signed floats")
        _ = self.precompute  # it says what is wrong with tables

    @property
    def scaled_outside(self) -> bool:
        """Odd weights have a scale, which is not in the tile."""
        return True

    @cached_property
    def precompute(self) -> TablePrecompute:
        """The unit that makes the tables of a record."""
        return TablePrecompute(
            activation=self.activation,
            rows=self.rows,
            lanes=self.lanes,
            table_inputs=self.table_inputs,
            table=self.table,
            overflow=self.overflow,
            table_scale=self.table_scale,
        )

    @property
    def stallable(self) -> bool:
        """Results must be taken at once."""
        return False

    @property
    def least_lanes(self) -> int:
        return self.table_inputs

    @property
    def is_external(self) -> bool:
        """Whether tables come from outside."""
        return self.tables is Tables.EXTERNAL

    @property
    def is_quantised(self) -> bool:
        """Whether tables hold codes with a scale."""
        return self.table is TableFormat.INT8

    @property
    def tables_per_row(self) -> int:
        """Tables of a row."""
        return self.lanes // self.table_inputs

    @property
    def entries(self) -> int:
        """Entries of a table."""
        return self.precompute.entries

    @property
    def terms(self) -> int:
        """Terms of a row and column in a clock."""
        return self.tables_per_row * (1 if self.is_quantised else self.planes)

    def with_bits(self, bits: int) -> Format:
        """The format of weights of so many bits at run time."""
        return ODD[bits - 1]

    @property
    def _operands(self) -> dict[str, Port]:
        """``a`` (rows, lanes), or ``t`` (rows, tables, entries) and ``scale`` (rows, tables), and
        ``w`` (columns, lanes)."""
        ports = super()._operands
        w = Port(self.weight, (self.columns, self.lanes), "weights of each column, folded")
        return (dict(self.precompute.outputs) if self.is_external else {"a": ports["a"]}) | {"w": w}

    def port_records(self, records: "dict[str, Tensor]", weight: Format) -> "dict[str, Tensor]":
        """With folded weights, and tables instead of activations, as the ports ask for."""
        import torch

        records = super().port_records(records, weight)
        records = records | {"w": fold(records["w"], self.table_inputs)}
        if not self.is_external:
            return records
        a = records.pop("a")
        tables = self.precompute.tables_of(torch.as_tensor(a).to(torch.int64))
        if not isinstance(a, torch.Tensor):
            tables = {name: tensor.numpy() for name, tensor in tables.items()}
        return tables | records

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray] | None:
        """Activations that matter together in tables made of them; the rest is random."""
        if self.is_external:
            return None
        others = {
            name: generator.choice(port.format.codes(), (count, *port.shape))
            for name, port in self.inputs.items()
            if name != "a"
        }
        return self.precompute.related_records(generator, count) | others

    def _following(
        self, codes: Mapping[str, np.ndarray]
    ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """One clock after the other, as many as the record has."""
        clocks = self.record_clocks(codes)
        terms = self._terms(codes)

        def following(sums: np.ndarray, records: np.ndarray) -> np.ndarray:
            for cycle in range(self.cycles):
                after = sums
                for term in np.moveaxis(terms[cycle][records], -1, 0):
                    after = self._added(after, term)
                working = clocks[records] > cycle
                sums = np.where(working[:, None, None], after, sums)
            return sums

        return following

    def _terms(self, codes: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """What joins the accumulators in each clock, in order: (T, rows, columns, n), of which a
        tree leaves one."""
        records = len(codes["w"])
        size = max(1, CHUNK // (self.rows * self.columns * self.terms))
        found: list[list[np.ndarray]] = [[] for _ in range(self.cycles)]
        for start in range(0, max(1, records), size):
            part = {name: array[start : start + size] for name, array in codes.items()}
            tables = self._tables(part)
            for cycle in range(self.cycles):
                terms = self._looked_up(part, tables, cycle * self.planes)
                if self.order is SumOrder.TREE:
                    terms = self._tree(terms)[..., None]
                found[cycle].append(terms)
        return [np.concatenate(parts) for parts in found]

    def _tables(self, codes: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """``t`` (T, rows, tables, entries) and, of codes, ``scale`` (T, rows, tables)."""
        if self.is_external:
            return codes
        import torch

        made = self.precompute.tables_of(torch.from_numpy(codes["a"]))
        return {name: tensor.numpy() for name, tensor in made.items()}

    def _looked_up(
        self, codes: Mapping[str, np.ndarray], tables: Mapping[str, np.ndarray], lowest: int
    ) -> np.ndarray:
        """The terms (T, rows, columns, n) of a clock whose lowest plane is ``lowest``."""
        planes = range(lowest, lowest + self.planes)
        bits = codes["bits"] + 1 if self.run_time_bits else self.weight.bits
        bits = np.broadcast_to(bits, len(codes["w"]))[:, None, None, None]
        looked_up = [self._entries(codes["w"], tables["t"], plane) for plane in planes]
        if self.is_quantised:
            sums = sum(
                np.where(plane < bits, np.where(negative, -entry, entry) << plane, 0)
                for plane, (entry, negative) in zip(planes, looked_up, strict=True)
            )
            scales = unpack(self.precompute.scale_format, tables["table_scale"][:, :, None, :])
            return self._rounded(multiply(unpack(_SUM, sums), scales))
        sign = 1 << (self.activation.bits - 1)
        terms = []
        for plane, (entry, negative) in zip(planes, looked_up, strict=True):
            exact = unpack(self.activation, entry ^ negative * sign)
            rounded = self._rounded(exact._replace(exponent=exact.exponent + plane))
            terms.append(np.where(plane < bits, rounded, 0))
        return np.stack(terms, axis=-1).reshape(*terms[0].shape[:-1], self.terms)

    def _entries(
        self, w: np.ndarray, tables: np.ndarray, plane: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The entries (T, rows, columns, tables) that a plane selects, and which are negative."""
        bits = (w >> plane & 1).reshape(*w.shape[:2], self.tables_per_row, self.table_inputs)
        index = (bits[..., :-1] << np.arange(self.table_inputs - 1)).sum(axis=-1)
        record, row, _, table = np.ogrid[
            : len(w), : self.rows, : self.columns, : self.tables_per_row
        ]
        return tables[record, row, table, index[:, None]], bits[:, None, ..., -1] == 0
