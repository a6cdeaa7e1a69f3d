"""Our model of workloads with what BitMoD's simulator assumes, against what BitMoD publishes."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from multipede.cost_model.reproduction.claims import Claim, Claims
from multipede.cost_model.workloads.array import Array, Memory
from multipede.cost_model.workloads.transformers import Transformer, transformer

__all__ = ["bitmod_workloads"]

_DIFFERS = (
    "The arrays, their energies and the memory are as the authors' simulator has them; energies of"
    " the buffers are ours, and how operands that do not fit are divided, too."
)
_PHASES = ("prefill", "generation")


def bitmod_workloads() -> Claims:
    """How much faster BitMoD's array is than that of FP16 multipliers of the same area, and its
    share of the energy: prefill alone, and with 20 generated tokens behind it. Means over the
    paper's models."""
    table = _table()
    rows = []
    for name, phases in table["published"].items():
        for phase in _PHASES:
            found = [
                (_taken("fp16", model, phase), _taken(name, model, phase))
                for model in map(transformer, table["models"])
            ]
            ours = {
                "speed": fmean(base[0] / mine[0] for base, mine in found),
                "energy": fmean(mine[1] / base[1] for base, mine in found),
            }
            rows += [
                Claim(
                    what=f"{name}, {phase}, {_WHAT[figure]}",
                    published=phases[phase][figure],
                    ours=ours[figure],
                    unit=f"of {figure}",
                    source=table["source"],
                    differs=_DIFFERS,
                )
                for figure in ("speed", "energy")
            ]
    return Claims(
        "BitMoD's arrays on whole models, relative to one of FP16 multipliers of equal area",
        tuple(rows),
        (f"published: {table['source']}", f"assumed: {table['simulator']['source']}"),
    )


_WHAT = {"speed": "times as fast", "energy": "share of energy"}


def _taken(name: str, model: Transformer, phase: str) -> tuple[float, float]:
    """Seconds and joules."""
    simulator = _table()["simulator"]
    tokens = simulator["prefill_tokens"]
    costs = [_array(name, 0).cost(model.prefill(tokens))]
    if phase == "generation":
        behind = range(tokens + 1, tokens + 1 + simulator["generated_tokens"])
        costs += [_array(name, 1).cost(model.decode(context)) for context in behind]
    return sum(cost.seconds for cost in costs), sum(cost.energy for cost in costs)


def _array(name: str, decoding: int) -> Array:
    """In prefill or in decode."""
    simulator, array = _table()["simulator"], _table()["array"][name]
    columns, rows = array["decode" if decoding else "prefill"]
    return Array(
        rows=rows,
        columns=columns,
        lanes=array["lanes"],
        clock_period=simulator["clock_period"],
        energy=array["energy"] * rows * columns * simulator["place_and_route"],
        area=array["area"] * rows * columns,
        weight_bits=array["weight_bits"][decoding],
        activation_bits=16,
        cache_bits=array["cache_bits"],
        interval=array["intervals"][decoding],
        cache_interval=array["cache_interval"],
        memory=Memory(
            weight_buffer=simulator["buffer"],
            activation_buffer=simulator["buffer"],
            bits_per_clock=simulator["bits_per_clock"],
            dram_energy=simulator["dram_energy"],
            double=False,
        ),
    )


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("bitmod.toml").read_text())
