"""On standard cells: area, timing and the clock that a unit holds, with any Liberty file."""

from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.place_and_route.hand_off import Flow, hand_off
from multipede.asic_flow.power.power_of_unit import UnitPower, unit_activity, unit_power
from multipede.asic_flow.synthesis import Synthesis
from multipede.asic_flow.synthesize import Constraints, synthesize, synthesize_component

__all__ = [
    "Constraints",
    "Flow",
    "Library",
    "Synthesis",
    "UnitPower",
    "hand_off",
    "synthesize",
    "synthesize_component",
    "unit_activity",
    "unit_power",
]
