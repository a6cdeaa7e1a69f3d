"""Mutation testing: mutants are what they say, proofs hold, weak stimuli leave survivors."""

import json
from dataclasses import replace

import numpy as np
import pytest

from multipede.golden.catalogue import unit
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import E4M3, E5M2, INT4
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.number_converter import NumberConverter
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim import mutation as mutation_module
from multipede.sim.compiled import compile_verilog
from multipede.sim.mutation import mutate
from multipede.sim.mutation_netlist import with_mutants
from multipede.sim.mutation_proof import compare_with_unit
from multipede.sim.mutation_report import MutantOutcome, MutationReport, wilson_interval
from multipede.sim.mutation_simulation import beginnings, kill
from multipede.sim.mutation_sites import Mutation, MutationKind, chosen, mutations_of
from multipede.sim.mutation_symmetry import exchanges_addends
from multipede.sim.netlist import netlist_of, verilog_from
from multipede.sim.report import MismatchError
from multipede.sim.solver import Answer
from multipede.sim.stimulus import stimuli
from multipede.sim.verilog import verilog_of
from multipede.toolchain import ToolError
from multipede.toolchain.yosys import run_yosys

TILE = MixPE(rows=1, columns=1, lanes=2, group=4)
ADDER = FloatAdder(a=E4M3, b=E4M3, result=E4M3)

SMALL = """
module small(input clk, input rst, input [3:0] a, input signed [3:0] b, input s,
             output [4:0] sum, output [4:0] difference, output [3:0] one, output less,
             output reg [3:0] kept);
  assign sum = {1'b0, a} + {1'b0, b};
  assign difference = {1'b0, a} - {1'b0, b};
  assign one = s ? a : b;
  assign less = a < b;
  always @(posedge clk) kept <= a & b;
endmodule
"""


def small_outputs(a: int, b: int, s: int) -> dict[str, int]:
    return {"sum": a + b, "difference": (a - b) % 32, "one": a if s else b, "less": int(a < b)}


CASES = [(13, 7, 1), (6, 5, 0), (5, 5, 1), (3, 12, 0), (5, 9, 1), (8, 8, 0), (7, 9, 0), (1, 2, 1)]
SHOWN = ("sum", "difference", "one", "less")


def evaluated(netlist: dict) -> list[dict[str, int]]:
    """The combinational outputs of the small module for each case, without and with the mutant,
    by Yosys' `eval`."""
    shown = "".join(f" -show {name}" for name in SHOWN)
    commands = [
        f"eval -set a {a} -set b {b} -set s {s} -set mutant {number}{shown} small"
        for a, b, s in CASES
        for number in (0, 1)
    ]
    result = run_yosys(
        "\n".join(["read_json n.json", *commands]), files={"n.json": json.dumps(netlist)}
    )
    lines = [line.split() for line in result.log.splitlines() if "Eval result:" in line]
    values = [(line[2].lstrip("\\"), int(line[4].rstrip(".").split("'")[1], 2)) for line in lines]
    return [dict(values[start : start + 4]) for start in range(0, len(values), 4)]


def planted(kind: MutationKind, operator: str, **where) -> Mutation:
    """The only mutation of the small module of this kind at this place."""
    found = [
        m
        for m in mutations_of(netlist_of(SMALL, top="small"), SMALL)
        if m.kind is kind
        and m.operator == operator
        and all(getattr(m, k) == v for k, v in where.items())
    ]
    assert len(found) == 1, found
    return found[0]


PLANTED = {
    "stuck at 0": (
        planted(MutationKind.STUCK_AT_0, "$lt", port="Y"),
        {"less": lambda a, b, s: 0},
    ),
    "stuck at 1": (
        planted(MutationKind.STUCK_AT_1, "$mux", port="A", bit=2),
        {"one": lambda a, b, s: a if s else b | 4},
    ),
    "inverted": (
        planted(MutationKind.INVERTED, "$sub", port="Y", bit=4),
        {"difference": lambda a, b, s: (a - b) % 32 ^ 16},
    ),
    "neighbouring bits swapped": (
        planted(MutationKind.SWAPPED_BITS, "$mux", port="B", bit=0),
        {"one": lambda a, b, s: (a & 12 | a >> 1 & 1 | (a & 1) << 1) if s else b},
    ),
    "inputs swapped": (
        planted(MutationKind.SWAPPED_WORDS, "$lt"),
        {"less": lambda a, b, s: int(b < a)},
    ),
    "carry dropped": (
        planted(MutationKind.DROPPED_CARRY, "$add", bit=2),
        {"sum": lambda a, b, s: (a & 3) + (b & 3) & 3 | ((a >> 2) + (b >> 2)) << 2},
    ),
    "borrow dropped": (
        planted(MutationKind.DROPPED_CARRY, "$sub", bit=3),
        {"difference": lambda a, b, s: (a - b) & 7 | ((a >> 3) - (b >> 3) & 3) << 3},
    ),
    "one bit short": (
        planted(MutationKind.SHORT_WORD, "$lt", port="A"),
        {"less": lambda a, b, s: int((a & 7 | (a & 4) << 1) < b)},
    ),
    "wrong operator": (
        planted(MutationKind.WRONG_OPERATOR, "$lt"),
        {"less": lambda a, b, s: int(a <= b)},
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_mutant_is_the_error_that_it_says(name):
    """In force it changes its output as the error does, and no other; not in force, nothing."""
    mutation, changed = PLANTED[name]
    netlist = with_mutants(netlist_of(SMALL, top="small"), [mutation], top="small")
    given = evaluated(netlist)
    assert len(given) == 2 * len(CASES)
    differences = 0
    for case, without, within in zip(CASES, given[::2], given[1::2], strict=True):
        right = small_outputs(*case)
        assert without == right
        assert within == right | {port: function(*case) for port, function in changed.items()}
        differences += without != within
    assert differences


def test_places_leave_out_clocks_constants_and_what_nothing_reads():
    found = mutations_of(netlist_of(SMALL, top="small"), SMALL)
    assert {m.kind for m in found} == set(MutationKind)
    assert not [m for m in found if m.port == "CLK"]
    stuck = [m for m in found if m.kind is MutationKind.STUCK_AT_1 and m.operator == "$add"]
    assert {m.bit for m in stuck if m.port == "A"} == set(range(4))  # bit 4 is tied to 0
    assert all(m.statement in SMALL and m.statement for m in found)
    assert len(set(found)) == len(found)


def test_kinds_take_turns_and_the_seed_decides():
    found = mutations_of(netlist_of(SMALL, top="small"), SMALL)
    first = chosen(found, 16, 1)
    assert {m.kind for m in first} == set(MutationKind)
    assert chosen(found, 16, 1) == first
    assert chosen(found, 16, 2) != first
    assert sorted(map(str, chosen(found, 10_000, 1))) == sorted(map(str, found))


def test_a_small_tile_kills_its_mutants():
    report = mutate(TILE, count=40, records=2000)
    assert report.passed, str(report)
    assert report.counts[MutantOutcome.KILLED] > 30
    assert report.possible > 1000
    again = mutate(TILE, count=40, records=2000)
    assert again.mutants == report.mutants
    document = json.loads(json.dumps(report.to_dict()))
    assert document["passed"] is True
    assert sum(document["counts"].values()) == 40
    assert document["interval"][0] < document["score"] <= document["interval"][1]
    assert "reaches 99 %" in str(report)


def test_compressor_trees_are_mutated_too():
    report = mutate(IntegerMultiplier(a=INT4, b=INT4), count=24, style=Style.CELLS, records=100)
    assert report.passed, str(report)
    modules = {mutant.mutation.operator for mutant in report.mutants}
    assert "full_adders" in modules


@pytest.mark.regress
def test_weak_stimuli_leave_survivors_with_an_input_that_would_kill_them(monkeypatch):
    """Without sweeps and with one random record, most mutants of rounding live."""

    def weak(spec, *, records, seed):
        return [s for s in stimuli(spec, records=records, seed=seed) if s.name.startswith("random")]

    monkeypatch.setattr(mutation_module, "stimuli", weak)
    report = mutate(ADDER, count=24, records=1)
    assert not report.passed
    survivors = [m for m in report.mutants if m.outcome is MutantOutcome.SURVIVED]
    assert len(survivors) >= 3
    assert {"a", "b", "i_valid", "rst"} <= set(survivors[0].inputs[0])
    assert survivors[0].mutation.statement in str(report)
    assert "DOES NOT REACH" in str(report)
    for survivor in survivors[:4]:
        assert differs(ADDER, survivor.mutation, survivor.inputs)


def differs(spec, mutation, clocks) -> bool:
    """Whether the records of the solver's clocks tell the mutant from the unit in the simulator."""
    netlist = netlist_of(verilog_of(spec, Style.WORD), top=spec.unit)
    verilog = verilog_from(with_mutants(netlist, [mutation], top=spec.unit))
    model = compile_verilog(verilog, spec, mutants=True)
    valid = [clock for clock in clocks if clock["i_valid"] and not clock["rst"]]
    records = {name: np.array([clock[name] for clock in valid]) for name in spec.inputs}
    right, wrong = (model.mutant(number).run(records).outputs for number in (0, 1))
    return any(not np.array_equal(right[port], wrong[port]) for port in right)


def test_the_unit_itself_must_be_right(monkeypatch):
    right = verilog_of(TILE, Style.WORD)
    assert ".keep(position)" in right
    wrong = right.replace(".keep(position)", ".keep(1'h1)")
    monkeypatch.setattr(mutation_module, "verilog_of", lambda spec, style: wrong)
    with pytest.raises(MismatchError, match="mixpe itself differs from its reference"):
        mutate(TILE, count=2, records=500)


def test_killed_mutants_are_never_proved_equivalent():
    for spec in (TILE, ADDER):
        verilog = verilog_of(spec, Style.WORD)
        netlist = netlist_of(verilog, top=spec.unit)
        mutations = dict(enumerate(chosen(mutations_of(netlist, verilog), 16, 5), 1))
        text = verilog_from(with_mutants(netlist, list(mutations.values()), top=spec.unit))
        model = compile_verilog(text, spec, mutants=True)
        models = {number: model.mutant(number) for number in mutations}
        killed = kill(spec, models, beginnings(stimuli(spec, records=200, seed=1)), lambda _: None)
        assert len(killed) > 10
        for number in list(killed)[:4]:
            proof = compare_with_unit(netlist, mutations[number], spec, budget=20)
            assert proof.answer is Answer.REFUTED, mutations[number]


def test_redundant_bits_are_proved_equivalent():
    """What a register holds behind the last record of a group is never seen."""
    verilog = verilog_of(TILE, Style.WORD)
    netlist = netlist_of(verilog, top=TILE.unit)
    held = [
        m
        for m in mutations_of(netlist, verilog)
        if m.kind is MutationKind.STUCK_AT_0
        and m.statement.startswith("if (i_valid) z_0 <=")
        and m.port == "A"
    ]
    assert len(held) == 4
    proof = compare_with_unit(netlist, held[0], TILE, budget=60)
    assert proof.answer is Answer.PROVED
    assert "1 register not always equal" in proof.method
    taken = compare_with_unit(netlist, replace(held[0], port="B"), TILE, budget=60)
    assert taken.answer is Answer.REFUTED
    assert taken.inputs


def test_too_little_time_is_no_proof():
    verilog = verilog_of(TILE, Style.WORD)
    netlist = netlist_of(verilog, top=TILE.unit)
    mutation = mutations_of(netlist, verilog)[0]
    assert compare_with_unit(netlist, mutation, TILE, budget=0.01).answer is Answer.UNKNOWN


LOOPS = """
module integer_multiplier(input [7:0] i_payload, input i_valid, output o_valid,
                          output [7:0] o_payload);
  wire [7:0] y;
  both inside(.p(i_payload), .q(y), .y(y), .z(o_payload));
  assign o_valid = i_valid;
endmodule
module both(input [7:0] p, input [7:0] q, output [7:0] y, output [7:0] z);
  assign y = p + 1;
  assign z = q + y;
endmodule
"""


def test_a_mutant_with_a_loop_is_not_proved_equivalent():
    """With its inputs swapped, y = y + 1: the solver finds no value that shows a difference."""
    spec = IntegerMultiplier(a=INT4, b=INT4, stages=0)
    netlist = netlist_of(LOOPS, top=spec.unit)
    (swap,) = (
        m
        for m in mutations_of(netlist, LOOPS)
        if m.kind is MutationKind.SWAPPED_WORDS and m.operator == "both"
    )
    comparison = compare_with_unit(netlist, swap, spec, budget=20)
    assert comparison.answer is Answer.UNKNOWN
    assert "loop" in comparison.method


SUMS = """
module top(input [3:0] a, input [3:0] b, input [3:0] c, output [{high}:0] y, output [3:0] z);
  sums inside(.a(a), .b(b), .c(c), .y(y), .z(z));
endmodule
module sums(input [3:0] a, input [3:0] b, input [3:0] c, output [{high}:0] y, output [3:0] z);
  wire [{carry}:0] ab = {first};
  assign y = ab {operator} c;
  assign z = {other};
endmodule
"""


@pytest.mark.parametrize(
    ("high", "carry", "operator", "other", "exchangeable"),
    [
        (5, 4, "+", "4'd0", {("a", "b"), ("a", "c"), ("b", "c")}),
        (4, 4, "+", "4'd0", {("a", "b"), ("a", "c"), ("b", "c")}),
        (5, 3, "+", "4'd0", {("a", "b")}),  # the carry of a + b is lost
        (5, 4, "-", "4'd0", {("a", "b")}),
        (5, 4, "+", "a", {("b", "c")}),  # a is seen besides
        (5, 4, "+", "ab[3:0]", {("a", "b")}),
    ],
)
def test_addends_may_be_exchanged_where_the_sum_is_exact(
    high, carry, operator, other, exchangeable
):
    assert exchanged(high, carry, operator, other) == exchangeable


def test_addends_taken_as_signed_and_as_unsigned_are_not_exchanged():
    """a = -1 counts as 31 in y, for the outer sum takes the inner one as unsigned; c = 15 as 15."""
    assert exchanged(5, 4, "+", "4'd0", first="$signed(a) + $signed(b)") == {("a", "b")}


def exchanged(high, carry, operator, other, first="a + b") -> set[tuple[str, str]]:
    """Which two addends of the sum may change places."""
    text = SUMS.format(high=high, carry=carry, operator=operator, other=other, first=first)
    netlist = netlist_of(text, top="top")
    swaps = [
        m
        for m in mutations_of(netlist, text)
        if m.kind is MutationKind.SWAPPED_WORDS and m.operator == "sums"
    ]
    assert len(swaps) == 3
    return {(m.port, m.other) for m in swaps if exchanges_addends(netlist, m)}


def test_a_mutant_that_hangs_is_killed():
    spec = Stallable(inside=MixPE(rows=1, columns=1, lanes=1, group=2))
    verilog = verilog_of(spec, Style.WORD)
    netlist = netlist_of(verilog, top=spec.unit)
    ready = netlist["modules"][spec.unit]["ports"]["i_ready"]["bits"][0]
    hanging = [
        m
        for m in mutations_of(netlist, verilog)
        if m.module == spec.unit
        and m.kind is MutationKind.STUCK_AT_0
        and ready in netlist["modules"][spec.unit]["cells"][m.cell]["connections"][m.port]
        and netlist["modules"][spec.unit]["cells"][m.cell]["port_directions"][m.port] == "output"
    ]
    text = verilog_from(with_mutants(netlist, hanging[:1], top=spec.unit))
    model = compile_verilog(text, spec, mutants=True)
    plan = beginnings(stimuli(spec, records=100, seed=1))
    killed = kill(spec, {0: model, 1: model.mutant(1)}, plan, lambda _: None)
    assert set(killed) == {1}
    assert "took no record for" in killed[1]


def test_a_model_without_mutants_says_so():
    model = compile_verilog(verilog_of(TILE, Style.WORD), TILE)
    with pytest.raises(ToolError, match="has no mutants"):
        model.mutant(1)


def test_wilson_interval():
    """Against values that statistics packages give for Wilson's interval without correction."""
    assert wilson_interval(8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    assert wilson_interval(10, 10) == pytest.approx((0.722467, 1.0), abs=1e-6)
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.277533), abs=1e-6)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_no_mutants_are_no_pass():
    report = MutationReport(TILE, Style.WORD, 1, 1, 0.99, 0, (), {}, 0.0)
    assert not report.passed
    assert report.score is None
    assert "NO MUTANT" in str(report)


def test_wrong_arguments():
    with pytest.raises(TypeError, match="spec must be a specification"):
        mutate("mixpe", count=1)
    with pytest.raises(TypeError, match="style"):
        mutate(TILE, count=1, style="word")
    for name, value in (("count", 0), ("records", 0), ("seed", -1), ("budget", 0), ("target", 0)):
        with pytest.raises(ValueError, match=f"{name} = {value}"):
            mutate(TILE, **{"count": 1, name: value})
    with pytest.raises(TypeError, match="budget must be a number of seconds"):
        mutate(TILE, count=1, budget="long")
    with pytest.raises(TypeError, match="target must be a share"):
        mutate(TILE, count=1, target=True)


@pytest.mark.regress
@pytest.mark.parametrize(
    ("spec", "style"),
    [
        (MixPE(), Style.WORD),
        (MixPE(rows=2, columns=2, lanes=2, group=8), Style.WORD),
        (MixPE(rows=2, columns=2, lanes=2, group=8), Style.CELLS),
        (IntegerMultiplier(), Style.CELLS),
        *((unit(name)(), Style.WORD) for name in ("float_adder", "float_multiplier")),
        *((unit(name)(), Style.WORD) for name in ("fused_multiply_add", "dequantiser")),
        (NumberConverter(), Style.WORD),
        (FloatAdder(a=E5M2, b=E5M2, result=E5M2, stages=2), Style.CELLS),
    ],
    ids=str,
)
def test_scores_reach_their_target(spec, style):
    """At least 99 % of the mutants that are not equivalent; survivors are in the message."""
    report = mutate(spec, count=300, style=style)
    assert report.passed, str(report)
