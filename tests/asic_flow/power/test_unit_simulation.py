"""Netlists of whole units, mapped to the table's cells: the same results as the reference's."""

import copy
import time
from functools import cache

import numpy as np
import pytest

from multipede.asic_flow.liberty.cell_verilog import verilog_models
from multipede.asic_flow.liberty.gate_table import gate_library
from multipede.asic_flow.mapping.map_to_cells import MappedNetlist, Recipe, map_to_cells
from multipede.asic_flow.netlist.netlist_text import netlist_verilog
from multipede.asic_flow.power.gate_network import gate_network
from multipede.asic_flow.power.gate_simulation import GateSimulation
from multipede.asic_flow.power.unit_simulation import UnitSimulation, payload_bits, wrong_result
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import E4M3, INT4, INT5, INT8, UINT3
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.spec import Port, Spec
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim.compiled import compile_verilog
from multipede.sim.stimulus import random_records
from multipede.sim.vectors import payload_hex
from multipede.sim.verilog import rtlil_of
from tests.sim.slow_unit import SlowSpec

MIXPE = MixPE(weight=UINT3, activation=INT5, group=8, rows=1, columns=2, lanes=2)
MULTIPLIER = IntegerMultiplier(a=INT5, b=INT4, stages=2)
UNITS = {
    "tile": (MIXPE, Style.CELLS),
    "tile of words": (MIXPE, Style.WORD),
    "multiplier": (MULTIPLIER, Style.CELLS_PREFIX),
    "without registers": (IntegerMultiplier(a=INT4, b=INT4, stages=0), Style.WORD),
    "floats": (FloatAdder(a=E4M3, b=E4M3, result=E4M3), Style.WORD),
    "stallable": (Stallable(inside=MULTIPLIER), Style.WORD),
}


@cache
def mapped(spec: Spec, style: Style) -> MappedNetlist:
    return map_to_cells(rtlil_of(spec, style), spec.unit, gate_library(), Recipe.AREA)


def results(spec: Spec, netlist: dict, records: dict) -> tuple[np.ndarray, np.ndarray]:
    """Payloads and clocks of all results."""
    unit = UnitSimulation(GateSimulation(gate_network(netlist, gate_library())), spec)
    count = len(next(iter(records.values())))
    (first, clocks), (rest, later) = unit.run(records), unit.drain()
    return np.concatenate([first, rest]), np.concatenate([clocks, later + count])


@pytest.mark.parametrize("name", UNITS)
def test_computes_the_reference(name):
    """With records as in verification, from a reset behind noise."""
    spec, style = UNITS[name]
    records = random_records(spec, 2000, seed=3)
    found = results(spec, mapped(spec, style).netlist, records)
    assert len(found[0]) > 200
    assert wrong_result(spec, records, *found) is None


@pytest.mark.parametrize(
    ("name", "old", "new"), [("multiplier", "NAND2", "NOR2"), ("tile", "XOR2", "XNOR2")]
)
def test_a_wrong_gate_is_found(name, old, new):
    spec, style = UNITS[name]
    netlist = copy.deepcopy(mapped(spec, style).netlist)
    gate = next(cell for cell in netlist["cells"].values() if cell["type"] == old)
    gate["type"] = new
    records = random_records(spec, 2000, seed=3)
    wrong = wrong_result(spec, records, *results(spec, netlist, records))
    assert wrong is not None
    assert "expected" in wrong


def test_wrong_numbers_and_clocks_of_results_are_found():
    spec, style = UNITS["multiplier"]
    records = random_records(spec, 50, seed=3)
    payloads, clocks = results(spec, mapped(spec, style).netlist, records)
    assert wrong_result(spec, records, payloads[1:], clocks[1:]) == "49 results, 50 expected"
    late = clocks + (np.arange(50) == 20)
    assert wrong_result(spec, records, payloads, late) == "result 20 comes 1 clocks after its time"


def test_units_that_wait_are_refused():
    simulation = GateSimulation(gate_network(mapped(*UNITS["tile"]).netlist, gate_library()))
    with pytest.raises(ValueError, match="records may have to wait for their turn"):
        UnitSimulation(simulation, SlowSpec())
    with pytest.raises(ValueError, match="stallable: the netlist has the inputs"):
        UnitSimulation(simulation, UNITS["stallable"][0])


@pytest.mark.parametrize("name", ["tile", "floats"])
def test_generated_models_compute_the_reference_in_verilator(name):
    spec, style = UNITS[name]
    netlist = mapped(spec, style)
    records = random_records(spec, 2000, seed=3)
    models = verilog_models(gate_library(), netlist.cells)
    got = compile_verilog(models + netlist_verilog(netlist.netlist, netlist.top), spec).run(records)
    count = len(got.outputs[next(iter(spec.outputs))])
    assert count > 200
    payloads = payload_bits(spec.outputs, got.outputs)
    assert wrong_result(spec, records, payloads, got.behind + spec.latency) is None


def test_payloads_are_those_of_golden_vectors():
    """Arrays row by row, signed numbers in two's complement, wide formats in limbs."""
    ports = {"a": Port(INT8, (2, 3)), "b": Port(UINT3), "last": Port(UINT3)}
    generator = np.random.default_rng(1)
    records = {
        "a": generator.integers(-128, 128, (20, 2, 3)),
        "b": generator.integers(0, 8, 20),
        "last": generator.integers(0, 8, 20),
    }
    bits = payload_bits(ports, records)
    assert bits.shape == (20, 54)
    texts = [f"{int(''.join(map(str, row[::-1])), 2):014x}" for row in bits]
    assert texts == payload_hex(ports, records)


@pytest.mark.regress
@pytest.mark.parametrize("delayed", [False, True], ids=["zero delay", "delays"])
def test_a_million_changes_of_nets_in_a_second(delayed):
    spec, style = UNITS["tile"]
    network = gate_network(mapped(spec, style).netlist, gate_library())
    generator = np.random.default_rng(1)
    delays = generator.integers(20_000, 90_000, (len(network.gates), 6, 2, 2))
    simulation = GateSimulation(network, delays=delays if delayed else None, clock_period=10.0)
    unit = UnitSimulation(simulation, spec)
    records = random_records(spec, 20_000, seed=1)
    simulation.count_anew()
    began = time.perf_counter()
    unit.run(records)
    seconds = time.perf_counter() - began
    changes = sum(simulation.activity().toggles.values())
    assert changes > 10**6
    assert changes / seconds > 10**6
