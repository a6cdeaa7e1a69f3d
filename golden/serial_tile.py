"""What tiles share that take the bits of their weights in turn, a few planes in each clock."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from multipede.golden.arrays import integers, refuse
from multipede.golden.formats import Codebook, Format, Integer
from multipede.golden.mixed_tile import MixedTile
from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Port

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BitSerial(ABC):
    """Mixin of the tiles that take the bit planes of their weights in turn.

    Plane t holds bit t of all weights of a record. ``planes_per_cycle`` planes are worked on in
    each clock, the lowest first, so that a record takes ceil(bits / planes_per_cycle) clocks; it
    is taken in the last of them.

    With ``run_time_bits`` each record says how many bits its weights have, in the port ``bits``
    (code n stands for n + 1 bits). Only so many of the port's lower bits count; they are a weight
    of the same kind, unsigned, two's complement or odd, of so many bits. Zero points do not change.

    Parameters
    ----------
    planes_per_cycle : bit planes in a clock, 1 to the weight's bits; None for all of them.
    run_time_bits : whether there is a port ``bits``; for weights of 2 bits or more.
    """

    planes_per_cycle: int | None = None
    run_time_bits: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.planes_per_cycle is not None:
            require_range("planes_per_cycle", self.planes_per_cycle, 1, self.weight.bits)
        require_type("run_time_bits", self.run_time_bits, bool)
        if self.run_time_bits and self.weight.bits == 1:
            raise ValueError(f"run_time_bits: weight = {self.weight} has no fewer bits than one")

    @property
    def planes(self) -> int:
        """Bit planes in a clock."""
        return self.planes_per_cycle or self.weight.bits

    @property
    def cycles(self) -> int:
        """Clocks that a record of all the weight's bits takes."""
        return -(-self.weight.bits // self.planes)

    @property
    def bits_format(self) -> Codebook:
        """Format of the port ``bits``: code n stands for n + 1."""
        return Codebook(tuple(range(1, self.weight.bits + 1)))

    @property
    def initiation_interval(self) -> int:
        """Clocks between two records of all the weight's bits, of whole groups, rounded up."""
        return max(self.cycles, super().initiation_interval)

    @property
    def always_ready(self) -> bool:
        return super().always_ready and self.cycles == 1

    @property
    def keeps_pace(self) -> bool:
        return super().always_ready

    def record_clocks(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """As many as have planes."""
        if not self.run_time_bits:
            return np.full(len(inputs["last"]), self.cycles)
        return -(-(np.asarray(inputs["bits"]) + 1) // self.planes)

    @property
    def inputs(self) -> Mapping[str, Port]:
        """As those of other tiles, and ``bits`` () if they may change."""
        ports = dict(super().inputs)
        last = ports.pop("last")
        if self.run_time_bits:
            ports["bits"] = Port(self.bits_format, meaning="bits of this record's weights, less 1")
        return ports | {"last": last}

    def check_inputs(self, inputs: Mapping[str, Any]) -> int:
        """As of other units; ``bits`` of wider weights than the tile's are named as such."""
        if self.run_time_bits and "bits" in inputs:
            codes, most = integers(inputs["bits"], "bits"), self.weight.bits
            allowed = f"code n stands for n + 1 bits, and weight = {self.weight} has {most}"
            refuse((codes < 0) | (codes >= most), codes, "bits", allowed)
        return super().check_inputs(inputs)

    def takes_weights(self, number_format: Format) -> bool:
        """Whether a product of such weights can be computed: of fewer bits only at run time."""
        if number_format == self.weight or not self.run_time_bits:
            return number_format == self.weight
        fewer = 1 <= number_format.bits <= self.weight.bits
        return fewer and self.with_bits(number_format.bits) == number_format

    @abstractmethod
    def with_bits(self, bits: int) -> Format:
        """The format of weights of so many bits at run time."""

    def port_records(self, records: "dict[str, Tensor]", weight: Format) -> "dict[str, Tensor]":
        """The same with ``bits``, if that is a port."""
        if not self.run_time_bits:
            return records
        last = records["last"]
        bits = {"bits": last * 0 + (weight.bits - 1)}
        return {name: (records | bits)[name] for name in (*records, "bits")}

    def record_bits(self, inputs: "Mapping[str, Tensor]") -> "Tensor":
        """How many bits the weights of each record have, int64 (T,)."""
        import torch

        if self.run_time_bits:
            return inputs["bits"].to(torch.int64) + 1
        return torch.full((len(inputs["last"]),), self.weight.bits)


@dataclass(frozen=True, kw_only=True)
class SerialTile(BitSerial, MixedTile):
    """D[r, c] = sum over k in the group of (w[c, k] - z[c]) a[r, k], bit plane by bit plane.

    Parameters are those of :class:`BitSerial`, :class:`MixedTile` and :class:`IntegerTile`.
    """

    @property
    def group_cycles(self) -> int:
        """Clocks that a whole group takes at the least."""
        return self.records_per_group * (1 if self.run_time_bits else self.cycles)

    def with_bits(self, bits: int) -> Format:
        """The format of weights of so many bits at run time."""
        return Integer(bits, self.weight.signed)

    def weight_values(self, inputs: "Mapping[str, Tensor]") -> "Tensor":
        """What the lower bits of the weights stand for."""
        import torch

        return self.values_of(inputs["w"].to(torch.int64), self.record_bits(inputs)[:, None, None])

    def values_of(self, codes: "Tensor", bits: "Tensor") -> "Tensor":
        """The integers that the lower ``bits`` of codes stand for."""
        import torch

        lower = codes & ((1 << bits) - 1)
        if not self.weight.signed:
            return lower
        return torch.where(lower >> (bits - 1) != 0, lower - (1 << bits), lower)
