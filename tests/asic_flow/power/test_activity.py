"""Activity, and its files: SAIF there and back, VCD."""

import re

import numpy as np
import pytest

from multipede.asic_flow.power.activity import Activity, require_complete
from multipede.asic_flow.power.gate_network import gate_network
from multipede.asic_flow.power.gate_simulation import GateSimulation
from multipede.asic_flow.power.saif import read_saif, write_saif
from multipede.asic_flow.power.waveform import vcd
from tests.asic_flow.hand_netlists import hand_library, hand_netlist, number_of

NETLIST = hand_netlist(
    "clk d",
    "q",
    {
        "core.flop": ("DFF", {"CK": "clk", "D": "n", "Q": "q"}),
        "core.bits[3].gate": ("NAND", {"A": "d", "B": "1", "Y": "n"}),
    },
)
NETLIST["ports"]["q"]["bits"] = [number_of(NETLIST, "q"), number_of(NETLIST, "n")]


@pytest.fixture
def simulated():
    model = GateSimulation(gate_network(NETLIST, hand_library()), clock_period=2)
    model.run({"d": np.array([[0], [1], [1], [0], [1]], np.uint8)})
    return model


def test_probabilities_and_rates(simulated):
    found = simulated.activity()
    d, q = number_of(NETLIST, "d"), number_of(NETLIST, "q")
    assert (found.probability(d), found.rate(d)) == (pytest.approx(3 / 5), pytest.approx(3 / 5))
    # q is n, the inverse of d, of the clock before: 1 1 0 0 1, behind a 0.
    assert (found.probability(q), found.rate(q)) == (pytest.approx(3 / 5), pytest.approx(3 / 5))
    assert (found.probability("1"), found.probability("0"), found.rate("1")) == (1, 0, 0)
    with pytest.raises(ValueError, match="clocks = 0, duration = 0: more than 0 is needed"):
        Activity(clocks=0, duration=0, toggles={}, high={})


def test_a_net_without_activity_is_noticed(simulated):
    found = simulated.activity()
    require_complete(found, NETLIST)
    d = number_of(NETLIST, "d")
    toggles = {net: count for net, count in found.toggles.items() if net != d}
    with pytest.raises(ValueError, match=f"activity: 1 of 4 nets have none, such as net {d}"):
        require_complete(Activity(5, 1e4, toggles, found.high), NETLIST)


class TestSaif:
    def test_lists_the_pins_of_instances(self, simulated):
        text = write_saif(simulated.activity(), NETLIST, top="unit")
        assert "(DURATION 10000000)" in text
        assert r"(INSTANCE core\.bits\[3\]\.gate (NET" in text
        gate = text.split(r"gate (NET")[1].split("))\n  ))")[0]
        assert re.findall(r"\((\w+) \(T0 (\d+)\) \(T1 (\d+)\) \(TX 0\) \(TC (\d+)\)", gate) == [
            ("A", "4000000", "6000000", "3"),
            ("B", "0", "10000000", "0"),
            ("Y", "6000000", "4000000", "4" if "TC 4" in gate else "3"),
        ]
        assert r"(q\[1\] (T0" in text

    def test_comes_back(self, simulated):
        found = simulated.activity()
        text = write_saif(found, NETLIST, top="unit")
        assert read_saif(text, NETLIST, top="unit", clocks=5) == found
        # As other programs write it: the unit within a bench, and another unit of time.
        moved = text.replace("(INSTANCE unit", "(INSTANCE bench (INSTANCE unit") + ")"
        moved = moved.replace("TIMESCALE 1 fs", "TIMESCALE 10fs").replace("(IG 0)", "")
        again = read_saif(moved, NETLIST, top="unit", clocks=5)
        assert again.duration == pytest.approx(10 * found.duration)
        assert again.toggles == found.toggles

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("(SAIFILE", "(SAIFILE (", "saif: it is broken, or no SAIF file"),
            ("(DURATION 10000000)", "", "saif: it is broken, or no SAIF file"),
            ("INSTANCE unit", "INSTANCE other", "saif: it has no instance unit"),
            (r"(D (T0 6000000) (T1 4000000) (TX 0) (TC", "(D (T0 1) (T1 1) (TX 0) (TC", "differs"),
        ],
    )
    def test_what_cannot_be_read(self, simulated, old, new, message):
        text = write_saif(simulated.activity(), NETLIST, top="unit")
        assert old in text
        with pytest.raises(ValueError, match=message):
            read_saif(text.replace(old, new), NETLIST, top="unit", clocks=5)

    def test_a_file_of_ports_alone_is_not_enough(self, simulated):
        made = hand_netlist(
            "a",
            "y",
            {"1": ("INV", {"A": "a", "Y": "n"}), "2": ("INV", {"A": "n", "Y": "y"})},
        )
        model = GateSimulation(gate_network(made, hand_library()))
        model.run({"a": np.array([[1]], np.uint8)})
        text = write_saif(model.activity(), made, top="unit")
        ports = re.sub(r"  \(INSTANCE [12] \(NET\n.*?  \)\)\n", "", text, flags=re.DOTALL)
        assert ports.count("INSTANCE") == 1
        with pytest.raises(ValueError, match="activity: 1 of 3 nets have none"):
            read_saif(ports, made, top="unit", clocks=1)


def test_vcd_of_a_window(simulated):
    found = simulated.waveform({"d": np.array([[0], [0]], np.uint8)})
    lines = vcd(found, NETLIST, top="unit").splitlines()
    codes = {words[4]: words[3] for words in map(str.split, lines) if words[0] == "$var"}
    clk, d, n, q = (codes[name] for name in ("clk", "d", "n", "q"))
    begin = lines.index("$dumpvars")
    end = lines.index("$end", begin)
    # Before, d was 1 0 1, so n was 0 1 0.
    assert set(lines[begin + 1 : end]) == {f"0{clk}", f"1{d}", f"0{n}", f"1{q}"}
    changes = re.findall(r"#(\d+)((?:\n[01]\S+)*)", "\n".join(lines[end + 1 :]))
    assert [(int(time), set(rest.split())) for time, rest in changes] == [
        (0, {f"1{clk}", f"0{q}", f"0{d}", f"1{n}"}),
        (1_000_000, {f"0{clk}"}),
        (2_000_000, {f"1{clk}", f"1{q}"}),
        (3_000_000, {f"0{clk}"}),
        (4_000_000, set()),
    ]
