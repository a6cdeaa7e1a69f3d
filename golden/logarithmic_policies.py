"""What a multiplier that adds codes does where the sum is no product: choices and presets.

The paper of L-Mul leaves these cases open as far as we could read it, and those who built it
differ. Each choice is an enum; a preset is what one implementation chose.
"""

from dataclasses import dataclass
from enum import Enum

__all__ = [
    "PRESETS",
    "Policies",
    "Preset",
    "SmallOperands",
    "SpecialOperands",
    "SpecialSums",
    "SumOverflow",
    "SumUnderflow",
    "ZeroSign",
]


class _Choice(Enum):
    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class SmallOperands(_Choice):
    """Which operands make the product zero.

    =====  ===========================================================================
    FLUSH  all with an exponent field of 0: zeros and subnormal numbers
    ZERO   zeros; codes of subnormal numbers are added as if they were normal
    ADD    none: codes of zero are added as well, so that 0 times 1 is not 0
    =====  ===========================================================================
    """

    FLUSH = "flush"
    ZERO = "zero"
    ADD = "add"


class SpecialOperands(_Choice):
    """What infinite and NaN operands give, in formats that have them.

    =====  ===========================================================================
    IEEE   a NaN operand, and infinity times what counts as zero, give NaN; otherwise an
           infinite operand gives infinity
    ADD    their codes are added like any other
    =====  ===========================================================================
    """

    IEEE = "ieee"
    ADD = "add"


class SumUnderflow(_Choice):
    """Which sums below the smallest normal number become zero.

    ========  ========================================================================
    FLUSH     all of them
    NEGATIVE  negative ones; what has an exponent field of 0 stays and is read as the code says
    WRAP      none: sums are taken modulo 2**(exponent_bits + mantissa_bits)
    ========  ========================================================================
    """

    FLUSH = "flush"
    NEGATIVE = "negative"
    WRAP = "wrap"


class SumOverflow(_Choice):
    """What a sum beyond all magnitudes becomes.

    ========  ========================================================================
    INFINITY  infinity; in a format without it NaN, and in one without both as SATURATE
    SATURATE  the highest finite number
    ALL_ONES  the magnitude of all ones, whatever that is in the format
    WRAP      the sum modulo 2**(exponent_bits + mantissa_bits)
    ========  ========================================================================
    """

    INFINITY = "infinity"
    SATURATE = "saturate"
    ALL_ONES = "all_ones"
    WRAP = "wrap"


class SpecialSums(_Choice):
    """What becomes of sums that are the code of infinity or NaN.

    ========  ========================================================================
    OVERFLOW  they are beyond all magnitudes, and SumOverflow says what they become
    KEEP      they stay, and so finite operands may give infinity or NaN
    ========  ========================================================================
    """

    OVERFLOW = "overflow"
    KEEP = "keep"


class ZeroSign(_Choice):
    """The sign of a product that is zero.

    ==========  ======================================================================
    PRODUCT     the exclusive or of the operands' signs
    UNDERFLOW   that of sums that underflow; zero operands give +0
    POSITIVE    +0, but for a sum that is 0 and kept: it has the product's sign
    ==========  ======================================================================
    """

    PRODUCT = "product"
    UNDERFLOW = "underflow"
    POSITIVE = "positive"


@dataclass(frozen=True)
class Policies:
    """One of each choice."""

    small_operands: SmallOperands
    special_operands: SpecialOperands
    underflow: SumUnderflow
    overflow: SumOverflow
    special_sums: SpecialSums
    zero_sign: ZeroSign


class Preset(_Choice):
    """Whose choices are made.

    ===================  =============================================================
    STANDARD             ours: IEEE 754 but for subnormal numbers, which are zero
    UCSD_2025            UC San Diego DSC 180B 2025, combinational PyRTL
    UCSD_2025_PIPELINED  the same project's pipelined PyRTL: no test for zero at all
    UCSD_2026            UC San Diego DSC 180B 2026, Verilog for BF16, which is called L-Mul there
                         and has offset 0, so that it is Mitchell's
    AXCORE               the CUDA baseline "L-Mul" of AxCore (MICRO 2025)
    ===================  =============================================================

    Others' choices are as facts about their public sources were taken down in our notes; where
    these say nothing of infinite and NaN codes, they are added like any other. The model of
    ApproxTrain is missing, since it judges these cases by the exact product.
    """

    STANDARD = "standard"
    UCSD_2025 = "ucsd_2025"
    UCSD_2025_PIPELINED = "ucsd_2025_pipelined"
    UCSD_2026 = "ucsd_2026"
    AXCORE = "axcore"


PRESETS = {
    Preset.STANDARD: Policies(
        SmallOperands.FLUSH,
        SpecialOperands.IEEE,
        SumUnderflow.FLUSH,
        SumOverflow.INFINITY,
        SpecialSums.OVERFLOW,
        ZeroSign.PRODUCT,
    ),
    Preset.UCSD_2025: Policies(
        SmallOperands.FLUSH,
        SpecialOperands.ADD,
        SumUnderflow.NEGATIVE,
        SumOverflow.SATURATE,
        SpecialSums.KEEP,
        ZeroSign.POSITIVE,
    ),
    Preset.UCSD_2025_PIPELINED: Policies(
        SmallOperands.ADD,
        SpecialOperands.ADD,
        SumUnderflow.NEGATIVE,
        SumOverflow.ALL_ONES,
        SpecialSums.KEEP,
        ZeroSign.PRODUCT,
    ),
    Preset.UCSD_2026: Policies(
        SmallOperands.FLUSH,
        SpecialOperands.ADD,
        SumUnderflow.NEGATIVE,
        SumOverflow.ALL_ONES,
        SpecialSums.KEEP,
        ZeroSign.POSITIVE,
    ),
    Preset.AXCORE: Policies(
        SmallOperands.ZERO,
        SpecialOperands.ADD,
        SumUnderflow.NEGATIVE,
        SumOverflow.WRAP,
        SpecialSums.KEEP,
        ZeroSign.UNDERFLOW,
    ),
}
"""preset -> its choices"""
