"""MixPE: weights of few bits times activations by shift and add, dequantised once per group."""

from dataclasses import dataclass
from typing import ClassVar

from multipede.golden.formats import Integer
from multipede.golden.mixed_tile import MixedTile


@dataclass(frozen=True, kw_only=True)
class MixPE(MixedTile):
    """MixPE-style tile, for W4A8, W4A16 and their relatives.

    The product of a weight and an activation is the sum of copies of the activation, shifted by
    and gated with the weight's bits; the top copy of a signed weight is subtracted. Per group
    P = sum of w a and, once per row, S = sum of a give D = P - z S, so that dequantisation is
    postponed behind the group. The paper's block diagram and widths are not published: this is
    a reconstruction from its equations. Float activations, whose
    treatment the paper leaves open, are shifted to fixed point or aligned once per row and lane,
    and then added like integers; see :class:`MixedTile`.

    Parameters not named here are those of :class:`MixedTile` and :class:`IntegerTile`.

    Parameters
    ----------
    weight : integer format of 1 to 8 bits, signed or unsigned.
    activation : signed integer format of 4 to 16 bits, or signed float of at most 16 bits.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "mixpe"
    title: ClassVar[str] = "shift-and-add tile for weights of 1 to 8 bits"
    source: ClassVar[str] = (
        "Zhang et al., MixPE: Quantization and Hardware Co-design for Efficient LLM Inference,"
        " arXiv 2411.16158, section 3.2"
    )
    weight_bits: ClassVar[tuple[int, int]] = (1, 8)
    activation_bits: ClassVar[tuple[int, int]] = (4, 16)

    def __post_init__(self):
        super().__post_init__()
        if isinstance(self.activation, Integer) and not self.activation.signed:
            raise ValueError(f"activation = {self.activation}: mixpe takes int4 to int16")
