"""The ways in which a unit may become cells, mapped once and then fitted to any clock."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from multipede.asic_flow.adder_cells import AdderMapping
from multipede.asic_flow.conditions import Conditions
from multipede.asic_flow.fitting import LOADS, Fitted, Fitting
from multipede.asic_flow.liberty import Library
from multipede.asic_flow.mapping import Adders, MappedNetlist, Recipe, map_to_cells
from multipede.asic_flow.sizing import Sized
from multipede.golden.source_files import OWN, source_digest
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.toolchain import ToolTimeout, cached, find, key, write_atomically

__all__ = ["Candidates"]

_SOURCES = tuple(
    f"asic_flow/{name}.py"
    for name in ("adder_cells", "boolean", "candidates", "liberty", "liberty_syntax", "mapping")
)
_SMALLEST = (Recipe.AREA, Adders.SMALLEST)
_CLOSE = 0.01
"""How close, relatively, the bisection comes to the shortest clock period."""


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
        self._fittings: dict[tuple[Recipe, Adders, float], Fitting] = {}

    @cached_property
    def smallest(self) -> MappedNetlist:
        """The one that is made for the least area."""
        return self._mapped(*_SMALLEST)

    def best(self, period: float | None) -> tuple[MappedNetlist, Fitted]:
        """The smallest that holds a clock period, ps; if none does, the fastest found. Without a
        period the smallest, with buffers where loads are heavy.

        Raises
        ------
        ToolError
            If Yosys is missing, fails or takes too long, or the library lacks a needed cell.
        """
        if period is None:
            fitting = self._fitting(self.smallest, LOADS[0])
            return self.smallest, fitting.fitted(fitting.sizes(None))
        mapped, fitting, sized = self._chosen(period)
        return mapped, fitting.fitted(sized)

    def fastest(self) -> tuple[MappedNetlist, Fitted]:
        """The smallest found at the shortest clock period that was found to hold, by bisection.

        Raises as :meth:`best` does.
        """
        mapped, fitting, sized = self._chosen(1.0)
        held = sized.delay
        below = 0.8 * held
        while held - below > _CLOSE * held:
            middle = (held + below) / 2
            tried = self._chosen(middle)
            if tried[2].delay <= middle:
                (mapped, fitting, sized), held = tried, tried[2].delay
            else:
                below = middle
        return mapped, fitting.fitted(sized)

    def _chosen(self, period: float) -> tuple[MappedNetlist, Fitting, Sized]:
        first = self._fitting(self.smallest, LOADS[0])
        found = (self.smallest, first, first.sizes(period))
        if found[2].delay <= period and found[2].area <= first.least_area:
            return found
        others = [
            (mapped, self._fitting(mapped, load))
            for mapped, load in product(self._all, LOADS)
            if mapped is not self.smallest or load != LOADS[0]
        ]
        # Those that begin small first: what is as large before sizing as one that holds the clock
        # need not be tried.
        for mapped, fitting in sorted(others, key=lambda one: one[1].least_area):
            best = found[2]
            if best.delay <= period and fitting.least_area >= best.area:
                break
            self._require_time()
            sized = fitting.sizes(period)
            holds = sized.delay <= period
            if (holds and (best.delay > period or sized.area < best.area)) or (
                not holds and sized.delay < best.delay
            ):
                found = mapped, fitting, sized
        return found

    def _fitting(self, mapped: MappedNetlist, load: float) -> Fitting:
        name = (mapped.recipe, mapped.adders, load)
        if name not in self._fittings:
            self._fittings[name] = Fitting(mapped.netlist, self._library, self._conditions, load)
        return self._fittings[name]

    @cached_property
    def _all(self) -> list[MappedNetlist]:
        ways = [way for way in product(Recipe, self._adders()) if way != _SMALLEST]
        with ThreadPoolExecutor(max_workers=2) as pool:  # each waits for a Yosys of its own
            return [self.smallest, *pool.map(lambda way: self._mapped(*way), ways)]

    def _adders(self) -> Iterator[Adders]:
        yield Adders.SMALLEST
        if self.smallest.mappings:
            yield Adders.PREFIX
            yield Adders.GATES

    def _mapped(self, recipe: Recipe, adders: Adders) -> MappedNetlist:
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
            made = map_to_cells(
                self._rtlil,
                self._top,
                self._library,
                recipe,
                adders,
                timeout=self._require_time(),
            )
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
            raise ToolTimeout(
                f"synthesis of {self._top} took more than {self._limit:g} s (time_limit)",
                tool="multipede",
            )
        return left
