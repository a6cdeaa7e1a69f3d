"""The library in the tools that read it: Yosys, ABC, our own synthesis and timing."""

import json
import re

import pytest

from multipede.asic_flow.liberty.cell_model import Edge, cell_model
from multipede.asic_flow.mapping.map_to_cells import Recipe, map_to_cells
from multipede.asic_flow.n28 import Corner, n28_liberty, n28_library, write_n28
from multipede.asic_flow.n28.cells import CellKind, cell_table
from multipede.asic_flow.netlist.netlist_text import netlist_verilog
from multipede.asic_flow.synthesize import synthesize_rtlil
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.static_timing import static_timing
from multipede.toolchain import find, run
from multipede.toolchain.yosys import run_yosys
from tests.asic_flow.designs import INVERTER, RIPPLE, rtlil
from tests.asic_flow.timing.abc_timing import abc_delay

REGISTERS = """
module top(input clk, rst_n, en, input [3:0] a, b, output reg [3:0] p, q, r, s, output [3:0] y);
  always @(posedge clk) p <= a + b;
  always @(posedge clk) if (en) q <= a ^ b;
  always @(posedge clk or negedge rst_n) if (!rst_n) r <= 0; else r <= a & b;
  always @(posedge clk or negedge rst_n) if (!rst_n) s <= 4'hf; else if (en) s <= a;
  assign y = p[0] ? q : r;
endmodule
"""


@pytest.fixture
def n28_file(tmp_path):
    path = tmp_path / n28_library().source
    write_n28(path)
    return path


class TestYosys:
    def test_registers_gates_and_multiplexers_are_found(self):
        mapped = map_to_cells(rtlil(REGISTERS), "top", n28_library(), Recipe.AREA)
        cells = mapped.cells
        assert {"DFF_X1", "DFFE_X1", "DFFR_X1", "DFFS_X1"} <= set(cells)
        assert [cells[name] for name in ("DFF_X1", "DFFE_X1", "DFFR_X1", "DFFS_X1")] == [4] * 4
        assert any(cell.startswith("MUX2") for cell in cells)

    @pytest.mark.parametrize("broken", [False, True])
    def test_the_netlist_does_what_the_design_does(self, broken):
        """As Yosys reads the cells' functions; a wrong register is found."""
        library = n28_library()
        mapped = map_to_cells(rtlil(REGISTERS), "top", library, Recipe.AREA)
        text = n28_liberty()
        if broken:
            text = text.replace("(E & D) | (!E & IQ)", "(!E & D) | (E & IQ)")
        script = """
read_verilog gold.v; proc; flatten; async2sync; opt_clean; rename top gold; design -stash gold
read_liberty cells.lib; read_verilog gate.v; hierarchy -top top; proc; flatten
async2sync; opt_clean; rename top gate; design -stash gate
design -copy-from gold gold; design -copy-from gate gate
equiv_make gold gate equiv; hierarchy -top equiv; equiv_simple -undef; equiv_induct -undef
tee -o status.txt equiv_status
"""
        done = run_yosys(
            script,
            files={
                "gold.v": REGISTERS,
                "gate.v": netlist_verilog(mapped.netlist, "top"),
                "cells.lib": text,
            },
            outputs=["status.txt"],
        )
        found = re.search(r"(\d+) are proven and (\d+) are unproven", done.outputs["status.txt"])
        assert int(found[1]) > 0
        assert (int(found[2]) > 0) == broken

    def test_clock_gates_are_found(self):
        script = """
read_verilog top.v; synth -flatten -noabc -top top; clockgate -liberty cells.lib
dfflibmap -liberty cells.lib; opt_clean -purge; tee -q -o stat.json stat -json -liberty cells.lib
"""
        files = {"top.v": REGISTERS, "cells.lib": n28_liberty()}
        done = run_yosys(script, files=files, outputs=["stat.json"])
        cells = json.loads(done.outputs["stat.json"])["design"]["num_cells_by_type"]
        assert cells["CLKGATE_X1"] == 1  # of both registers that one signal enables
        assert "DFFE_X1" not in cells


class TestAbc:
    def test_all_gates_are_read(self, n28_file):
        commands = f"read_lib -w {n28_file.name}"
        done = run(find("yosys-abc"), ["-c", commands], directory=n28_file.parent)
        gates = sum(cell.kind is CellKind.GATE for cell in cell_table().values())
        registers = len(cell_table()) - gates
        assert f"has {gates} cells ({registers} skipped: {registers} seq; 0 tri" in done.stdout

    def test_an_inverters_delay_is_the_tables(self, tmp_path):
        mapped = map_to_cells(rtlil(INVERTER), "top", n28_library(), Recipe.AREA)
        (fastest, *_) = cell_model(n28_library(), "INV_X1").arcs
        assert [cell["type"] for cell in mapped.netlist["cells"].values()] == ["INV_X1"]
        found = abc_delay(mapped, n28_library(), tmp_path)
        assert found == pytest.approx(fastest.delay.at(0, 0), abs=0.1)


class TestOwn:
    def test_adder_cells_and_delay(self, n28_file):
        found = synthesize_rtlil(rtlil(RIPPLE), top="top", liberty=n28_file)
        assert found.cells == {"FA_X1": 4}
        assert found.total == pytest.approx(4 * 16 * 0.126)
        assert found.area_unit == "um2"

    @pytest.mark.parametrize("corner", list(Corner), ids=str)
    def test_static_timing_adds_up_the_carries(self, corner):
        library = n28_library(corner)
        mapped = map_to_cells(rtlil(RIPPLE), "top", library, Recipe.AREA)
        found = static_timing(mapped.netlist, library, Conditions())
        model = cell_model(library, "FA_X1")
        arcs = {(arc.input, arc.output): arc for arc in model.arcs}
        carry, slew, time = model.capacitances["CI", Edge.RISE], 0.0, 0.0
        for pin, output, load in [
            ("B", "CO", carry),
            ("CI", "CO", carry),
            ("CI", "CO", carry),
            ("CI", "S", 0.0),
        ]:
            arc = arcs[pin, output]
            time += arc.delay.at(slew, load)
            slew = arc.slew.at(slew, load)
        assert found.delay == pytest.approx(time, rel=1e-6)

    def test_static_timing_knows_all_registers(self):
        library = n28_library()
        mapped = map_to_cells(rtlil(REGISTERS), "top", library, Recipe.AREA)
        found = static_timing(mapped.netlist, library, paths=100)
        setups = [path.setup for path in found.paths if path.setup]
        assert len(setups) == 16
        assert all(20 < setup < 60 for setup in setups)
