"""Area, delay and energy of units side by side, of standard cells at one clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from multipede.cost_model.baselines import baselines
from multipede.cost_model.targets import library_with_energies, power, synthesize
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.spec import Spec
from multipede.toolchain import ToolError

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = ["PowerComparison", "PowerRow", "compare_power", "compare_power_with_baselines"]


@dataclass(frozen=True)
class PowerRow:
    """One unit.

    Attributes
    ----------
    label, parameters : which.
    clocks : of a record. area : um2. delay : ps of the longest path.
    power : mW. energy : pJ per operation.
    glitch_factor : see :class:`~multipede.asic_flow.power.power_of_unit.UnitPower`.
    error : why there are no figures, which are None then; or None.
    costs : all cost records.
    """

    label: str
    parameters: Mapping[str, Any]
    clocks: int = 1
    area: float | None = None
    delay: float | None = None
    power: float | None = None
    energy: float | None = None
    glitch_factor: float | None = None
    error: str | None = None
    costs: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class PowerComparison:
    """Rows, ratios being to the first.

    ``target`` and ``clock_period`` (ns, the same for all), ``operation``: what energies are for;
    ``methods`` in words.
    """

    rows: tuple[PowerRow, ...]
    target: str
    clock_period: float
    operation: str
    methods: tuple[str, ...]

    @property
    def errors(self) -> list[str]:
        """Which units have no figures, and why."""
        return [f"{row.label} failed: {row.error}" for row in self.rows if row.error]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        rows = [{**vars(row), "ratios": self.ratios(row)} for row in self.rows]
        return {**vars(self), "rows": rows}

    def ratios(self, row: PowerRow) -> dict[str, float | None]:
        """Of area times clocks and of energy, to the first row's; None where one is missing."""
        first = self.rows[0]
        pairs = {name: (getattr(row, name), getattr(first, name)) for name in ("area", "energy")}
        found = {name: a / b if a and b else None for name, (a, b) in pairs.items()}
        if found["area"] is not None:
            found["area"] *= row.clocks / first.clocks
        return found

    @property
    def _counted(self) -> str:
        several = any(row.clocks > 1 for row in self.rows)
        return "of area, times a record's clocks, and of energy, " if several else ""

    def __str__(self) -> str:
        width = max(len(row.label) for row in self.rows)
        lines = [
            f"{'':{width}}{'area, um2':>12}{'ratio':>7}{'delay, ps':>11}{'power, mW':>11}"
            f"{'pJ per op':>11}{'ratio':>7}{'glitches':>10}"
        ]
        for row in self.rows:
            if row.error:
                lines.append(f"{row.label:{width}}{'failed':>12}")
                continue
            ratios = self.ratios(row)
            lines.append(
                f"{row.label:{width}}{row.area:12,.0f}{_ratio(ratios['area'])}{row.delay:11,.0f}"
                f"{row.power:11.3f}{row.energy:11.4f}{_ratio(ratios['energy'])}"
                f"{row.glitch_factor:9.2f}x"
            )
        lines.append("")
        lines.append(
            f"op: {self.operation.replace('_', '-')}; {self.target} at {self.clock_period:g} ns;"
            f" ratio: {self._counted}to {self.rows[0].label}"
        )
        return "\n".join([*lines, *self.methods, *self.errors])


def _ratio(value: float | None) -> str:
    return f"{'-':>7}" if value is None else f"{value:7.2f}"


def compare_power(
    specs: Mapping[str, Spec],
    target: str = "n28",
    *,
    liberty: Path | None = None,
    constraints: "Constraints",
    records: int = 1000,
    seed: int = 1,
) -> PowerComparison:
    """Synthesise units for one clock and take their power for the same kind of operands.

    A unit that a tool cannot map, or that cannot hold the clock, is a row with its error. A
    progress bar on a terminal.

    Parameters
    ----------
    specs : by label; their records are worth the same kind of operation.
    target, liberty, records, seed : as for :func:`~multipede.cost_model.targets.power`.
    constraints : with a clock period.

    Raises
    ------
    ValueError
        For no units, units of different operations, or constraints without a clock period.
    """
    if not specs:
        raise ValueError("specs is empty: at least one unit is needed")
    if constraints is None or constraints.clock_period is None:
        raise ValueError("constraints: a clock period is needed, the same for all units")
    kinds = {tuple(spec.operations) for spec in specs.values()}
    if len(kinds) > 1 or len(next(iter(kinds))) != 1:
        raise ValueError(f"units whose records are worth {sorted(kinds)} cannot be compared")
    library = library_with_energies(target, liberty, constraints)
    ((operation,),) = kinds
    rows, methods = [], []
    asked = {"liberty": liberty, "constraints": constraints}
    for label, spec in tqdm(specs.items(), desc="power", unit="unit", leave=False, disable=None):
        try:
            mapped = synthesize(spec, target, **asked)
            found = power(spec, target, **asked, records=records, seed=seed)
        except (ToolError, ValueError) as error:
            message = " ".join(str(error).split())
            clocks = spec.initiation_interval
            rows.append(PowerRow(label, spec.to_dict(), clocks, error=message))
            continue
        rows.append(
            PowerRow(
                label,
                spec.to_dict(),
                spec.initiation_interval,
                area=mapped.total,
                delay=mapped.delay,
                power=found.power.total,
                energy=found.power.energy_per_operation[operation],
                glitch_factor=found.glitch_factor,
                costs=tuple(cost.to_dict() for cost in (*mapped.costs, *found.costs)),
            )
        )
        methods.append(f"{label}: {mapped.method}; {found.workload}")
    name = library.source if hasattr(library, "source") else library.name
    return PowerComparison(
        tuple(rows), name, constraints.clock_period, operation, tuple(dict.fromkeys(methods))
    )


def compare_power_with_baselines(
    spec: IntegerTile, target: str = "n28", **options: Any
) -> PowerComparison:
    """A tile beside its baselines, exact accumulators; options as for :func:`compare_power`."""
    return compare_power(baselines(spec), target, **options)
