"""On standard cells: area in NAND2 equivalents or with any Liberty file, and delay."""

from multipede.asic_flow.synthesis import Synthesis
from multipede.asic_flow.synthesize import synthesize, synthesize_component

__all__ = ["Synthesis", "synthesize", "synthesize_component"]
