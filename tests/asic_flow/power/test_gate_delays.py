"""Delays of gates for simulation: which arc, at which slew and load."""

from multipede.asic_flow.liberty.library import parse_liberty
from multipede.asic_flow.power.gate_delays import gate_delays
from multipede.asic_flow.power.gate_network import gate_network
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.static_timing import static_timing
from tests.asic_flow.hand_netlists import HEADER, delay, hand_netlist, output, source

XOR = hand_netlist("a b", "y", {"1": ("XOR", {"A": "a", "B": "b", "Y": "y"})})


def delays(cells: str, netlist: dict, conditions: Conditions):
    library = parse_liberty(f"library (other) {{ {HEADER} {cells} }}", "other", "um2")
    network = gate_network(netlist, library)
    timing = static_timing(netlist, library, conditions)
    return network, gate_delays(network, netlist, library, timing, conditions)


def test_several_by_the_state_of_other_inputs_count_as_their_mean():
    """A: 70 ps while B is 0 and 90 while it is 1, rising; 50 falling. B: 30 both."""
    of_a = delay("A", 7, 5, 'when : "!B";') + delay("A", 9, 5, 'when : "B";')
    gate = output("Y", "A^B", of_a + delay("B", 3, 3))
    cells = f"cell (XOR) {{ area : 1; {source('A', 1)} {source('B', 1)} {gate} }}"
    network, found = delays(cells, XOR, Conditions())
    place = network.gates[0].pins.index("A")
    assert found[0, place].tolist() == [[50_000, 80_000], [50_000, 80_000]]
    assert found[0, 1 - place].tolist() == [[30_000, 30_000], [30_000, 30_000]]


def test_a_pin_without_delays_takes_the_longest():
    gate = output("Y", "A^B", delay("A", 7, 5))
    cells = f"cell (XOR) {{ area : 1; {source('A', 1)} {source('B', 1)} {gate} }}"
    network, found = delays(cells, XOR, Conditions())
    place = network.gates[0].pins.index("B")
    assert found[0, place].tolist() == [[50_000, 70_000], [50_000, 70_000]]


def test_loads_and_no_delay_below_a_femtosecond():
    """20 fF are 10 units of load: 7 + 10 units of 10 ps."""
    gate = output("Y", "A^B", delay("A", 7, -20, load=1) + delay("B", 0, 0))
    cells = f"cell (XOR) {{ area : 1; {source('A', 1)} {source('B', 1)} {gate} }}"
    network, found = delays(cells, XOR, Conditions(output_load=20))
    place = network.gates[0].pins.index("A")
    assert found[0, place].tolist() == [[1, 170_000], [1, 170_000]]
    assert found[0, 1 - place].tolist() == [[1, 1], [1, 1]]
