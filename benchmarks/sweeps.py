"""How quick predictions are, beside synthesis, and what a sweep adds to what its points take."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.target import Target
from multipede.cost_model.predict import predict
from multipede.cost_model.sweeps.space import Space
from multipede.cost_model.sweeps.sweep import sweep
from multipede.cost_model.targets import synthesize
from multipede.golden.dequantiser import Dequantiser
from multipede.golden.float_adder import FloatAdder
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.lmul import LMul
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile
from multipede.golden.spec import Spec
from multipede.hw.arithmetic.summation import plan

__all__ = ["measure"]

_UNITS = (IntegerMultiplier(), LMul(), FloatAdder(), Dequantiser(), MixPE(), MultiplierTile())
_TILES = Space(
    "mixpe",
    {
        "weight": ["uint2", "uint3", "uint4", "uint8"],
        "activation": ["int4", "int8", "int12", "int16"],
        "rows": [1, 2, 3, 4, 6, 8],
        "columns": [1, 2, 3, 4, 6, 8],
        "lanes": [1, 2, 4, 8, 16],
        "stages": [1, 2, 3, 4],
    },
)
_SMALL = Space(
    "integer_multiplier",
    {"a": [f"int{n}" for n in range(4, 16)], "b": [f"int{n}" for n in range(4, 16)]},
    ["a.bits >= b.bits"],
)
_POINTS = 10_000
_TIMES = 7
"""predictions, as one takes milliseconds"""


def measure() -> list[Target]:
    """Predictions against synthesis, 10,000 of them, and a sweep's own time."""
    workers = min(2, os.cpu_count() or 1)
    first, again = _predicted(workers)
    return [
        Target(
            "prediction over synthesis, times as quick",
            _ratio(),
            1000,
            "x",
            f"median of {len(_UNITS)} units on n28, default parameters, empty cache",
            at_least=True,
        ),
        Target("sweep of 10,000 predicted points", first, 120, "s", f"{workers} processes"),
        Target("the same from its store", again, 5, "s", "a file of results"),
        Target(
            "sweep, time besides its points'",
            100 * _overhead(workers),
            5,
            "%",
            f"{_SMALL.combinations} combinations of small multipliers on n28, {workers} processes,"
            " empty cache",
        ),
    ]


def _ratio() -> float:
    """Of the times of one synthesis and of the predictions before it."""
    ratios = []
    with _empty_cache():
        for spec in _UNITS:
            predicted = median(_prediction(spec) for _ in range(_TIMES))
            began = time.perf_counter()
            synthesize(spec, "n28")
            ratios.append((time.perf_counter() - began) / predicted)
    return median(ratios)


def _prediction(spec: Spec) -> float:
    """s, nothing of the unit being known."""
    plan.cache_clear()
    began = time.perf_counter()
    predict(spec)
    return time.perf_counter() - began


def _predicted(workers: int) -> tuple[float, float]:
    """s for the points, and for them again."""
    times = []
    with TemporaryDirectory() as place:
        store = Path(place) / "results.sqlite"
        for _ in range(2):
            began = time.perf_counter()
            found = sweep(_TILES, points=_POINTS, measure="none", store=store, workers=workers)
            times.append(time.perf_counter() - began)
            assert found["n28.predicted.area"].notna().sum() == _POINTS
    return times[0], times[1]


def _overhead(workers: int) -> float:
    """The share of the workers' time that is not the points' own."""
    with _empty_cache(), TemporaryDirectory() as place:
        began = time.perf_counter()
        found = sweep(_SMALL, workers=workers, store=Path(place) / "results.sqlite")
        taken = (time.perf_counter() - began) * workers
        own = float(found["n28.seconds"].sum())
    return (taken - own) / own


@contextmanager
def _empty_cache() -> Iterator[None]:
    """While it lasts, nothing is known."""
    before = os.environ.get("MULTIPEDE_CACHE")
    with TemporaryDirectory() as place:
        os.environ["MULTIPEDE_CACHE"] = place
        try:
            yield
        finally:
            del os.environ["MULTIPEDE_CACHE"]
            if before is not None:
                os.environ["MULTIPEDE_CACHE"] = before
