"""Random operands of lookup products, of any weight format."""

import torch

from multipede.golden.formats import INT8, Codebook, Integer
from multipede.golden.quantisation import QuantisedActivations, QuantisedWeights

__all__ = ["lookup_operands"]


def lookup_operands(
    weight: Integer | Codebook,
    *,
    zero_point: bool = False,
    activation: Integer = INT8,
    tokens: int = 5,
    outputs: int = 7,
    inner: int = 45,
    group: int = 16,
    seed: int = 1,
) -> tuple[QuantisedActivations, QuantisedWeights]:
    """All codes equally likely, the first row of each operand at the lowest; scales are powers of
    two and three, which every format of scales holds."""
    generator = torch.Generator().manual_seed(seed)

    def codes(number_format, *shape: int) -> torch.Tensor:
        listed = torch.from_numpy(number_format.codes())
        picked = listed[torch.randint(0, len(listed), shape, generator=generator)]
        picked[0] = listed[0]
        return picked

    groups = -(-inner // group)
    scales = 2.0 ** torch.randint(-4, 3, (outputs, groups), generator=generator)
    scales = torch.where(torch.rand(scales.shape, generator=generator) < 0.5, scales, 3 * scales)
    return (
        QuantisedActivations(
            activation, codes(activation, tokens, inner), torch.rand(tokens, generator=generator)
        ),
        QuantisedWeights(
            weight,
            group,
            codes(weight, outputs, inner),
            codes(weight, outputs, groups) if zero_point else None,
            scales,
        ),
    )
