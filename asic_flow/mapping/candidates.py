"""The ways in which a unit may become cells, mapped once and then fitted to any clock."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.mapping.adder_cells import AdderMapping
from multipede.asic_flow.mapping.fitting import LOADS, Fitted, Fitting
from multipede.asic_flow.mapping.map_to_cells import (
    Adders,
    MappedNetlist,
    Prepared,
    Recipe,
    map_prepared,
    prepare,
)
from multipede.asic_flow.mapping.sizing import Sized
from multipede.asic_flow.timing.conditions import Conditions
from multipede.golden.source_files import OWN, source_digest
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.toolchain import ToolTimeout, cached, find, key, write_atomically

__all__ = ["Candidates"]

_SOURCES = tuple(
    f"asic_flow/{name}.py"
    for name in (
        *("liberty/boolean", "liberty/cell_behaviour", "liberty/library", "liberty/syntax"),
        *("mapping/adder_cells", "mapping/candidates", "mapping/map_to_cells"),
        "mapping/register_cells",
    )
)
_SMALL = ((Recipe.AREA, Adders.SMALLEST), (Recipe.AMAP, Adders.SMALLEST))
_CLOSE = 0.01  # relatively, the bisection comes to the shortest clock period
_IMPOSSIBLE = 1.0  # ps
_NEAR = 0.03  # relatively, a clock is missed by less: a search for the shortest may hold it
_REACH = 0.65  # of its delay at the least sizes is what a netlist hardly comes below
_LARGE = 5000  # cells, from which on time is saved
_TOLERANCE, _TOLERANCE_OF_LARGE = 0.02, 0.1  # over the least area, with which the search ends
_AT_ONCE = 2  # ways that are mapped or sized

_Way = tuple[Recipe, Adders]
_Given, _Made = TypeVar("_Given"), TypeVar("_Made")


@dataclass(frozen=True)
class _Choice:
    """A netlist with its sizes."""

    mapped: MappedNetlist
    fitting: Fitting
    sized: Sized

    def holds(self, period: float) -> bool:
        return self.sized.delay <= period

    def better(self, other: "_Choice", period: float) -> bool:
        if self.holds(period) != other.holds(period):
            return self.holds(period)
        if self.holds(period):
            return self.sized.area < other.sized.area
        return self.sized.delay < other.sized.delay

    @property
    def result(self) -> tuple[MappedNetlist, Fitted]:
        return self.mapped, self.fitting.fitted(self.sized)


class Candidates:
    """All ways for one unit.

    Parameters
    ----------
    rtlil, top : the unit and its module.
    library, conditions : as for static timing; without conditions only the smallest is known.
    time_limit : seconds for all that is asked of it.
    """

    def __init__(
        self,
        rtlil: str,
        top: str,
        library: Library,
        conditions: Conditions | None,
        *,
        time_limit: float,
    ):
        self._rtlil = rtlil
        self._top = top
        self._library = library
        self._conditions = conditions
        self._deadline = time.monotonic() + time_limit
        self._limit = time_limit
        self._fittings: dict[tuple[_Way, float], Fitting] = {}
        self._netlists: dict[_Way, MappedNetlist] = {}
        self._preparations: dict[Adders, Prepared] = {}
        self._preparing = {adders: Lock() for adders in Adders}

    @cached_property
    def smallest(self) -> MappedNetlist:
        """The one of the least area, as mapped."""
        return min(self._small, key=lambda one: one.area(self._library))

    @cached_property
    def _small(self) -> list[MappedNetlist]:
        return self._at_once(self._mapped, _SMALL)

    @cached_property
    def _least(self) -> tuple[MappedNetlist, Fitting]:
        """The one of the least area with buffers, and cells that may drive their loads."""
        found = [(mapped, self._fitting(mapped, LOADS[0])) for mapped in self._small]
        return min(found, key=lambda one: one[1].least_area)

    def best(self, period: float | None) -> tuple[MappedNetlist, Fitted]:
        """The smallest that holds a clock period, ps; if none does, the fastest found. Without a
        period the smallest, with buffers where loads are heavy.

        Raises
        ------
        ToolError
            If Yosys is missing, fails or takes too long, or the library lacks a needed cell.
        """
        if period is None:
            mapped, fitting = self._least
            return mapped, fitting.fitted(fitting.sizes(None))
        found = self._chosen(period)
        if not found.holds(period) and found.sized.delay < (1 + _NEAR) * period:
            fastest = self._fastest()
            found = fastest if fastest.better(found, period) else found
        return found.result

    def fastest(self) -> tuple[MappedNetlist, Fitted]:
        """The smallest found at the shortest clock period that was found to hold, by bisection.

        Raises as :meth:`best` does.
        """
        return self._fastest().result

    def _fastest(self) -> _Choice:
        found = self._chosen(_IMPOSSIBLE)
        below = 0.8 * found.sized.delay
        while found.sized.delay - below > _CLOSE * found.sized.delay:
            middle = (found.sized.delay + below) / 2
            tried = self._chosen(middle)
            if tried.holds(middle):
                found = tried
            else:
                below = middle
        return found

    def _chosen(self, period: float) -> _Choice:
        """Stage by stage, until the clock is held with little more than the least area."""
        found: _Choice | None = None
        enough = (1 + self._tolerance) * self._least[1].least_area
        for stage in self._stages:
            found = self._best_of(self._promising(self._fittings_of(stage), period), period, found)
            if found.holds(period) and found.sized.area <= enough:
                break
        return found

    def _best_of(
        self, fittings: list[tuple[MappedNetlist, Fitting]], period: float, best: _Choice | None
    ) -> _Choice:
        # Those that begin small first: what is as large before sizing as one that holds the clock
        # need not be tried.
        ordered = sorted(fittings, key=lambda one: one[1].least_area)
        for place in range(0, len(ordered), _AT_ONCE):
            here = [
                (mapped, fitting)
                for mapped, fitting in ordered[place : place + _AT_ONCE]
                if best is None or not best.holds(period) or fitting.least_area < best.sized.area
            ]
            self._require_time()
            sizes = self._at_once(lambda one: one[1].sizes(period), here)
            for (mapped, fitting), sized in zip(here, sizes, strict=True):
                tried = _Choice(mapped, fitting, sized)
                if best is None or tried.better(best, period):
                    best = tried
        return best

    def _promising(
        self, fittings: list[tuple[MappedNetlist, Fitting]], period: float
    ) -> list[tuple[MappedNetlist, Fitting]]:
        """Without those that sizing will not make fast enough, if there are others."""
        delays = self._at_once(lambda one: one[1].least_delay, fittings)
        reach = max(period / _REACH, min(delays))
        return [one for one, delay in zip(fittings, delays, strict=True) if delay <= reach]

    def _fittings_of(self, ways: Sequence[_Way]) -> list[tuple[MappedNetlist, Fitting]]:
        mapped = self._at_once(self._mapped, ways)  # each waits for a Yosys of its own
        return [(one, self._fitting(one, load)) for one in mapped for load in self._loads]

    @staticmethod
    def _at_once(made: Callable[[_Given], _Made], of: Sequence[_Given]) -> list[_Made]:
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(made, of))

    @cached_property
    def _stages(self) -> list[list[_Way]]:
        fast = (Recipe.DELAY, Adders.SMALLEST)
        if not self.smallest.mappings:
            return [list(_SMALL), [fast]]
        both = Recipe.AMAP, Recipe.DELAY
        return [
            list(_SMALL),
            [fast, *product(both, [Adders.PREFIX])],
            list(product(both, [Adders.GATES])),
        ]

    @property
    def _large(self) -> bool:
        return len(self.smallest.netlist["cells"]) > _LARGE

    @property
    def _loads(self) -> tuple[float, ...]:
        return LOADS[:1] if self._large else LOADS

    @property
    def _tolerance(self) -> float:
        return _TOLERANCE_OF_LARGE if self._large else _TOLERANCE

    def _fitting(self, mapped: MappedNetlist, load: float) -> Fitting:
        name = ((mapped.recipe, mapped.adders), load)
        if name not in self._fittings:
            self._fittings[name] = Fitting(
                mapped.netlist, self._library, self._conditions, load, done=self._require_time
            )
        return self._fittings[name]

    def _prepared(self, adders: Adders) -> Prepared:
        known = None if adders is Adders.SMALLEST else self._mapped(_SMALL[0]).mappings
        with self._preparing[adders]:
            if adders not in self._preparations:
                with self._in_time():
                    self._preparations[adders] = prepare(
                        self._rtlil,
                        self._top,
                        self._library,
                        adders,
                        mappings=known,
                        timeout=self._require_time(),
                    )
            return self._preparations[adders]

    def _mapped(self, way: _Way) -> MappedNetlist:
        if way not in self._netlists:
            self._netlists[way] = self._mapped_or_cached(*way)
        return self._netlists[way]

    def _mapped_or_cached(self, recipe: Recipe, adders: Adders) -> MappedNetlist:
        identity = key(
            self._rtlil,
            self._top,
            self._library.text,
            self._library.source,
            recipe.value,
            adders.value,
            adders_verilog(),
            find("yosys").identity,
            source_digest(OWN, *_SOURCES, "toolchain/yosys.py"),
        )

        def build(place: Path) -> None:
            prepared = self._prepared(adders)
            with self._in_time():
                made = map_prepared(prepared, self._library, recipe, timeout=self._require_time())
            mappings = {module: mapping.name for module, mapping in made.mappings.items()}
            content = json.dumps({"netlist": made.netlist, "mappings": mappings})
            write_atomically(place / "mapped.json", content)

        found: dict[str, Any] = json.loads(
            (cached("mapping", identity, build) / "mapped.json").read_text()
        )
        mappings = {module: AdderMapping[name] for module, name in found["mappings"].items()}
        return MappedNetlist(self._top, found["netlist"], recipe, adders, mappings)

    def _require_time(self) -> float:
        """Seconds left. ToolTimeout if there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._too_long()
        return left

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """A tool's end by its time limit is told as that of all."""
        try:
            yield
        except ToolTimeout as ended:
            raise self._too_long(f": {ended}") from ended

    def _too_long(self, more: str = "") -> ToolTimeout:
        text = f"synthesis of {self._top} took more than {self._limit:g} s (time_limit){more}"
        return ToolTimeout(text, tool="multipede")
