"""Tables of signed sums made by a unit of its own: exact, rounded, or quantised with a scale."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from multipede.golden.formats import FP16, INT8, Float, Integer, Overflow
from multipede.golden.lookup_table import (
    entry_format,
    require_table_inputs,
    signed_sums,
    subset_sums,
)
from multipede.golden.number_format import require_kinds, require_range, require_type
from multipede.golden.rounded_tables import quantised_tables, rounded_tables
from multipede.golden.spec import Kind, Port, Spec
from multipede.golden.tile import MAXIMUM_SIDE

if TYPE_CHECKING:
    from torch import Tensor

FLOAT_BITS = 16
INTEGER_BITS = (2, 16)
MAXIMUM_STAGES = 16
LARGEST_CODE = 127


class TableFormat(Enum):
    """What the entries of a table are."""

    EXACT = "exact"
    """integers that hold every sum"""
    ROUNDED = "activation"
    """floats of the activations' format, every addition rounded"""
    INT8 = "int8"
    """signed codes of 8 bits with one scale for each table"""

    def __repr__(self) -> str:
        return f"TableFormat.{self.name}"


@dataclass(frozen=True, kw_only=True)
class TablePrecompute(Spec):
    """Tables of the signed sums of ``table_inputs`` neighbouring activations of each row.

    A table has the 2**(K-1) entries U of :mod:`multipede.golden.lookup_table`, or with
    ``reinterpreted`` false the 2**K entries F. What an entry is, ``table`` says:

    - ``exact``, of integers: the sum itself, in the narrowest format for all sums, which is
      :attr:`LutTensorCore.entry <multipede.golden.lut_tensor_core.LutTensorCore.entry>`;
    - ``activation``, of floats: additions rounded to nearest even in the activations' format, in
      the order of :func:`~multipede.golden.rounded_tables.rounded_tables`;
    - ``int8``, of floats: M is the largest magnitude of the table's entries rounded as above,
      ``scale`` = RNE(M / 127), and an entry's code is RNE(entry / scale), clipped to -127 to 127.
      All codes of a scale that is 0 are 0. A table with an infinite entry or NaN has the scale NaN
      and codes that are 0.

    The rule for scales is T-MAC's (Wei et al., arXiv 2407.00088), which takes one scale for
    several tables and the sum of the magnitudes of a table's activations, M without its rounding.

    Parameters
    ----------
    activation : signed integer of 2 to 16 bits, or signed float of at most 16 bits.
    rows : rows of activations in a record, 1 to 256.
    lanes : activations of a row, 2 to 256, a multiple of ``table_inputs``.
    table_inputs : activations of a table, K, 2 to 6.
    reinterpreted : whether bits 0 mean -1 and tables are halved; else tables are whole.
    table : ``exact`` for integers, ``activation`` or ``int8`` for floats; None for ``exact`` or
        ``activation``.
    overflow : what a rounded sum out of range becomes, a policy that the activations' format can
        serve, except RAISE. None for INFINITY if it can serve that, else SATURATE; in a format
        with NaN alone (E4M3) an infinity is NaN.
    table_scale : format of the scales of ``int8``: a float of at most 16 bits with NaN and zero,
        that reaches a 127th of the largest activation. None for the activations' format if it has
        16 bits, else FP16.
    stages : register ranks between input and output, 0 to 16.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "table_precompute"
    title: ClassVar[str] = "tables of the signed sums of activations, for table-lookup tiles"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = (
        "Mo et al., LUT Tensor Core, ISCA 2025, arXiv 2408.06003, equations 4 to 6 and section"
        " 3.1; Wei et al., T-MAC, EuroSys 2025, arXiv 2407.00088, table quantisation"
    )

    activation: Integer | Float = INT8
    rows: int = 2
    lanes: int = 4
    table_inputs: int = 4
    reinterpreted: bool = True
    table: TableFormat | None = None
    overflow: Overflow | None = None
    table_scale: Float | None = None
    stages: int = 1

    def __post_init__(self):
        self._check_activation()
        require_range("rows", self.rows, 1, MAXIMUM_SIDE)
        require_range("lanes", self.lanes, 1, MAXIMUM_SIDE)
        require_table_inputs(self.table_inputs, self.lanes)
        require_type("reinterpreted", self.reinterpreted, bool)
        if self.table is not None:
            require_type("table", self.table, TableFormat)
        if self.is_float == (self.table_format is TableFormat.EXACT):
            allowed = "activation or int8" if self.is_float else "exact"
            raise ValueError(
                f"table = {self.table_format.value}: allowed with activation ="
                f" {self.activation} is {allowed}"
            )
        self._check_overflow()
        self._check_scale()
        require_range("stages", self.stages, 0, MAXIMUM_STAGES)

    def _check_activation(self) -> None:
        a = self.activation
        takes = (
            f"{self.unit} takes int{INTEGER_BITS[0]} to int{INTEGER_BITS[1]} and signed floats of"
            f" at most {FLOAT_BITS} bits"
        )
        require_kinds("activation", a, (Integer, Float), takes)
        low, high = (1, FLOAT_BITS) if self.is_float else INTEGER_BITS
        if not a.signed or not low <= a.bits <= high:
            raise ValueError(f"activation = {a}: {takes}")

    def _check_overflow(self) -> None:
        if self.overflow is None:
            return
        require_type("overflow", self.overflow, Overflow)
        if not self.is_float:
            raise ValueError(
                f"overflow = {self.overflow.value}: only with floats, exact sums have none"
            )
        allowed = [policy for policy in self.activation.overflows if policy is not Overflow.RAISE]
        if self.overflow not in allowed:
            raise ValueError(
                f"overflow = {self.overflow.value}: allowed with activation = {self.activation}"
                f" are {', '.join(policy.value for policy in allowed)}"
            )

    def _check_scale(self) -> None:
        if self.table_scale is not None:
            require_type("table_scale", self.table_scale, Float)
            if not self.is_quantised:
                raise ValueError(f"table_scale = {self.table_scale}: only with table = int8")
        if not self.is_quantised:
            return
        scale = self.scale_format
        complete = scale.nan_code is not None and scale.zero and scale.bits <= FLOAT_BITS
        if not complete or scale.maximum < self.activation.maximum / LARGEST_CODE:
            raise ValueError(
                f"table_scale = {scale}: allowed are floats of at most {FLOAT_BITS} bits with NaN"
                f" and zero that reach {self.activation.maximum / LARGEST_CODE}"
            )

    @property
    def is_float(self) -> bool:
        """Whether activations are floats."""
        return isinstance(self.activation, Float)

    @property
    def table_format(self) -> TableFormat:
        """``table``, or what None stands for."""
        if self.table is not None:
            return self.table
        return TableFormat.ROUNDED if self.is_float else TableFormat.EXACT

    @property
    def is_quantised(self) -> bool:
        """Whether each table has a scale."""
        return self.table_format is TableFormat.INT8

    @property
    def overflow_policy(self) -> Overflow:
        """``overflow``, or of floats what None stands for."""
        if self.overflow is not None:
            return self.overflow
        own = Overflow.INFINITY in self.activation.overflows
        return Overflow.INFINITY if own else Overflow.SATURATE

    @property
    def scale_format(self) -> Float:
        """Format of the scales of ``int8``."""
        if self.table_scale is not None:
            return self.table_scale
        return self.activation if self.activation.bits == FP16.bits else FP16

    @property
    def tables_per_row(self) -> int:
        """Tables of a row."""
        return self.lanes // self.table_inputs

    @property
    def entries(self) -> int:
        """Entries of a table."""
        return 1 << (self.table_inputs - self.reinterpreted)

    @property
    def entry(self) -> Integer | Float:
        """Format of an entry."""
        match self.table_format:
            case TableFormat.INT8:
                return INT8
            case TableFormat.ROUNDED:
                return self.activation
        limits = self.activation.minimum, self.activation.maximum
        return entry_format(*limits, self.table_inputs, signed_sums=self.reinterpreted)

    @property
    def inputs(self) -> Mapping[str, Port]:
        """``a`` (rows, lanes)."""
        return {"a": Port(self.activation, (self.rows, self.lanes), "activations of each row")}

    @property
    def outputs(self) -> Mapping[str, Port]:
        """``t`` (rows, tables, entries), and with ``int8`` ``table_scale`` (rows, tables)."""
        tables = (self.rows, self.tables_per_row)
        ports = {"t": Port(self.entry, (*tables, self.entries), "tables of each row")}
        if self.is_quantised:
            ports["table_scale"] = Port(self.scale_format, tables, "what a table's codes are times")
        return ports

    @property
    def operations(self) -> Mapping[str, int]:
        """Entries of one record."""
        return {"table_entry": self.rows * self.tables_per_row * self.entries}

    @property
    def latency(self) -> int:
        """As many clocks as there are register ranks."""
        return self.stages

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray] | None:
        """Floats of one magnitude or a few, many of few bits, so that sums tie; in some records one
        corner takes many lanes. Some lanes are negatives of others, so that sums cancel."""
        if not self.is_float:
            return None
        a, shape = self.activation, (count, self.rows, self.lanes)
        spread = generator.choice([0, 1, 3, 9], (count, 1, 1))
        exponents = generator.uniform(-1, 1, shape) * spread
        # All magnitudes occur, the smallest ones too.
        lowest, highest = np.log2([a.smallest, a.maximum])
        exponents += generator.uniform(lowest, highest, (count, 1, 1))
        with np.errstate(over="ignore"):
            codes = a.encode(generator.normal(0, 1, shape) * 2.0**exponents)
        dropped = a.mantissa_bits // 2
        codes = np.where(generator.random(shape) < 0.5, codes, codes >> dropped << dropped)
        corners = generator.choice(a.corners(), (count, 1, 1))
        many = (generator.random(shape) < 0.7) & (generator.random((count, 1, 1)) < 0.1)
        codes = np.where(many, corners, codes)
        negatives = np.roll(codes, 1, axis=2) ^ (1 << (a.bits - 1))
        return {"a": np.where(generator.random(shape) < 0.2, negatives, codes)}

    def reference(self, state: Any = None, **inputs: "Tensor") -> "tuple[dict[str, Tensor], None]":
        """The tables; there is no state."""
        import torch

        self.check_tensors(inputs)
        return self.tables_of(inputs["a"].to(torch.int64).cpu()), None

    def tables_of(self, activations: "Tensor") -> "dict[str, Tensor]":
        """The outputs of codes (..., lanes) of activations: ``t`` int64 (..., tables, entries),
        and with ``int8`` ``scale`` (..., tables)."""
        import torch

        if not self.is_float:
            sums = signed_sums if self.reinterpreted else subset_sums
            return {"t": sums(activations, self.table_inputs)}
        entries = rounded_tables(
            self.activation,
            activations.numpy(),
            self.table_inputs,
            signed_sums=self.reinterpreted,
            overflow=self.overflow_policy,
        )
        if not self.is_quantised:
            return {"t": torch.from_numpy(entries)}
        codes, scales = quantised_tables(self.activation, entries, self.scale_format)
        return {"t": torch.from_numpy(codes), "table_scale": torch.from_numpy(scales)}
