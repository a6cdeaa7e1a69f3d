"""How wrong L-Mul is by the width of the mantissa, and beside multipliers of 8-bit floats."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import E4M3, E5M2, FP32, Float
from multipede.golden.lmul import LMul, formula_products
from multipede.golden.logarithmic_multiplier import LogarithmicMultiplier
from multipede.golden.mitchell import Mitchell
from multipede.golden.multiplier_statistics import (
    ErrorStatistics,
    error_statistics,
    multiplier_statistics,
    rounded_reals,
)
from multipede.golden.number_format import require_range

__all__ = ["LMulStatistics", "MantissaRow", "lmul_statistics"]

MANTISSAS = (1, 2, 3, 4, 5, 6, 7, 10)
EXPONENT_BITS = 5
SEARCHED_BITS = 7
"""Mantissas for which all offsets are tried."""


@dataclass(frozen=True)
class MantissaRow:
    """Multipliers of floats of so many mantissa bits, whose operands are as they are.

    ``best_offset`` makes the mean error of L-Mul least, which then is ``best_mean``; both are None
    for wide mantissas.
    """

    mantissa_bits: int
    offset: int
    lmul: ErrorStatistics
    mitchell: ErrorStatistics
    compensated: ErrorStatistics
    best_offset: int | None
    best_mean: float | None


@dataclass(frozen=True)
class LMulStatistics:
    """Attributes
    ----------
    by_mantissa : rows for operands of each width. of_reals : label -> statistics of real operands.
    claims : what the paper says, and what we find.
    """

    by_mantissa: tuple[MantissaRow, ...]
    of_reals: dict[str, ErrorStatistics]
    claims: tuple[str, ...]
    errors: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "by_mantissa": [asdict(row) for row in self.by_mantissa],
            "of_reals": {label: found.to_dict() for label, found in self.of_reals.items()},
            "claims": list(self.claims),
        }

    def __str__(self) -> str:
        first = "relative errors over all pairs of mantissas, products against exact ones of the"
        lines = [f"{first} same operands", ""]
        lines.append(f"{'':8}{'L-Mul':>38}{'Mitchell':>24}{'compensated':>16}{'best offset':>18}")
        head = f"{'bits':>4}{'+':>4}{'bias':>10}{'mean':>9}{'maximum':>9}{'/ largest':>10}"
        lines.append(head + f"{'mean':>12}{'maximum':>12}{'mean':>16}{'':8}{'mean':>10}")
        lines += map(_line, self.by_mantissa)
        width = max(map(len, self.of_reals))
        lines += ["", "real operands, uniform from 1 to 2, rounded to the format first", ""]
        lines.append(f"{'':{width}}{'bias':>10}{'mean':>10}{'root mean square':>18}")
        lines += [
            f"{label:{width}}{found.bias:+10.2%}{found.mean:10.2%}{found.root_mean_square:18.2%}"
            for label, found in self.of_reals.items()
        ]
        notes = (
            "bits: of the mantissa; +: the paper's offset in units of its last bit; / largest: mean"
            " absolute error by the largest product",
            "reals: midpoint quadrature on a grid of 1024 x 1024",
        )
        return "\n".join([*lines, "", *notes, *self.claims])


def _line(row: MantissaRow) -> str:
    lmul, mitchell = row.lmul, row.mitchell
    line = f"{row.mantissa_bits:4}{row.offset:4}{lmul.bias:+10.3%}{lmul.mean:9.3%}"
    line += f"{lmul.maximum:9.2%}{lmul.normalised_mean:10.4f}{mitchell.mean:12.3%}"
    line += f"{mitchell.maximum:12.2%}{row.compensated.mean:16.3%}"
    if row.best_offset is None:
        return line + f"{'-':>8}{'-':>10}"
    return line + f"{row.best_offset:8}{row.best_mean:10.3%}"


def lmul_statistics(mantissas: Sequence[int] = MANTISSAS) -> LMulStatistics:
    """Statistics of L-Mul and its rivals, and the paper's claims about 8-bit floats.

    Parameters
    ----------
    mantissas : bits of mantissas, 1 to 11 each, all of whose pairs are tried.

    Raises TypeError or ValueError for others, or none.
    """
    if not mantissas:
        raise ValueError("mantissas is empty: at least one width is needed")
    for bits in mantissas:
        require_range("mantissas", bits, 1, 11)
    progress = tqdm(mantissas, desc="mantissas", unit="width", leave=False, disable=None)
    rows = tuple(map(_row, progress))
    reals = {
        label: multiplier_statistics(spec, rounded_operands=True)
        for label, spec in _real_rivals().items()
    }
    for bits in (3, 4):
        reals[f"L-Mul's formula, {bits} bits"] = _of_formula(Float(EXPONENT_BITS, bits))
    return LMulStatistics(rows, reals, tuple(_claims(reals)))


def _row(bits: int) -> MantissaRow:
    number_format = Float(EXPONENT_BITS, bits)
    lmul = LMul(format=number_format)
    found = {
        offset: multiplier_statistics(LMul(format=number_format, offset=offset)).mean
        for offset in range(_most(bits) + 1 if bits <= SEARCHED_BITS else 0)
    }
    best = min(found, key=found.get, default=None)
    others: list[LogarithmicMultiplier] = [
        Mitchell(format=number_format),
        CompensatedLMul(format=number_format),
    ]
    return MantissaRow(
        bits,
        lmul.correction,
        *map(multiplier_statistics, (lmul, *others)),
        best,
        found.get(best),
    )


def _most(bits: int) -> int:
    """Mitchell's sum lacks at most 3 - 2 sqrt(2) = 0.172, where both fractions are sqrt(2) - 1: an
    offset beyond a quarter is too large for every pair."""
    return min((1 << bits) - 1, max(1, 1 << bits >> 2))


def _real_rivals() -> dict[str, Any]:
    three, four = Float(EXPONENT_BITS, 3), Float(EXPONENT_BITS, 4)
    return {
        "e5m2, product rounded to e5m2": FloatMultiplier(a=E5M2, b=E5M2, result=E5M2),
        "e5m2, exact product": FloatMultiplier(a=E5M2, b=E5M2, result=FP32),
        "L-Mul, 3 bits": LMul(format=three),
        "Mitchell, 3 bits": Mitchell(format=three),
        "compensated L-Mul, 3 bits": CompensatedLMul(format=three),
        "e4m3, product rounded to e4m3": FloatMultiplier(a=E4M3, b=E4M3, result=E4M3),
        "e4m3, exact product": FloatMultiplier(a=E4M3, b=E4M3, result=FP32),
        "L-Mul, 4 bits": LMul(format=four),
        "L-Mul, 4 bits, l = 4": LMul(format=four, offset=1),
        "Mitchell, 4 bits": Mitchell(format=four),
        "compensated L-Mul, 4 bits": CompensatedLMul(format=four),
    }


def _of_formula(number_format: Float) -> ErrorStatistics:
    operands = rounded_reals(number_format)

    def products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return formula_products(number_format, a, b)

    return error_statistics(products, operands, operands)


def _claims(reals: dict[str, ErrorStatistics]) -> list[str]:
    """The abstract's two, by the mean error of real operands."""
    claims = [
        ("3-bit L-Mul is better than e5m2", "L-Mul, 3 bits", "e5m2", 1.0),
        # Within a tenth is what we take for comparable.
        ("4-bit L-Mul is comparable to e4m3", "L-Mul, 4 bits", "e4m3", 1.1),
    ]
    lines = []
    for text, ours, theirs, factor in claims:
        verdicts = []
        for kind in ("product rounded to " + theirs, "exact product"):
            rival = reals[f"{theirs}, {kind}"].mean
            holds = reals[ours].mean <= factor * rival
            verdicts.append(f"{'holds' if holds else 'does not hold'} against {rival:.2%} ({kind})")
        lines.append(
            f"published (arXiv 2410.00907, abstract): {text}; with {reals[ours].mean:.2%} on"
            f" average it {', and '.join(verdicts)}"
        )
    return lines
