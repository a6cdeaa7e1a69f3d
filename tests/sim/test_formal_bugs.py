"""Planted bugs: each kind of proof refutes a broken design, by a counterexample that is true."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

import multipede as mp
from multipede.hw import Style
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.hw.arithmetic.bitheap import Gate, Heap, Operand, Row
from multipede.hw.arithmetic.cell_plan import plan_cells
from multipede.hw.arithmetic.word_plan import plan_words
from multipede.sim.compiled import compile_verilog
from multipede.sim.formal import obligations
from multipede.sim.formal_adders import adder_obligations
from multipede.sim.formal_pipelines import pipeline, styles_alike
from multipede.sim.formal_plans import conservation_of
from multipede.sim.formal_report import Counterexample, ProofOutcome
from multipede.sim.formal_solver import Obligation, discharge
from multipede.sim.formal_stalls import carrier, stalls
from tests.sim.pausing_unit import PausingSpec
from tests.sim.replay import replay

TILE = mp.MixPE(weight=mp.UINT2, activation=mp.INT4, group=2, rows=1, columns=1, lanes=1)


OUTCOMES: dict[tuple[str, str], ProofOutcome] = {}
"""of unbroken designs, each of which many tests break"""


def outcome_of(obligation: Obligation, text: str) -> ProofOutcome:
    key = obligation.harness, text
    if key not in OUTCOMES:
        OUTCOMES[key] = discharge(obligation, budget=60).outcome
    return OUTCOMES[key]


def refuted(obligation: Obligation, wrong: str, right: str) -> tuple[Counterexample, str]:
    """The counterexample to a claim of a design in which a text is replaced, and that design."""
    text = obligation.designs["gate"]
    assert outcome_of(obligation, text) is ProofOutcome.PROVED
    broken = re.sub(right, wrong, text, count=1)
    assert broken != text
    changed = replace(obligation, designs=dict(obligation.designs) | {"gate": broken})
    if obligation.search:
        # The search runs on the design as it was before it was opened.
        before = re.sub(right, wrong, obligation.search.designs["gate"], count=1)
        designs = dict(obligation.search.designs) | {"gate": before}
        changed = replace(changed, search=replace(obligation.search, designs=designs))
        broken = before
    proof = discharge(changed, budget=60)
    assert proof.outcome is ProofOutcome.REFUTED, str(proof)
    assert not proof.passed
    assert proof.counterexample.waveform.stat().st_size > 0
    assert str(proof.counterexample.waveform) in str(proof)
    return proof.counterexample, broken


def records(found: Counterexample, spec) -> dict[str, np.ndarray]:
    """The records that were taken since the last reset; one in the last clock comes too late."""
    clocks = list(found.clocks)
    resets = [i for i, clock in enumerate(clocks[:-1]) if clock.pins.get("rst")]
    last_reset = max(resets, default=-1)
    taken = [
        c.inputs for c in clocks[last_reset + 1 :] if c.pins["i_valid"] and c.pins.get("i_ready", 1)
    ]
    return {
        name: np.array([t[name] for t in taken], np.int64).reshape(-1, *port.shape)
        for name, port in spec.inputs.items()
    }


def reference(spec, inputs) -> dict[str, np.ndarray]:
    tensors = {name: torch.from_numpy(array) for name, array in inputs.items()}
    return {name: tensor.numpy() for name, tensor in spec.reference(**tensors)[0].items()}


def differs_in_simulation(spec, broken: str, inputs) -> bool:
    model = compile_verilog(re.sub(r"\bgate\b", spec.unit, broken), spec)
    model.reset()
    got = model.run(inputs).outputs
    wanted = reference(spec, inputs)
    return any(not np.array_equal(got[name], wanted[name]) for name in wanted)


def test_a_wrong_table_entry_is_found():
    spec = mp.FloatMultiplier(a=mp.E2M1, b=mp.E2M1, result=mp.E2M1, stages=0)
    (claim,) = (o for o in obligations(spec, Style.WORD) if o.name == "table")
    found, broken = refuted(claim, r"assign o_payload = 1 ^ ", r"assign o_payload = ")
    inputs = records(found, spec)
    assert reference(spec, inputs)["p"].tolist() == [found.clocks[0].expected["p"]]
    assert differs_in_simulation(spec, broken, inputs)


def test_a_wrong_product_row_is_found():
    spec = mp.IntegerMultiplier(a=mp.INT4, b=mp.INT3, stages=0)
    (claim,) = (o for o in obligations(spec, Style.WORD) if o.name == "naive")
    found, broken = refuted(claim, r"? a0 : 4'h1", r"\? a0 : 4'h0")
    (clock,) = found.clocks
    assert clock.inputs["a"] * clock.inputs["b"] == clock.expected["p"] != clock.outputs["p"]
    assert differs_in_simulation(spec, broken, records(found, spec))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"\? acc : ", "? acc ^ 1 : "),
        (r"assign ends = ", "assign ends = ~i_last & "),
        (r"if \(rst\) position <= 1'h0;\n    else if", "if"),
        (r"\{ last, d_0_0 \}", "{ ~last, d_0_0 }"),
    ],
)
def test_a_broken_tile_is_found(right, wrong):
    (claim,) = (o for o in obligations(TILE, Style.WORD) if o.name == "naive")
    found, broken = refuted(claim, wrong, right)
    if "rst" not in right:  # the simulator's reset may find the position as it should be
        assert differs_in_simulation(TILE, broken, records(found, TILE))


def test_a_pipeline_with_a_rank_too_many_is_found():
    spec = mp.FloatAdder(a=mp.E3M2, b=mp.E3M2, result=mp.E3M2, stages=2)
    claim = pipeline(spec, Style.WORD, depth=5, stateful=False)
    # What goes into a register is wrong in one bit.
    found, _ = refuted(claim, r"assign o_payload = 1 ^ ", r"assign o_payload = ")
    clock, first = found.clocks[-1], found.clocks[0]
    wanted = reference(spec, {n: np.array([v], np.int64) for n, v in first.inputs.items()})
    assert wanted["s"].tolist() == [clock.expected["s"]] != [clock.outputs["s"]]


def test_a_late_valid_is_found():
    spec = mp.FloatAdder(a=mp.E3M2, b=mp.E3M2, result=mp.E3M2, stages=2)
    claim = pipeline(spec, Style.WORD, depth=5, stateful=False)
    found, _ = refuted(claim, "else o_valid <= i_valid;", "else o_valid <= valid_q1;")
    assert found.clocks[-1].pins["gate_valid"] != found.clocks[-1].pins["gold_valid"]


def test_styles_that_differ_are_found():
    spec = mp.IntegerMultiplier(a=mp.INT4, b=mp.INT4, stages=1)
    claim = styles_alike(spec, Style.CELLS, Style.WORD, depth=5, stateful=False)
    found, _ = refuted(claim, r"assign sum = half | c;", r"assign sum = half \^ c;")
    inputs = found.clocks[0].inputs
    assert inputs["a"] * inputs["b"] == found.clocks[-1].expected["p"]
    assert found.clocks[-1].outputs["p"] != found.clocks[-1].expected["p"]


STALL_BUGS = {
    "lost under stall": (r"w_en = i__valid & _\d+_;", "w_en = i__valid & o__ready;"),
    "taken without room": (r"assign i_ready = used != \d'h\d;", "assign i_ready = 1;"),
    "place never freed": (r"given = o_valid & o_ready;", "given = o_valid & o_ready & i_valid;"),
    "reordered": (r"= r_rdy \? r_data : w_data", "= i__valid ? w_data : r_data"),
    "repeated": (r"\.r_en\(o__ready\)", ".r_en(o__ready & ~i__valid)"),
}


@pytest.mark.parametrize("name", STALL_BUGS)
def test_a_broken_queue_is_found(name, tmp_path):
    right, wrong = STALL_BUGS[name]
    check_stalls(carrier(1), right, wrong, tmp_path)


PAUSE_BUGS = {
    "ready of the unit inside disregarded": (r"i_ready = .*inside_ready.*;", "i_ready = has_room;"),
    "room that is not used": (r"(i_ready = .*);", r"\1 & ~used[0];"),
    "place never freed": STALL_BUGS["place never freed"],
}


@pytest.mark.parametrize("name", PAUSE_BUGS)
def test_a_broken_queue_around_a_unit_with_ready_is_found(name, tmp_path):
    right, wrong = PAUSE_BUGS[name]
    check_stalls(PausingSpec(), right, wrong, tmp_path)


def check_stalls(inside, right: str, wrong: str, place) -> None:
    """A queue that is broken is refuted, by what it does in a simulator, too, on the same pins; the
    one that is not broken does what the claim says there."""
    claim = stalls(inside, Style.WORD, depth=2)
    found, broken = refuted(claim, wrong, right)
    assert len(found.clocks) > 2
    spec = mp.Stallable(inside=inside)
    shown = replay(broken, spec, found.clocks, place)
    for clock, pins in zip(found.clocks[1:], shown[1:], strict=True):  # behind the first reset
        assert pins["i_ready"] == str(clock.pins["i_ready"])
        assert pins["o_valid"] == str(clock.pins["gate_valid"])
    assert faults(spec, found.clocks, shown)
    assert not faults(spec, found.clocks, replay(claim.designs["gate"], spec, found.clocks, place))


def faults(spec, clocks, shown) -> list[str]:
    """What is wrong with the pins of a stallable unit of latency 1 behind its first reset, said
    without the harness of the proof."""
    ((port, output),) = spec.outputs.items()
    found, taken, given, kept, pause = [], [], 0, None, False
    for clock, pins in list(zip(clocks, shown, strict=True))[1:]:
        valid, payload = pins["o_valid"] == "1", pins["o_payload"]
        if pins["i_ready"] != str(int(len(taken) - given < spec.depth and not pause)):
            found.append("room")
        if valid != (given < len(taken)):
            found.append("lost or invented")
        elif valid and output.format.from_bits(int(payload, 2)) != taken[given]:
            found.append("order")
        if kept not in (None, payload):
            found.append("not kept")
        kept = payload if valid and not clock.pins["o_ready"] else None
        given += valid and clock.pins["o_ready"]
        pause = False
        if clock.pins["i_valid"] and pins["i_ready"] == "1":
            record = {name: np.array([clock.inputs[name]]) for name in spec.inputs}
            taken.append(int(reference(spec, record)[port][0]))
            pause = not spec.inside.always_ready
        if clock.pins["rst"]:
            taken, given, kept, pause = [], 0, None, False
    return found


ADDER_BUGS = {
    "full_adders": (r"\| \(c & half\)", "| (c | half)"),
    "half_adders": (r"assign carry = a & b;", "assign carry = a | b;"),
    "half_adders_plus_one": (r"assign sum = ~\(a \^ b\)", "assign sum = (a ^ b)"),
    "ripple_adder": (r"\+ \{1'b0, b\} \+", "+ {1'b0, b} -"),
    "ripple_half_adder": (r"(?<=co, sum\} = )\{1'b0, a\} \+ \{\{W", "{1'b0, a} - {{W"),
    "ripple_half_adder_plus_one": (r"\{1'b0, \{WIDTH\{1'b1\}\}\}", "{1'b1, {WIDTH{1'b1}}}"),
    "prefix_adder": (r"\(column / BLOCK\) % 2 == 1", "(column / BLOCK) % 4 == 1"),
}


def test_adders_add_at_many_widths():
    widths = {name: [1, 2, 3, 7, 16, 33] for name in ADDER_BUGS}
    for claim in adder_obligations(widths, "cells"):
        assert discharge(claim, budget=60).outcome is ProofOutcome.PROVED, claim.name


@pytest.mark.parametrize("name", ADDER_BUGS)
def test_a_broken_adder_is_found(name):
    broken = re.sub(*ADDER_BUGS[name], adders_verilog())
    assert broken != adders_verilog()
    (claim,) = adder_obligations({name: [9]}, "cells", source=broken)
    proof = discharge(claim, budget=60, waveform=False)
    assert proof.outcome is ProofOutcome.REFUTED
    pins = proof.counterexample.clocks[0].pins
    total = pins["a_9"] + pins.get("b_9", 0) + pins.get("c_9", 0) + pins.get("ci_9", 0)
    total += (511 if "ripple" in name else 0) if "plus_one" in name else 0
    if "ripple" in name or name == "prefix_adder":
        carry = 0 if name == "prefix_adder" else (pins["carry_9"] & 1) << 9
        modulus = 512 if name == "prefix_adder" else 1024
        assert total % modulus != pins["sum_9"] + carry
    else:
        bits = [
            sum(pins.get(f"{pin}_9", 0) >> i & 1 for pin in "abc") + ("plus_one" in name)
            for i in range(9)
        ]
        got = [(pins["sum_9"] >> i & 1) + 2 * (pins["carry_9"] >> i & 1) for i in range(9)]
        assert bits != got


HEAP = Heap(
    8,
    {f"x{i}": Operand(4, True) for i in range(6)} | {"g": Operand(1)},
    tuple(Row(f"x{i}", gate=Gate("g")) for i in range(6)),
    constant=5,
)


def _swapped_constant(plan):
    return replace(plan, final_constant=plan.final_constant ^ 4)


def _early(plan):
    first = plan.adders[0]
    return replace(plan, rank_of=dict(plan.rank_of) | {first.inputs[0].word: 1})


def _used_twice(plan):
    first, second = plan.adders[:2]
    wrong = second._replace(inputs=(first.inputs[0], *second.inputs[1:]))
    return replace(plan, adders=(first, wrong, *plan.adders[2:]))


@pytest.mark.parametrize("break_", [_swapped_constant, _early, _used_twice])
def test_a_broken_cell_plan_is_found(break_):
    plan = plan_cells(HEAP)
    assert conservation_of([plan], Style.CELLS).passed
    proof = conservation_of([plan, break_(plan)], Style.CELLS)
    assert proof.outcome is ProofOutcome.REFUTED
    assert proof.reason
    if break_ is _swapped_constant:
        (clock,) = proof.counterexample.clocks
        operands = {name: np.array([value]) for name, value in clock.inputs.items()}
        assert HEAP.evaluate(operands).tolist() == [clock.expected["sum"]]
        assert clock.outputs != clock.expected


def test_a_broken_word_plan_is_found():
    plan = plan_words(replace(HEAP, rows=(*HEAP.rows, Row("x0", negative=True))))
    assert conservation_of([plan], Style.WORD).passed
    last = plan.adders[-1]
    for wrong in (
        replace(last, right=last.left),
        replace(last, left=replace(last.left, negative=not last.left.negative)),
        replace(last, result=replace(last.result, high=last.result.high // 4)),
    ):
        broken = replace(plan, adders=(*plan.adders[:-1], wrong))
        assert conservation_of([broken], Style.WORD).outcome is ProofOutcome.REFUTED
    assert not conservation_of([replace(plan, total=plan.terms[0])], Style.WORD).passed
    assert not conservation_of([replace(plan, terms=plan.terms[::-1])], Style.WORD).passed
