"""Scales and codes of odd weights, by the rules of :mod:`~multipede.golden.quantisation`."""

from typing import TYPE_CHECKING

from multipede.golden.codebook import BINARY, ODD, Codebook
from multipede.golden.number_format import require_kinds

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["mean_magnitudes", "odd_codes", "odd_scales", "require_odd", "ternary_hint"]


def require_odd(name: str, number_format: object) -> None:
    """TypeError unless it is a codebook, ValueError unless that is ``binary`` or odd."""
    require_kinds(name, number_format, (Codebook,))
    if number_format not in ODD:
        allowed = ", ".join(odd.name for odd in ODD)
        hint = ternary_hint(number_format)
        raise ValueError(f"{name} = {number_format}: of codebooks allowed are {allowed}{hint}")


def ternary_hint(number_format: Codebook) -> str:
    """What a message about weights of another codebook says at its end, if those are ternary."""
    if set(number_format.values) - {None} != {-1, 0, 1}:
        return ""
    return "; ternary weights are uint2 with zero points of 1, as quantise_ternary makes them"


def odd_scales(grouped: "Tensor", number_format: Codebook, columns: int) -> "Tensor":
    """Scales float32 [N, G] of values [N, G, group], of which ``columns`` are there along k."""
    if number_format == BINARY:
        return mean_magnitudes(grouped, columns)
    return grouped.abs().amax(dim=-1) / number_format.maximum


def odd_codes(values: "Tensor", scales: "Tensor", number_format: Codebook) -> "Tensor":
    """Codes int64 of values [..., group] with scales [...]."""
    import torch

    if number_format == BINARY:
        return (values >= 0).to(torch.int64)
    divisors = torch.where(scales == 0, torch.inf, scales)
    steps = (values / divisors[..., None]).double()  # whose halves are exact
    codes = torch.floor(steps / 2) + (1 << (number_format.bits - 1))
    return codes.clamp(0, (1 << number_format.bits) - 1).to(torch.int64)


def mean_magnitudes(grouped: "Tensor", columns: int) -> "Tensor":
    """Means of magnitudes, float32 [N, G], of values [N, G, group].

    ``columns`` values are there along k; those behind them are 0 and do not count. The sums are
    taken in float64, in order of k, so that they are the same on every machine.
    """
    import torch

    _, groups, group = grouped.shape
    sums = torch.zeros(grouped.shape[:2], dtype=torch.float64)
    for place in range(group):
        sums += grouped[:, :, place].abs()
    counts = torch.full((groups,), group)
    counts[-1] = columns - group * (groups - 1)
    return (sums / counts).to(torch.float32)
