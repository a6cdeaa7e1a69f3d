"""QuadINR on FPGAs: every row has figures, and what is said of them follows from them."""

import json

import pytest

from multipede import cli
from multipede.cost_model.reproduction.quadinr_fpga import QuadINRFpga, Routed, quadinr_fpga


def row(label, lut, stages, frequency=120.0):
    taken = {name: {"lut": lut, "ff": 9, "dsp": 0} for name in ("xcup", "ecp5")}
    return Routed(label, stages, frequency, taken)


FIRST, LINES = row("QuadINR, faithful", 20, 1), row("sine, linear", 40, 1)


def test_savings_are_shares_of_the_others():
    rows = (
        row("QuadINR, faithful", 20, 1),
        row("sine, linear", 40, 1),
        row("sine, CORDIC", 200, 10),
    )
    found = QuadINRFpga("ecp5-25f", 100.0, {12: rows}, ())
    assert found.savings(12) == {
        "sine, linear": (0.5, 0.0),
        "sine, CORDIC": (pytest.approx(0.9), pytest.approx(0.9)),
    }
    said = str(found)
    assert "up to 90% fewer LUT (sine, CORDIC) and up to 90% less latency (sine, CORDIC)" in said
    assert "than the smallest sine (sine, linear) 50% and 0%" in said


def test_a_clock_that_is_missed_counts_by_what_is_reached():
    assert row("x", 1, 3, frequency=50.0).latency(100.0) == pytest.approx(60.0)
    assert row("x", 1, 3, frequency=150.0).latency(100.0) == pytest.approx(30.0)


def test_what_fails_is_told():
    rows = (
        row("QuadINR, faithful", 20, 1),
        row("sine, linear", 40, 1),
        Routed("x", error="no tool"),
    )
    found = QuadINRFpga("ecp5-25f", 100.0, {12: rows}, ())
    assert found.errors == ["12 bits, x failed: no tool"]
    assert "x failed: no tool" in str(found).replace("  ", " ")


@pytest.mark.regress
def test_at_8_bits():
    found = quadinr_fpga(bits=[8], seeds=1)
    assert not found.errors
    (rows,) = found.rows.values()
    assert len(rows) == 14
    for each in rows:
        assert each.taken["xcup"]["lut"] > 4
        # Fewer stages would not have done.
        assert each.frequency >= 100 or each.stages == 12
    assert json.loads(json.dumps(found.to_dict()))["rows"]["8"][0]["stages"] >= 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--bits", "30"], "bits = 30"),
        (["--chip", "x"], "chip = 'x'"),
        (["--frequency", "0"], "frequency = 0"),
        (["--seeds", "0"], "seeds = 0"),
        (["--target", "n28"], "--target has a meaning for"),
    ],
)
def test_bad_input(capsys, options, said):
    assert cli.main(["reproduce", "quadinr", "fpga", *options]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
