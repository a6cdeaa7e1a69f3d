"""Area per multiply-accumulate of units that take different numbers of clocks for a record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from multipede.cost_model.targets import power, require_options, require_target, synthesize
from multipede.golden.spec import Spec
from multipede.toolchain import ToolError

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = ["EffectiveArea", "SharedPart", "effective_areas"]


@dataclass(frozen=True)
class SharedPart:
    """A unit that ``sharing`` others have in common."""

    spec: Spec
    sharing: int


@dataclass(frozen=True)
class EffectiveArea:
    """One unit.

    Attributes
    ----------
    label, parameters : which.
    operations : multiply-accumulates of a record. initiation_interval : clocks of one.
    area : of the unit. shared_area : of its share of what it has in common with others.
    area_unit : of both.
    delay : ps of the longest path. holds_clock : whether that is within the clock period.
    power : mW, and energy : pJ per multiply-accumulate, if they were asked for.
    error : why there are no figures, which are None then; or None.
    """

    label: str
    parameters: Mapping[str, Any]
    operations: int
    initiation_interval: int
    area: float | None = None
    shared_area: float = 0.0
    area_unit: str = "um2"
    delay: float | None = None
    holds_clock: bool | None = None
    power: float | None = None
    energy: float | None = None
    method: str = ""
    error: str | None = None
    costs: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def per_operation(self) -> float | None:
        """Area per multiply-accumulate in each clock: area times clocks by multiply-accumulates."""
        if self.area is None:
            return None
        return (self.area + self.shared_area) * self.initiation_interval / self.operations

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {**vars(self), "area_per_multiply_accumulate": self.per_operation}


def effective_areas(
    units: Mapping[str, Spec | tuple[Spec, SharedPart]],
    target: str = "n28",
    *,
    liberty: Path | None = None,
    constraints: "Constraints | None" = None,
    with_power: bool = False,
    records: int = 1000,
    seed: int = 1,
) -> list[EffectiveArea]:
    """Synthesise units one after the other; a progress bar on a terminal.

    A unit that a tool cannot map is a row with its error.

    Parameters
    ----------
    units : by label; a pair is a unit and the part that it shares.
    target, liberty, constraints : as for :func:`~multipede.cost_model.targets.synthesize`.
    with_power : whether to take the power, too, of units that hold the clock. records, seed : as
        for :func:`~multipede.cost_model.targets.power`; the shared part's power counts by its
        share, too.

    Raises
    ------
    ValueError
        For no units, an unknown target, or options that it does not take.
    """
    if not units:
        raise ValueError("units is empty: at least one is needed")
    require_target(target)
    options = {"liberty": liberty, "constraints": constraints}
    require_options([target], options)
    workload = {"records": records, "seed": seed} if with_power else None
    rows = []
    for label, given in tqdm(units.items(), desc="areas", unit="unit", leave=False, disable=None):
        spec, shared = given if isinstance(given, tuple) else (given, None)
        (operations,) = spec.operations.values()
        identity = (label, spec.to_dict(), operations, spec.initiation_interval)
        try:
            figures = _figures(spec, shared, target, options, workload)
        except (ToolError, ValueError) as error:
            figures = {"error": " ".join(str(error).split())}
        rows.append(EffectiveArea(*identity, **figures))
    return rows


def _figures(
    spec: Spec,
    shared: SharedPart | None,
    target: str,
    options: Mapping[str, Any],
    workload: Mapping[str, int] | None,
) -> dict[str, Any]:
    found = synthesize(spec, target, **options)
    costs = list(found.costs)
    figures: dict[str, Any] = {
        "area": found.total,
        "area_unit": found.area_unit,
        "delay": found.delay,
        "holds_clock": found.holds_clock,
        "method": found.method,
    }
    if shared is not None:
        part = synthesize(shared.spec, target, **options)
        figures["shared_area"] = part.total / shared.sharing
        if part.holds_clock is False:
            raise ValueError(
                f"the shared {shared.spec.unit} misses the clock: {part.delay:,.0f} ps"
            )
        costs += part.costs
    if workload is not None and found.holds_clock is not False:
        (operations,) = spec.operations.values()
        used = power(spec, target, **options, **workload)
        figures["power"] = used.power.total
        energy = used.power.energy_per_record
        if shared is not None:
            part_used = power(shared.spec, target, **options, **workload)
            figures["power"] += part_used.power.total / shared.sharing
            energy += part_used.power.energy_per_record / shared.sharing
        figures["energy"] = energy / operations
        costs += used.costs
    figures["costs"] = tuple(cost.to_dict() for cost in costs)
    return figures
