"""The generated library: what its tables say, by reading them, against what was published."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from multipede.asic_flow.liberty.cell_model import CellModel, Edge, cell_model
from multipede.asic_flow.liberty.library import Library, parse_liberty, read_liberty
from multipede.asic_flow.liberty.wire_load import wire_load
from multipede.asic_flow.mapping.adder_cells import adder_cells
from multipede.asic_flow.n28 import Corner, n28_liberty, n28_library, write_n28
from multipede.asic_flow.n28.cells import CellKind, cell_table
from multipede.asic_flow.n28.constants import constants
from multipede.asic_flow.n28.liberty_text import liberty_text, timing_sense
from multipede.asic_flow.n28.model import CornerModel

ALL_CORNERS = pytest.mark.parametrize("corner", list(Corner), ids=str)
GATES = [name for name, cell in cell_table().items() if cell.kind is CellKind.GATE]
TT, SS81, SS90, FF = Corner


def fo4(library: Library) -> float:
    """ps of an inverter with a fan-out of 4 and the slew of another such."""
    model = cell_model(library, "INV_X1")
    arc = model.arcs[0]
    load = 4 * model.capacitances["A", Edge.RISE]
    slew = 0.0
    for _ in range(100):
        slew = arc.slew.at(slew, load)
    return arc.delay.at(slew, load)


def delay(library: Library, cell: str, pin: str, output: str, load: float) -> float:
    """ps of the slowest arc at a small slew."""
    arcs = cell_model(library, cell).arcs
    found = [a.delay.at(5.0, load) for a in arcs if (a.input, a.output) == (pin, output)]
    assert found
    return max(found)


def clock_energy(model: CellModel) -> float:
    """fJ of a cycle."""
    found = {e.pin_edge: e.energy.at(0, 0) for e in model.energies if e.pin == model.clock}
    return found[Edge.RISE] + found[Edge.FALL]


class TestPublishedPoints:
    @pytest.mark.parametrize(("corner", "ps"), [(TT, 14.3), (SS81, 23.8), (SS90, 19.8), (FF, 11.0)])
    def test_fo4(self, corner, ps):
        assert fo4(n28_library(corner)) == pytest.approx(ps, rel=1e-5)

    @pytest.mark.parametrize("name", ["tt_0p90v_25c.fo4", "nand2_capacitance"])
    def test_a_wrong_constant_shows_in_the_tables(self, name):
        planted = dict(constants())
        planted[name] = replace(planted[name], value=planted[name].number * 1.05)
        text = liberty_text(CornerModel(TT, constants=planted))
        library = parse_liberty(text, "planted.lib", "um2")
        ratio = fo4(library) / 14.3, cell_model(library, "NAND2_X1").capacitances["A1", Edge.RISE]
        expected = (1.05, 0.7) if name.endswith("fo4") else (1.0, 0.735)
        assert ratio == pytest.approx(expected, rel=0.006)

    def test_nand_capacitance(self):
        cell = cell_model(n28_library(), "NAND2_X1")
        mean = np.mean([cell.capacitances[pin, Edge.RISE] for pin in ("A1", "A2")])
        assert mean == pytest.approx(0.7, abs=0.001)

    def test_flip_flop_clock_energy(self):
        found = {c: clock_energy(cell_model(n28_library(c), "DFF_X1")) for c in Corner}
        assert found[FF] == pytest.approx(5.0)
        assert found[SS90] == pytest.approx(1.9)
        assert found[SS81] < found[SS90] < found[TT] < found[FF]

    def test_clock_to_q_and_carry_of_the_fast_corner_are_30_ps(self):
        library = n28_library(FF)
        load = cell_model(library, "INV_X1").capacitances["A", Edge.RISE]
        assert delay(library, "FA_X1", "CI", "CO", load) == pytest.approx(30, abs=5)
        arc = cell_model(library, "DFF_X1").arcs[0]
        assert arc.clocked
        assert arc.delay.at(0.0, load) == pytest.approx(30, rel=0.01)

    def test_energy_is_what_published_netlists_suggest_of_nangate45(self):
        """0.37 x/1.4, and 0.285 in the geometric mean of the BitMoD blocks."""
        inverter = cell_model(n28_library(), "INV_X1")
        own = inverter.capacitances["A", Edge.RISE] * 0.9**2
        ratio = own / (1.625 * 1.1**2)
        assert ratio == pytest.approx(0.285, rel=0.1)
        assert 0.37 / 1.4 < ratio < 0.37 * 1.4

    @ALL_CORNERS
    def test_energy_goes_with_the_voltage_squared(self, corner):
        energies = [cell_model(n28_library(c), "NAND2_X1").energies[0] for c in (TT, corner)]
        first, second = (arc.energy.at(10, 1) for arc in energies)
        assert second / first == pytest.approx((corner.voltage / 0.9) ** 2, rel=1e-5)
        own = 0.5 * 0.7 * 0.9**2  # fJ, of NAND2_X1's input
        assert first == pytest.approx(1.38 / 0.965 * own, rel=0.01)


class TestCorners:
    def test_slower_ones_are_slower_everywhere(self):
        order = [FF, TT, SS90, SS81]
        for name in cell_table():
            arcs = [cell_model(n28_library(corner), name).arcs for corner in order]
            for same in zip(*arcs, strict=True):
                times = [arc.delay.at(5, 2) for arc in same]
                assert times == sorted(times), name
                assert times[0] < times[-1]

    @ALL_CORNERS
    def test_header(self, corner):
        library = n28_library(corner)
        assert library.source == f"n28_{corner.name.lower()}.lib"
        assert library.unit == "um2"
        assert library.voltage == corner.voltage
        assert library.header.number("nom_temperature") == corner.temperature
        units = library.units
        assert (units.time, units.load, units.voltage, units.leakage) == (1, 1, 1, 1)

    @ALL_CORNERS
    def test_leakage_is_that_of_the_sites(self, corner):
        per_site = constants()[f"{corner.key}.leakage"].number
        for name, cell in cell_table().items():
            (leakage,) = cell_model(n28_library(corner), name).leakages
            assert leakage.power == pytest.approx(per_site * cell.sites)

    def test_others_are_refused(self):
        for ask in (n28_library, n28_liberty):
            with pytest.raises(TypeError, match=r"corner = 'tt': one of .*TT_0P90V_25C.* of n28"):
                ask("tt")


class TestTables:
    @pytest.mark.parametrize("name", list(cell_table()))
    def test_delay_and_slew_grow(self, name):
        model = cell_model(n28_library(), name)
        inputs = {arc.input for arc in model.arcs}
        assert inputs == {pin for pin, _ in cell_table()[name].parasitics}
        stages = cell_table()[name].stages
        for arc in model.arcs:
            assert arc.delay.values.shape == arc.slew.values.shape == (7, 7)
            assert (arc.delay.values > 0).all()
            assert (np.diff(arc.delay.values, axis=0) > 0).all()
            assert (np.diff(arc.delay.values, axis=1) > 0).all()
            assert (np.diff(arc.slew.values, axis=1) > 0).all()
            assert ((np.diff(arc.slew.values, axis=0) > 0) == (stages == 1)).all()

    def test_larger_drives_are_faster_and_heavier(self):
        library = n28_library()
        pairs = 0
        for name in GATES:
            stem, _, size = name.rpartition("_X")
            smaller = f"{stem}_X{int(size) // 2}"
            if smaller not in library.cells:
                continue
            pairs += 1
            models = cell_model(library, smaller), cell_model(library, name)
            load = models[0].limits["Y"]
            assert models[1].limits["Y"] > 1.5 * load
            for pin in library.cells[name].inputs:
                small, large = (model.capacitances[pin, Edge.RISE] for model in models)
                assert 1.2 * small < large < 2.4 * small
                small, large = (delay(library, n, pin, "Y", load) for n in (smaller, name))
                assert large < 0.7 * small
        assert pairs > 30

    def test_both_edges_of_each_input_and_output_are_there(self):
        library = n28_library()
        for name in GATES:
            arcs = cell_model(library, name).arcs
            for output in library.cells[name].outputs:
                for pin in library.cells[name].inputs:
                    found = {
                        (a.input_edge, a.output_edge)
                        for a in arcs
                        if (a.input, a.output) == (pin, output)
                    }
                    assert {edge for edge, _ in found} == set(Edge), (name, pin)
                    assert {edge for _, edge in found} == set(Edge), (name, pin)

    @pytest.mark.parametrize(
        ("function", "pin", "sense"),
        [
            ("!(A&B)", "B", "negative_unate"),
            ("A|B", "A", "positive_unate"),
            ("A^B", "A", "non_unate"),
            ("(A&!S)|(B&S)", "S", "non_unate"),
            ("(A&!S)|(B&S)", "B", "positive_unate"),
        ],
    )
    def test_sense(self, function, pin, sense):
        inputs = sorted(set(function) & set("ABS"))
        assert timing_sense(function, inputs, pin) == sense

    def test_setup_and_hold_times(self):
        library = n28_library()
        for name, cell in cell_table().items():
            model = cell_model(library, name)
            wanted = {pin for pin in (cell.data, "E", "CN") if pin in cell.inputs and cell.clock}
            assert {one.pin for one in model.setups} == wanted
            for one in model.setups:
                assert one.time.at(5, 5) > 20
            kinds = {
                timing.text("timing_type")
                for pin in library.cells[name].group.of("pin")
                for timing in pin.of("timing")
            }
            if cell.clock:
                edge = "falling" if cell.clock == "G" else "rising"
                assert {f"setup_{edge}", f"hold_{edge}"} <= kinds
            assert ({"recovery_rising", "removal_rising"} <= kinds) == bool(
                {"RN", "SN"} & set(cell.inputs)
            )

    def test_setup_rises_with_the_datas_slew_and_falls_with_the_clocks(self):
        (setup, _) = cell_model(n28_library(), "DFF_X1").setups
        # FO4, parasitic delay, share of the slew, slew of INV_X1, and what of it passes through.
        tau = 14.3 / (0.57 + 4 + 0.37 * (0.65 + 4 * 0.81) / 0.92)
        for clock, data in ((0, 0), (20, 0), (0, 20), (30, 50)):
            expected = 10.7 * tau + 0.40 * data - 0.34 * clock
            assert setup.time.at(clock, data) == pytest.approx(expected, rel=1e-4)

    def test_every_output_has_a_limit(self):
        library = n28_library()
        longest = library.header.number("default_max_transition")
        assert longest == pytest.approx(9 * 14.3)
        for name in library.cells:
            model = cell_model(library, name)
            assert set(model.limits) == set(library.cells[name].outputs)
            assert all(arc.slew.at(0, model.limits[arc.output]) < longest for arc in model.arcs)

    def test_wires(self):
        wires = wire_load(n28_library())
        loads = wires.load(np.array([0, 1, 2, 9, 11]))
        shrink = 0.688 * 0.1774
        expected = np.array([0, 1.746, 3.9394, 25.4842, 25.4842 + 2 * 5.0]) * shrink
        assert loads == pytest.approx(expected, rel=1e-5)


class TestUse:
    def test_adders_are_found(self):
        found = adder_cells(n28_library())
        assert (found.full.cell.name, found.half.cell.name) == ("FA_X1", "HA_X1")
        assert not found.full.sum_inverted
        assert found.full.cell.inputs == ["A", "B", "CI"]

    def test_a_written_file_is_read_as_the_library(self, tmp_path):
        path = tmp_path / n28_library(FF).source
        write_n28(path, FF)
        assert path.read_text() == n28_liberty(FF)
        assert read_liberty(path) == n28_library(FF)
        assert [one.name for one in tmp_path.iterdir()] == [path.name]

    def test_it_says_what_it_is(self):
        head = n28_liberty().partition("*/")[0]
        assert "PREDICTIVE" in head
        assert "Leakage is ASSUMED" in head

    def test_the_text_is_the_same_in_any_process(self):
        script = (
            "import hashlib; from multipede.asic_flow.n28 import n28_liberty;"
            "print(hashlib.sha256(n28_liberty().encode()).hexdigest())"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == hashlib.sha256(n28_liberty().encode()).hexdigest()
