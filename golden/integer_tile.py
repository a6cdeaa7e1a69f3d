"""What all integer matrix tiles compute: group sums with a zero point, exactly."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Self

from multipede.golden.dequantisation import DequantisedState, dequantised_results
from multipede.golden.formats import (
    BF16,
    FP16,
    FP32,
    INT8,
    UINT1,
    UINT4,
    FixedPoint,
    Float,
    Integer,
)
from multipede.golden.number_format import require_kinds, require_range, require_type
from multipede.golden.spec import Port
from multipede.golden.tile import Tile

if TYPE_CHECKING:
    from torch import Tensor


MAXIMUM_CODE_BITS = 63
CHANNEL_GROUPS_BITS = 10

_OF_COLUMNS = {
    "z": "zero point of each column; the one with the group's final record counts",
    "scale": "scale of each column; the one with the group's final record counts",
    "channel_scale": "scale of each column above the groups' scales; that with last counts",
}


def scaled_bits(d: Integer | FixedPoint, scale: Integer) -> int:
    """Bits of any product, in two's complement."""
    return d.bits + scale.bits + (not (d.signed or scale.signed))


def channel_sum_bits(d: Integer | FixedPoint, scale: Integer) -> int:
    """Bits for the sum of 1,024 products, in two's complement; at most 63."""
    return min(MAXIMUM_CODE_BITS, scaled_bits(d, scale) + CHANNEL_GROUPS_BITS)


class TileOutput(Enum):
    """What a tile puts out."""

    GROUP = "group"
    """D of each group, one record per group"""
    DEQUANTISED = "dequantised"
    """Y in FP32, one record per ``last``"""

    def __repr__(self) -> str:
        return f"TileOutput.{self.name}"


@dataclass(frozen=True)
class TileState:
    """An unfinished group: records taken, sums so far.

    ``products`` (digits, rows, columns) and ``activations`` (digits, rows), int64; ``special``
    (rows) counts the records with an activation that is no number.
    """

    position: int
    products: "Tensor"
    activations: "Tensor"
    special: "Tensor"


@dataclass(frozen=True, kw_only=True)
class IntegerTile(Tile):
    """D[r, c] = sum over k in the group of (w[c, k] - z[c]) a[r, k].

    A record holds ``lanes`` values of k for every row and column: lane l of record n (counted
    from the group's start) is k = n * lanes + l. A group ends after ``group`` values of k, or
    earlier with a record whose ``last`` is 1. The zero points ``z`` count on a group's last
    record. Each group gives one output record; its ``last`` is that of the record that ended it.

    **Dequantised**, Y starts at 0 and takes every group's D, with one rounding to nearest even from
    the exact product: Y = RNE(Y + scale D). With integer scales Z += scale D, an integer of
    ``channel_sum``, and at ``last`` Y = RNE(channel_scale Z). ``scale`` and ``channel_scale``
    count on the group's last record, as z does; Y is put out after the group that ``last`` ends.
    Scales may be any codes: negative ones, zeros, infinities and NaN act as IEEE 754 says.

    Parameters
    ----------
    weight, activation : integer formats.
    group : values of k that share a zero point (and a scale), 1 to 1024, a multiple of lanes.
    zero_point : whether there is a port ``z``; a zero point has the weight's format.
    accumulator : integer format of the sums, up to 63 bits; None for the narrowest that holds
        every result exactly.
    output : ``group`` for D of each group, or ``dequantised`` for Y in FP32, with one record for
        each ``last``.
    scale : format of the groups' scales: fp16, bf16 or fp32, or an integer of 2 to 8 bits as a
        second level below ``channel_scale``. For dequantised output.
    channel_scale : format of the columns' scales above integer ones: fp16, bf16 or fp32.
    dequantiser_stages : register ranks in the dequantisers, 0 to 8.
    stages : register ranks between input and output, 1 to 16. One is the accumulator; the second,
        with a zero point, registers the output; further ones cut the dot product.
    """

    weight: Integer = UINT4
    activation: Integer = INT8
    group: int = 128
    zero_point: bool = True
    rows: int = 4
    columns: int = 4
    lanes: int = 8
    accumulator: Integer | None = None
    output: TileOutput = TileOutput.GROUP
    scale: Float | Integer = FP16
    channel_scale: Float = FP32
    dequantiser_stages: int = 1
    stages: int = 1

    weight_bits: ClassVar[tuple[int, int]]
    activation_bits: ClassVar[tuple[int, int]]

    def __post_init__(self):
        self._check_weight()
        self._check_activation()
        self._check_shape()
        require_type("zero_point", self.zero_point, bool)
        require_type("output", self.output, TileOutput)
        self._check_dequantisation()
        self._check_group(self.group)
        if self.accumulator is not None:
            self._check_accumulator()

    def _check_weight(self) -> None:
        self._check_integer("weight", self.weight_bits)

    def _check_activation(self) -> None:
        self._check_integer("activation", self.activation_bits)

    def _check_dequantisation(self) -> None:
        for name in ("scale", "channel_scale"):
            number_format = getattr(self, name)
            integers = ", and integers of 2 to 8 bits" if name == "scale" else ""
            allowed = f"allowed are fp16, bf16 and fp32{integers}"
            require_kinds(name, number_format, (Float, Integer), allowed)
            second_level = name == "scale" and isinstance(number_format, Integer)
            if number_format in (FP16, BF16, FP32):
                continue
            if not second_level or not 2 <= number_format.bits <= 8:
                raise ValueError(f"{name} = {number_format}: {allowed}")
        require_range("dequantiser_stages", self.dequantiser_stages, 0, 8)

    def _check_accumulator(self) -> None:
        require_type("accumulator", self.accumulator, Integer)
        low, high = self.result_range
        if self.accumulator.minimum > low or self.accumulator.maximum < high:
            raise ValueError(
                f"accumulator = {self.accumulator}: {self.exact_accumulator} or wider is needed,"
                f" since results reach from {low} to {high}"
            )
        if self.accumulator.bits > 63:
            raise ValueError(f"accumulator = {self.accumulator}: at most 63 bits")

    @property
    def weight_range(self) -> tuple[int, int]:
        """Lowest and highest weight."""
        return int(self.weight.minimum), int(self.weight.maximum)

    @property
    def addend_range(self) -> tuple[int, int]:
        """Lowest and highest integer that a lane puts in for its activation."""
        return self.activation.minimum, self.activation.maximum

    @property
    def addend(self) -> Integer:
        """The narrowest format of what a lane puts in for its activation."""
        return Integer.spanning(*self.addend_range)

    @property
    def result_range(self) -> tuple[int, int]:
        """Lowest and highest D of a whole group."""
        return self._sum_range(*self.addend_range)

    def _sum_range(self, low: int, high: int) -> tuple[int, int]:
        """Lowest and highest D of a group of addends from ``low`` to ``high``."""
        weights = self.weight_range
        zeros = weights if self.zero_point else (0,)
        factors = [x - z for x in weights for z in zeros]
        products = [f * x for f in factors for x in (low, high)]
        return self.group * min(products), self.group * max(products)

    @property
    def exact_accumulator(self) -> Integer:
        """The narrowest format that holds every result exactly."""
        return Integer.spanning(*self.result_range)

    @property
    def result(self) -> Integer:
        """Format of D and of the accumulators."""
        return self.accumulator or self.exact_accumulator

    @property
    def activation_sum(self) -> Integer:
        """The narrowest format of S, the sum of a row's activations over a group."""
        low, high = self.addend_range
        return Integer.spanning(self.group * low, self.group * high)

    @property
    def records_per_group(self) -> int:
        """Records of a whole group."""
        return self.group // self.lanes

    @property
    def is_dequantised(self) -> bool:
        """Whether the output is Y."""
        return self.output is TileOutput.DEQUANTISED

    @property
    def sums_groups(self) -> bool:
        return not self.is_dequantised

    @property
    def group_tile(self) -> Self:
        """The tile that gives the D of the groups."""
        return replace(self, output=TileOutput.GROUP)

    @property
    def second_level(self) -> bool:
        """Whether the groups' scales are integers, below scales of the columns."""
        return isinstance(self.scale, Integer)

    @property
    def scales(self) -> tuple[str, ...]:
        """Names of the ports of scales."""
        if not self.is_dequantised:
            return ()
        return ("scale", "channel_scale") if self.second_level else ("scale",)

    @property
    def channel_sum(self) -> Integer | FixedPoint:
        """Format of Z: it holds 1,024 groups of any values, or is 63 bits wide; it wraps."""
        return Integer(channel_sum_bits(self.result, self.scale))

    @property
    def dequantisers(self) -> int:
        """Dequantisers that share the work: they need no more clocks than a whole group has."""
        return -(-self.rows * self.columns // self.group_cycles)

    @property
    def group_cycles(self) -> int:
        """Clocks that a whole group takes at the least."""
        return self.records_per_group

    @property
    def dequantiser_steps(self) -> int:
        """Clocks in which the dequantisers take one group's results."""
        return -(-self.rows * self.columns // self.dequantisers)

    @property
    def group_interval(self) -> int:
        """Clocks between two groups at the least, as far as the dequantisers are concerned: a
        result's next group must find its sum."""
        return max(self.dequantiser_steps, self.dequantiser_stages + 1)

    @property
    def initiation_interval(self) -> int:
        """Clocks between two records of whole groups, rounded up."""
        if not self.is_dequantised:
            return 1
        return max(1, -(-self.group_interval // self.records_per_group))

    @property
    def always_ready(self) -> bool:
        """Whether a record is taken in every clock: short groups may make dequantisers stall."""
        return not self.is_dequantised

    @property
    def stallable(self) -> bool:
        """Results must be taken at once."""
        return False

    @property
    def inputs(self) -> Mapping[str, Port]:
        """``a`` (rows, lanes), ``w`` (columns, lanes), ``z`` (columns) if there are zero points,
        ``scale`` and ``channel_scale`` (columns) if they count, and ``last`` ().
        """
        ports = self._operands
        formats = {"z": self.weight} if self.zero_point else {}
        formats |= {name: getattr(self, name) for name in self.scales}
        for name, number_format in formats.items():
            ports[name] = Port(number_format, (self.columns,), _OF_COLUMNS[name])
        ends = "group and the result" if self.is_dequantised else "group early"
        return ports | {"last": Port(UINT1, meaning=f"1 if this record ends the {ends}")}

    @property
    def outputs(self) -> Mapping[str, Port]:
        """``d`` (rows, columns) and ``last`` (), or ``y`` (rows, columns)."""
        if self.is_dequantised:
            return {"y": Port(FP32, (self.rows, self.columns), "Y, the sum of scaled group sums")}
        return self._group_outputs

    @property
    def _group_outputs(self) -> dict[str, Port]:
        return {
            "d": Port(self.result, (self.rows, self.columns), "D, the group's sum"),
            "last": Port(UINT1, meaning="that of the record that ended the group"),
        }

    @property
    def latency(self) -> int:
        """Clocks from the record that ends a group, or has ``last``, to its result."""
        if not self.is_dequantised:
            return self.stages
        return self.stages + self.dequantiser_steps + self.dequantiser_stages + 1

    def reference(
        self, state: TileState | DequantisedState | None = None, **inputs: "Tensor"
    ) -> "tuple[dict[str, Tensor], TileState | DequantisedState]":
        """The definition; see :meth:`Spec.reference`."""
        self.check_tensors(inputs)
        if self.is_dequantised:
            return dequantised_results(self, state, inputs)
        return self._group_reference(state, inputs)

    def results_by_record(
        self, state: TileState | DequantisedState | None = None, **inputs: "Tensor"
    ) -> "Tensor":
        """One with each record that ends a group or, dequantised, has ``last``."""
        import torch

        self.check_tensors(inputs)
        last = inputs["last"].to(torch.int64)
        if self.is_dequantised:
            return last
        return self.group_ends(last, 0 if state is None else state.position)[0]

    def _group_reference(
        self, state: TileState | None, inputs: "dict[str, Tensor]"
    ) -> "tuple[dict[str, Tensor], TileState]":
        """Exact group sums."""
        import torch

        a = inputs["a"].to(torch.int64)
        special = torch.zeros(a.shape[:2], dtype=torch.int64)
        sums, rest = self._sums(state, a[:, None], special, inputs)
        return {"d": sums["d"][:, 0], "last": sums["last"]}, rest

    def _sums(
        self,
        state: TileState | None,
        digits: "Tensor",
        special: "Tensor",
        inputs: "dict[str, Tensor]",
    ) -> "tuple[dict[str, Tensor], TileState]":
        """Group sums of addends that are given in digits, which are summed independently.

        ``digits`` (T, digits, rows, lanes), each below 2**16 in magnitude, stand for the
        activations; ``special`` (T, rows) is 1 where one of them is no number. Gives ``d`` (T',
        digits, rows, columns), ``nan`` (T', rows) and ``last`` (T').
        """
        import torch

        last = inputs["last"].to(torch.int64)
        ends, position = self.group_ends(last, 0 if state is None else state.position)
        group_of = torch.cumsum(ends, 0) - ends
        finished = int(ends.sum())
        products, activations, specials = (
            self._group_sums(values, group_of, finished + 1)
            for values in (
                self._products(digits, self.weight_values(inputs)),
                self._activation_sums(digits),
                special,
            )
        )
        if state is not None:
            products[0] += state.products
            activations[0] += state.activations
            specials[0] += state.special
        ended = ends.nonzero()[:, 0]
        of_ends = {name: tensor.to(torch.int64)[ended] for name, tensor in inputs.items()}
        d = self.corrected(products[:finished], activations[:finished], of_ends)
        rest = (values[finished].clone() for values in (products, activations, specials))
        nan = (specials[:finished] > 0).to(torch.int64)
        return {"d": d, "nan": nan, "last": last[ended]}, TileState(position, *rest)

    def weight_values(self, inputs: "Mapping[str, Tensor]") -> "Tensor":
        """What the weights of the records count for, (T, columns, lanes), int64."""
        import torch

        return inputs["w"].to(torch.int64)

    def corrected(
        self, products: "Tensor", activations: "Tensor", ends: "Mapping[str, Tensor]"
    ) -> "Tensor":
        """D of groups from P and S, given the inputs of the records that ended them.

        ``products`` (T', ..., rows, columns) and ``activations`` (T', ..., rows), int64.
        """
        if not self.zero_point:
            return products.clone()
        z = ends["z"]
        z = z.reshape(len(z), *[1] * (activations.dim() - 1), self.columns)
        return products - z * activations[..., None]

    @staticmethod
    def _activation_sums(digits: "Tensor") -> "Tensor":
        """S of every record, (T, digits, rows)."""
        return digits.sum(dim=3)

    @staticmethod
    def _products(digits: "Tensor", w: "Tensor") -> "Tensor":
        """Dot products of every record, (T, digits, rows, columns), int64.

        float64 is exact here: 256 lanes of 16 x 16 bits stay below 2**40.
        """
        import torch

        records, count, rows, lanes = digits.shape
        left = digits.reshape(records, count * rows, lanes).to(torch.float64)
        product = torch.bmm(left, w.to(torch.float64).transpose(1, 2))
        return product.reshape(records, count, rows, w.shape[1]).to(torch.int64)

    def group_ends(self, last: "Tensor", position: int) -> "tuple[Tensor, int]":
        """Which records end a group (0 or 1), and the position after all of them."""
        import torch

        records = last.shape[0]
        if records == 0:
            return torch.zeros(0, dtype=torch.int64), position
        index = torch.arange(records)
        # The index of the latest record before this one whose `last` is 1; the reset before all.
        starts = torch.where(last.bool(), index + 1, -position)
        before = torch.cat([torch.tensor([-position]), starts[:-1]])
        place = index - torch.cummax(before, 0).values
        ends = last.bool() | ((place + 1) % self.records_per_group == 0)
        after = 0 if bool(ends[-1]) else int(place[-1] + 1) % self.records_per_group
        return ends.to(torch.int64), after

    @staticmethod
    def _group_sums(values: "Tensor", group_of: "Tensor", groups: int) -> "Tensor":
        import torch

        sums = torch.zeros((groups, *values.shape[1:]), dtype=torch.int64)
        return sums.index_add_(0, group_of, values)
