"""What a unit costs, told from its operators in milliseconds, without synthesis, with an error bar.

The coefficients come from units that were synthesised, see
:mod:`~multipede.cost_model.prediction.calibrate`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multipede.cost_model.prediction.calibration import (
    Calibration,
    calibration_file,
    read_calibration,
)
from multipede.cost_model.prediction.measures import measures
from multipede.fpga.devices import DEVICES
from multipede.golden.number_format import require_type
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.toolchain.cost import Cost, CostMethod, costs_table

__all__ = ["Prediction", "predict"]

_PER_RECORD = "energy_per_record"


@dataclass(frozen=True)
class Prediction:
    """What a unit costs, about.

    Attributes
    ----------
    unit : the specification as text. target, style : it is told for.
    costs : figures with their relative errors.
    outside : measures of the unit outside of what the calibration has seen of its like, in words.
    seen : points of this unit that the calibration was fitted to; 0 for a unit that it never saw.
    most : relative errors within which 95 % of such figures are, by quantity.
    """

    unit: str
    target: str
    style: str
    costs: list[Cost]
    outside: list[str]
    seen: int
    most: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {**vars(self), "costs": [cost.to_dict() for cost in self.costs]}

    def _repr_html_(self) -> str:
        """For notebooks."""
        return costs_table(self.costs, "; ".join([self._title, *self._remarks]))

    def __str__(self) -> str:
        lines = [f"{self._title} (two thirds of such figures are so near, and 95 %):"]
        width = max(len(cost.quantity) for cost in self.costs)
        for cost in self.costs:
            error = f"+- {100 * cost.relative_error:.0f} %, {100 * self.most[cost.quantity]:.0f} %"
            lines.append(f"  {cost.quantity:{width}}  {cost.value:>12,.5g} {cost.unit:5} {error}")
        return "\n".join([*lines, *(f"  {remark}" for remark in self._remarks)])

    @property
    def _title(self) -> str:
        return f"{self.unit} on {self.target}, predicted"

    @property
    def _remarks(self) -> list[str]:
        """What lessens the trust in it."""
        unseen = [] if self.seen else ["the calibration has seen no unit of this kind"]
        outside = ", ".join(self.outside)
        told = f"outside of the calibration, with errors of what was left out of it: {outside}"
        return unseen + [told] * bool(outside)


def predict(
    spec: Spec, target: str = "n28", *, calibration: Calibration | None = None
) -> Prediction:
    """What a unit costs on a target.

    Parameters
    ----------
    spec : the unit.
    target : one that the package has a calibration for: ``n28``, ``ecp5``, ``ice40``, ``gowin``,
        ``xc7``, ``xcup``.
    calibration : another one, as of
        :func:`~multipede.cost_model.prediction.calibration.read_calibration`, in place of a target.

    Returns
    -------
    On standard cells ``area``, ``delay`` of the smallest netlist in ps, and energies in pJ at a
    clock of that delay; on FPGAs ``lut``, ``ff`` and ``dsp``, whole numbers. ``relative_error`` of
    each is what two thirds of such figures were within when the model had not seen them: points of
    the same unit; where the unit is outside of what was seen, the largest of that, of the error of
    points of a family of which nothing was seen, and of that of the larger half of this unit's and
    of all units' points when only smaller ones, by gates, were seen. How errors grow further away
    than that half is was not measured. Points whose figure is 0, as the look-up tables of a product
    that DSP blocks take whole, are not among those.

    Raises
    ------
    TypeError, ValueError
        For what is no specification, and a target without a calibration.
    """
    require_type("spec", spec, Spec)
    if calibration is None:
        require_type("target", target, str)
        calibration = read_calibration(calibration_file(target))
    require_type("calibration", calibration, Calibration)
    of = measures(spec, Style(calibration.style))
    known, group = calibration.units.get(spec.unit), calibration.group(spec.unit)
    outside = [] if known is None else known.outside(of)
    seen = 0 if known is None else known.points
    source = f"{_like(seen, outside)}; {calibration.source}"
    costs = [
        Cost(
            quantity=name,
            value=_value(calibration.target, model.told(of, group)),
            unit=model.unit,
            target=calibration.target,
            method=CostMethod.PREDICTED,
            source=source,
            tools=calibration.tools,
            style=calibration.style,
            relative_error=calibration.error(name, spec.unit, outside=bool(outside)),
        )
        for name, model in calibration.models.items()
    ]
    costs += _per_operation(spec, costs)
    most = {
        cost.quantity: calibration.most(_modelled(cost), spec.unit, outside=bool(outside))
        for cost in costs
    }
    return Prediction(str(spec), calibration.target, calibration.style, costs, outside, seen, most)


def _value(target: str, told: float) -> float:
    """Resources of an FPGA are whole."""
    return float(round(told)) if target in DEVICES else told


def _modelled(cost: Cost) -> str:
    """The quantity that there is a model of."""
    return _PER_RECORD if cost.quantity.startswith("energy_per_") else cost.quantity


def _like(seen: int, outside: list[str]) -> str:
    if not seen:
        return "by a model that has seen no unit of this kind"
    if outside:
        return f"by a model fitted to {seen} points of this unit, outside of them"
    return f"by a model fitted to {seen} points of this unit"


def _per_operation(spec: Spec, costs: list[Cost]) -> list[Cost]:
    """Energies of what a record is worth."""
    return [
        Cost(
            **{
                **vars(cost),
                "quantity": f"energy_per_{operation}",
                "value": cost.value / number,
            }
        )
        for cost in costs
        if cost.quantity == _PER_RECORD
        for operation, number in spec.operations.items()
    ]
