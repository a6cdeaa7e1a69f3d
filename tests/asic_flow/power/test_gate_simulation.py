"""The gate simulator on netlists followed by hand."""

import numpy as np
import pytest

from multipede.asic_flow.power.gate_delays import gate_delays
from multipede.asic_flow.power.gate_network import gate_network
from multipede.asic_flow.power.gate_simulation import GateSimulation
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.static_timing import static_timing
from tests.asic_flow.hand_netlists import hand_library, hand_netlist, number_of

STATIC_HAZARD = hand_netlist(
    "a",
    "y",
    {
        "i": ("INV", {"A": "a", "Y": "n"}),
        "b": ("BUF", {"A": "n", "Y": "m"}),
        "g": ("NAND", {"A": "a", "B": "m", "Y": "y"}),
    },
)
"""y is 1 but for a moment after a rises: it falls 50 ps later; m falls after 50 + 60, and y rises
60 ps after that."""


def simulation(netlist: dict, *, delayed: bool = False, **options) -> GateSimulation:
    library = hand_library()
    network = gate_network(netlist, library)
    if not delayed:
        return GateSimulation(network, **options)
    around = Conditions()
    timing = static_timing(netlist, library, around)
    delays = gate_delays(network, netlist, library, timing, around)
    return GateSimulation(network, delays=delays, **options)


def bits(*values: int) -> np.ndarray:
    return np.array(values, np.uint8)[:, None]


def run(model: GateSimulation, **inputs: list[int]) -> dict[str, list[int]]:
    found = model.run({name: bits(*values) for name, values in inputs.items()})
    return {name: values[:, 0].tolist() for name, values in found.items()}


def counts(model: GateSimulation, netlist: dict, *nets: str) -> list[tuple[int, float]]:
    """Changes, and ps at 1."""
    activity = model.activity()
    numbers = [number_of(netlist, net) for net in nets]
    return [(activity.toggles[n], activity.high[n]) for n in numbers]


class TestZeroDelay:
    def test_a_chain_of_inverters(self):
        chain = hand_netlist(
            "a",
            "y",
            {"1": ("INV", {"A": "a", "Y": "n"}), "2": ("INV", {"A": "n", "Y": "y"})},
        )
        model = simulation(chain, clock_period=2)
        assert run(model, a=[0, 1, 1, 0, 1]) == {"y": [0, 1, 1, 0, 1]}
        assert counts(model, chain, "a", "n", "y") == [(3, 6000), (3, 4000), (3, 6000)]
        assert (model.activity().clocks, model.activity().duration) == (5, 10000)

    def test_every_net_changes_once_at_most(self):
        model = simulation(STATIC_HAZARD)
        assert run(model, a=[1, 0, 1]) == {"y": [1, 1, 1]}
        assert counts(model, STATIC_HAZARD, "n", "y") == [(3, 1000), (0, 3000)]

    def test_a_register_takes_what_was_there_before_the_edge(self):
        made = hand_netlist(
            "clk d",
            "q r",
            {
                "1": ("DFF", {"CK": "clk", "D": "d", "Q": "q"}),
                "2": ("DFF", {"CK": "clk", "D": "q", "Q": "r"}),
            },
        )
        model = simulation(made)
        assert run(model, d=[1, 0, 1, 1, 0]) == {"q": [0, 1, 0, 1, 1], "r": [0, 0, 1, 0, 1]}
        assert counts(model, made, "clk", "d", "q", "r") == [
            (10, 2500),
            (4, 3000),
            (3, 3000),
            (3, 2000),
        ]
        # State is kept; what was counted is forgotten.
        model.count_anew()
        assert run(model, d=[0, 0]) == {"q": [0, 0], "r": [1, 0]}
        assert counts(model, made, "q", "r") == [(1, 0), (1, 1000)]

    def test_full_adder_both_outputs(self):
        pins = {"A": "a", "B": "b", "C": "c", "S": "s", "CO": "k"}
        model = simulation(hand_netlist("a b c", "s k", {"1": ("FA", pins)}))
        every = np.arange(8)
        found = run(model, a=every & 1, b=every >> 1 & 1, c=every >> 2)
        assert [s + 2 * k for s, k in zip(found["s"], found["k"], strict=True)] == [
            bin(i).count("1") for i in every
        ]

    def test_constants_and_unconnected_outputs(self):
        cells = {
            "1": ("NAND", {"A": "a", "B": "1", "Y": "y"}),
            "2": ("ONE", {"Y": "z"}),
            "3": ("FA", {"A": "a", "B": "0", "C": "z", "CO": "k"}),
        }
        made = hand_netlist("a", "y z k", cells)
        model = simulation(made)
        assert run(model, a=[0, 1]) == {"y": [1, 0], "z": [1, 1], "k": [0, 1]}
        assert counts(model, made, "z") == [(0, 2000)]


@pytest.mark.parametrize("delayed", [False, True], ids=["zero delay", "delays"])
class TestForcedRegisters:
    def test_clear_acts_at_once_and_holds(self, delayed):
        pins = {"CK": "clk", "D": "d", "RN": "m", "Q": "q", "QN": "p"}
        cells = {"g": ("INV", {"A": "r", "Y": "m"}), "f": ("DFFR", pins)}
        model = simulation(hand_netlist("clk d r", "q p", cells), delayed=delayed)
        found = run(model, d=[1, 1, 1, 1, 1], r=[0, 0, 1, 0, 0])
        assert found == {"q": [0, 1, 0, 0, 1], "p": [1, 0, 1, 1, 0]}

    def test_clear_and_preset(self, delayed):
        pins = {"CK": "clk", "D": "d", "E": "e", "RN": "r", "S": "s", "Q": "q", "QN": "p"}
        made = hand_netlist("clk d e r s", "q p", {"f": ("DFFRS", pins)})
        model = simulation(made, delayed=delayed)
        found = run(
            model,
            d=[0, 0, 0, 0, 1, 1, 0],
            e=[0, 0, 0, 1, 1, 0, 0],
            r=[0, 1, 0, 0, 1, 1, 1],
            s=[0, 1, 1, 0, 0, 0, 0],
        )
        # Cleared, preset, both, cleared and held, not yet changed, taken, not enabled.
        assert found == {"q": [0, 1, 1, 0, 0, 1, 1], "p": [1, 0, 1, 1, 1, 0, 0]}

    def test_the_state_that_both_leave_is_mended_at_the_clock(self, delayed):
        """With both released at once, state and inverse are alike until the next edge."""
        pins = {"CK": "clk", "D": "1", "E": "1", "RN": "r", "S": "s", "Q": "q", "QN": "p"}
        made = hand_netlist("clk r s", "q p", {"f": ("DFFRS", pins)})
        found = run(simulation(made, delayed=delayed), r=[0, 1, 1], s=[1, 0, 0])
        assert found["q"][-1] == 1
        assert found["p"][-1] == 0


class TestDelays:
    def test_a_hazard_passes(self):
        """y is 0 from 50 to 170 ps. While a falls, and m rises, A holds y at 1."""
        model = simulation(STATIC_HAZARD, delayed=True)
        assert run(model, a=[1, 0, 1]) == {"y": [1, 1, 1]}
        assert counts(model, STATIC_HAZARD, "m", "y") == [
            (3, 110 + (1000 - 70) + 110),
            (4, 3000 - 2 * 120),
        ]

    def test_a_short_pulse_is_swallowed(self):
        """It is 120 ps long, and the slow gate takes 200."""
        cells = {
            "i": ("INV", {"A": "a", "Y": "n"}),
            "b": ("BUF", {"A": "n", "Y": "m"}),
            "g": ("NAND", {"A": "a", "B": "m", "Y": "x"}),
            "s": ("SLOW", {"A": "x", "Y": "y"}),
        }
        made = hand_netlist("a", "y", cells)
        model = simulation(made, delayed=True)
        assert run(model, a=[1, 0, 1]) == {"y": [1, 1, 1]}
        assert counts(model, made, "x", "y") == [(4, 3000 - 2 * 120), (0, 3000)]

    def test_a_pulse_as_long_as_the_delay_passes(self):
        """Up after 40 ps, down after 60. Pulses of 100 and 39 ps at the input of a buffer."""
        made = hand_netlist("a", "y", {"1": ("BUF", {"A": "a", "Y": "y"})})
        model = simulation(made, delayed=True, clock_period=0.1)
        run(model, a=[0, 1, 0, 0])
        assert counts(model, made, "y") == [(2, 100 - 40 + 60)]
        short = simulation(made, delayed=True, clock_period=0.039)
        with pytest.raises(ValueError, match=r"clock_period = 0\.039: 1 clocks ended while"):
            run(short, a=[0, 1, 0, 0])
        assert counts(short, made, "a", "y") == [(2, 39), (0, 0)]

    def test_a_gate_changes_before_an_input_that_was_set_going_later(self):
        """x is up from 70 to 270 ps. At 270, 200 after it rose, y rises, as was settled at 70; the
        fall of x then, settled at 200, comes too late to stop it, and y falls at 470."""
        cells = {
            "s": ("SLOW", {"A": "a", "Y": "b"}),
            "x": ("XOR", {"A": "a", "B": "b", "Y": "x"}),
            "t": ("SLOW", {"A": "x", "Y": "y"}),
        }
        made = hand_netlist("a", "y", cells)
        model = simulation(made, delayed=True)
        run(model, a=[1])
        assert counts(model, made, "x", "y") == [(2, 200), (2, 200)]

    @pytest.mark.parametrize(("first", "second", "falls"), [("A", "B", 270), ("B", "A", 250)])
    def test_of_two_inputs_at_once_the_later_set_going_comes_last(self, first, second, falls):
        """Both rise at 200 ps: one behind a slow gate, settled at 0, the other behind five of 40,
        settled at 160. The NAND waits for the second, so that its delay counts: A's is 50, B's 70.
        """
        cells = {f"{n}": ("BUF", {"A": f"n{n}", "Y": f"n{n + 1}"}) for n in range(1, 5)}
        cells |= {
            "0": ("BUF", {"A": "a", "Y": "n1"}),
            "s": ("SLOW", {"A": "a", "Y": "m"}),
            "g": ("NAND", {first: "m", second: "n5", "Y": "y"}),
        }
        made = hand_netlist("a", "y", cells)
        model = simulation(made, delayed=True)
        run(model, a=[1])
        assert counts(model, made, "m", "n5", "y") == [(1, 800), (1, 800), (1, falls)]

    def test_registers_and_inputs_in_time(self):
        """q rises 70 ps behind the edge; inputs change 100 ps behind it."""
        cells = {
            "f": ("DFF", {"CK": "clk", "D": "d", "Q": "q"}),
            "i": ("INV", {"A": "d", "Y": "n"}),
        }
        made = hand_netlist("clk d", "q n", cells)
        model = simulation(made, delayed=True, input_delay=100)
        assert run(model, d=[1, 1, 0, 0]) == {"q": [0, 1, 1, 0], "n": [0, 0, 1, 1]}
        # q is up from 1070 to 3090, d from 100 to 2100; n falls at 150 and rises at 2130.
        assert counts(model, made, "q", "d", "n") == [
            (2, 2020),
            (2, 2000),
            (2, 4000 - (2130 - 150)),
        ]

    def test_delays_of_pins_and_edges(self):
        network = gate_network(STATIC_HAZARD, hand_library())
        around = Conditions()
        timing = static_timing(STATIC_HAZARD, hand_library(), around)
        delays = gate_delays(network, STATIC_HAZARD, hand_library(), timing, around)
        place = network.gates[2].pins.index("B")
        # B rising lets y fall (70 ps), B falling lets it rise (60); no other pair is given.
        assert delays[2, place].tolist() == [[70_000, 60_000], [70_000, 60_000]]


class TestWaveform:
    def test_every_change_of_a_window(self):
        model = simulation(STATIC_HAZARD, delayed=True)
        run(model, a=[0])
        found = model.waveform({"a": bits(1, 1)})
        a, n, m, y = (number_of(STATIC_HAZARD, net) for net in "anmy")
        assert found.start == {a: 0, n: 1, m: 1, y: 1}
        changes = zip(found.times.tolist(), found.nets, found.values, strict=True)
        assert sorted(changes) == [
            (0, a, 1),
            *((50_000, net, 0) for net in sorted((n, y))),
            (110_000, m, 0),
            (170_000, y, 1),
        ]
        assert (found.duration, found.period, found.clock) == (2_000_000, 1_000_000, None)


class TestRefused:
    def test_netlists(self):
        def built(inputs, outputs, cells):
            gate_network(hand_netlist(inputs, outputs, cells), hand_library())

        loop = {"1": ("INV", {"A": "n", "Y": "m"}), "2": ("INV", {"A": "m", "Y": "n"})}
        with pytest.raises(ValueError, match=r"a loop without a register goes through [12]"):
            built("a", "m", loop)
        with pytest.raises(ValueError, match="net 3 has no driver"):
            built("", "y", {"1": ("INV", {"A": "a", "Y": "y"})})
        twice = {"1": ("INV", {"A": "a", "Y": "y"}), "2": ("INV", {"A": "a", "Y": "y"})}
        with pytest.raises(ValueError, match="net 3 has several drivers"):
            built("a", "y", twice)
        with pytest.raises(ValueError, match="cell 1: its input B is not connected"):
            built("a", "y", {"1": ("NAND", {"A": "a", "Y": "y"})})

    def test_clocks(self):
        def built(inputs, cells):
            gate_network(hand_netlist(inputs, "q", cells), hand_library())

        flop = {"f": ("DFF", {"CK": "c", "D": "d", "Q": "q"})}
        with pytest.raises(ValueError, match="registers f, g have different clocks"):
            built("c d e", flop | {"g": ("DFF", {"CK": "e", "D": "d", "Q": "r"})})
        with pytest.raises(ValueError, match="register f: its clock must be an input port"):
            built("a d", flop | {"b": ("BUF", {"A": "a", "Y": "c"})})
        with pytest.raises(ValueError, match="the clock is read as data"):
            built("c d", flop | {"b": ("BUF", {"A": "c", "Y": "z"})})

    def test_inputs_and_times(self):
        model = simulation(STATIC_HAZARD)
        with pytest.raises(TypeError, match=r"inputs must be \['a'\], not \['b'\]"):
            model.run({"b": bits(1)})
        with pytest.raises(ValueError, match=r"a has shape \(3,\): \(T, 1\) is needed"):
            model.run({"a": np.zeros(3, np.uint8)})
        with pytest.raises(ValueError, match="a: it must hold 0 and 1 alone"):
            model.run({"a": bits(2)})
        with pytest.raises(ValueError, match="clock_period = 0: more than 0 ns"):
            simulation(STATIC_HAZARD, clock_period=0)
        with pytest.raises(ValueError, match="input_delay = 1000: 0 or more, and less than"):
            simulation(STATIC_HAZARD, input_delay=1000)
        with pytest.raises(ValueError, match="delays: int64"):
            GateSimulation(gate_network(STATIC_HAZARD, hand_library()), delays=np.zeros((2, 6)))
