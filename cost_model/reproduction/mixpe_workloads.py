"""Whole models on arrays of MixPE tiles and of INT8 multipliers, of the same area."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import geometric_mean
from typing import TYPE_CHECKING, Any

from multipede.cost_model.baselines import baselines
from multipede.cost_model.reproduction.claims import Claim, Claims
from multipede.cost_model.workload import Comparison, compare_workload
from multipede.cost_model.workloads.array import Memory
from multipede.cost_model.workloads.transformers import transformer
from multipede.golden.mixpe import MixPE
from multipede.golden.tile import Tile

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = ["mixpe_workloads"]

_TILE = {"rows": 4, "columns": 4, "lanes": 8}
_AREA = 4.0
"""mm2 of tiles"""
_CLAIMED = (
    "The paper's rivals are whole accelerators, ANT, BitFusion and OliVe among them, in a simulator"
    " that does not model MixPE's own PE; ours are tiles of INT8 multipliers of the same area,"
    " accumulators and sums, and everything around is the same."
)
_RELEASED = (
    "The released simulator has four times as many PEs for W4A8 as for INT8 at the same power of"
    " each, and rows of power that are another project's; ours are synthesised."
)


def mixpe_workloads(
    target: str = "n28",
    *,
    constraints: "Constraints",
    batch: int | None = None,
) -> Claims:
    """MixPE W4A8 against INT8 multipliers on whole models, prefill and decode, at equal area.

    Options as of :func:`~multipede.cost_model.workload.compare_workload`. Raises as that.
    """
    table = _table()
    simulator = table["simulator"]
    batch = simulator["batch"] if batch is None else batch
    tiles = _tiles()
    memory = Memory(
        weight_buffer=simulator["weight_buffer"],
        activation_buffer=simulator["activation_buffer"],
        bits_per_clock=simulator["bits_per_clock"],
    )
    given = {"area": _AREA, "target": target, "constraints": constraints, "memory": memory}
    found = [
        compare_workload(tiles, model, phase, tokens, batch=batch, **given)
        for model, tokens in table["tokens"].items()
        for phase in ("prefill", "decode")
        if phase == "prefill" or not transformer(model).encoder
    ]
    rows = [_row(one, figure) for one in found for figure in ("speed", "energy")]
    return Claims(
        f"MixPE W4A8 against INT8 multipliers on {_AREA:g} mm2 of tiles, batch {batch}",
        (*_means(found), *rows),
        (
            f"published: {table['claim']['source']}, {table['claim']['of']}",
            *dict.fromkeys(note for one in found for note in one.notes),
        ),
    )


def _tiles() -> dict[str, Tile]:
    """MixPE first, and the multipliers of INT8 weights."""
    every = baselines(MixPE(**_TILE))
    chosen = [label for label in every if "uint4" not in label or label.startswith("mixpe")]
    return {label: every[label] for label in chosen}


def _best(found: Comparison) -> tuple[float, float]:
    """How much slower the fastest of the rivals is, and the energy of the thriftiest."""
    ratios = [pair for row in found.rows[1:] if (pair := found.ratios(row)) is not None]
    if not ratios:
        raise ValueError("; ".join(found.errors))
    return min(time for time, _ in ratios), min(energy for _, energy in ratios)


def _means(found: Sequence[Comparison]) -> list[Claim]:
    claim, released = _table()["claim"], _table()["released"]
    best = {
        "speed": geometric_mean(_best(one)[0] for one in found),
        "energy": geometric_mean(_best(one)[1] for one in found),
    }
    return [
        Claim(
            what=f"{_WHAT[figure]}, {where}",
            published=published[figure],
            ours=best[figure],
            unit="times",
            source=source,
            differs=differs,
        )
        for published, source, where, differs in (
            (claim, claim["source"], "mean of the claim", _CLAIMED),
            (released["int8_over_mixpe"], released["source"], "released simulator", _RELEASED),
        )
        for figure in ("speed", "energy")
    ]


def _row(found: Comparison, figure: str) -> Claim:
    """Of one model and phase; the paper has only the means."""
    claim = _table()["claim"]
    return Claim(
        what=f"{found.title.partition(', batch')[0]}: {_WHAT[figure]}",
        published=None,
        ours=_best(found)[figure == "energy"],
        unit="times",
        source=claim["source"],
        differs=_CLAIMED,
    )


_WHAT = {"speed": "faster", "energy": "less energy"}


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("mixpe.toml").read_text())
