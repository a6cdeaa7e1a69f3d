"""Units side by side on every target, with ratios to the first of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from multipede.cost_model.baselines import baselines, equal_accumulator
from multipede.cost_model.targets import TARGETS, synthesize
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.spec import Spec

__all__ = ["MAIN_QUANTITY", "Comparison", "compare", "compare_with_baselines"]

MAIN_QUANTITY = {"gates": "area", "ecp5": "lut", "xcup": "lut"}
"""The quantity that each target's units are compared by."""


@dataclass(frozen=True)
class Comparison:
    """The rows of a comparison.

    Attributes
    ----------
    rows : one per unit, of plain values. ``group`` and ``label`` say which unit it is, ``unit``
        and ``parameters`` its specification, ``operations`` and ``operation`` what a record is
        worth. For each target ``T`` there are ``T`` (the figure), ``T_unit``, ``T_per_operation``,
        ``T_ratio`` (to the first unit of the group) and ``T_costs`` (all cost records).
    targets : in order of the columns.
    methods : target -> how its figures came about.
    """

    rows: list[dict[str, Any]]
    targets: tuple[str, ...]
    methods: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"rows": self.rows, "targets": list(self.targets), "methods": self.methods}

    def __str__(self) -> str:
        lines: list[str] = []
        width = max(len(row["label"]) for row in self.rows)
        units = {target: self.rows[0][f"{target}_unit"] for target in self.targets}
        heads = [f"{f'{target}, {units[target]}':>15}{'per op':>9}{'ratio':>7}" for target in units]
        for group in dict.fromkeys(row["group"] for row in self.rows):
            lines += [f"{group:{width}}" + "".join(heads)]
            for row in (row for row in self.rows if row["group"] == group):
                figures = "".join(
                    f"{row[target]:15,.0f}{row[f'{target}_per_operation']:9,.1f}"
                    f"{row[f'{target}_ratio']:7.2f}"
                    for target in self.targets
                )
                lines.append(f"{row['label']:{width}}{figures}")
            lines.append("")
        first = self.rows[0]
        lines.append(f"op: {first['operation'].replace('_', '-')}; ratio: to {first['label']}")
        return "\n".join([*lines, *(f"{name}: {how}" for name, how in self.methods.items())])


def compare(
    specs: Mapping[str, Spec] | Sequence[Spec],
    *,
    targets: Sequence[str] = TARGETS,
    group: str = "",
) -> Comparison:
    """Map units to every target and set them side by side; a progress bar on a terminal.

    Parameters
    ----------
    specs : units by label, or just units; ratios are to the first.
    targets : of :data:`~multipede.cost_model.targets.TARGETS`.
    group : a heading for these rows.

    Raises
    ------
    ValueError
        For no units, units whose records are worth different operations, or an unknown target.
    ToolError
        If Yosys is missing or fails.
    """
    return _compared([(group, _labelled(specs))], tuple(targets))


def compare_with_baselines(
    spec: IntegerTile, *, targets: Sequence[str] = TARGETS, accumulators: Sequence[str] = ()
) -> Comparison:
    """An integer tile beside its baselines, twice: with exact accumulators, and with equal ones.

    ``accumulators`` may name just one of the two, ``"exact"`` or ``"equal"``.

    Raises as :func:`compare`, and TypeError for another unit.
    """
    exact = baselines(spec)
    equal = equal_accumulator(exact)
    width = next(iter(equal.values())).result
    groups = {
        "exact": ("accumulators as given, else exact", exact),
        "equal": (f"accumulators all {width}", equal),
    }
    unknown = sorted(set(accumulators) - set(groups))
    if unknown:
        raise ValueError(f"accumulators = {unknown}: allowed are exact and equal")
    return _compared([groups[name] for name in accumulators or groups], tuple(targets))


def _labelled(specs: Mapping[str, Spec] | Sequence[Spec]) -> dict[str, Spec]:
    labelled = dict(specs) if isinstance(specs, Mapping) else {str(spec): spec for spec in specs}
    if not labelled:
        raise ValueError("specs is empty: at least one unit is needed")
    kinds = {tuple(spec.operations) for spec in labelled.values()}
    if len(kinds) > 1 or len(next(iter(kinds))) != 1:
        raise ValueError(f"units whose records are worth {sorted(kinds)} cannot be compared")
    return labelled


def _compared(groups: list[tuple[str, Mapping[str, Spec]]], targets: tuple[str, ...]) -> Comparison:
    for target in targets:
        if target not in TARGETS:
            raise ValueError(f"target = {target!r}: allowed are {', '.join(TARGETS)}")
    rows: list[dict[str, Any]] = []
    methods: dict[str, str] = {}
    steps = sum(len(specs) for _, specs in groups) * len(targets)
    # disable=None: only where somebody can see it.
    with tqdm(total=steps, desc="synthesis", unit="run", leave=False, disable=None) as progress:
        for group, specs in groups:
            first: dict[str, Any] = {}
            for label, spec in specs.items():
                row = _identity(group, label, spec)
                for target in targets:
                    found = synthesize(spec, target)
                    row |= _figures(target, found.costs, row["operations"], first)
                    methods[target] = found.method
                    progress.update()
                first = first or row
                rows.append(row)
    return Comparison(rows, targets, methods)


def _identity(group: str, label: str, spec: Spec) -> dict[str, Any]:
    (operation, number), *_ = spec.operations.items()
    described = {"group": group, "label": label, **spec.to_dict()}
    return described | {"operation": operation, "operations": number}


def _figures(target: str, costs: Sequence, operations: int, first: Mapping) -> dict[str, Any]:
    cost = next(cost for cost in costs if cost.quantity == MAIN_QUANTITY[target])
    reference = first.get(target, cost.value)
    return {
        target: cost.value,
        f"{target}_unit": cost.unit,
        f"{target}_per_operation": cost.value / operations,
        f"{target}_ratio": cost.value / reference if reference else None,
        f"{target}_costs": [each.to_dict() for each in costs],
    }
