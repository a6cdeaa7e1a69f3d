"""QuadINR's claims: experiments at tiny sizes."""

import json
import sys
from dataclasses import replace
from functools import partial

import pytest

from multipede import cli
from multipede.asic_flow import Constraints
from multipede.cost_model.reproduction import quadinr_network
from multipede.cost_model.reproduction.pipelined import pipelined
from multipede.cost_model.reproduction.quadinr_costs import (
    QUADINR,
    activations,
    quadinr_costs,
)
from multipede.cost_model.reproduction.quadinr_images import images, moving_images, tuning
from multipede.cost_model.reproduction.quadinr_network import Networks, networks
from multipede.golden import images as images_module
from multipede.golden.formats import FixedPoint
from multipede.golden.inr_activations import ACTIVATIONS
from multipede.golden.inr_training import InrTraining
from multipede.golden.quadinr import QuadINR
from multipede.sim.compiled import compile_model
from multipede.toolchain import ToolError
from tests.golden.faithful import all_codes

TINY = InrTraining(iterations=20, hidden=8, layers=2)


def test_images_by_rtl_equal_those_by_golden():
    found = images(
        names=("coffee", "rocket"),
        activations=("QuadINR", "siren"),
        size=16,
        training=TINY,
        workers=1,
    )
    assert [(row.activation, row.picture) for row in found.rows] == [
        (name, picture) for name in ("QuadINR", "SIREN") for picture in ("coffee", "rocket")
    ]
    for row in found.rows:
        assert row.equal
        assert row.quantised_psnr == row.rtl_psnr
        assert abs(row.float_psnr - row.rtl_psnr) < 0.5
        assert row.activations == 16 * 16 * 2 * 8
    assert found.errors == []
    assert found.colours["SIREN", "rocket"].shape == (16, 16, 3)
    text = str(found)
    assert "equal to the reference's in all 4 pictures" in text
    assert f"SIREN {found.gain('SIREN'):+.2f}" in text
    assert found.draw()[:4] == b"\x89PNG"


def test_a_video_by_rtl():
    found = moving_images(activations=("SIREN",), frames=3, size=16, training=TINY, workers=1)
    (row,) = found.rows
    assert row.equal
    assert row.activations == 3 * 16 * 16 * 2 * 8
    assert found.colours[row.activation, row.picture].shape == (3, 16, 16, 3)
    assert found.draw()[:4] == b"\x89PNG"


def test_whole_networks_by_rtl():
    found = networks(names=("coffee",), activations=("quadinr",), size=12, training=TINY, workers=1)
    assert [row.activation for row in found.rows] == ["QuadINR"]
    for row in found.rows:
        assert row.equal
        assert row.rtl_psnr == row.golden_psnr
        assert abs(row.float_psnr - row.rtl_psnr) < 0.5
        assert row.load_clocks == row.parameters
        assert row.pixels == 144
        assert row.clocks > row.pixels
    assert "equal the reference's" in str(found)
    with pytest.raises(ValueError, match="width = 257"):
        networks(activations=("SIREN",), training=replace(TINY, hidden=257))
    wrong = Networks("x", (replace(found.rows[0], equal=False),))
    assert wrong.errors == ["QuadINR, coffee: RTL and reference differ"]
    assert wrong.errors[0] in str(wrong)


def test_a_wrong_colour_of_a_network_is_an_error(monkeypatch):
    def compiled(unit):
        model = compile_model(unit)
        run = model.run

        def spoilt(records):
            found = run(records)
            found["colours"][-1:] += 1
            return found

        monkeypatch.setattr(model, "run", spoilt)
        return model

    monkeypatch.setattr(quadinr_network, "compile_model", compiled)
    found = networks(names=("coffee",), activations=("QuadINR",), size=8, training=TINY, workers=1)
    assert found.errors == ["QuadINR, coffee: RTL and reference differ"]


def test_without_the_images_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    images_module._square.cache_clear()
    with pytest.raises(ToolError, match="images need scikit-image: pip install"):
        images(names=("coffee",), size=16, training=TINY, workers=1)


def test_tuning_tries_all_multiples():
    found = tuning(
        activations=("Gauss",),
        size=8,
        training=InrTraining(iterations=3, hidden=4, layers=1),
        workers=1,
    )
    assert len(found.found) == 12
    assert len(set(found.found.values())) == 12
    assert str(found).count("\n") == 5


@pytest.mark.regress
def test_costs_at_eight_bits():
    found = quadinr_costs(
        constraints=Constraints(clock_period=3.0), bits=(8,), records=200, workers=1
    )
    assert found.errors == []
    rows = {row.label: row for row in found.rows[8]}
    assert list(rows) == list(activations(8))
    for row in rows.values():
        assert row.holds_clock
        assert row.area > 20
        assert row.energy > 0.01
        assert row.latency(3.0) == 3.0 * row.stages
        assert all(row.fpga[device]["lut"] > 4 for device in ("xcup", "ecp5"))
    assert rows["sine, CORDIC"].area > 2 * rows[QUADINR].area
    assert found.best_sine(8).label.startswith("sine")
    assert "times its area" in str(found)


@pytest.mark.regress
def test_as_few_stages_as_hold_the_clock():
    unit = partial(QuadINR, x=FixedPoint(8, 4), result=FixedPoint(8, 6), faithful=True)
    rows = [
        pipelined(
            "sine",
            lambda stages: unit(stages=stages),
            "n28",
            constraints=Constraints(clock_period=period),
            records=200,
        )
        for period in (2.5, 0.3, 0.05)
    ]
    loose, tight, missed = rows
    assert loose.stages == 1
    assert 2 <= tight.stages <= 5
    assert loose.holds_clock
    assert tight.holds_clock
    assert tight.area > loose.area
    assert tight.latency(0.3) == 0.3 * tight.stages
    assert missed.stages == 12
    assert not missed.holds_clock
    assert missed.energy is None
    assert missed.latency(0.05) == pytest.approx(12 * missed.delay / 1000)


def test_what_cannot_be_built_is_a_row_with_its_error():
    def unit(stages):
        raise ValueError("no such unit")

    row = pipelined("x", unit, "n28", constraints=Constraints(clock_period=1.0), records=10)
    assert row.error == "no such unit"


def test_all_activations_have_the_same_formats():
    for bits in (8, 12):
        for label, unit in activations(bits).items():
            spec = unit(2)
            assert spec.stages == 2, label
            for port in (*spec.inputs.values(), *spec.outputs.values()):
                assert port.format.bits == bits
            assert len(all_codes(spec.result)) == 1 << bits


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: quadinr_costs(constraints=Constraints(clock_period=1.0), bits=()),
            "bits is empty",
        ),
        (lambda: quadinr_costs(constraints=Constraints(clock_period=1.0), bits=(7,)), "bits = 7"),
        (lambda: quadinr_costs(constraints=Constraints()), "a clock period is needed"),
        (lambda: images(names=()), "names is empty"),
        (lambda: images(activations=()), "activations is empty"),
        (lambda: images(activations=("relu",)), "activation = 'relu'"),
        (lambda: images(names=("coffee",), size=16, training=TINY, workers=0), "workers = 0"),
    ],
)
def test_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["costs", "--size", "32"],
            "--size has a meaning for images, video, network and tuning only",
        ),
        (["costs", "--bits", "7"], "bits = 7: allowed are 8 to 24"),
        (["images", "--bits", "8"], "--bits has a meaning for costs and fpga only"),
        (
            ["images", "--format", "bf16"],
            "--format has a meaning for lmul costs and lmul fpga only",
        ),
        (["images", "--image", "lena"], "image = 'lena': allowed are astronaut"),
        (["images", "--plot", "nowhere/x.png"], "nowhere is no directory"),
        (["video", "--image", "coffee", "--image", "rocket"], "--image: one is needed, not 2"),
        (["video", "--frames", "1"], "frames = 1: allowed are 2 to 256"),
        (["tuning", "--iterations", "0"], "iterations = 0"),
        (["picture"], "quadinr has no experiment 'picture'"),
    ],
)
def test_the_command_refuses(capsys, words, message):
    assert cli.main(["reproduce", "quadinr", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.regress
def test_the_command_writes_pictures(capsys, tmp_path):
    small = ["--size", "8", "--iterations", "2", "--hidden", "2", "--layers", "1"]
    words = ["images", *small, "--image", "coffee", "--plot", str(tmp_path / "pictures.png")]
    assert cli.main(["reproduce", "quadinr", *words, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["activation"] for row in rows] == [a.name for a in ACTIVATIONS]
    assert all(row["equal"] for row in rows)
    assert (tmp_path / "pictures.png").read_bytes()[:4] == b"\x89PNG"
    assert len(list(tmp_path.iterdir())) == 1
