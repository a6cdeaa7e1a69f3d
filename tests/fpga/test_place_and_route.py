"""Speed on a chip: several seeds, paths in the user's names, and what does not fit."""

import json
from collections import Counter
from pathlib import Path

import pytest

from multipede.fpga import DoesNotFitError, route
from multipede.fpga.chips import CHIPS, chip
from multipede.fpga.nextpnr import REPORT, nextpnr_of, place
from multipede.fpga.place_and_route import mapped_netlist, routed_directory
from multipede.fpga.register_ring import TOP, register_ring_rtlil, ring_registers
from multipede.golden.formats import INT8
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import PartialProducts
from multipede.hw import Style, inventory
from multipede.toolchain import ToolError, ToolTimeout
from multipede.toolchain.yosys import run_yosys

ROOT = Path(__file__).parents[2]
PRODUCT = IntegerMultiplier(stages=2)
WHOLE = IntegerMultiplier(stages=2, partial_products=PartialProducts.INFERRED)
ROUTED = [name for name, known in CHIPS.items() if known.is_routed]


@pytest.mark.few(2)
@pytest.mark.parametrize("name", ["ecp5-25f", "ice40-hx8k", "gw1nr-9c"])
def test_a_multiplier(name):
    found = route(PRODUCT, name, seeds=2)
    assert [placement.seed for placement in found.placements] == [1, 2]
    assert found.frequencies[0] <= found.frequency <= found.frequencies[-1]
    # No faster than a flip-flop and a look-up table of these chips, no slower than 40 of them.
    assert 25 < found.frequency < 500
    for placement in found.placements:
        assert placement.path_delay == pytest.approx(1e3 / placement.frequency, rel=0.05)
        # Registers that are equal are one.
        most = ring_registers(PRODUCT) + inventory(PRODUCT)["register"]
        assert ring_registers(PRODUCT) < placement.used.get("ff", most) <= most
        assert 64 < placement.used["lut"] < 300
        names = [step.signal for step in placement.path if step.signal]
        # The unit's own, and nothing of what Yosys put behind them.
        assert names
        assert not any("_SB_" in n or "TRELLIS" in n or n.startswith("$") for n in names)
    document = json.loads(json.dumps(found.to_dict()))
    assert document["frequency"] == found.frequency
    assert f"{found.frequency:.1f}  MHz, median of 2 seeds" in str(found)


def test_paths_begin_where_operands_come_in():
    (placement,) = route(IntegerMultiplier(stages=0), "ecp5-25f", seeds=1).placements
    first, *_ = (step.signal for step in placement.path if step.signal)
    assert first.startswith(("in_a[", "in_b["))


def test_products_left_to_synthesis_take_dsp_blocks_where_there_are_some():
    assert route(WHOLE, "ecp5-25f", seeds=1).best.used["dsp"] == 1
    assert "dsp" not in route(WHOLE, "ice40-hx8k", seeds=1).best.used
    assert route(PRODUCT, "ecp5-25f", seeds=1).best.used["dsp"] == 0


def test_the_same_again():
    """A seed gives the same placement, and another seed another one."""
    first, other = route(PRODUCT, "ecp5-25f", seeds=[4, 5]).placements
    assert route(PRODUCT, "ecp5-25f", seeds=[4]).placements == (first,)
    assert first.path != other.path


@pytest.mark.parametrize(
    "name", [n if n == "ice40-up5k" else pytest.param(n, marks=pytest.mark.regress) for n in ROUTED]
)
def test_chips_hold_what_nextpnr_says(name):
    target = chip(name)
    netlist = mapped_netlist(register_ring_rtlil(PRODUCT, Style.WORD), TOP, target)
    ports = ("clk", "rst", "serial_in", "serial_out")
    pins = "".join(f'IO_LOC "{p}" {pin};\n' for p, pin in zip(ports, target.pins, strict=False))
    routed = routed_directory(netlist, target, seed=1, frequency=target.frequency, pins=pins)
    counts = json.loads((routed / REPORT).read_text())["utilization"]
    said = {}
    for cell, resource in nextpnr_of(target).resources.items():
        if cell in counts:
            said.setdefault(resource, counts[cell]["available"])
    assert said
    assert said == {resource: target.holds[resource] for resource in said}


class TestWhatDoesNotFit:
    @pytest.mark.regress
    def test_says_by_how_much(self):
        large = MixPE(rows=4, columns=4, lanes=8)
        with pytest.raises(DoesNotFitError) as refused:
            route(large, "ice40-up5k", seeds=1)
        said = str(refused.value)
        assert "Lattice iCE40UP5K-SG48 is too small" in said
        assert "ICESTORM_LC are needed and 5280 there" in said
        needed, there = int(said.split(": ")[1].split()[0]), 5280
        assert f"{needed - there} too few" in said

    def test_gowins_adders_and_memories_take_sites_of_look_up_tables(self, tmp_path):
        """So many for sure that nextpnr, which would look for places for minutes, is not asked."""
        target = chip("gw1nr-9c")
        netlist, directory = tmp_path / "cells.json", tmp_path / "work"
        directory.mkdir()

        def place_cells(**cells):
            kinds = [kind for kind, number in cells.items() for _ in range(number)]
            module = {"cells": {f"c{index}": {"type": kind} for index, kind in enumerate(kinds)}}
            netlist.write_text(json.dumps({"modules": {"top": module, "ALU": {"cells": {}}}}))
            asked = {"seed": 1, "frequency": 27.0, "pins": "", "directory": directory}
            place(target, netlist, timeout=0.01, **asked)

        too_many = "8,641 lut are needed and 8,640 there, 1 too few"
        with pytest.raises(DoesNotFitError, match=too_many):
            place_cells(LUT1=1, LUT4=4000, ALU=4000, RAM16SDP4=80, DFF=9000)
        # One less is nextpnr's to say.
        with pytest.raises(ToolTimeout):
            place_cells(LUT4=4000, ALU=4000, RAM16SDP4=80, DFF=9000)


class TestGowinsTables:
    """nextpnr's timing analysis needs tables all of whose inputs are driven by logic."""

    def test_they_compute_the_same(self):
        """Of all inputs, as those that are repeated cannot differ."""
        mapping = nextpnr_of(chip("gw1nr-9c")).mapping
        tables = {"LUT1": 0b01, "LUT2": 0b0110, "LUT3": 0b11001010}
        cells = "".join(
            f"{kind} #(.INIT({1 << size}'d{init})) {kind} (.F(f[{size}]), "
            + ", ".join(f".I{pin}(i[{pin}])" for pin in range(size))
            + ");\n"
            for size, (kind, init) in enumerate(tables.items(), 1)
        )
        done = run_yosys(
            f"read_verilog top.v\ntechmap -map {mapping}\nwrite_json out.json",
            files={
                "top.v": f"module top(input [2:0] i, output [3:1] f);\n{cells}endmodule\n",
                mapping: (ROOT / "fpga" / mapping).read_text(),
            },
            outputs=["out.json"],
        )
        top = json.loads(done.outputs["out.json"])["modules"]["top"]
        inputs = top["ports"]["i"]["bits"]
        assert len(top["cells"]) == 3
        for cell in top["cells"].values():
            assert cell["type"] == "LUT4"
            size = 1 + top["ports"]["f"]["bits"].index(cell["connections"]["F"][0])
            pins = [inputs.index(cell["connections"][f"I{pin}"][0]) for pin in range(4)]
            table = int(cell["parameters"]["INIT"], 2)
            for value in range(8):
                place = sum((value >> source & 1) << pin for pin, source in enumerate(pins))
                wanted = tables[f"LUT{size}"] >> (value & (1 << size) - 1) & 1
                assert table >> place & 1 == wanted

    def test_no_smaller_ones_are_left(self):
        netlist = mapped_netlist(register_ring_rtlil(PRODUCT, Style.WORD), TOP, chip("gw1nr-9c"))
        cells = json.loads(netlist.read_text())["modules"][TOP]["cells"].values()
        kinds = {cell["type"] for cell in cells}
        assert "LUT4" in kinds
        assert not kinds & {"LUT1", "LUT2", "LUT3"}

    def test_paths_are_not_left_out(self):
        """Else this is said to be faster than on the faster ECP5."""
        product = IntegerMultiplier(stages=2)
        gowin, ecp5 = (route(product, name, seeds=1).frequency for name in ("gw1nr-9c", "ecp5-25f"))
        assert 30 < gowin < ecp5


@pytest.mark.regress
def test_gowins_sites_are_counted():
    """A sum of words is in ALUs, which take the places of look-up tables."""
    found = route(IntegerMultiplier(stages=2), "gw1nr-9c", seeds=1).best
    netlist = mapped_netlist(
        register_ring_rtlil(IntegerMultiplier(stages=2), Style.WORD), TOP, chip("gw1nr-9c")
    )
    cells = json.loads(netlist.read_text())["modules"][TOP]["cells"].values()
    kinds = Counter(cell["type"] for cell in cells)
    tables = sum(number for kind, number in kinds.items() if kind.startswith("LUT"))
    assert kinds["ALU"] > 20
    # Each chain has a head and a tail more.
    assert tables + kinds["ALU"] <= found.used["lut"] < tables + 1.5 * kinds["ALU"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"chip": "virtex"}, ValueError, "chip = 'virtex': allowed are ecp5-25f"),
            ({"chip": "xcvu37p"}, ValueError, "no open tool places and routes for it"),
            ({"seeds": 0}, ValueError, "seeds = 0"),
            ({"seeds": "12"}, TypeError, "seeds"),
            ({"seeds": []}, ValueError, "at least one"),
            ({"seeds": [1.5]}, TypeError, "seeds"),
            ({"frequency": "fast"}, TypeError, "frequency"),
            ({"frequency": 0}, ValueError, "frequency = 0: allowed are 1 to 1000 MHz"),
        ],
    )
    def test_is_refused(self, options, error, message):
        with pytest.raises(error, match=message):
            route(PRODUCT, **options)

    def test_a_tool_that_crashes_leaves_a_log(self, monkeypatch, tmp_path):
        (tmp_path / "nextpnr-ice40").write_text(
            "#!/bin/sh\n"
            'case "$*" in *--version*) echo "nextpnr-ice40 (Version nextpnr-0.9)"; exit 0;; esac\n'
            'echo "ERROR: planted"; exit 3\n'
        )
        (tmp_path / "nextpnr-ice40").chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        with pytest.raises(ToolError, match=r"failed with exit status 3.*planted") as failure:
            route(IntegerMultiplier(a=INT8, stages=1), "ice40-hx8k", seeds=1)
        assert "planted" in failure.value.log_path.read_text()
