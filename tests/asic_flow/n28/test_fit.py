"""What is fitted to Nangate45 is fitted again from its Liberty file, where there is one."""

import numpy as np
import pytest

from multipede.asic_flow.liberty.cell_model import Constraint, Edge, cell_model
from multipede.asic_flow.liberty.library import read_liberty
from multipede.asic_flow.n28.cells import CellKind, cell_table
from multipede.asic_flow.n28.constants import constants
from tests.asic_flow.n28.nangate45_fit import FANOUTS, Nangate45, mean

GATES = [cell for cell in cell_table().values() if cell.kind is CellKind.GATE]
OUTPUTS = {"Z": "Y", "ZN": "Y"}
SITE = 0.266  # um2


def number(name: str) -> float:
    return constants()[name].number


@pytest.fixture(scope="module")
def nangate45(liberty_file):
    library = read_liberty(liberty_file("nangate45_typ.lib.gz"))
    return Nangate45(library, number("slew_share"), number("slew_per_load"))


def origin(cell) -> str:
    """The cell of Nangate45 that it is fitted to."""
    return cell.timing_from.split()[1]


class TestCells:
    def test_widths(self, nangate45):
        checked = 0
        for cell in cell_table().values():
            words = cell.sites_from.split()
            if words[0] == "Nangate45":
                area = float(nangate45.library.cells[words[1]].area)
                assert cell.sites == round(area / SITE), cell.name
                checked += 1
        assert checked > 70

    @pytest.mark.few(25)
    @pytest.mark.parametrize("cell", GATES, ids=lambda cell: cell.name)
    def test_gates(self, nangate45, cell):
        assert origin(cell) == cell.name
        through = number("slew_through") if cell.stages == 1 else 0.0
        fit = nangate45.fit(cell.name, cell.stages, through)
        assert cell.capacitances == pytest.approx(fit.capacitances, abs=0.006)
        renamed = {"drives": fit.drives, "slews": fit.slews, "energies": fit.energies}
        for column, values in renamed.items():
            expected = {OUTPUTS.get(output, output): value for output, value in values.items()}
            assert getattr(cell, column) == pytest.approx(expected, abs=0.006), column
        parasitics = {(pin, OUTPUTS.get(to, to)): v for (pin, to), v in fit.parasitics.items()}
        assert cell.parasitics == pytest.approx(parasitics, abs=0.006)

    def test_registers(self, nangate45):
        for cell in cell_table().values():
            if cell.kind is CellKind.GATE:
                continue
            fit = nangate45.fit(origin(cell), cell.stages, 0.0)
            own = cell.outputs[0]
            speed = number("register_speed") if cell.kind is CellKind.FLIP_FLOP else 1.0
            for pin, output in cell.parasitics:
                expected = speed * fit.parasitics[pin, output]
                assert cell.parasitics[pin, output] == pytest.approx(expected, abs=0.006)
            assert cell.drives[own] == pytest.approx(fit.drives[own], abs=0.006)
            assert cell.slews[own] == pytest.approx(fit.slews[own], abs=0.006)
            assert cell.energies[own] == pytest.approx(fit.energies[own], abs=0.006)
            for pin in cell.inputs:
                select = nangate45.fit("MUX2_X1", 2, 0.0).capacitances["S"]
                enable = pin == "E" and cell.kind is CellKind.FLIP_FLOP
                # A synchronous reset is the other input of the gate that takes the data.
                alike = cell.data if pin == "CN" else pin
                expected = select if enable else fit.capacitances[alike]
                assert cell.capacitances[pin] == pytest.approx(expected, abs=0.006)

    @pytest.mark.parametrize(
        ("name", "states", "low"),
        [
            ("DFF_X2", ("!D & !Q & QN", "D & Q & !QN"), "!CK"),
            ("DFFR_X1", ("!D & RN & !Q & QN", "D & RN & Q & !QN"), "!CK & RN"),
            ("DFFS_X1", ("!D & SN & !Q & QN", "D & SN & Q & !QN"), "!CK & SN"),
            ("DLH_X1", ("!D & !Q", "D & Q"), "!G"),
            ("DLL_X1", ("!D & !Q", "D & Q"), "GN"),
            ("CLKGATE_X1", ("!E & !GCK",), "!CK"),
        ],
    )
    def test_energies_of_clock_and_data(self, nangate45, name, states, low):
        cell = cell_table()[name]
        unit = nangate45.clock_energy("DFF_X1", "CK", ("!D & !Q & QN", "D & Q & !QN"))
        found = nangate45.clock_energy(name, cell.clock, states) / unit
        assert cell.clock_energy == pytest.approx(found, abs=0.006)
        found = nangate45.data_energy(name, cell.data, low)
        assert cell.data_energy == pytest.approx(found, abs=0.006)


class TestConstants:
    def test_fo4_capacitance_and_limits_of_nangate45(self, nangate45):
        """Those that the constants are derived from."""
        assert nangate45.capacitance == pytest.approx(1.625, abs=0.001)
        inverter = nangate45.library.cells["INV_X1"]
        load = inverter.pins["A"].capacitance
        arcs = cell_model(nangate45.library, "INV_X1").arcs
        slew = 0.0
        for _ in range(100):
            slew = mean(arc.slew.at(slew, 4 * load) for arc in arcs)
        assert mean(arc.delay.at(slew, 4 * load) for arc in arcs) == pytest.approx(22.0, abs=0.2)
        header = nangate45.library.header
        assert header.number("default_max_transition") == pytest.approx(0.1985, abs=1e-4)
        assert cell_model(nangate45.library, "INV_X1").limits == {"ZN": 60.73}

    def test_shares_of_slews(self, nangate45):
        """As differences at fan-outs of 1 to 8, of the cells of the smallest size."""

        def share(kind: str, name: str, fanout: float) -> float:
            load = fanout * nangate45.capacitance
            arcs = cell_model(nangate45.library, name).arcs
            return mean(
                (getattr(arc, kind).at(40, load) - getattr(arc, kind).at(8, load)) / 32
                for arc in arcs
            )

        smallest = [cell for cell in GATES if cell.name.endswith("_X1")]
        delays = mean(share("delay", cell.name, 4) for cell in smallest)
        assert delays == pytest.approx(number("slew_share"), abs=0.006)
        single = [cell.name for cell in smallest if cell.stages == 1]
        through = mean(share("slew", name, fanout) for name in single for fanout in FANOUTS)
        assert through == pytest.approx(number("slew_through"), abs=0.006)

    def test_slew_per_load(self, nangate45):
        """Slope of the slew over that of the delay, fitted to loads at a slew of 20 ps."""
        found = []
        loads = np.array(FANOUTS) * nangate45.capacitance
        for cell in GATES:
            if cell.name.endswith("_X1"):
                arcs = cell_model(nangate45.library, cell.name).arcs
                slew, delay = (
                    mean(
                        np.polyfit(loads, [getattr(arc, kind).at(20, load) for load in loads], 1)[0]
                        for arc in arcs
                    )
                    for kind in ("slew", "delay")
                )
                found.append(slew / delay)
        assert mean(found) == pytest.approx(number("slew_per_load"), abs=0.005)

    @pytest.mark.parametrize(
        ("constant", "cell", "edge"),
        [
            ("setup_flip_flop", "DFF_X1", Edge.FALL),
            ("setup_latch", "DLH_X1", Edge.FALL),
            ("setup_clock_gate", "CLKGATE_X1", Edge.RISE),
        ],
    )
    def test_setup(self, nangate45, constant, cell, edge):
        start, of_data, of_clock = constants()[constant].numbers
        setups = cell_model(nangate45.library, cell).setups
        (setup,) = (one for one in setups if one.pin_edge is edge)
        assert _largest(setups) is edge
        for clock in (1.2, 20.0, 40.0):
            for data in (1.2, 20.0, 40.0):
                expected = start * nangate45.tau + of_data * data + of_clock * clock
                assert setup.time.at(clock, data) == pytest.approx(expected, abs=2.0)

    def test_wires(self, nangate45):
        (group,) = (
            one
            for one in nangate45.library.header.of("wire_load")
            if one.arguments == ("5K_hvratio_1_1",)
        )
        given = {int(f): float(length) for f, length in group.attributes["fanout_length"]}
        lengths = constants()["wire_lengths"].numbers
        assert lengths == tuple(given[fanout] for fanout in range(1, 10))
        assert group.number("slope") == number("wire_slope")
        assert group.number("capacitance") == pytest.approx(number("wire_capacitance"))


def _largest(setups: tuple[Constraint, ...]) -> Edge:
    """The edge that needs the most time, at slews of 20 ps."""
    return max(setups, key=lambda one: one.time.at(20, 20)).pin_edge
