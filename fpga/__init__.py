"""On a board: what a unit takes of an FPGA, how fast it is there, and a host that talks to it."""

from multipede.fpga.build import Build, build_for
from multipede.fpga.fit import Fit, fit
from multipede.fpga.host import Board, BoardError, connect
from multipede.fpga.load import load
from multipede.fpga.nextpnr import DoesNotFitError
from multipede.fpga.place_and_route import Routing, route
from multipede.fpga.resources import Resources, resources
from multipede.fpga.simulated_board import SimulatedBoard
from multipede.fpga.trial import Trial, try_board

__all__ = [
    "Board",
    "BoardError",
    "Build",
    "DoesNotFitError",
    "Fit",
    "Resources",
    "Routing",
    "SimulatedBoard",
    "Trial",
    "build_for",
    "connect",
    "fit",
    "load",
    "resources",
    "route",
    "try_board",
]
