"""Search for better synthesis scripts on small units, and write what was found.

For each unit of the list a search of its own; then every search's best scripts on all units, and
the one best on the mean of the others on each unit left out. The script best on the mean of all,
and the default with another mapper, are tried on larger units that no search saw. Every script
that is kept is proved to leave the logic what it was. Results go into asic_flow/recipes/found.json;
what was tried before is in the cache, so that a run may be broken off and go on later.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path

from multipede.asic_flow.mapping.map_to_cells import Script
from multipede.asic_flow.n28 import n28_library
from multipede.asic_flow.recipes.comparison import RecipeComparison, compare_recipes
from multipede.asic_flow.recipes.outcome import RecipeSubject
from multipede.asic_flow.recipes.search import FoundRecipe, search_recipes
from multipede.asic_flow.recipes.space import SPACE
from multipede.golden.dequantiser import Dequantiser
from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import E4M3, E5M2, FP16
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.golden.number_converter import NumberConverter
from multipede.golden.second_level_dequantiser import SecondLevelDequantiser
from multipede.toolchain import find, write_atomically

UNITS = (
    IntegerMultiplier(),
    FloatAdder(a=E5M2, b=E5M2, result=E5M2),
    MixPE(rows=1, columns=1, lanes=2),
    NumberConverter(),
    FusedMultiplyAdd(a=E4M3, b=E4M3, c=FP16, result=FP16),
    IntegerMultiplier(partial_products=PartialProducts.BOOTH),
    FloatMultiplier(a=E4M3, b=E4M3, result=FP16),
    MultiplierTile(rows=1, columns=1, lanes=2),
)
NEVER_SEARCHED = (
    FloatAdder(a=FP16, b=FP16, result=FP16),
    FloatMultiplier(a=FP16, b=FP16, result=FP16),
    Dequantiser(),
    SecondLevelDequantiser(),
    MultiplierTile(rows=2, columns=2, lanes=4),
    MixPE(rows=2, columns=2, lanes=4),
)
OTHER_MAPPERS = ("amap", "amap -m")
OUTPUT = Path(__file__).resolve().parents[1] / "asic_flow" / "recipes" / "found.json"


@cache
def subject(number: int) -> RecipeSubject:
    """Of a unit of both lists; prepared once in each process."""
    return RecipeSubject((*UNITS, *NEVER_SEARCHED)[number], n28_library())


def found(number: int, trials: int, seed: int) -> FoundRecipe:
    """The search for one unit."""
    result = search_recipes(subject(number), trials=trials, seed=seed)
    print(result, flush=True)
    return result


def prove(number: int, scripts: list[str]) -> None:
    """That these scripts leave the unit's logic what it is."""
    for script in scripts:
        subject(number).require_equal(Script("kept", script))


def trial(number: int, script: str) -> dict:
    """What a script makes of a unit, beside the default, and proved to be the same."""
    unit = subject(number)
    unit.require_equal(Script("kept", script))
    outcome, default = unit.outcome(Script("kept", script)), unit.default
    return {
        "unit": str(unit.spec),
        "script": script,
        "gain": 1 - outcome.area / default.area,
        "default": asdict(default),
        "outcome": asdict(outcome),
    }


def with_mapper(mapper: str) -> str:
    """The default's script with another mapper."""
    return SPACE.script(SPACE.default | {"mapper": mapper}).value


def mean_gain_of_both_mappers(units: tuple[str, ...], others: list[dict]) -> float:
    """What synthesis saves by the smaller of ``map -a``, the default here, and ``amap``."""
    gains = {one["unit"]: one["gain"] for one in others if one["script"] == with_mapper("amap")}
    return sum(max(0.0, gains[unit]) for unit in units) / len(units)


def document(
    comparison: RecipeComparison, results: list[FoundRecipe], others: list[dict], seed: int
) -> dict:
    """What goes into the file."""
    unseen = [vars(one) for one in comparison.unseen]
    searches = [
        {"unit": one.unit, "script": one.script.value, "gain": one.gain, "trials": one.trials}
        | {"distinct": one.distinct, "failed": one.failed, "area": one.best.area}
        | {"delay": one.best.delay}
        for one in results
    ]
    return {
        "made_by": "tools/search_recipes.py",
        "yosys": ".".join(map(str, find("yosys").version)),
        "seed": seed,
        "steps": list(SPACE.steps),
        "proved_equal": "each search's script and the common one on each unit, by ABC's cec",
        "searches": searches,
        "common": comparison.common,
        "unseen": unseen,
        "mean_gain_of_searches": sum(one.gain for one in results) / len(results),
        "mean_gain_unseen": sum(one["gain"] for one in unseen) / len(unseen),
        "mean_gain_of_both_mappers": mean_gain_of_both_mappers(comparison.units, others),
        "other_trials": others,
        "comparison": comparison.to_dict(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    numbers = range(len(UNITS))
    with ProcessPoolExecutor(options.workers) as pool:
        searches = [pool.submit(found, n, options.trials, options.seed) for n in numbers]
        results = [search.result() for search in searches]
        comparison = compare_recipes([subject(n) for n in numbers], results, each=pool.map)
        kept = [[one.script.value, comparison.common] for one in results]
        list(pool.map(prove, numbers, kept))
        simple = [with_mapper(mapper) for mapper in OTHER_MAPPERS]
        pairs = [(n, script) for n in numbers for script in simple]
        unseen = range(len(UNITS), len(UNITS) + len(NEVER_SEARCHED))
        pairs += [(n, script) for n in unseen for script in (comparison.common, *simple)]
        others = list(pool.map(trial, *zip(*pairs, strict=True)))
    print(comparison)
    text = json.dumps(document(comparison, results, others, options.seed), indent=1)
    write_atomically(options.output, text + "\n")


if __name__ == "__main__":
    main()
