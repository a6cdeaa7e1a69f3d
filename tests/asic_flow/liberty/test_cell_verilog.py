"""Verilog models of cells: every input, unknown ones too, in Verilator and in Icarus."""

import subprocess
from itertools import product
from shutil import which

import pytest

from multipede.asic_flow.liberty.boolean import truth_table
from multipede.asic_flow.liberty.cell_behaviour import cell_behaviour
from multipede.asic_flow.liberty.cell_verilog import expression, verilog_models
from multipede.asic_flow.liberty.prime_implicants import prime_implicants
from multipede.toolchain.yosys import run_yosys
from tests.asic_flow.hand_netlists import hand_library


def test_primes_by_hand():
    """A B | !A C has the prime B C besides: cares 0b110."""
    table = truth_table("(A B) | (!A C)", ["A", "B", "C"])
    assert set(prime_implicants(table, 3)) == {(0b011, 0b011), (0b101, 0b100), (0b110, 0b110)}
    assert prime_implicants(0, 2) == []
    assert prime_implicants(0b1111, 2) == [(0, 0)]


def test_primes_cover_every_function_of_three_inputs():
    for table in range(256):
        primes = prime_implicants(table, 3)
        covered = sum(
            any(place & cares == values for cares, values in primes) << place for place in range(8)
        )
        assert covered == table
        # No prime could do with one variable less.
        for cares, values in primes:
            for bit in (b for b in (1, 2, 4) if cares & b):
                held = [p for p in range(8) if p & cares & ~bit == values & ~bit]
                assert not all(table >> place & 1 for place in held)


def test_expressions():
    assert expression(0b0111, ["A", "B"]) == "~A | ~B"
    assert expression(0b0110, ["A", "B"]) == "(A & ~B) | (~A & B)"
    assert expression(0, ["A"]) == "1'b0"
    assert expression(0b11, ["A"]) == "1'b1"


def test_gates_are_what_the_library_says():
    """By Yosys' solver, each output against the library's own text."""
    functions = {"INV": "~A", "NAND": "~(A & B)", "XOR": "A ^ B"}
    models = verilog_models(hand_library(), [*functions, "FA"])
    text = models + "module same(input A, B, C, output ok);\n  wire i, n, x, s, c;\n"
    text += "  INV g1(.A(A), .Y(i)); NAND g2(.A(A), .B(B), .Y(n)); XOR g3(.A(A), .B(B), .Y(x));\n"
    text += "  FA g4(.A(A), .B(B), .C(C), .S(s), .CO(c));\n"
    right = [f"i == ({functions['INV']})", f"n == ({functions['NAND']})", "x == (A ^ B)"]
    right.append("{c, s} == A + B + C")
    text += f"  assign ok = {' & '.join(f'({one})' for one in right)};\nendmodule\n"
    proof = "hierarchy -top same; proc; flatten; sat -verify -prove ok 1 -show A,B,C"
    files = {"top.v": text}
    assert "SUCCESS" in run_yosys(f"read_verilog -sv top.v; {proof}", files=files).log


def test_only_the_cells_asked_for_in_order():
    models = verilog_models(hand_library(), ["NAND", "DFF", "NAND"])
    assert models.count("module ") == 2
    assert models.index("module DFF (") < models.index("module NAND (")
    with pytest.raises(ValueError, match="it is a latch"):
        verilog_models(hand_library(), ["LATCH"])


def run_icarus(text: str, directory) -> list[str]:
    """Lines that a module ``bench`` prints; the test fails without Icarus."""
    assert which("iverilog"), "iverilog is needed: install Icarus Verilog"
    (directory / "bench.v").write_text(text)
    made = directory / "bench.vvp"
    command = ["iverilog", "-g2005", "-s", "bench", "-o", made, directory / "bench.v"]
    subprocess.run(command, check=True)
    done = subprocess.run(["vvp", made], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


@pytest.mark.regress
def test_unknown_inputs_in_icarus(tmp_path):
    """An output is unknown just where the known inputs leave it open."""
    steps, expected = [], []
    behaviour = cell_behaviour(hand_library(), "FA")
    for values in product("01x", repeat=3):
        inputs = "".join(values)
        steps.append(f'{{A, B, C}} = 3\'b{inputs}; #1 $display("%b%b", S, CO);')
        expected.append("".join(_known(behaviour.outputs[pin], inputs) for pin in ("S", "CO")))
    text = verilog_models(hand_library(), ["FA"]) + "module bench; reg A, B, C; wire S, CO;\n"
    text += "FA one(.A(A), .B(B), .C(C), .S(S), .CO(CO));\ninitial begin\n"
    assert run_icarus(text + "\n".join(steps) + "\nend endmodule\n", tmp_path) == expected


def _known(table: int, inputs: str) -> str:
    """The function of ABC (A first), whose variables the table has in the cell's own order."""
    order = cell_behaviour(hand_library(), "FA").variables
    named = dict(zip("ABC", inputs, strict=True))
    choices = [("01" if named[pin] == "x" else named[pin]) for pin in order]
    found = {
        table >> sum(int(bit) << place for place, bit in enumerate(one)) & 1
        for one in product(*choices)
    }
    return str(found.pop()) if len(found) == 1 else "x"


@pytest.mark.regress
def test_registers_that_are_cleared_and_preset_in_icarus(tmp_path):
    """What is taken back last stays; on the clock's edge the next state is taken."""
    steps = [
        ("RN = 0; S = 1;", "11"),  # both: H, H
        ("RN = 1;", "10"),  # preset is left
        ("S = 0;", "10"),
        ("D = 0; E = 1;", "10"),
        ("CK = 1;", "01"),
        ("CK = 0; D = 1; E = 0;", "01"),
        ("CK = 1;", "01"),  # not enabled
        ("S = 1;", "10"),
        ("RN = 0;", "11"),
        ("S = 0;", "01"),  # clear is left
        ("CK = 0; E = 1;", "01"),
        ("CK = 1;", "01"),  # held
        ("RN = 1;", "01"),
        ("CK = 0;", "01"),
        ("CK = 1;", "10"),
    ]
    text = verilog_models(hand_library(), ["DFFRS"]) + "module bench; reg CK, D, E, RN, S;\n"
    text += "wire Q, QN; DFFRS one(.CK(CK), .D(D), .E(E), .RN(RN), .S(S), .Q(Q), .QN(QN));\n"
    text += "initial begin CK = 0; D = 0; E = 0; RN = 1; S = 0; #1\n"
    text += "\n".join(f'{step} #1 $display("%b%b", Q, QN);' for step, _ in steps)
    found = run_icarus(text + "\nend endmodule\n", tmp_path)
    assert found == [values for _, values in steps]
