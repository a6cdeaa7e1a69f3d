"""Formal verification: what it proves of small units, and what it refuses to pass."""

import json
from dataclasses import replace

import pytest

import multipede as mp
from multipede.hw import Style
from multipede.sim.formal import _has_no_state, _limits, obligations, prove
from multipede.sim.formal_report import Method, ProofOutcome, ProofReport
from multipede.sim.formal_solver import Obligation, discharge
from multipede.toolchain import ToolError, ToolFailure

TILE = mp.MixPE(weight=mp.UINT2, activation=mp.INT4, group=2, rows=1, columns=2, lanes=1)
SMALL = mp.FloatMultiplier(a=mp.E2M1, b=mp.E2M1, result=mp.E2M1)
PRODUCT = mp.IntegerMultiplier(a=mp.INT4, b=mp.UINT3, stages=2)


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        (TILE, {"plans", "naive", "as word"}),
        (SMALL, {"plans", "table", "pipeline", "as word"}),
        (PRODUCT, {"plans", "naive", "pipeline", "as word", "full_adders"}),
        (mp.Stallable(inside=SMALL), {"plans", "table", "stalls of number_converter"}),
    ],
    ids=lambda value: value.unit if hasattr(value, "unit") else "",
)
def test_what_is_proved_of_small_units(spec, names):
    report = prove(spec, styles=[Style.CELLS], depth=2)
    assert report.passed, str(report)
    assert names <= {proof.name for proof in report.proofs}
    assert all(proof.seconds > 0 and proof.claim for proof in report.proofs)
    assert "is proved" in str(report)
    assert json.loads(json.dumps(report.to_dict()))["passed"] is True
    report.raise_on_failure()


def test_a_tile_is_proved_for_every_clock():
    (naive,) = (o for o in obligations(TILE, Style.WORD) if o.name == "naive")
    proof = discharge(naive, budget=60)
    assert (proof.outcome, proof.method) == (ProofOutcome.PROVED, Method.INDUCTION)


def test_limits_are_said():
    report = prove(TILE, styles=[Style.WORD])
    assert "two lanes and more" in str(report)


def test_a_budget_too_small_is_no_pass():
    report = prove(replace(SMALL, stages=2), styles=[Style.WORD], budget=0.01)
    assert not report.passed
    outcomes = {proof.outcome for proof in report.proofs if proof.method is not Method.CONSERVATION}
    assert outcomes == {ProofOutcome.NOT_PROVED}
    assert "0.01 s were used up" in str(report)
    assert "is NOT PROVED" in str(report)
    with pytest.raises(mp.MismatchError, match="NOT PROVED"):
        report.raise_on_failure()


def test_too_little_memory_is_no_pass():
    (table,) = (o for o in obligations(SMALL, Style.WORD) if o.name == "table")
    proof = discharge(table, budget=60, memory_limit=1 << 20)
    assert proof.outcome is ProofOutcome.NOT_PROVED
    assert "1 MiB were used up" in proof.reason


def claimed(gate: str) -> Obligation:
    """That the output ``wrong`` of a design stays 0 for three clocks."""
    wires = "input clk, input i, output wrong"
    return Obligation(
        name="planted",
        claim="wrong is 0",
        method=Method.BOUNDED,
        style="word",
        designs={"gate": f"module gate({wires});\n{gate}\nendmodule\n"},
        harness=f"module harness({wires});\n  gate gate(clk, i, wrong);\nendmodule\n",
        clocks=3,
    )


@pytest.mark.parametrize(
    "gate",
    [
        "reg kept = 0; always @(posedge clk) kept <= kept & i; assign wrong = kept;",
        "reg words [0:1]; reg at; initial begin words[0] = 0; words[1] = 0; end"
        " always @(posedge clk) begin at <= i; words[at] <= words[at] & i; end"
        " assign wrong = words[at];",
    ],
    ids=["register", "memory"],
)
def test_what_a_design_holds_at_power_up_is_not_relied_on(gate):
    proof = discharge(claimed(gate), budget=60, waveform=False)
    assert proof.outcome is ProofOutcome.REFUTED, str(proof)


@pytest.mark.parametrize(
    "gate",
    [
        "wire a = ~a; assign wrong = a & i;",
        "wire a = ~(a & i); assign wrong = a & ~i;",
        "wire a; assign wrong = a & i;",
        "wire a; assign a = 0; assign a = i; assign wrong = a;",
    ],
    ids=["contradiction", "loop", "undriven", "driven twice"],
)
def test_a_design_that_is_no_circuit_is_an_error(gate):
    """A loop that no value fulfils would prove everything."""
    with pytest.raises(ToolFailure, match="problems in 'check -assert'"):
        discharge(claimed(gate), budget=60, waveform=False)


@pytest.mark.parametrize(
    "gate",
    [
        *(f"assign wrong = {x} & i;" for x in ("1'bx", "1'dx", "1'b x", "4'dx")),
        "wire [1:0] a = {i, i}; assign wrong = a[5];",
        "reg w; always @(posedge clk) w <= w; assign wrong = w;",
        "reg w; always @(posedge clk) w <= w; assign wrong = ~w;",
        "reg w; always @(posedge clk) if (i) w <= 0; assign wrong = w;",
        "reg w; always @(posedge clk) w <= 0; assign wrong = w;",
    ],
)
def test_what_is_unknown_is_not_chosen_so_that_a_claim_holds(gate):
    proof = discharge(claimed(gate), budget=60, waveform=False)
    assert proof.outcome is ProofOutcome.REFUTED, str(proof)


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("assign wrong = 1'bz & i;", "gate: it has a high-impedance constant"),
        ("reg a; always @* case (i) 1'b1: a = 0; endcase assign wrong = a;", "latch"),
    ],
)
def test_what_the_solver_takes_for_something_else_is_refused(gate, message):
    with pytest.raises(ToolFailure, match=message):
        discharge(claimed(gate), budget=60, waveform=False)


def test_a_harness_that_leaves_a_wire_open_is_an_error():
    good = claimed("assign wrong = 0;")
    open_ended = replace(good, harness=good.harness.replace("gate(clk, i, wrong)", "gate(clk, i)"))
    assert discharge(good, budget=60).passed
    with pytest.raises(ToolFailure, match="problems in 'check -assert'"):
        discharge(open_ended, budget=60, waveform=False)


def test_nothing_to_prove_is_no_pass():
    report = ProofReport(spec=SMALL, proofs=(), limits=(), tools={}, seconds=0.0)
    assert not report.passed
    assert "has NOTHING TO PROVE" in str(report)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"spec": "mixpe"}, TypeError, "spec must be a specification, not 'mixpe'"),
        ({"styles": Style.WORD}, TypeError, "styles must be a sequence of Style"),
        ({"styles": []}, ValueError, r"styles = \[\]: name at least one"),
        ({"budget": "long"}, TypeError, "budget must be a number of seconds, not 'long'"),
        ({"budget": 0}, ValueError, "budget = 0: it must be a positive number of seconds"),
        ({"budget": float("nan")}, ValueError, "budget = nan: it must be a positive number"),
        ({"depth": 0}, ValueError, "depth = 0: allowed are 1 to 1000"),
        ({"depth": 2.5}, TypeError, "depth must be int"),
        ({"waveform": 1}, TypeError, "waveform must be bool"),
    ],
)
def test_wrong_arguments_are_named(options, error, message):
    arguments = {"spec": SMALL} | options
    with pytest.raises(error, match=message):
        prove(arguments.pop("spec"), **arguments)


def test_a_missing_yosys_is_an_error(monkeypatch):
    def missing(name):
        raise ToolError(f"no {name}")

    monkeypatch.setattr("multipede.sim.formal.find", missing)
    with pytest.raises(ToolError, match="no yosys"):
        prove(SMALL)


@pytest.mark.regress
@pytest.mark.parametrize(
    "spec",
    [
        mp.MixPE(),
        mp.MixPE(weight=mp.INT4, activation=mp.INT6, stages=3),
        mp.MultiplierTile(weight=mp.INT4, activation=mp.INT6, lanes=2, group=4),
        mp.MultiplierTile(
            weight=mp.INT4, activation=mp.INT6, partial_products=mp.PartialProducts.BOOTH
        ),
        mp.FloatAdder(stages=3),
        mp.FloatMultiplier(),
        mp.FusedMultiplyAdd(a=mp.E2M1, b=mp.E2M1, c=mp.E2M1, result=mp.E2M1),
        mp.NumberConverter(),
        mp.IntegerMultiplier(a=mp.INT5, b=mp.INT6, stages=3),
        mp.Stallable(inside=mp.MixPE(weight=mp.UINT2, activation=mp.INT4)),
    ],
    ids=str,
)
def test_what_is_proved_of_larger_units(spec):
    prove(spec, budget=300).raise_on_failure()


def test_what_was_made_smaller_is_named():
    limits = "; ".join(_limits(mp.MixPE(stages=3)))
    assert "groups of 128, 3 stages, int19 accumulators: the lane has groups of" in limits


def test_units_that_keep_something_are_not_taken_for_functions():
    assert _has_no_state(mp.FloatAdder())
    assert not _has_no_state(mp.MixPE())
