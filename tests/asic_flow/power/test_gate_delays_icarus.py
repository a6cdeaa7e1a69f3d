"""The gate simulator's inertial delays against those of Icarus Verilog.

With one delay for each output's edge, in continuous assignments, every net must change as often.
With delays by pin (``-gspecify``) Icarus departs from inertial delays where an output's next value
is taken back and asked for again before its time: then it comes at the time of one of the former
events. That moves edges, either way.
"""

import subprocess
from collections import defaultdict
from pathlib import Path
from shutil import which

import numpy as np
import pytest

from multipede.asic_flow.liberty.cell_verilog import expression
from multipede.asic_flow.power.gate_network import Gate, GateNetwork, gate_network
from multipede.asic_flow.power.gate_simulation import GateSimulation
from tests.asic_flow.hand_netlists import hand_library, hand_netlist, number_of

CLOCKS = 200
PERIOD = 10_000
INPUT_DELAY = 100
"""ps"""
INPUTS = [f"i{k}" for k in range(8)]
KINDS = {"INV": "A", "NAND": "AB", "XOR": "AB", "FA": "ABC", "DFF": "D"}


def random_netlist(generator: np.random.Generator, gates: int) -> dict:
    """Gates that read inputs, registers and each other, those before them."""
    nets, cells = list(INPUTS), {}
    for number in range(gates):
        kind = str(generator.choice(list(KINDS), p=[0.1, 0.4, 0.2, 0.2, 0.1]))
        # Mostly of the last nets, so that paths are long and differ much.
        recent = nets[-12:] + list(generator.choice(nets, 4))
        pins = dict(
            zip(KINDS[kind], map(str, generator.choice(recent, 3, replace=False)), strict=False)
        )
        outputs = {"FA": ["S", "CO"], "DFF": ["Q"]}.get(kind, ["Y"])
        made = {pin: f"n{number}_{pin}" for pin in outputs}
        pins |= made | ({"CK": "clk"} if kind == "DFF" else {})
        cells[f"g{number}"] = (kind, pins)
        nets += made.values()
    return hand_netlist(f"clk {' '.join(INPUTS)}", nets[-1], cells)


def random_delays(
    network: GateNetwork, generator: np.random.Generator, *, by_pin: bool
) -> np.ndarray:
    """fs by the output's edge, and by pin or not, whatever the input's edge."""
    delays = generator.integers(20_000, 200_000, (len(network.gates), 6, 1, 2))
    for number, gate in enumerate(network.gates):
        if gate.kind == "DFF" or not by_pin:
            delays[number] = delays[number, :1]
    return np.broadcast_to(delays, (len(network.gates), 6, 2, 2)).copy()


def bench(
    netlist: dict, network: GateNetwork, delays: np.ndarray, values: np.ndarray, *, by_pin: bool
) -> str:
    """Every instance in a module of its own, and a counter for each net."""
    modules, lines = [], []
    outputs = defaultdict(list)
    for number, gate in enumerate(network.gates):
        outputs[gate.instance].append((gate, delays[number]))
    for name, cell in netlist["cells"].items():
        module = f"{cell['type']}_{name}"
        modules.append(_module(module, outputs[name], by_pin=by_pin))
        ends = ", ".join(f".{pin}(n[{bits[0]}])" for pin, bits in cell["connections"].items())
        lines.append(f"  {module} {name}({ends});")
    return "\n".join(["`timescale 1fs/1fs", *modules, _top(netlist, lines, values)])


def _module(name: str, outputs: list[tuple[Gate, np.ndarray]], *, by_pin: bool) -> str:
    """One instance; a delay's last axes are the input's value, of which nothing depends, and the
    output's."""
    register = outputs[0][0].kind == "DFF"
    sources = ["CK", "D"] if register else list(outputs[0][0].pins)
    body, paths = [], []
    for gate, delays in outputs:
        text = "state" if register else expression(gate.table, gate.pins)
        edges = delays[:, 0, ::-1]  # rising first
        delay = "" if by_pin else f"#({edges[0, 0]}, {edges[0, 1]}) "
        body.append(f"  output {gate.pin}; assign {delay}{gate.pin} = {text};")
        for place, pin in enumerate(["CK"] if register else gate.pins):
            paths.append(f"    ({pin} => {gate.pin}) = ({edges[place, 0]}, {edges[place, 1]});")
    if register:
        body.append("  reg state = 0; always @(posedge CK) state <= D;")
    ports = sources + [gate.pin for gate, _ in outputs]
    head = [f"module {name}({', '.join(ports)});", *(f"  input {pin};" for pin in sources)]
    timing = ["  specify", *paths, "  endspecify"] if by_pin else []
    return "\n".join([*head, *body, *timing, "endmodule"])


def _top(netlist: dict, instances: list[str], values: np.ndarray) -> str:
    """Inputs from a memory; they are driven by the clock's edge, 100 ps later."""
    most = 1 + max(net["bits"][0] for net in netlist["netnames"].values())
    words = [
        f"    stimulus[{t}] = 8'b{''.join(map(str, row[::-1]))};" for t, row in enumerate(values)
    ]
    places = [number_of(netlist, name) for name in INPUTS]
    drive = [f"  assign n[{place}] = inputs[{k}];" for k, place in enumerate(places)]
    wait, half = 1000 * INPUT_DELAY, 1000 * PERIOD // 2
    return "\n".join(
        [
            "module bench;",
            f"  wire [{most - 1}:0] n; reg clk = 0; reg [7:0] inputs = 0;",
            f"  reg [7:0] stimulus [0:{CLOCKS - 1}]; integer t; reg on = 0;",
            f"  assign n[{number_of(netlist, 'clk')}] = clk;",
            *drive,
            *instances,
            "  genvar k; generate for (k = 0; k < " + str(most) + "; k = k + 1) begin : counters",
            "    integer count = 0; always @(n[k]) if (on) count = count + 1;",
            '    initial begin wait (on); wait (!on); $display("%0d %0d", k, count); end',
            "  end endgenerate",
            "  initial begin",
            *words,
            f"    #{1000 * PERIOD} on = 1;",
            f"    for (t = 0; t < {CLOCKS}; t = t + 1) begin",
            f"      clk = 1; #{wait} inputs = stimulus[t]; #{half - wait} clk = 0; #{half};",
            "    end",
            "    on = 0; #1 $finish;",
            "  end",
            "endmodule",
        ]
    )


def icarus_counts(text: str, directory: Path) -> dict[int, int]:
    """Changes of each net; the test fails without Icarus."""
    assert which("iverilog"), "iverilog is needed: install Icarus Verilog"
    (directory / "bench.v").write_text(text)
    made = directory / "bench.vvp"
    command = ["iverilog", "-g2005", "-gspecify", "-s", "bench", "-o", made, directory / "bench.v"]
    subprocess.run(command, check=True)
    done = subprocess.run(["vvp", made], check=True, capture_output=True, text=True)
    return {int(net): int(count) for net, count in map(str.split, done.stdout.splitlines())}


@pytest.mark.regress
@pytest.mark.parametrize("by_pin", [False, True], ids=["by output", "by pin"])
@pytest.mark.parametrize("seed", range(5))
def test_changes_of_every_net(tmp_path, seed, by_pin):
    generator = np.random.default_rng(seed)
    netlist = random_netlist(generator, 120)
    network = gate_network(netlist, hand_library())
    delays = random_delays(network, generator, by_pin=by_pin)
    values = generator.integers(0, 2, (CLOCKS, len(INPUTS)), dtype=np.uint8)
    theirs = icarus_counts(bench(netlist, network, delays, values, by_pin=by_pin), tmp_path)

    inputs = {name: values[:, k : k + 1] for k, name in enumerate(INPUTS)}
    found = []
    for given in (delays, None):
        model = GateSimulation(
            network, delays=given, clock_period=PERIOD / 1000, input_delay=INPUT_DELAY
        )
        model.run(inputs)
        found.append(model.activity().toggles)
    nets = [network.nets[gate.target] for gate in network.gates]
    ours, without, other = (np.array([one[n] for n in nets]) for one in (*found, theirs))
    assert ours.sum() > 2 * without.sum()
    if by_pin:
        assert ours.sum() == pytest.approx(other.sum(), rel=0.05)
        assert np.abs(ours - other).sum() < 0.06 * ours.sum()
    else:
        assert (ours == other).all()
