"""Gate counts: tiny designs counted by hand, inventories conserved, bad input, determinism."""

import json
import math
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from multipede.asic_flow.liberty.library import read_liberty
from multipede.asic_flow.mapping import candidates
from multipede.asic_flow.synthesize import Constraints, synthesize, synthesize_rtlil
from multipede.asic_flow.timing.conditions import usual_conditions
from multipede.asic_flow.timing.static_timing import static_timing
from multipede.golden.formats import INT4, INT5, UINT2, UINT3, UINT4
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.hw import Style, inventory
from multipede.toolchain import ToolError, ToolTimeout
from multipede.toolchain.cost import CostMethod
from tests.asic_flow.designs import FULL_ADDER, HALF_ADDER, INVERTER, NAND, REGISTER, RIPPLE, rtlil

SMALL = MixPE(weight=UINT3, activation=INT5, group=8, rows=1, columns=2, lanes=2)


class TestByHand:
    @pytest.mark.parametrize(
        ("verilog", "cells", "total"),
        [
            (INVERTER, {"INV": 1}, 2 / 3),
            (NAND, {"NAND2": 1}, 1),
            (REGISTER, {"DFF": 3}, 17),
            (FULL_ADDER, {"FULL_ADDER": 1}, 16 / 3),
            (RIPPLE, {"FULL_ADDER": 4}, 64 / 3),
            # As a cell 10/3; AND2 and XOR2 take as much, so nothing may be larger.
            (HALF_ADDER, None, 10 / 3),
        ],
    )
    def test_cells_and_size(self, verilog, cells, total):
        found = synthesize_rtlil(rtlil(verilog), top="top")
        assert cells is None or found.cells == cells
        assert found.total == pytest.approx(total, abs=1e-6)

    def test_registers_are_told_apart(self):
        found = synthesize_rtlil(rtlil(REGISTER), top="top")
        assert (found.combinational, found.registers) == (0, pytest.approx(17))

    def test_a_library_gives_um2_and_a_delay(self, liberty_file):
        file = liberty_file("nangate45_typ.lib.gz")
        found = synthesize_rtlil(rtlil(RIPPLE), top="top", liberty=file)
        assert found.cells == {"FA_X1": 4}
        assert found.total == pytest.approx(4 * 4.256)
        assert found.area_unit == "um2"
        assert found.target == "nangate45_typ.lib.gz"
        assert 200 < found.delay < 700
        assert [point.cell for point in found.paths[0].points[1:]] == ["FA_X1"] * 4


class TestConservation:
    @pytest.mark.few(4)
    @pytest.mark.parametrize(
        "spec",
        [
            SMALL,
            MixPE(weight=INT4, group=16, rows=2, columns=1, lanes=4, stages=3),
            MultiplierTile(group=4, rows=1, columns=1, lanes=2),
            IntegerMultiplier(partial_products=PartialProducts.BOOTH, stages=2),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("style", [Style.CELLS, Style.CELLS_PREFIX])
    def test_adders_and_registers_are_those_of_the_inventory(self, spec, style):
        counted = inventory(spec, style=style)
        found = synthesize(spec, style)
        assert found.cells["FULL_ADDER"] == counted["full_adder"]
        assert found.cells["DFF"] == counted["register"]

    def test_areas_add_up(self):
        found = synthesize(SMALL)
        assert found.total == pytest.approx(found.combinational + found.registers)
        assert found.registers == pytest.approx(found.cells["DFF"] * 17 / 3)

    def test_areas_of_submodules_add_up(self):
        found = synthesize(SMALL)
        assert sum(found.modules.values()) == pytest.approx(found.total)
        assert len(found.modules) > 2
        assert "submodules: " in str(found)

    def test_words_give_the_same_registers_and_no_adder_cells(self):
        found = synthesize(SMALL, Style.WORD)
        assert found.cells["DFF"] == inventory(SMALL, style=Style.WORD)["register"]
        assert "FULL_ADDER" not in found.cells


class TestRecord:
    def test_costs_say_how_they_came_about(self):
        found = synthesize(SMALL)
        cost = found.costs[0]
        assert (cost.quantity, cost.unit, cost.target) == ("area", "NAND2", "gates")
        assert cost.method is CostMethod.SYNTHESISED
        assert cost.value == found.total
        assert "asic_flow/liberty/gate_equivalents.csv" in cost.source
        assert re.search("ABC (area|amap) script", cost.source)
        assert cost.style == "cells"
        assert len(cost.rtlil_digest) == 64
        assert cost.tools["yosys"]

    def test_as_json_and_text(self):
        found = synthesize(SMALL)
        described = json.loads(json.dumps(found.to_dict()))
        assert described["total"] == found.total
        assert described["cells"] == found.cells
        for expected in ("mixpe", "style cells", "NAND2 per multiply-accumulate", found.method):
            assert expected in str(found)

    def test_a_second_time_from_the_cache(self, monkeypatch):
        first = synthesize(SMALL)
        monkeypatch.setattr(candidates, "prepare", None)
        assert synthesize(SMALL) == first

    def test_the_adders_count(self, monkeypatch):
        synthesize(SMALL)
        module = sys.modules[synthesize.__module__]
        text = module.adders_verilog()
        for place in (module, candidates):
            monkeypatch.setattr(place, "adders_verilog", lambda: f"{text}// changed\n")

        def mapped_anew(*_, **__):
            raise ToolError("mapped anew")

        monkeypatch.setattr(candidates, "prepare", mapped_anew)
        with pytest.raises(ToolError, match="mapped anew"):
            synthesize(SMALL)


NO_REGISTER = """
library (none) {
  cell (INV) { area : 1; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "!A"; } }
  cell (BUF) { area : 2; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "A"; } }
  cell (NOR) { area : 2; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "!(A|B)"; } }
}
"""


class TestBadInput:
    def test_a_library_without_flip_flops(self, tmp_path):
        file = tmp_path / "none.lib"
        file.write_text(NO_REGISTER)
        with pytest.raises(ToolError, match=r"none\.lib has no flip-flop, and top has registers"):
            synthesize_rtlil(rtlil(REGISTER), top="top", liberty=file)

    def test_it_will_do_without_registers(self, tmp_path):
        file = tmp_path / "none.lib"
        file.write_text(NO_REGISTER)
        found = synthesize_rtlil(rtlil(NAND), top="top", liberty=file)
        assert found.cells == {"INV": 3, "NOR": 1}
        assert found.delay is None

    def test_a_missing_file(self, tmp_path):
        with pytest.raises(ValueError, match="there is no such file"):
            synthesize(SMALL, liberty=tmp_path / "none.lib")

    @pytest.mark.parametrize("period", [0, -1, math.nan])
    def test_a_clock_that_is_none(self, period):
        with pytest.raises(ValueError, match="more than 0 ns"):
            Constraints(clock_period=period)

    def test_a_clock_without_delays(self, tmp_path):
        with pytest.raises(ValueError, match=r"clock_period = 1: table .* has no delays"):
            synthesize(SMALL, constraints=Constraints(clock_period=1))
        file = tmp_path / "none.lib"
        file.write_text(NO_REGISTER)
        with pytest.raises(ValueError, match="has no delays"):
            synthesize_rtlil(
                rtlil(NAND), top="top", liberty=file, constraints=Constraints(clock_period=1)
            )


PRINT = """
import hashlib, json
from multipede.asic_flow import synthesize
from multipede.golden.catalogue import spec_from_dict
found = synthesize(spec_from_dict(json.loads({spec!r})))
print(json.dumps(found.to_dict()), hashlib.sha256(found.verilog.encode()).hexdigest())
"""


def test_two_processes_find_the_same(tmp_path):
    spec = MixPE(weight=UINT2, group=4, rows=1, columns=1, lanes=2)
    code = PRINT.format(spec=json.dumps(spec.to_dict()))
    answers = []
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "MULTIPEDE_CACHE": str(tmp_path / seed)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(done.stdout)
    assert answers[0]
    assert answers[0] == answers[1]


class TestClock:
    SPEC = IntegerMultiplier(a=UINT3, b=UINT3, stages=1)

    def test_gates_are_chosen_and_sized_to_hold_it(self, liberty_file):
        file = liberty_file("nangate45_typ.lib.gz")
        relaxed = synthesize(self.SPEC, liberty=file)
        period = 0.75 * relaxed.delay / 1000
        hurried = synthesize(self.SPEC, liberty=file, constraints=Constraints(clock_period=period))
        assert hurried.holds_clock
        assert hurried.delay <= 1000 * period
        assert hurried.total > relaxed.total
        assert f"holds the clock period of {period:g} ns" in str(hurried)
        assert relaxed.holds_clock is None

    def test_what_is_reported_is_what_the_netlist_takes(self, liberty_file):
        """Areas, cells and delays again, from the netlist that is handed out."""
        library = read_liberty(liberty_file("nangate45_typ.lib.gz"))
        found = synthesize(self.SPEC, liberty=library, constraints=Constraints(clock_period=0.4))
        kinds = [cell["type"] for cell in found.netlist["cells"].values()]
        assert found.cells == dict(sorted(Counter(kinds).items()))
        assert found.total == pytest.approx(float(sum(library.cells[k].area for k in kinds)))
        timing = static_timing(found.netlist, library, usual_conditions(library), paths=10)
        assert found.delay == timing.delay
        assert found.paths == timing.paths

    def test_a_slow_clock_costs_nothing(self, liberty_file):
        file = liberty_file("nangate45_typ.lib.gz")
        relaxed = synthesize(self.SPEC, liberty=file)
        slow = synthesize(self.SPEC, liberty=file, constraints=Constraints(clock_period=100))
        assert slow.holds_clock
        assert slow.total <= relaxed.total

    def test_one_that_cannot_be_held_is_missed_by_the_fastest(self, liberty_file):
        file = liberty_file("nangate45_typ.lib.gz")
        missed = synthesize(self.SPEC, liberty=file, constraints=Constraints(clock_period=0.1))
        assert missed.holds_clock is False
        assert "MISSES the clock period of 0.1 ns" in str(missed)
        fastest = synthesize(self.SPEC, liberty=file, constraints=Constraints(fastest=True))
        assert fastest.holds_clock
        assert fastest.delay <= 1.02 * missed.delay
        assert fastest.clock_period == fastest.delay / 1000
        just = Constraints(clock_period=1.001 * fastest.clock_period)
        assert synthesize(self.SPEC, liberty=file, constraints=just).holds_clock

    def test_a_time_limit(self, liberty_file):
        file = liberty_file("nangate45_typ.lib.gz")
        spec = IntegerMultiplier(a=UINT4, b=UINT2, stages=1)  # nobody else maps it
        with pytest.raises(ToolTimeout, match=r"took more than 0\.001 s \(time_limit\)"):
            synthesize(spec, liberty=file, constraints=Constraints(time_limit=0.001))

    def test_what_stands_around_counts(self, liberty_file):
        file = liberty_file("nangate45_typ.lib.gz")
        spec = IntegerMultiplier(a=UINT3, b=UINT3, stages=0)
        usual = synthesize(spec, liberty=file)
        for more in ({"output_load": 100.0}, {"driver": "BUF_X4"}, {"wire_load": "none"}):
            found = synthesize(spec, liberty=file, constraints=Constraints(**more))
            assert found.delay != usual.delay
            ((name, value),) = more.items()
            assert found.conditions["wires" if name == "wire_load" else name] == value
        with pytest.raises(ValueError, match=r"wire_load = 'huge': nangate45_typ\.lib\.gz has 1K"):
            synthesize(self.SPEC, liberty=file, constraints=Constraints(wire_load="huge"))
        with pytest.raises(ValueError, match="driver = 'NAND2_X1': a buffer or inverter of"):
            synthesize(self.SPEC, liberty=file, constraints=Constraints(driver="NAND2_X1"))
