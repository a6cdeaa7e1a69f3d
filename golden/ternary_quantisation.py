"""Ternary weights: -1, 0 and 1 times a scale per group, as two bits with a zero point.

By the rule of BitNet b1.58 for each group, rounded as in :mod:`~multipede.golden.quantisation`::

    scale = fl(mean magnitude)
    t     = clamp(rne(fl(w / scale)), -1, 1)          w is about scale t

The mean is taken as that of ``binary`` weights there. A group of zeros, or whose scale underflows,
has scale 0 and only t = 0. Codes are t + 1 in ``uint2`` with zero point 1 everywhere, so that t is
code - z, code 3 does not occur, and tables of signed sums take two bit planes: reinterpreted, the
code is 2 t - 1 and the zero point is -1.

Source: Ma et al., The Era of 1-bit LLMs, arXiv 2402.17764, equations 1 to 3, where weights of a
whole matrix are one group and a small number is added to the scale.
"""

from typing import TYPE_CHECKING

from multipede.golden.formats import UINT2, Integer
from multipede.golden.number_format import require_range
from multipede.golden.odd_quantisation import mean_magnitudes
from multipede.golden.quantisation import (
    MAXIMUM_GROUP,
    QuantisedWeights,
    finite_matrix,
    in_groups,
    require_second_level,
    scale_levels,
)

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["quantise_ternary"]


def quantise_ternary(
    weights: "Tensor", *, group: int, scale: Integer | None = None, name: str = "weights"
) -> QuantisedWeights:
    """Codes 0 to 2 in ``uint2``, zero points 1 and scales of ``weights`` by the rule above.

    Parameters
    ----------
    weights : floating-point [N, K], finite; taken as float32.
    group : values of k that share a scale, 1 to 1024.
    scale : integer format of 2 to 8 bits for the groups' scales below one scale per output; None
        for scales of one level.
    name : of the tensor, for messages.

    Raises TypeError and ValueError as :func:`~multipede.golden.quantisation.quantise_weights`.
    """
    import torch

    require_range("group", group, 1, MAXIMUM_GROUP)
    require_second_level(scale)
    values = finite_matrix(weights, name)
    columns = values.shape[1]
    grouped = in_groups(values, group)
    scales = mean_magnitudes(grouped, columns)
    levels = None if scale is None else scale_levels(scales, scale)
    divisors = scales if levels is None else levels.divisors
    # By infinity everything becomes 0.
    divisors = torch.where(divisors == 0, torch.inf, divisors)
    steps = torch.round(grouped / divisors[..., None]).clamp(-1, 1).to(torch.int64)
    codes = (steps + 1).flatten(1)[:, :columns].contiguous()
    scales = scales if levels is None else levels.scales
    zeros = torch.ones(scales.shape, dtype=torch.int64)
    return QuantisedWeights(UINT2, group, codes, zeros, scales, levels)
