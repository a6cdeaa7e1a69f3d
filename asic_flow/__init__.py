"""On standard cells: area, timing and the clock that a unit holds, with any Liberty file."""

from multipede.asic_flow.synthesis import Synthesis
from multipede.asic_flow.synthesize import Constraints, synthesize, synthesize_component

__all__ = ["Constraints", "Synthesis", "synthesize", "synthesize_component"]
