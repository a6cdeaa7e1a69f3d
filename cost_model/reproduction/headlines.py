"""The papers' headline figures, each beside ours from one experiment."""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multipede.cost_model.reproduction.claims import Claim, Claims

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = ["PAPERS", "headlines", "published_headlines"]

_TARGET = "n28"


def headlines(paper: str) -> Claims:
    """All headline figures of a paper, the experiments run as their commands do by default.

    ValueError for another paper; as the experiments raise.
    """
    rows = published_headlines(paper)
    ours = _EXPERIMENTS[paper]()
    return Claims(
        f"headline figures of {paper}",
        tuple(
            Claim(
                what=row["what"],
                published=row["published"],
                ours=ours.get(row["ours"]) if "ours" in row else None,
                unit=row["unit"],
                source=row["source"],
                differs=row["differs"],
            )
            for row in rows
        ),
    )


def published_headlines(paper: str) -> list[Mapping[str, Any]]:
    """What is published. ValueError for another paper."""
    if paper not in PAPERS:
        raise ValueError(f"paper = {paper!r}: allowed are {', '.join(PAPERS)}")
    return _table()[paper]


@cache
def _table() -> dict[str, list[Mapping[str, Any]]]:
    return tomllib.loads(Path(__file__).with_name("headlines.toml").read_text())


PAPERS = tuple(_table())
"""by their units"""


def _clock(period: float) -> "Constraints":
    from multipede.asic_flow import Constraints

    return Constraints(clock_period=period)


def _mixpe() -> dict[str, float]:
    from multipede.cost_model.reproduction.mixpe_workloads import mixpe_workloads

    speed, energy, *_ = mixpe_workloads(_TARGET, constraints=_clock(2.0)).rows
    return {"speed": speed.ours, "energy": energy.ours}


def _lut_tensor_core() -> dict[str, float]:
    from multipede.cost_model.reproduction.effective_area import effective_areas
    from multipede.cost_model.reproduction.lut_tensor_core import (
        GROUP,
        ablation,
        with_tables,
    )
    from multipede.cost_model.reproduction.lut_tensor_core_workloads import (
        lut_tensor_core_workloads,
    )
    from multipede.golden.codebook import ODD
    from multipede.golden.formats import INT8
    from multipede.golden.lut_tensor_core import LutTensorCore, Tables

    steps = ablation(_TARGET, constraints=_clock(2.0))
    first, last = steps.rows[0], steps.rows[-1]
    tile = LutTensorCore(
        weight=ODD[0], activation=INT8, zero_point=False, group=GROUP, rows=2, columns=64, lanes=4,
        tables=Tables.EXTERNAL,
    )  # fmt: skip
    units = {"W1A8": with_tables(tile)}
    (row,) = effective_areas(units, _TARGET, constraints=_clock(2.0), with_power=True)
    whole = lut_tensor_core_workloads(_TARGET, constraints=_clock(4.0)).rows
    lookups = [claim for claim in whole if claim.what.startswith("lookups")]
    return _known(
        intensity=steps.ratio(last),
        power=_quotient(first.energy, last.energy),
        # Two operations in a multiply-accumulate, and 1 pJ for one is 1 TOPs/W.
        tops_per_watt=_quotient(2.0, row.energy),
        speed=max(claim.ours for claim in lookups if claim.what.endswith("faster")),
    )


def _lmul() -> dict[str, float]:
    from multipede.cost_model.reproduction.lmul_costs import lmul_costs

    found = lmul_costs(_TARGET, constraints=_clock(4.0))
    pages = {"multiplier": found.multipliers, "dot_product": found.tiles}
    return _known(**{name: _most_saved(page) for name, page in pages.items()})


def _most_saved(page: Mapping[str, Any]) -> float | None:
    """Of the exact one's energy, by L-Mul itself, over the formats."""
    savings = [
        1 - row.energy / rows[0].energy
        for rows in page.values()
        for row in rows[1:]
        if row.label.startswith("L-Mul") and row.energy and rows[0].energy
    ]
    return max(savings, default=None)


def _quadinr() -> dict[str, float]:
    from multipede.cost_model.reproduction.quadinr_costs import QUADINR, quadinr_costs
    from multipede.cost_model.reproduction.quadinr_images import QUADINR as PICTURED
    from multipede.cost_model.reproduction.quadinr_images import images

    period, bits = 1.5, 16
    found = quadinr_costs(_TARGET, constraints=_clock(period), bits=(bits,))
    pictures = images()
    names = {row.activation for row in pictures.rows} - {PICTURED}
    gain = max((pictures.gain(name) for name in names), default=None)
    rows = {row.label: row for row in found.rows[bits] if not row.error}
    ours = rows.pop(QUADINR, None)
    if ours is None:
        return _known(gain=gain)
    delays = [row.latency(period) for row in rows.values()]
    return _known(
        area=ours.area,
        power=_quotient(ours.energy, period),
        saving=max((1 - ours.area / row.area for row in rows.values()), default=None),
        latency_saving=max((1 - ours.latency(period) / delay for delay in delays), default=None),
        gain=gain,
    )


def _bitmod() -> dict[str, float]:
    from multipede.cost_model.reproduction.bitmod_workloads import bitmod_workloads
    from multipede.cost_model.validation import validate_n28

    found = {row.what: row.ours for row in bitmod_workloads().rows}
    (pe,) = (row.ours for row in validate_n28().rows if row.point.name == "processing element")
    return _known(**found, pe_area=pe)


_EXPERIMENTS: Mapping[str, Callable[[], dict[str, float]]] = {
    "mixpe": _mixpe,
    "lut_tensor_core": _lut_tensor_core,
    "quadinr": _quadinr,
    "lmul": _lmul,
    "bitmod": _bitmod,
}


def _quotient(above: float | None, below: float | None) -> float | None:
    return None if above is None or not below else above / below


def _known(**figures: float | None) -> dict[str, float]:
    """Those that there are."""
    return {name: figure for name, figure in figures.items() if figure is not None}
