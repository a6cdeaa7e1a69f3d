"""Units side by side on every target, with ratios to the first of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from multipede.cost_model.baselines import baselines, equal_accumulator
from multipede.cost_model.targets import (
    USUAL_TARGETS,
    require_options,
    require_target,
    synthesize,
    takes,
)
from multipede.fpga.devices import DEVICES
from multipede.golden.formats import Float
from multipede.golden.html_table import html_table
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.spec import Spec
from multipede.toolchain import ToolError, find

if TYPE_CHECKING:
    from multipede.asic_flow import Constraints

__all__ = ["Comparison", "compare", "compare_with_baselines", "main_quantity"]


def main_quantity(target: str) -> str:
    """The quantity that a target's units are compared by."""
    return "lut" if target in DEVICES else "area"


@dataclass(frozen=True)
class Comparison:
    """The rows of a comparison.

    Attributes
    ----------
    rows : one per unit, of plain values. ``group`` and ``label`` say which unit it is, ``unit``
        and ``parameters`` its specification, ``operations`` and ``operation`` what a record is
        worth, ``clocks`` how many it takes. For each target ``T`` there are ``T`` (the figure),
        ``T_unit``, ``T_per_operation`` (the figure times clocks, by operations), ``T_ratio`` (of
        that, to the first unit of the group), ``T_costs`` (all cost records) and ``T_error``:
        None, or why there is no figure; then the others are None, or empty.
    targets : in order of the columns.
    methods : target -> how its figures came about.
    """

    rows: list[dict[str, Any]]
    targets: tuple[str, ...]
    methods: dict[str, str]

    @property
    def errors(self) -> list[str]:
        """Which figures are missing, and why; empty if all are there."""
        return [
            f"{row['label']} on {target} failed: {row[f'{target}_error']}"
            for row in self.rows
            for target in self.targets
            if row[f"{target}_error"]
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"rows": self.rows, "targets": list(self.targets), "methods": self.methods}

    def __str__(self) -> str:
        lines: list[str] = []
        width = max(len(row["label"]) for row in self.rows)
        heads = [f"{f'{t}, {self.unit(t)}':>15}{'per op':>9}{'ratio':>7}" for t in self.targets]
        for group in dict.fromkeys(row["group"] for row in self.rows):
            lines.append(f"{group:{width}}" + "".join(heads))
            for row in (row for row in self.rows if row["group"] == group):
                figures = "".join(_shown(row, target) for target in self.targets)
                lines.append(f"{row['label']:{width}}{figures}".rstrip())
            lines.append("")
        return "\n".join([*lines, *self._notes])

    def _repr_html_(self) -> str:
        """For notebooks."""
        figures = {
            f"{target}{name}": f"{target}, {self.unit(target)}" if name == "" else told
            for target in self.targets
            for name, told in (("", ""), ("_per_operation", "per op"), ("_ratio", "ratio"))
        }
        rows = [
            (
                row["group"],
                row["label"],
                *("-" if row[f] is None else float(row[f]) for f in figures),
            )
            for row in self.rows
        ]
        return html_table(rows, heads=("", "", *figures.values()), notes=self._notes)

    @property
    def _notes(self) -> list[str]:
        first = self.rows[0]
        several = any(row["clocks"] > 1 for row in self.rows)
        counted = "; per op: times a record's clocks" if several else ""
        operation = first["operation"].replace("_", "-")
        told = f"op: {operation}{counted}; ratio: per op, to {first['label']}"
        return [told, *(f"{name}: {how}" for name, how in self.methods.items()), *self.errors]

    def unit(self, target: str) -> str:
        """Unit of the figures on a target; empty if all failed."""
        units = (row[f"{target}_unit"] for row in self.rows)
        return next(filter(None, units), "")


def _shown(row: Mapping[str, Any], target: str) -> str:
    if row[f"{target}_error"]:
        return f"{'failed':>15}{'':16}"
    ratio = row[f"{target}_ratio"]
    return f"{row[target]:15,.0f}{row[f'{target}_per_operation']:9,.1f}" + (
        f"{ratio:7.2f}" if ratio is not None else f"{'-':>7}"
    )


def compare(
    specs: Mapping[str, Spec] | Sequence[Spec],
    *,
    targets: Sequence[str] = USUAL_TARGETS,
    group: str = "",
    liberty: Path | None = None,
    constraints: "Constraints | None" = None,
) -> Comparison:
    """Map units to every target and set them side by side; a progress bar on a terminal.

    A unit that a tool cannot map is a row with its error; the others are still told.

    Parameters
    ----------
    specs : units by label, or just units; ratios are to the first.
    targets : of :data:`~multipede.cost_model.targets.TARGETS`.
    group : a heading for these rows.
    liberty, constraints : for the targets that take them, as in
        :func:`~multipede.cost_model.targets.synthesize`.

    Raises
    ------
    ValueError
        For no units, units whose records are worth different operations, or an unknown target.
    ToolError
        If Yosys is missing.
    """
    options = {"liberty": liberty, "constraints": constraints}
    return _compared([(group, _labelled(specs))], tuple(targets), options)


def compare_with_baselines(
    spec: Spec,
    *,
    targets: Sequence[str] = USUAL_TARGETS,
    accumulators: Sequence[str] = (),
    liberty: Path | None = None,
    constraints: "Constraints | None" = None,
) -> Comparison:
    """A unit beside its baselines: with exact accumulators, and with equal ones.

    ``accumulators`` may name just one of the two, ``"exact"`` or ``"equal"``; the other
    parameters are those of :func:`compare`. There is only the first of units that are no integer
    tiles, and with float activations, where the baselines add up in FP32.

    Raises as :func:`compare`, and as :func:`~multipede.cost_model.baselines.baselines`.
    """
    exact = baselines(spec)
    groups = {"exact": ("exact accumulators, or as given", exact)}
    if isinstance(spec, IntegerTile) and not isinstance(spec.activation, Float):
        equal = equal_accumulator(exact)
        width = next(iter(equal.values())).result
        groups["equal"] = (f"accumulators all {width}", equal)
    unknown = sorted(set(accumulators) - set(groups))
    if unknown:
        raise ValueError(f"accumulators = {unknown}: allowed are {' and '.join(groups)}")
    options = {"liberty": liberty, "constraints": constraints}
    return _compared([groups[name] for name in accumulators or groups], tuple(targets), options)


def _labelled(specs: Mapping[str, Spec] | Sequence[Spec]) -> dict[str, Spec]:
    labelled = dict(specs) if isinstance(specs, Mapping) else {str(spec): spec for spec in specs}
    if not labelled:
        raise ValueError("specs is empty: at least one unit is needed")
    kinds = {tuple(spec.operations) for spec in labelled.values()}
    if len(kinds) > 1 or len(next(iter(kinds))) != 1:
        raise ValueError(f"units whose records are worth {sorted(kinds)} cannot be compared")
    return labelled


def _compared(
    groups: list[tuple[str, Mapping[str, Spec]]],
    targets: tuple[str, ...],
    options: Mapping[str, Any],
) -> Comparison:
    for target in targets:
        require_target(target)
    require_options(list(targets), dict(options))
    find("yosys")  # what every figure needs is not an error of one row
    rows: list[dict[str, Any]] = []
    methods: dict[str, str] = {}
    steps = sum(len(specs) for _, specs in groups) * len(targets)
    # disable=None: only where somebody can see it.
    with tqdm(total=steps, desc="synthesis", unit="run", leave=False, disable=None) as progress:
        for group, specs in groups:
            first: dict[str, Any] | None = None
            for label, spec in specs.items():
                row = _identity(group, label, spec)
                for target in targets:
                    figures, method = _figures(spec, target, options, first)
                    row |= figures
                    methods |= {target: method} if method else {}
                    progress.update()
                first = first or row
                rows.append(row)
    return Comparison(rows, targets, methods)


def _identity(group: str, label: str, spec: Spec) -> dict[str, Any]:
    (operation, number), *_ = spec.operations.items()
    described = {"group": group, "label": label, **spec.to_dict()}
    clocks = spec.initiation_interval
    return described | {"operation": operation, "operations": number, "clocks": clocks}


def _figures(
    spec: Spec, target: str, options: Mapping[str, Any], first: Mapping[str, Any] | None
) -> tuple[dict[str, Any], str]:
    """A row's entries for a target, and how they came about."""
    entries = dict.fromkeys(("", "_unit", "_per_operation", "_ratio", "_error"))
    method = ""
    costs: list[dict[str, Any]] = []
    try:
        taken = {name: value for name, value in options.items() if takes(target, name)}
        found = synthesize(spec, target, **taken)
    except ToolError as error:
        entries["_error"] = " ".join(str(error).split())
    else:
        (operations,) = spec.operations.values()
        clocks = spec.initiation_interval
        cost = next(cost for cost in found.costs if cost.quantity == main_quantity(target))
        method, costs = found.method, [each.to_dict() for each in found.costs]
        each = cost.value * clocks / operations
        reference = each if first is None else first[f"{target}_per_operation"]
        entries |= {
            "": cost.value,
            "_unit": cost.unit,
            "_per_operation": each,
            "_ratio": each / reference if reference else None,
        }
    return {f"{target}{name}": value for name, value in entries.items()} | {
        f"{target}_costs": costs
    }, method
