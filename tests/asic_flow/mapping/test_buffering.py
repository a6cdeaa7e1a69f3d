"""Trees of buffers: every load is driven as before, and no net has more than it may."""

import copy

import numpy as np
import pytest

from multipede.asic_flow.liberty.wire_load import WireLoad
from multipede.asic_flow.mapping.buffering import buffered
from multipede.asic_flow.n28 import n28_library
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.propagation import Propagation
from multipede.asic_flow.timing.timing_graph import FIRST_NET, TimingGraph
from tests.asic_flow.hand_netlists import netlist_of

LOADS = 60


def fan_out(sinks: dict[str, tuple[str, dict[str, str]]], outputs: str = "") -> dict:
    """a, inverted, drives all pins on n."""
    driver = {"driver": ("INV_X1", {"A": "a", "Y": "n"})}
    return netlist_of(n28_library(), "a clk", outputs, driver | sinks)


def inverters(count: int = LOADS) -> dict[str, tuple[str, dict[str, str]]]:
    return {f"s{i}": ("INV_X1", {"A": "n", "Y": f"y{i}"}) for i in range(count)}


def source(netlist: dict, bit: int) -> int:
    """The net before all buffers in front of one."""
    drivers = {
        cell["connections"]["Y"][0]: cell["connections"]["A"][0]
        for cell in netlist["cells"].values()
        if cell["type"].startswith("BUF")
    }
    while bit in drivers:
        bit = drivers[bit]
    return bit


def loads(netlist: dict) -> np.ndarray:
    """fF of each net that drives more than one pin."""
    graph = TimingGraph(netlist, n28_library(), Conditions())
    at_rising = Propagation(graph).loads(graph.cells)[FIRST_NET::2]
    return at_rising[graph.fanouts > 1]


@pytest.mark.parametrize("load", [8.0, 12.0, 32.0])
def test_all_loads_hang_on_their_net_and_none_is_too_heavy(load):
    made = fan_out(inverters(), " ".join(f"y{i}" for i in range(LOADS)))
    before = copy.deepcopy(made)
    found = buffered(made, n28_library(), Conditions(), load=load)
    assert made == before
    n = made["netnames"]["n"]["bits"][0]
    pins = [found["cells"][f"s{i}"]["connections"]["A"][0] for i in range(LOADS)]
    assert {source(found, bit) for bit in pins} == {n}
    assert len(set(pins)) > 1
    capacitance = n28_library().cells["INV_X1"].pins["A"].capacitance
    assert loads(made).max() > load * capacitance
    assert loads(found).max() <= load * capacitance * 1.01
    assert len({*found["cells"], *found["netnames"]}) == len(found["cells"]) + len(
        found["netnames"]
    )


PIN = n28_library().cells["INV_X1"].pins["A"].capacitance
"""fF of an inverter's input, of which a net may have twelve below."""


class TestWhatElseANetDrives:
    """Ten inverters are light enough alone."""

    @staticmethod
    def buffers(conditions: Conditions, *, outputs: int = 0) -> int:
        made = fan_out(inverters(10))
        port = {"direction": "output", "bits": made["netnames"]["n"]["bits"]}
        made["ports"] |= {f"o{i}": port for i in range(outputs)}
        found = buffered(made, n28_library(), conditions, load=12.0)
        return len(found["cells"]) - len(made["cells"])

    def test_each_output(self):
        around = Conditions(output_load=1.5 * PIN)
        assert self.buffers(around) == 0
        assert self.buffers(around, outputs=1) == 0  # 11.5
        assert self.buffers(around, outputs=2) > 0  # 13

    def test_wires(self):
        light, heavy = (
            Conditions(wires=WireLoad("linear", (1.0,), 1.0, share * PIN)) for share in (0.15, 0.25)
        )
        assert self.buffers(light) == 0  # 10 and 1.5
        assert self.buffers(heavy) > 0  # 10 and 2.5


def test_loads_of_like_slack_share_a_buffer():
    """Six of the loads have long ways behind them; they are not dealt among the others."""
    late = [f"s{i}" for i in range(0, LOADS, 10)]
    chains = {
        f"{name}c{i}": ("INV_X1", {"A": f"{name}z{i}", "Y": f"{name}z{i + 1}"})
        for name in late
        for i in range(20)
    }
    begin = {name: ("INV_X1", {"A": "n", "Y": f"{name}z0"}) for name in late}
    outputs = " ".join([f"{name}z20" for name in late] + [f"y{i}" for i in range(1, 10)])
    made = fan_out(inverters() | begin | chains, outputs)
    found = buffered(made, n28_library(), Conditions(), load=12.0)
    assert len({found["cells"][name]["connections"]["A"][0] for name in late}) == 1


def test_clocks_and_outputs_stay_where_they_are():
    registers = {f"r{i}": ("DFF_X1", {"CK": "clk", "D": "n", "Q": f"q{i}"}) for i in range(LOADS)}
    made = fan_out(registers, "n")
    found = buffered(made, n28_library(), Conditions(), load=12.0)
    clock = made["netnames"]["clk"]["bits"]
    assert all(found["cells"][name]["connections"]["CK"] == clock for name in registers)
    assert found["ports"] == made["ports"]
    assert len(found["cells"]) > len(made["cells"])


def test_no_buffer_where_it_takes_no_load_off():
    """Two loads, each too heavy alone: a buffer for each would change nothing."""
    heavy = {f"s{i}": ("INV_X16", {"A": "n", "Y": f"y{i}"}) for i in range(2)}
    made = fan_out(heavy, "y0 y1")
    assert buffered(made, n28_library(), Conditions(), load=4.0) == made
