"""Our model of workloads with what BitMoD's simulator assumes, against what BitMoD publishes."""

import tomllib
from collections.abc import Iterator, Mapping
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
    " the buffers are ours, and how operands that do not fit are divided; and ours keeps on the"
    " chip what fits of activations and results, which theirs moves to memory and back."
)
_PHASES = ("prefill", "generation")


def bitmod_workloads() -> Claims:
    """How much faster the arrays of BitMoD, ANT and OliVe are than that of FP16 multipliers, of
    about the same area, and their share of the energy: prefill alone, and with 20 generated tokens
    behind it, means over the paper's models. Then how much faster BitMoD is than the other two and
    how many times its energy they take, of which the paper has means of both phases."""
    table = _table()
    ours = {
        (name, phase): _against_fp16(name, phase)
        for name in table["published"]
        for phase in _PHASES
    }
    return Claims(
        "BitMoD's arrays on whole models, relative to one of FP16 multipliers of about equal area",
        (*_rows(ours), *_over_rivals(ours)),
        (f"published: {table['source']}", f"assumed: {table['simulator']['source']}"),
    )


_WHAT = {"speed": "times as fast", "energy": "share of energy"}


def _rows(ours: Mapping[tuple[str, str], Mapping[str, float]]) -> Iterator[Claim]:
    """Each array in each phase, against FP16."""
    table = _table()
    for (name, phase), figures in ours.items():
        for figure, mine in figures.items():
            yield Claim(
                what=f"{name}, {phase}, {_WHAT[figure]}",
                published=table["published"][name][phase][figure],
                ours=mine,
                unit=f"of {figure}",
                source=table["source"],
                differs=_DIFFERS,
            )


def _over_rivals(ours: Mapping[tuple[str, str], Mapping[str, float]]) -> Iterator[Claim]:
    """How much faster the lossy array is than others, and how many times its energy they take."""
    over = _table()["over"]
    mine = over["array"]
    for figure in ("speed", "energy"):
        for rival, published in over[figure].items():
            first, second = (mine, rival) if figure == "speed" else (rival, mine)
            ratios = (ours[first, one][figure] / ours[second, one][figure] for one in _PHASES)
            yield Claim(
                what=f"{first}, mean of both, over {second}",
                published=published,
                ours=fmean(ratios),
                unit=f"of {figure}",
                source=over[f"{figure}_source"],
                differs=_DIFFERS,
            )


def _against_fp16(name: str, phase: str) -> dict[str, float]:
    """How many times as fast an array is as that of FP16, and its share of the energy."""
    found = [
        (_taken("fp16", model, phase), _taken(name, model, phase))
        for model in map(transformer, _table()["models"])
    ]
    return {
        "speed": fmean(base[0] / mine[0] for base, mine in found),
        "energy": fmean(mine[1] / base[1] for base, mine in found),
    }


def _taken(name: str, model: Transformer, phase: str) -> tuple[float, float]:
    """Seconds and joules."""
    simulator = _table()["simulator"]
    tokens = simulator["prefill_tokens"]
    costs = [_array(name, model, 0).cost(model.prefill(tokens))]
    if phase == "generation":
        behind = range(tokens + 1, tokens + 1 + simulator["generated_tokens"])
        costs += [_array(name, model, 1).cost(model.decode(context)) for context in behind]
    return sum(cost.seconds for cost in costs), sum(cost.energy for cost in costs)


def _array(name: str, model: Transformer, decoding: int) -> Array:
    """For a model, in prefill or in decode."""
    simulator, array = _table()["simulator"], _table()["array"][name]
    columns, rows = array["decode" if decoding else "prefill"]
    return Array(
        rows=rows,
        columns=columns,
        lanes=array["lanes"],
        clock_period=simulator["clock_period"],
        energy=array["energy"] * rows * columns * simulator["place_and_route"],
        area=array["area"] * rows * columns,
        weight_bits=array["weight_bits_of"][model.name]
        if "weight_bits_of" in array
        else array["weight_bits"][decoding],
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
