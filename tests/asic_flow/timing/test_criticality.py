"""Slacks and derivatives, by hand and by small changes, in the library of linear delays."""

import numpy as np
import pytest

from multipede.asic_flow.liberty.library import parse_liberty
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.criticality import pin_slacks, sensitivity
from multipede.asic_flow.timing.propagation import Propagation
from multipede.asic_flow.timing.timing_graph import FIRST_NET, TimingGraph
from tests.asic_flow.timing.test_static_timing import CHAIN, LIBRARY, netlist


def propagation(made: dict, **around: float) -> Propagation:
    library = parse_liberty(LIBRARY, "linear", "um2")
    return Propagation(TimingGraph(made, library, Conditions(**around)))


def node(of: Propagation, made: dict, net: str, edge: int) -> int:
    place = of.graph.nets.index(made["netnames"][net]["bits"][0])
    return FIRST_NET + 2 * place + edge


def test_slacks_of_pins_on_one_net():
    """From n on: a buffer to y, 4 ps units, or two to z; the second pin is that much later."""
    made = netlist(
        "n",
        "y z",
        {
            "1": ("BUF", {"A": "n", "Y": "y"}),
            "2": ("BUF", {"A": "n", "Y": "m"}),
            "3": ("BUF", {"A": "m", "Y": "z"}),
        },
    )
    of = propagation(made)
    found = dict(zip(of.graph.inputs.instances.tolist(), pin_slacks(of, limit=np.inf), strict=True))
    names = {of.graph.instances[i]: slack for i, slack in found.items()}
    assert names["2"] == names["3"] == 0
    delay = of.arrivals().delay
    assert names["1"] == pytest.approx(delay - 40)
    assert names["1"] > 0


def test_a_registers_pin_has_a_slack_too():
    made = netlist(
        "clk a b",
        "",
        {
            "i": ("INV", {"A": "a", "Y": "d"}),
            "j": ("DFF", {"CK": "clk", "D": "d", "Q": "q"}),
            "k": ("DFF", {"CK": "clk", "D": "b", "Q": "r"}),
        },
    )
    of = propagation(made)
    pins = of.graph.inputs
    slacks = zip(pins.instances, pins.places, pin_slacks(of, limit=np.inf), strict=True)
    data = {
        of.graph.instances[i]: slack
        for i, place, slack in slacks
        if of.graph.families[of.graph.family[i]].pins[place] == "D"
    }
    assert data["j"] == 0
    assert data["k"] > 0


def test_derivatives_of_loads_by_hand():
    """y falls with 1 unit of 10 ps for each of 2 fF: 5 ps/fF. n rises with 2, and its slew with 1,
    of which a quarter makes y later: 10 + 5 / 4 ps/fF."""
    of = propagation(CHAIN)
    found = sensitivity(of, of.graph.cells, of.arrivals(), smoothing=0.5)
    assert found.loads[node(of, CHAIN, "y", 1)] == pytest.approx(5)
    assert found.loads[node(of, CHAIN, "n", 0)] == pytest.approx(11.25)
    assert found.loads[node(of, CHAIN, "n", 1)] == pytest.approx(0, abs=1e-6)
    assert found.delays.sum() == pytest.approx(2)  # two arcs, all of the delay through each


def test_derivatives_of_loads_by_a_small_change():
    of = propagation(CHAIN, output_load=20)
    found = sensitivity(of, of.graph.cells, of.arrivals(), smoothing=0.5)
    changed = propagation(CHAIN, output_load=20.01).arrivals().delay - of.arrivals().delay
    both = sum(found.loads[node(of, CHAIN, "y", edge)] for edge in (0, 1))
    assert both == pytest.approx(changed / 0.01, rel=1e-6)


def test_equal_paths_share_the_delay():
    made = netlist(
        "a",
        "y z",
        {"1": ("BUF", {"A": "a", "Y": "y"}), "2": ("BUF", {"A": "a", "Y": "z"})},
    )
    of = propagation(made)
    found = sensitivity(of, of.graph.cells, of.arrivals(), smoothing=1.0)
    by_instance = np.bincount(of.graph.arcs.instances, found.delays)
    assert by_instance.tolist() == pytest.approx([0.5, 0.5])
