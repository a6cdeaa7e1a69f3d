"""What one synthesis script makes of one unit: area at a delay, and the same logic or not."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.mapping.fitting import LOADS, Fitting
from multipede.asic_flow.mapping.map_to_cells import Prepared, Recipe, Script, map_prepared, prepare
from multipede.asic_flow.timing.conditions import Conditions, usual_conditions
from multipede.golden.source_files import OWN, source_digest
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.sim.report import MismatchError
from multipede.sim.verilog import rtlil_of
from multipede.toolchain import (
    ToolError,
    ToolFailure,
    ToolTimeout,
    cached,
    find,
    key,
    write_atomically,
)
from multipede.toolchain.yosys import run_yosys

__all__ = ["Outcome", "RecipeSubject"]

_SOURCES = (
    *("asic_flow/liberty", "asic_flow/mapping", "asic_flow/netlist", "asic_flow/timing"),
    "asic_flow/recipes/outcome.py",
)
TRIAL_LIMIT = 30.0  # s for one script on one unit


@dataclass(frozen=True)
class Outcome:
    """What a script made of a unit.

    ``area`` in the library's unit, buffers and the sizes for the yardstick's delay included;
    ``delay`` ps, None without delays in the library. Both None with ``error``, what ABC failed of.
    """

    area: float | None
    delay: float | None
    error: str = ""


class RecipeSubject:
    """A unit that scripts are tried on, prepared once.

    Parameters
    ----------
    spec, style : the unit.
    library : with delays, or the table of gates.

    The yardstick is :attr:`Recipe.AREA`, one of the two that synthesis tries for area: its delay
    with every cell at its smallest is the clock period that every netlist is sized for, so that
    areas are compared at one delay.
    """

    def __init__(self, spec: Spec, library: Library, style: Style = Style.CELLS):
        self.spec = spec
        self.library = library
        self._rtlil = rtlil_of(spec, style)

    @cached_property
    def _prepared(self) -> Prepared:
        return prepare(self._rtlil, self.spec.unit, self.library)

    @cached_property
    def _conditions(self) -> Conditions | None:
        return usual_conditions(self.library) if self.library.timed else None

    @cached_property
    def default(self) -> Outcome:
        """What the default recipe for area makes of it. ToolFailure if ABC fails of it."""
        found = self._outcome(Recipe.AREA.value, None)
        if found.error:
            raise ToolFailure(f"{self.spec.unit}: {found.error}", tool="yosys")
        return found

    def outcome(self, script: Script | Recipe) -> Outcome:
        """What a script makes of it; an outcome with ``error`` if ABC fails or takes more than
        30 s. Cached."""
        return self._outcome(script.value, self.default.delay)

    def worth(self, outcome: Outcome) -> float:
        """Area over the default's; what is slower than the default counts as larger, by more than
        sizes could mend, and what failed as twice as large."""
        if outcome.error:
            return 2.0
        ratio = outcome.area / self.default.area
        if not self.holds(outcome):
            return ratio + 2 * (outcome.delay / self.default.delay - 1) + 0.02
        return ratio

    def holds(self, outcome: Outcome) -> bool:
        """Whether it is not slower than the default, with its sizes."""
        if outcome.error or outcome.delay is None:
            return not outcome.error
        return outcome.delay <= self.default.delay * (1 + 1e-9)

    def require_equal(self, script: Script | Recipe) -> None:
        """Prove, by ABC's ``cec``, that the logic it maps stays what it was. MismatchError if not,
        ToolError if that cannot be found out."""
        checked = Script(script.name, f"write_blif before.blif; {script.value}; cec before.blif")
        log = run_yosys(
            f"read_rtlil prepared.il\n{checked.command}",
            files={"prepared.il": self._prepared.rtlil, "cells.lib": self.library.text},
            timeout=20 * TRIAL_LIMIT,
        ).log
        if not re.search(r"Networks are equivalent", log):
            raise MismatchError(f"{self.spec.unit}: ABC finds no equality after {script.value!r}")

    def _outcome(self, script: str, period: float | None) -> Outcome:
        identity = key(
            self._rtlil,
            self.spec.unit,
            adders_verilog(),
            self.library.text,
            json.dumps([script, period]),
            find("yosys").identity,
            source_digest(OWN, *_SOURCES, "toolchain/yosys.py"),
        )

        def build(place: Path) -> None:
            made = self._mapped(Script("tried", script), period)
            write_atomically(place / "outcome.json", json.dumps(asdict(made)))

        found: Mapping = json.loads(
            (cached("recipe", identity, build) / "outcome.json").read_text()
        )
        return Outcome(**found)

    def _mapped(self, script: Script, period: float | None) -> Outcome:
        prepared = self._prepared
        try:
            mapped = map_prepared(prepared, self.library, script, timeout=TRIAL_LIMIT)
        except ToolTimeout:
            return Outcome(None, None, f"more than {TRIAL_LIMIT:g} s")
        except ToolError as error:  # or something is left that the library has no cell for
            return Outcome(None, None, re.sub(r" \(log: .*\)", "", str(error)))
        if self._conditions is None:
            cells = mapped.cells.items()
            return Outcome(float(sum(n * self.library.cells[c].area for c, n in cells)), None)
        fitting = Fitting(mapped.netlist, self.library, self._conditions, LOADS[0])
        sized = fitting.sizes(None)
        if period is not None and sized.delay > period:
            sized = fitting.sizes(period)
        return Outcome(float(sized.area), float(sized.delay))
