"""L-Mul on FPGAs: every row has figures, and savings follow from them."""

import json

import pytest

from multipede import cli
from multipede.cost_model.reproduction.lmul_fpga import LMulFpga, Taken, lmul_fpga
from multipede.golden.formats import E5M2

PAGE = "one multiplication"


def row(label, lut):
    return Taken(label, {name: {"lut": lut, "ff": 9, "dsp": 0} for name in ("xcup", "ecp5")}, 80.0)


def test_savings_are_shares_of_the_exact_one():
    rows = (row("exact", 80), row("L-Mul", 20), row("Mitchell", 100), Taken("x", error="no tool"))
    found = LMulFpga("ecp5-25f", {PAGE: {"bf16": rows}}, ())
    assert found.savings(PAGE, "bf16") == {"L-Mul": 0.75, "Mitchell": -0.25}
    said = str(found)
    assert [line.split()[-1] for line in said.splitlines() if "Mul " in line][-1] == "75.0%"
    assert found.errors == ["one multiplication, bf16, x failed: no tool"]
    assert found.errors[0] in said


def test_without_an_exact_one_nothing_is_saved():
    rows = (Taken("exact", error="no tool"), row("L-Mul", 20))
    assert LMulFpga("ecp5-25f", {PAGE: {"bf16": rows}}, ()).savings(PAGE, "bf16") == {}


@pytest.mark.regress
def test_of_one_format():
    found = lmul_fpga(formats=[E5M2], seeds=1)
    assert not found.errors
    document = json.loads(json.dumps(found.to_dict()))
    pages = [formats["e5m2"] for formats in document["pages"].values()]
    assert [len(rows) for rows in pages] == [4, 5]
    for each in (each for rows in pages for each in rows):
        assert each["taken"]["xcup"]["lut"] > 10
        assert each["taken"]["xcup"]["dsp"] == 0
        assert 10 < each["frequency"] < 500
    assert pages[0][1]["lut_saving"] > 0.3
    assert "34% to 52% less area" in str(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "int8"], "formats"),
        (["--chip", "x"], "chip = 'x'"),
        (["--seeds", "0"], "seeds = 0"),
        (["--clock-period", "2"], "--clock-period has a meaning for"),
    ],
)
def test_bad_input(capsys, options, said):
    assert cli.main(["reproduce", "lmul", "fpga", *options]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
