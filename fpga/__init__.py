"""On a board: what a unit takes of an FPGA, how fast it is there, and a host that talks to it."""

from multipede.fpga.host import Board, BoardError, connect
from multipede.fpga.nextpnr import DoesNotFitError
from multipede.fpga.place_and_route import Routing, route
from multipede.fpga.resources import Resources, resources

__all__ = [
    "Board",
    "BoardError",
    "DoesNotFitError",
    "Resources",
    "Routing",
    "connect",
    "resources",
    "route",
]
