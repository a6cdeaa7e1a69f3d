"""What products by addition save on FPGAs: alone, and with the adder behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from multipede.cost_model.parallel_jobs import in_parallel
from multipede.cost_model.reproduction.fpga_counts import columns, counts, heading
from multipede.cost_model.reproduction.lmul_costs import (
    FORMATS,
    checked_formats,
    multiplier_units,
    published_lmul,
    tile_units,
)
from multipede.fpga import route
from multipede.fpga.chips import chip as chip_of
from multipede.fpga.place_and_route import checked_seeds
from multipede.golden.formats import Float
from multipede.golden.spec import Spec
from multipede.toolchain import ToolError

__all__ = ["LMulFpga", "Taken", "lmul_fpga"]

SEEDS = 3
_FAMILY = "xcup"
"""AMD's UltraScale+, for which such units are published"""
_PAGES = {"one multiplication": multiplier_units, "one multiply-accumulate": tile_units}


@dataclass(frozen=True)
class Taken:
    """A unit on FPGAs.

    Attributes
    ----------
    label : what it is. taken : family -> LUT, FF and DSP.
    frequency : the highest that it holds on the routed chip, MHz, median over the seeds.
    error : why there are no figures, or None.
    """

    label: str
    taken: Mapping[str, Mapping[str, int]] | None = None
    frequency: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class LMulFpga:
    """Multipliers, and multiply-accumulates, by format.

    Attributes
    ----------
    chip : that all are routed for.
    pages : of which units -> format -> rows, the exact one first.
    notes : the conditions, and the published claims.
    """

    chip: str
    pages: Mapping[str, Mapping[str, tuple[Taken, ...]]]
    notes: tuple[str, ...]

    @property
    def errors(self) -> list[str]:
        """Which rows have no figures, and why."""
        return [
            f"{page}, {name}, {row.label} failed: {row.error}"
            for page, formats in self.pages.items()
            for name, rows in formats.items()
            for row in rows
            if row.error
        ]

    def savings(self, page: str, name: str) -> dict[str, float]:
        """By how much fewer look-up tables each row of a format takes than the exact one."""
        exact, *others = self.pages[page][name]
        if exact.error:
            return {}
        of = exact.taken[_FAMILY]["lut"]
        return {row.label: 1 - row.taken[_FAMILY]["lut"] / of for row in others if not row.error}

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "chip": self.chip,
            "pages": {
                page: {
                    name: [
                        vars(row) | {"lut_saving": self.savings(page, name).get(row.label)}
                        for row in rows
                    ]
                    for name, rows in formats.items()
                }
                for page, formats in self.pages.items()
            },
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        families = (_FAMILY, chip_of(self.chip).family)
        title = chip_of(self.chip).title
        lines = [f"L-Mul and its rivals counted for {_FAMILY}, and routed for {title}"]
        for page, formats in self.pages.items():
            width = max(len(row.label) for rows in formats.values() for row in rows)
            lines += ["", f"{page:{width + 10}}{heading(families)}{'MHz':>8}{'LUT less':>10}"]
            for name, rows in formats.items():
                savings = self.savings(page, name)
                for row in rows:
                    line = f"{name:10}{row.label:{width}}"
                    if row.error:
                        lines.append(f"{line}{'failed':>11}")
                        continue
                    line += f"{columns(row.taken, families)}{row.frequency:8.1f}"
                    saved = savings.get(row.label)
                    lines.append(line + ("" if saved is None else f"{saved:10.1%}"))
        return "\n".join([*lines, "", *self.notes, *self.errors])


def lmul_fpga(
    chip: str = "ecp5-25f",
    *,
    formats: Sequence[Float] = FORMATS,
    seeds: int = SEEDS,
    workers: int | None = None,
) -> LMulFpga:
    """Look-up tables of UltraScale+ and the clock on a chip with open tools, of multipliers of each
    format, and with an adder behind them.

    Parameters
    ----------
    chip : to route for. formats : as of
        :func:`~multipede.cost_model.reproduction.lmul_costs.lmul_costs`.
    seeds : of the placer. workers : processes side by side; None for one per processor.

    Raises
    ------
    TypeError, ValueError
        For formats as there, an unknown chip, and as
        :func:`~multipede.fpga.place_and_route.route`.
    """
    checked_formats(formats)
    checked_seeds(seeds)
    chip_of(chip)
    jobs = [
        (page, f.name, label, spec)
        for page, units in _PAGES.items()
        for f in formats
        for label, spec in units(f).items()
    ]
    work = partial(_taken, chip=chip, seeds=seeds)
    found: dict[str, dict[str, list[Taken]]] = {}
    for (page, name, *_), row in zip(
        jobs, in_parallel(work, jobs, workers, what="unit"), strict=True
    ):
        found.setdefault(page, {}).setdefault(name, []).append(row)
    pages = {
        page: {name: tuple(rows) for name, rows in by_name.items()}
        for page, by_name in found.items()
    }
    return LMulFpga(chip, pages, _notes(seeds))


def _taken(job: tuple[str, str, str, Spec], *, chip: str, seeds: int) -> Taken:
    *_, label, spec = job
    try:
        taken = counts(spec, (_FAMILY, chip_of(chip).family))
        return Taken(label, taken, route(spec, chip, seeds=seeds).frequency)
    except (ToolError, ValueError) as error:
        return Taken(label, error=" ".join(str(error).split()))


def _notes(seeds: int) -> tuple[str, ...]:
    claim = published_lmul()["fpga"]
    return (
        f"MHz: the median over the placer's seeds ({seeds}), of the unit between registers;"
        " multipliers have one register rank, multiply-accumulates two",
        "products are sums of rows in look-up tables, as none is to have DSP blocks; LUT counts are"
        " Yosys': Vivado packs pairs of small functions into one LUT6",
        f"published ({claim['source']}): {claim['least']:.0%} to {claim['most']:.0%} less area of"
        f" {claim['of']}",
    )
