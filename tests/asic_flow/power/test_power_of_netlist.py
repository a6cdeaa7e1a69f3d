"""Power of netlists added up by hand, in the library of ``hand_netlists``.

A unit of load is 2 fF, one of energy 2 fJ, one of leakage 1 pW; the supply is 0.9 V. Slews of
inputs are 0 unless said; those of gates 1 + load rising and 2 + load falling, in units.
"""

import numpy as np
import pytest

from multipede.asic_flow.liberty.wire_load import wire_load
from multipede.asic_flow.power.activity import Activity
from multipede.asic_flow.power.clock_tree import clock_tree
from multipede.asic_flow.power.power_of_netlist import PowerParts, power
from multipede.asic_flow.timing.conditions import Conditions
from tests.asic_flow.hand_netlists import hand_library, hand_netlist, number_of

MILLIWATT = 1e-3
"""In a fJ per ns."""
SQUARE = 0.81
"""V^2"""


def activity(netlist: dict, clocks: int, **nets: tuple[int, float]) -> Activity:
    """Changes, and the part of the time at 1, of each net."""
    numbers = {name: number_of(netlist, name) for name in nets}
    return Activity(
        clocks=clocks,
        duration=1000.0 * clocks,
        toggles={numbers[name]: toggles for name, (toggles, _) in nets.items()},
        high={numbers[name]: 1000.0 * clocks * part for name, (_, part) in nets.items()},
    )


def found(netlist: dict, seen: Activity, conditions: Conditions | None = None, **options):
    options = {"clock_period": 1.0} | options
    return power(netlist, hand_library(), seen, conditions, **options)


def parts(switching: float, internal: float, leakage: float, period: float = 1.0):
    """From fJ per clock and pW."""
    exact = (switching * MILLIWATT / period, internal * MILLIWATT / period, leakage * 1e-9)
    return pytest.approx(exact, rel=1e-6)


def columns(one: PowerParts) -> tuple[float, float, float]:
    return one.switching, one.internal, one.leakage


CHAIN = hand_netlist(
    "a", "y", {"1": ("INV", {"A": "a", "Y": "n"}), "2": ("INV", {"A": "n", "Y": "y"})}
)
CHAIN_SEEN = activity(CHAIN, 10, a=(4, 0.3), n=(4, 0.7), y=(4, 0.3))


class TestInverterChain:
    def test_by_hand(self):
        """n has a load of 1 unit, y none. Each of n and y changes 0.4 times a clock, half of it up.

        First inverter: rise 2 + 1/4, fall 4 + 1/4. Second: n's slews are 2 and 3, so y rises with
        2 + 3/2 and falls with 4 + 2/2. Leakage: 6 while A is 1, else 10.
        """
        one = found(CHAIN, CHAIN_SEEN)
        switching = 0.5 * 2 * SQUARE * 0.4
        internal = 2 * 0.2 * ((2 + 0.25) + (4 + 0.25) + (2 + 1.5) + (4 + 1))
        leakage = 0.3 * 6 + 0.7 * 10 + 0.7 * 6 + 0.3 * 10
        assert columns(one.combinational) == parts(switching, internal, leakage)
        assert columns(one.registers) == (0, 0, 0)
        assert columns(one.clock_tree) == (0, 0, 0)
        assert one.inputs == pytest.approx(0.5 * 2 * SQUARE * 0.4 * MILLIWATT, rel=1e-6)
        assert one.total == pytest.approx(sum(columns(one.combinational)))

    def test_surroundings(self):
        """20 fF at the output, 30 ps of slew at the input; a fanout of 1 has 1 unit of wire."""
        around = Conditions(input_slew=30, output_load=20, wires=wire_load(hand_library(), "small"))
        one = found(CHAIN, CHAIN_SEEN, around)
        switching = 0.5 * (4 + 22) * SQUARE * 0.4
        # n: 2 units of load, slews of 3 and 4; y: 11 units.
        first = (2 + 1.5 + 0.5) + (4 + 1.5 + 0.5)
        second = (2 + 4 / 2 + 11 / 4) + (4 + 3 / 2 + 11 / 4)
        internal = 2 * 0.2 * (first + second)
        leakage = 0.3 * 6 + 0.7 * 10 + 0.7 * 6 + 0.3 * 10
        assert columns(one.combinational) == parts(switching, internal, leakage)

    def test_at_another_clock(self):
        """Energies per clock stay, leakage takes its time; per record and per operation."""
        one, slow = found(CHAIN, CHAIN_SEEN), found(CHAIN, CHAIN_SEEN, clock_period=4.0)
        assert slow.combinational.internal == pytest.approx(one.combinational.internal / 4)
        assert slow.combinational.leakage == pytest.approx(one.combinational.leakage)
        counted = found(CHAIN, CHAIN_SEEN, clock_period=4.0, records=5, operations={"multiply": 8})
        assert counted.energy_per_clock == pytest.approx(4 * counted.total)
        assert counted.energy_per_record == pytest.approx(2 * counted.energy_per_clock)
        assert counted.energy_per_operation == {
            "multiply": pytest.approx(counted.energy_per_record / 8)
        }
        assert (slow.energy_per_record, slow.energy_per_operation) == (None, {})


class TestCauses:
    def test_inputs_by_how_often_they_decide(self):
        """NAND: A counts while B is 1 (0.25), B while A is 1 (0.8).

        A changes 0.6 times, B 0.2: weights 0.15 and 0.16. No load, no slews."""
        made = hand_netlist("a b", "y", {"1": ("NAND", {"A": "a", "B": "b", "Y": "y"})})
        seen = activity(made, 10, a=(6, 0.8), b=(2, 0.25), y=(2, 0.8))
        one = found(made, seen)
        of_a, of_b = 0.15 / 0.31, 0.16 / 0.31
        internal = 2 * 0.1 * (of_a * (1 + 2) + of_b * (3 + 5))
        leakage = 0.8 * 0.25 * 9 + (1 - 0.2) * 5
        assert columns(one.combinational) == parts(0, internal, leakage)

    def test_an_input_that_never_decides_or_changes(self):
        """B is constant: all is A's. With both still, and y changing, they count alike."""
        made = hand_netlist("a", "y", {"1": ("NAND", {"A": "a", "B": "1", "Y": "y"})})
        one = found(made, activity(made, 10, a=(6, 0.5), y=(6, 0.5)))
        assert one.combinational.internal == pytest.approx(2 * 0.3 * 3 * MILLIWATT, rel=1e-6)
        made = hand_netlist("a b", "y", {"1": ("NAND", {"A": "a", "B": "b", "Y": "y"})})
        still = activity(made, 10, a=(0, 0.0), b=(0, 0.0), y=(2, 0.5))
        one = found(made, still)
        assert one.combinational.internal == pytest.approx(2 * 0.1 * (3 + 8) / 2 * MILLIWATT)
        # Neither decides by its probability, but A alone changes.
        seen = activity(made, 10, a=(2, 0.0), b=(0, 0.0), y=(2, 0.5))
        assert found(made, seen).combinational.internal == pytest.approx(2 * 0.1 * 3 * MILLIWATT)

    def test_conditions_of_energies(self):
        """XOR by A: 2 while B is 1 (0.3), else 6; by B: 1. Both always decide. A's slew is none."""
        made = hand_netlist("a b", "y", {"1": ("XOR", {"A": "a", "B": "b", "Y": "y"})})
        one = found(made, activity(made, 10, a=(6, 0.8), b=(2, 0.3), y=(8, 0.5)))
        by_a = 0.3 * 2 + 0.7 * 6
        internal = 2 * 0.8 * (0.75 * by_a + 0.25 * 1)
        assert one.combinational.internal == pytest.approx(internal * MILLIWATT, rel=1e-6)

    def test_conditions_count_where_the_input_decides(self):
        """C decides unless A and B are both 1: while A is 1 for 0.25 of the time, with 4, and while
        A is 0 for 0.5, with 10."""
        pins = {"A": "a", "B": "b", "C": "c", "Y": "y"}
        made = hand_netlist("a b c", "y", {"1": ("AOI", pins)})
        seen = activity(made, 10, a=(0, 0.5), b=(0, 0.5), c=(6, 0.5), y=(4, 0.4))
        mean = (0.25 * 4 + 0.5 * 10) / 0.75
        internal = 2 * 0.2 * (mean + mean)
        assert found(made, seen).combinational.internal == pytest.approx(internal * MILLIWATT)


def test_full_adder_by_hand():
    """Whichever input causes it, an edge takes 4 + load / 4. CO drives an inverter: a load of 1.

    Slews of inputs are none, CO's 2 and 3.
    """
    pins = {"A": "a", "B": "b", "C": "c", "S": "s", "CO": "k"}
    made = hand_netlist("a b c", "s y", {"1": ("FA", pins), "2": ("INV", {"A": "k", "Y": "y"})})
    seen = activity(
        made, 10, a=(5, 0.5), b=(5, 0.5), c=(5, 0.5), s=(6, 0.5), k=(4, 0.5), y=(4, 0.5)
    )
    one = found(made, seen)
    switching = 0.5 * 2 * SQUARE * 0.4
    adder = 2 * (0.6 * 4 + 0.4 * 4.25)
    inverter = 2 * 0.2 * ((2 + 3 / 2) + (4 + 2 / 2))
    leakage = 20 + 8
    assert columns(one.combinational) == parts(switching, adder + inverter, leakage)


REGISTER = hand_netlist(
    "clk d",
    "y",
    {
        "f": ("DFF", {"CK": "clk", "D": "d", "Q": "q"}),
        "i": ("INV", {"A": "q", "Y": "y"}),
    },
)
REGISTER_SEEN = activity(REGISTER, 10, clk=(20, 0.5), d=(6, 0.4), q=(4, 0.7), y=(4, 0.3))


class TestRegister:
    def test_by_hand(self):
        """The clock: 5 up and 3 down while D and Q are 1 (0.4 * 0.7), else 7 and 4. D: 1 and 2
        while the clock is 0. Q: 8 and 6, and the clock's slew of 10 ps / 2, and its load / 4."""
        one = found(REGISTER, REGISTER_SEEN, Conditions(clock_slew=10), clock_period=2.0)
        both = 0.4 * 0.7
        clock = both * (5 + 3) + (1 - both) * (7 + 4)
        data = 0.3 * 0.5 * (1 + 2)
        q = 0.2 * ((8 + 0.5 + 0.25) + (6 + 0.5 + 0.25))
        leakage = 0.7 * 30 + 0.3 * 40
        switching = 0.5 * 2 * SQUARE * 0.4
        assert columns(one.registers) == parts(switching, 2 * (clock + data + q), leakage, 2.0)
        # The inverter: q's slews are 2 and 3.
        inverter = 2 * 0.2 * ((2 + 1.5) + (4 + 1))
        assert columns(one.combinational) == parts(0, inverter, 0.7 * 6 + 0.3 * 10, 2.0)
        # The clock's own net, of 4 fF, changes twice.
        assert columns(one.clock_tree) == parts(4 * SQUARE, 0, 0, 2.0)
        assert one.inputs == pytest.approx(0.5 * 2 * SQUARE * 0.6 * MILLIWATT / 2, rel=1e-6)
        assert one.total == pytest.approx(one.cells.total + one.clock_tree.total)

    def test_a_register_changes_by_its_clock_alone(self):
        """Q: 8 and 6 of the clock, for all that its reset changes, too, with 20 and 30."""
        pins = {"CK": "clk", "D": "d", "RN": "r", "Q": "q"}
        made = hand_netlist("clk d r", "q", {"f": ("DFFR", pins)})
        seen = activity(made, 10, clk=(20, 0.5), d=(6, 0.5), r=(4, 0.8), q=(6, 0.4))
        leakage = 0.4 * 10 + 0.6 * 20
        assert columns(found(made, seen).registers) == parts(0, 2 * 0.3 * (8 + 6), leakage)

    def test_a_state_seen_by_its_inverse_alone(self):
        """Q is not connected: QN tells that the state is 1 for 0.2 of the time."""
        made = hand_netlist(
            "clk d r", "p", {"f": ("DFFR", {"CK": "clk", "D": "d", "RN": "r", "QN": "p"})}
        )
        seen = activity(made, 10, clk=(20, 0.5), d=(2, 0.5), r=(0, 1.0), p=(2, 0.8))
        assert columns(found(made, seen).registers) == parts(0, 0, 0.2 * 10 + 0.8 * 20)


def registers(count: int) -> dict:
    cells = {f"f{i}": ("DFF", {"CK": "clk", "D": f"d{i}", "Q": f"q{i}"}) for i in range(count)}
    inputs = " ".join(f"d{i}" for i in range(count))
    return hand_netlist(f"clk {inputs}", " ".join(f"q{i}" for i in range(count)), cells)


class TestClockTree:
    def test_without_buffers(self):
        tree = clock_tree(registers(3), hand_library(), Conditions(), fanout=4)
        assert (tree.registers, tree.buffers, tree.switching) == (3, 0, pytest.approx(12 * SQUARE))
        assert tree.method == "estimate: 3 registers, no buffers, at most 4 behind each"

    def test_two_levels(self):
        """7 registers, at most 2 behind each: 4 buffers of 2, 2, 2 and 1, then 2, then the port.

        Clock pins have 2 units, a buffer's 1; wires 1 unit for one and 2 for two. A buffer takes
        3 + 3 + slew (10 ps, half a unit each way) + load / 2; it leaks 8 and 12.
        """
        around = Conditions(clock_slew=10, wires=wire_load(hand_library(), "small"))
        tree = clock_tree(registers(7), hand_library(), around, fanout=2)
        leaves, upper, root = [2 * 2 + 2] * 3 + [2 + 1], [2 + 2] * 2, 2 + 2
        assert (tree.buffers, tree.buffer) == (6, "BUF")
        assert tree.switching == pytest.approx(2 * SQUARE * (sum(leaves) + sum(upper) + root))
        loads = sum(leaves) + sum(upper)
        assert tree.internal == pytest.approx(2 * (6 * (6 + 1) + loads / 2))
        assert tree.leakage == pytest.approx(6 * 10e-3)

    def test_without_registers(self):
        tree = clock_tree(
            CHAIN, hand_library(), Conditions(wires=wire_load(hand_library(), "small"))
        )
        assert (tree.registers, tree.switching, tree.leakage) == (0, 0, 0)

    @pytest.mark.parametrize("fanout", [1, 0, 2.5])
    def test_bad_fanouts(self, fanout):
        with pytest.raises(ValueError, match=f"clock_fanout = {fanout}: 2 or more is needed"):
            clock_tree(registers(3), hand_library(), Conditions(), fanout=fanout)


def test_owners_add_up_to_all_cells():
    made = hand_netlist(
        "a", "y", {"1": ("INV", {"A": "a", "Y": "n"}), "2": ("INV", {"A": "n", "Y": "y"})}
    )
    made["cells"]["1"]["attributes"] = {"hdlname": "part inverter"}
    one = found(made, activity(made, 10, a=(4, 0.3), n=(4, 0.7), y=(4, 0.3)))
    assert list(one.by_owner) == ["", "part"]
    whole = np.sum([columns(part) for part in one.by_owner.values()], axis=0)
    assert columns(one.cells) == pytest.approx(tuple(whole))
    assert one.by_owner["part"].leakage == pytest.approx((0.3 * 6 + 0.7 * 10) * 1e-9)


def test_it_says_what_it_found():
    one = found(REGISTER, REGISTER_SEEN, clock_period=2.0, records=10, operations={"add": 1})
    text = str(one)
    assert f"{one.total:.4g} mW at 2 ns and 0.9 V" in text
    assert "pJ per record" in text
    assert "pJ per add" in text
    assert "clock tree: estimate: 1 registers, no buffers, at most 16 behind each" in text
    values = one.to_dict()
    assert values["total_mw"] == one.total
    assert values["cells_mw"]["total"] == pytest.approx(one.cells.total)
    assert values["by_owner_mw"][""]["leakage"] == pytest.approx(one.cells.leakage)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clock_period": 0}, "clock_period = 0: more than 0 ns is needed"),
        ({"records": 0}, "records = 0: more than 0 is needed"),
        ({"clock_fanout": 1}, "clock_fanout = 1: 2 or more is needed"),
    ],
)
def test_bad_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        found(CHAIN, CHAIN_SEEN, **options)


def test_a_net_without_activity_is_refused():
    seen = activity(CHAIN, 10, a=(4, 0.3), y=(4, 0.3))
    with pytest.raises(ValueError, match="activity: 1 of 3 nets have none"):
        found(CHAIN, seen)
