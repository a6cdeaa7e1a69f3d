"""What matrix tiles share whose sums know no groups: they run from one ``last`` to the next."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from multipede.golden.formats import UINT1, Float, Format
from multipede.golden.number_format import require_kinds
from multipede.golden.spec import Port
from multipede.golden.tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["UngroupedTile"]


class UngroupedTile(Tile):
    """Y[r, c] = sum over k of a[r, k] w[c, k], over as many records as the user likes.

    Lane l of record n (counted from the sum's start) is k = n * lanes + l. The accumulators are 0
    after reset and after a record whose ``last`` is 1, and that record gives one output record
    ``y``.
    """

    factor_bits: ClassVar[int] = 32
    """the widest floats that are multiplied"""

    def _check_factor(self, name: str) -> None:
        number_format = getattr(self, name)
        takes = f"{self.unit} takes floats of at most {self.factor_bits} bits"
        require_kinds(name, number_format, (Float,), takes)
        if number_format.bits > self.factor_bits:
            raise ValueError(f"{name} = {number_format}: {takes}")

    @property
    def inputs(self) -> Mapping[str, Port]:
        """``a`` (rows, lanes), ``w`` (columns, lanes), what belongs to the weights, ``last`` ()."""
        of_columns = {
            name: Port(number_format, (self.columns,), f"{what} of each column, for this record")
            for name, (number_format, what) in self.of_columns.items()
        }
        last = Port(UINT1, meaning="1 if this record ends the sum")
        return self._operands | of_columns | {"last": last}

    @property
    def of_columns(self) -> Mapping[str, tuple[Format, str]]:
        """Format and meaning of the ports with one value per column that belong to the weights."""
        return {}

    def results_by_record(self, state: Any = None, **inputs: "Tensor") -> "Tensor":
        """One with each ``last``."""
        import torch

        self.check_tensors(inputs)
        return inputs["last"].to(torch.int64)
