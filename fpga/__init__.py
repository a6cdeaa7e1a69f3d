"""On a board: what a unit takes of an FPGA."""

from multipede.fpga.resources import Resources, resources

__all__ = ["Resources", "resources"]
