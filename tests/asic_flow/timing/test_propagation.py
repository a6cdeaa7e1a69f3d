"""Loads and limits in a library whose pins differ by edge."""

import numpy as np
import pytest

from multipede.asic_flow.liberty.library import parse_liberty
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.propagation import Propagation
from multipede.asic_flow.timing.timing_graph import TimingGraph
from tests.asic_flow.hand_netlists import HEADER, delay, netlist_of, output, source


@pytest.mark.parametrize(
    ("rise", "fall", "beyond"),
    [(1, 2, True), (2, 1, True), (1, 1.5, False)],
    ids=["falling", "rising", "neither"],
)
def test_the_worse_edge_counts_for_the_largest_load(rise, fall, beyond):
    """An inverter that may drive 3 units drives two pins."""
    pin = source("A", 1, f"rise_capacitance : {rise}; fall_capacitance : {fall};")
    inverter = output("Y", "!A", "max_capacitance : 3;" + delay("A", 3, 5))
    library = parse_liberty(
        f"library (edges) {{ {HEADER} cell (INV) {{ area : 1; {pin} {inverter} }} }}",
        "edges",
        "um2",
    )
    cells = {
        "driver": ("INV", {"A": "a", "Y": "n"}),
        "1": ("INV", {"A": "n", "Y": "y"}),
        "2": ("INV", {"A": "n", "Y": "z"}),
    }
    graph = TimingGraph(netlist_of(library, "a", "y z", cells), library, Conditions())
    found = Propagation(graph).overloaded(np.zeros(3, int))
    assert [graph.instances[i] for i in found] == ["driver"] * beyond
