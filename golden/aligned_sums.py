"""Sums of float products in the unit of the largest exponent so far; see `MixedTile`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from multipede.golden.segments import Segments
from multipede.golden.significands import significands

if TYPE_CHECKING:
    from torch import Tensor

    from multipede.golden.mixed_tile import MixedTile

LARGEST_SHIFT = 62
HALF_BITS = 32


@dataclass(frozen=True)
class AlignedState:
    """An unfinished group: records taken, sums so far, int64.

    ``products`` (rows, columns), ``activations``, ``exponent`` and ``special`` (rows).
    """

    position: int
    products: "Tensor"
    activations: "Tensor"
    exponent: "Tensor"
    special: "Tensor"


def aligned_group_sums(
    spec: "MixedTile", state: AlignedState | None, inputs: "dict[str, Tensor]"
) -> "tuple[dict[str, Tensor], AlignedState]":
    """Outputs and state of :meth:`MixedTile.reference`.

    Records of a group follow one another, for each shifts what was summed before; groups are
    worked on side by side.
    """
    import torch

    last = inputs["last"].to(torch.int64)
    ends, position = spec.group_ends(last, 0 if state is None else state.position)
    segments = Segments(ends)
    sums = _Sums(spec, inputs, segments.count)
    if state is not None:
        sums.resume(state)
    for groups, records in segments.steps():
        sums.take(groups, records)
    ended, finished = segments.ended, segments.count - 1
    of_ends = {name: tensor.to(torch.int64)[ended] for name, tensor in inputs.items()}
    d = spec.corrected(sums.products[:finished], sums.activations[:finished], of_ends)
    results = {
        "d": d,
        "exponent": sums.exponent[:finished],
        "nan": sums.special[:finished].to(torch.int64),
        "last": last[ended],
    }
    return {name: results[name] for name in spec.outputs}, sums.rest(position)


class _Sums:
    """P, S, x and the NaN flag of all groups at once; the first axis counts groups."""

    def __init__(self, spec: "MixedTile", inputs: "dict[str, Tensor]", groups: int):
        import torch

        self._guard = spec.guard_bits
        self._numbers = significands(spec.activation, inputs["a"].to(torch.int64))
        self._w = spec.weight_values(inputs).to(torch.float64)
        self.products = torch.zeros((groups, spec.rows, spec.columns), dtype=torch.int64)
        self.activations = torch.zeros((groups, spec.rows), dtype=torch.int64)
        self.exponent = torch.zeros((groups, spec.rows), dtype=torch.int64)
        self.special = torch.zeros((groups, spec.rows), dtype=torch.bool)

    def resume(self, state: AlignedState) -> None:
        """Begin the first group where an earlier call left it."""
        for name in ("products", "activations", "exponent", "special"):
            getattr(self, name)[0] = getattr(state, name)

    def rest(self, position: int) -> AlignedState:
        """The last group, which is unfinished."""
        return AlignedState(
            position,
            *(
                getattr(self, name)[-1].clone()
                for name in ("products", "activations", "exponent", "special")
            ),
        )

    def take(self, groups: "Tensor", records: "Tensor") -> None:
        """Add one record to each of the groups."""
        import torch

        m, e, special = (values[records] for values in self._numbers)
        present = torch.where(m != 0, e, 0).amax(dim=2)
        x = torch.maximum(self.exponent[groups], present)
        rise = (x - self.exponent[groups]).clamp(max=LARGEST_SHIFT)
        distance = (x[:, :, None] - e).clamp(0, LARGEST_SHIFT)
        t = (m << self._guard) >> distance
        dots = self._dot_products(t, self._w[records].transpose(1, 2))
        self.products[groups] = (self.products[groups] >> rise[:, :, None]) + dots
        self.activations[groups] = (self.activations[groups] >> rise) + t.sum(dim=2)
        self.exponent[groups] = x
        self.special[groups] |= special.any(dim=2)

    @staticmethod
    def _dot_products(t: "Tensor", w: "Tensor") -> "Tensor":
        """t @ w, exactly: float64 holds the sums of either half of t's bits, 256 times 32 and 8."""
        import torch

        high, low = t >> HALF_BITS, t & ((1 << HALF_BITS) - 1)
        highs, lows = (torch.bmm(half.to(torch.float64), w).to(torch.int64) for half in (high, low))
        return (highs << HALF_BITS) + lows
