"""What products by addition save on standard cells: alone, and with the adder behind them."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from multipede.cost_model.reproduction.effective_area import EffectiveArea, effective_areas
from multipede.cost_model.reproduction.reproduction import conditions
from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.exact_lmul_tile import ExactLMulTile
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.formats import BF16, E4M3, E5M2, FP16, FP32, Float
from multipede.golden.lmul import LMul
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import Correction, product_format
from multipede.golden.mitchell import Mitchell
from multipede.golden.number_format import require_kinds
from multipede.golden.spec import Spec

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = [
    "FORMATS",
    "LMulCosts",
    "checked_formats",
    "claims",
    "lmul_costs",
    "multiplier_units",
    "published_lmul",
    "tile_units",
]

FORMATS = (E5M2, E4M3, BF16, FP16, FP32)
EXACT = "exact, rounded once"
STAGES = 2
"""Register ranks of a multiply-accumulate: behind the product, and the accumulator."""


@dataclass(frozen=True)
class LMulCosts:
    """Multipliers, and multiply-accumulates, by format.

    Attributes
    ----------
    title : what was measured. multipliers, tiles : format -> rows, the exact one first.
    notes : the conditions, and the published claims.
    """

    title: str
    multipliers: Mapping[str, tuple[EffectiveArea, ...]]
    tiles: Mapping[str, tuple[EffectiveArea, ...]]
    notes: tuple[str, ...]

    @property
    def errors(self) -> list[str]:
        """Which rows have no figures, and why."""
        return [
            f"{name}, {row.label} failed: {row.error}"
            for page in (self.multipliers, self.tiles)
            for name, rows in page.items()
            for row in rows
            if row.error
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        pages = {"multipliers": self.multipliers, "multiply_accumulates": self.tiles}
        return {
            "title": self.title,
            **{
                page: {
                    name: [
                        row.to_dict() | {"area_saving": area, "energy_saving": energy}
                        for row, (area, energy) in zip(rows, _savings(rows), strict=True)
                    ]
                    for name, rows in found.items()
                }
                for page, found in pages.items()
            },
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = [self.title]
        for heading, page in (
            ("one multiplication", self.multipliers),
            ("one multiply-accumulate", self.tiles),
        ):
            width = max(len(row.label) for rows in page.values() for row in rows)
            head = f"{'area, um2':>12}{'less':>9}{'delay, ps':>11}{'energy, pJ':>12}{'less':>9}"
            lines += ["", f"{heading:{width + 10}}{head}"]
            for name, rows in page.items():
                lines += [
                    _line(name, row, s, width) for row, s in zip(rows, _savings(rows), strict=True)
                ]
        return "\n".join([*lines, "", *self.notes, *self.errors])


def _savings(rows: Sequence[EffectiveArea]) -> list[tuple[float | None, float | None]]:
    """Of each row, by how much of the first its area and its energy are less."""
    first = rows[0]
    return [
        tuple(
            None if None in pair else 1 - pair[1] / pair[0]
            for pair in ((first.area, row.area), (first.energy, row.energy))
        )
        for row in rows
    ]


def _line(
    name: str, row: EffectiveArea, savings: tuple[float | None, float | None], width: int
) -> str:
    line = f"{name:10}{row.label:{width}}"
    if row.error:
        return f"{line}{'failed':>12}"
    area, energy = savings
    line += f"{row.area:12,.1f}{_share(area)}{row.delay:11,.0f}"
    line += f"{row.energy:12.4f}{_share(energy)}" if row.energy is not None else f"{'-':>12}"
    return line + ("" if row.holds_clock else "  misses the clock")


def _share(saving: float | None) -> str:
    return f"{'-':>9}" if not saving else f"{saving:9.1%}"


def lmul_costs(
    target: str = "n28",
    *,
    constraints: "Constraints",
    formats: Sequence[Float] = FORMATS,
    records: int = 1000,
) -> LMulCosts:
    """Area, delay and energy of multipliers of each format, and with an adder behind them.

    Parameters
    ----------
    target, constraints, records : as of
        :func:`~multipede.cost_model.reproduction.effective_area.effective_areas`.
    formats : floats of at most 32 bits with a mantissa.

    Raises
    ------
    As there; TypeError and ValueError for formats that the units do not take.
    """
    checked_formats(formats)
    makers = {"multipliers": multiplier_units, "tiles": tile_units}
    units = {
        page: {f.name: maker(f) for f in formats} for page, maker in makers.items()
    }  # all made before the first is synthesised, so that what is wrong is told at once
    pages = {
        page: {
            name: tuple(
                effective_areas(
                    some, target, constraints=constraints, with_power=True, records=records
                )
            )
            for name, some in found.items()
        }
        for page, found in units.items()
    }
    rows = [row for page in pages.values() for found in page.values() for row in found]
    return LMulCosts(
        "L-Mul and its rivals on standard cells; energy of random operands",
        **pages,
        notes=(*claims(), *conditions(rows, constraints)),
    )


def checked_formats(formats: Sequence[Float]) -> None:
    """Raises TypeError, ValueError unless there are some, all floats."""
    if not formats:
        raise ValueError("formats is empty: at least one is needed")
    for number_format in formats:
        require_kinds("formats", number_format, (Float,))


def multiplier_units(number_format: Float) -> dict[str, Spec]:
    """A format's multipliers, the exact one first."""
    f = number_format
    return {
        EXACT: FloatMultiplier(a=f, b=f, result=f),
        "L-Mul": LMul(format=f),
        "Mitchell": Mitchell(format=f),
        "compensated L-Mul": CompensatedLMul(format=f),
    }


def tile_units(number_format: Float) -> dict[str, Spec]:
    """Its multiply-accumulates: tiles of one row, column and lane, with sums in FP32, which the
    product is rounded to, but for the last."""
    f = number_format
    shape = {"rows": 1, "columns": 1, "lanes": 1, "stages": STAGES, "weight": f, "activation": f}
    labels = {
        "L-Mul": Correction.OFFSET,
        "Mitchell": Correction.NONE,
        "compensated L-Mul": Correction.TABLE,
    }
    tiles = {label: LMulTile(correction=which, **shape) for label, which in labels.items()}
    exact_sums = {"L-Mul, sums in fixed point": ExactLMulTile(**shape)}
    return {"exact product": FloatMultiplierTile(**shape), **tiles, **exact_sums}


def claims() -> tuple[str, ...]:
    """What the paper claims, and what such figures follow from."""
    published = published_lmul()
    energies = published["energies"]
    add, fp_add, multiply = (energies[n] for n in ("int32_add", "fp32_add", "fp32_multiply"))
    alone, together = 1 - add / multiply, 1 - (add + fp_add) / (multiply + fp_add)
    texts = [f"{c['of']} {c['saving']:.0%}" for c in map(published.get, _CLAIMS)]
    return (
        f"published ({published['source']}), less {texts[0]}, less {texts[1]}",
        f"derived from {add} pJ for an integer addition instead of {multiply} pJ for an FP32"
        f" multiplication ({energies['source']}): {alone:.1%} alone, {together:.1%} with an FP32"
        f" addition of {fp_add} pJ",
        "ours are whole multipliers, with zeros, infinities, NaN and output registers; operands of"
        f" multiply-accumulates are converted, {E4M3} to {product_format(E4M3, E4M3)}; sums are"
        f" FP32, or exact in fixed point, wide enough for {ExactLMulTile.terms:,} of any products:"
        f" {_sum_bits(E4M3)} bits for {E4M3}, {_sum_bits(BF16)} for {BF16}",
    )


def _sum_bits(number_format: Float) -> int:
    return ExactLMulTile(weight=number_format, activation=number_format).accumulator.bits


_CLAIMS = ("element_wise", "dot_product")


@cache
def published_lmul() -> dict[str, Any]:
    """What is published."""
    text = files(__package__).joinpath("lmul.toml").read_text()
    return tomllib.loads(text)
