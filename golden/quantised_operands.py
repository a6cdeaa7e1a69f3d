"""Quantised operands of a matrix product: codes, zero points and scales, with their values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from multipede.golden.arrays import refuse
from multipede.golden.formats import Codebook, Float, Integer
from multipede.golden.number_format import require_type

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["QuantisedActivations", "QuantisedWeights", "ScaleLevels", "require_operands"]


@dataclass(frozen=True)
class QuantisedWeights:
    """A weight matrix [N, K] in codes; made by ``quantise_weights``.

    Attributes
    ----------
    format : integer, odd or float.
    group : values of k that share a scale.
    codes : int64 [N, K].
    zeros : int64 [N, G], the code of value 0 in each group; None without zero point.
    scales : float32 [N, G], finite and not negative, G = ceil(K / group); None for floats. Of two
        levels their exact product, float64.
    levels : the two levels of scales, or None.

    Raises ValueError for other scales, naming the first.
    """

    format: Integer | Codebook | Float
    group: int
    codes: "Tensor"
    zeros: "Tensor | None"
    scales: "Tensor | None"
    levels: "ScaleLevels | None" = None

    def __post_init__(self):
        require_scales(self.scales, self.levels)

    @property
    def groups(self) -> int:
        """Groups along k, the last one perhaps shorter than the others."""
        return -(-self.codes.shape[1] // self.group)

    def bits_per_weight(self, scale_bits: int = 32) -> float:
        """Bits of storage per weight: codes, zero points, and scales of so many bits each; of two
        levels those of the outputs have as many."""
        beside = 0 if self.zeros is None else self.zeros.numel() * self.format.bits
        if self.levels is not None:
            beside += self.levels.codes.numel() * self.levels.format.bits
            beside += scale_bits * self.levels.channel_scales.numel()
        elif self.scales is not None:
            beside += scale_bits * self.scales.numel()
        return self.format.bits + beside / self.codes.numel()

    def dequantised(self) -> "Tensor":
        """The values scale (code - z) or scale times odd value, exactly, float64 [N, K]."""
        if self.scales is None:
            return self.format.decode(self.codes)
        return self.offsets.double() * self._spread(self.scales).double()

    @property
    def offsets(self) -> "Tensor":
        """code - z, of odd formats their values, int64 [N, K]. ValueError for floats."""
        if isinstance(self.format, Float):
            raise ValueError(f"format = {self.format}: integer weights are needed")
        if isinstance(self.format, Codebook):
            return self.format.decode(self.codes).long()
        return self.codes if self.zeros is None else self.codes - self._spread(self.zeros)

    def _spread(self, per_group: "Tensor") -> "Tensor":
        return per_group.repeat_interleave(self.group, dim=1)[:, : self.codes.shape[1]]


@dataclass(frozen=True)
class ScaleLevels:
    """Scales of weights in two levels.

    Attributes
    ----------
    format : of the groups' scales.
    codes : int64 [N, G], not negative.
    channel_scales : float32 [N], finite and not negative.

    Raises
    ------
    ValueError
        For shapes that do not fit each other, codes that are none of the format or negative, and
        for other channel scales, naming the first.
    """

    format: Integer
    codes: "Tensor"
    channel_scales: "Tensor"

    def __post_init__(self):
        if self.codes.dim() != 2 or self.channel_scales.shape != self.codes.shape[:1]:
            raise ValueError(
                f"channel_scales of weights have shape {tuple(self.channel_scales.shape)}, the"
                f" codes of scales {tuple(self.codes.shape)}: [N] and [N, G] are needed"
            )
        highest = self.format.maximum
        refuse(
            ((self.codes < 0) | (self.codes > highest)).numpy(),
            self.codes.numpy(),
            "codes of scales",
            f"0 to {highest} are allowed in {self.format}",
        )
        _refuse_scales(self.channel_scales, "channel_scales of weights")

    @property
    def scales(self) -> "Tensor":
        """The products of both levels, exactly, float64 [N, G]."""
        return self.codes.double() * self.channel_scales.double()[:, None]

    @property
    def divisors(self) -> "Tensor":
        """The products as values are divided by them, float32 [N, G]."""
        import torch

        return self.scales.clamp(max=torch.finfo(torch.float32).max).float()


@dataclass(frozen=True)
class QuantisedActivations:
    """Activations [tokens, K] in codes; made by ``quantise_activations``.

    Attributes
    ----------
    codes : int64 [tokens, K]; of integers from -q_max to q_max.
    scales : float32 [tokens], finite and not negative.

    Raises ValueError for other scales, naming the first.
    """

    format: Integer | Float
    codes: "Tensor"
    scales: "Tensor"

    def __post_init__(self):
        _refuse_scales(self.scales, "scales of activations")

    def dequantised(self) -> "Tensor":
        """The values scale code, exactly, float64 [tokens, K]."""
        return self.format.decode(self.codes) * self.scales.double()[:, None]


def require_operands(activations: object, weights: object) -> None:
    """TypeError unless both are quantised; of folded weights it says what takes those."""
    require_type("activations", activations, QuantisedActivations)
    taken_by = getattr(type(weights), "taken_by", None)
    if taken_by is not None:
        kind = type(weights).__name__
        raise TypeError(f"weights must be QuantisedWeights, not {kind}: {taken_by}")
    require_type("weights", weights, QuantisedWeights)


def require_scales(scales: "Tensor | None", levels: ScaleLevels | None) -> None:
    """ValueError unless scales of weights are finite and not negative, and of two levels their
    products."""
    import torch

    if scales is not None:
        _refuse_scales(scales, "scales of weights")
    if levels is None:
        return
    if scales is None or not torch.equal(scales, levels.scales):
        raise ValueError("scales of weights are not the products of their two levels")


def _refuse_scales(scales: "Tensor", name: str) -> None:
    import torch

    bad = ~(torch.isfinite(scales) & (scales >= 0))
    refuse(bad.numpy(), scales.numpy(), name, "finite numbers that are not negative are needed")
