"""The specification: parameters, ports, identity, and the messages of its errors."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from multipede.golden.catalogue import spec_from_dict, unit, unit_names
from multipede.golden.formats import INT8, INT16, UINT4, Integer
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.golden.spec import Port


@pytest.mark.parametrize("name", unit_names())
def test_every_unit_has_defaults_and_survives_json(name):
    spec = unit(name)()
    again = spec_from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert again.fingerprint == spec.fingerprint
    assert spec.source
    assert spec.title
    assert spec.unit == name


def test_fingerprint_is_the_same_in_every_process():
    code = "from multipede.golden.mixpe import MixPE; print(MixPE(rows=3).fingerprint)"
    prints = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("0", "1", "77")
    }
    assert prints == {MixPE(rows=3).fingerprint}


def test_fingerprint_tells_every_parameter_apart():
    specs = [
        MixPE(),
        MixPE(rows=2),
        MixPE(weight=Integer(4)),
        MixPE(zero_point=False),
        MixPE(stages=2),
        MultiplierTile(),
        MultiplierTile(partial_products=PartialProducts.BOOTH),
    ]
    assert len({spec.fingerprint for spec in specs}) == len(specs)


def test_specification_needs_no_torch():
    code = (
        "import sys; from multipede.golden.catalogue import unit, unit_names;"
        "[str(unit(n)()) for n in unit_names()]; sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weight": "uint9"}, "weight = uint9: mixpe takes integers of 1 to 8 bits"),
        ({"activation": "int3"}, "activation = int3: mixpe takes integers of 4 to 16 bits"),
        ({"activation": "uint8"}, "activation = uint8: mixpe takes int4 to int16"),
        ({"group": "12"}, "group = 12: it must be a multiple of lanes = 8"),
        ({"group": "2048"}, "group = 2048: allowed are 1 to 1024"),
        ({"rows": "0"}, "rows = 0: allowed are 1 to 256"),
        ({"rows": "two"}, "rows = 'two': an integer is needed"),
        ({"zero_point": "yes"}, "zero_point = 'yes': allowed are true and false"),
        ({"output": "all"}, "output = 'all': allowed are group"),
        ({"colour": "red"}, "mixpe has no parameter 'colour'"),
        ({"accumulator": "int16"}, "accumulator = int16: int19 or wider is needed"),
        ({"weight": "e4m3"}, "weight = e4m3: mixpe takes integers of"),
        ({"accumulator": "int64"}, "accumulator = int64: at most 63 bits"),
    ],
)
def test_wrong_parameters_are_named(parameters, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        MixPE.from_parameters(parameters)
    assert message in str(caught.value)


def test_wrong_kinds_are_type_errors():
    for wrong in ({"weight": "uint4"}, {"rows": 2.0}, {"zero_point": 1}, {"group": True}):
        with pytest.raises(TypeError, match=next(iter(wrong))):
            MixPE(**wrong)


def test_unknown_unit_lists_the_known_ones():
    with pytest.raises(
        ValueError, match=r"there is no unit 'mixp' \(is mixpe meant\?\): there are .*mixpe"
    ):
        unit("mixp")


def test_broken_plug_ins_are_named(monkeypatch):
    from multipede.golden import catalogue

    broken = {"gone": "nosuchmodule:Thing", "odd": "multipede.golden.spec:Port"}
    monkeypatch.setattr(catalogue, "_plug_ins", lambda: broken)
    with pytest.raises(ValueError, match="unit 'gone' is broken: nosuchmodule:Thing"):
        unit("gone")
    with pytest.raises(ValueError, match=r"unit 'odd' is broken: .* is no specification"):
        unit("odd")
    with pytest.raises(ValueError, match="a description has 'unit' and 'parameters'"):
        spec_from_dict({})


def test_inputs_are_checked():
    spec = MixPE(rows=1, columns=1, lanes=1, group=1)
    good = {
        "a": torch.zeros(2, 1, 1, dtype=torch.int64),
        "w": torch.zeros(2, 1, 1, dtype=torch.int64),
        "z": torch.zeros(2, 1, dtype=torch.int64),
        "last": torch.zeros(2, dtype=torch.int64),
    }
    assert spec.check_inputs(good) == 2
    with pytest.raises(TypeError, match=r"inputs must be \['a', 'w', 'z', 'last'\]"):
        spec.check_inputs({"a": good["a"]})
    with pytest.raises(ValueError, match=r"a has shape \(2, 1\): \(T, 1, 1\) is needed"):
        spec.check_inputs(good | {"a": torch.zeros(2, 1, dtype=torch.int64)})
    with pytest.raises(ValueError, match="differ in their number of records"):
        spec.check_inputs(good | {"last": torch.zeros(3, dtype=torch.int64)})
    with pytest.raises(ValueError, match=r"w.*16.*0 to 15"):
        spec.check_inputs(good | {"w": torch.full((2, 1, 1), 16)})
    with pytest.raises(TypeError, match="a"):
        spec.check_inputs(good | {"a": torch.zeros(2, 1, 1)})
    with pytest.raises(TypeError, match="a must be a torch tensor, not ndarray"):
        spec.reference(**(good | {"a": np.zeros((2, 1, 1), np.int64)}))
    with pytest.raises(TypeError, match="a must hold integers"):
        spec.check_inputs(good | {"a": torch.zeros(2, 1, 1, dtype=torch.complex64)})
    with pytest.raises(TypeError, match="a must be an array"):
        spec.check_inputs(good | {"a": [[[0]], [[0]]]})


def test_wide_ports_carry_limbs():
    port = Port(Integer(80), (3,))
    assert port.limbs == 3
    assert port.array_shape == (3, 3)
    assert port.bits == 240
    assert port.check("x", np.zeros((5, 3, 3), np.int64)) == 5
    with pytest.raises(ValueError, match="limb"):
        port.check("x", np.full((5, 3, 3), 1 << 16, np.int64))


@pytest.mark.parametrize("bits", [64, 80, 96, 97, 273])
@pytest.mark.parametrize("signed", [False, True])
def test_limbs_are_joined_to_integers(bits, signed):
    port = Port(Integer(bits, signed=signed), (2,))
    lowest, highest = (-1 << bits - 1, (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    wanted = [[lowest, highest], [0, highest // 3], [lowest // 7, 1]]
    limbs = [
        [
            [(value >> 32 * n) % (1 << min(32, bits - 32 * n)) for n in range(port.limbs)]
            for value in row
        ]
        for row in wanted
    ]
    assert port.integers(np.array(limbs)).tolist() == wanted
    assert port.integers(torch.tensor(limbs)).tolist() == wanted
    with pytest.raises(ValueError, match="array has shape"):
        port.integers(np.zeros((3, 2), np.int64))


def test_narrow_codes_are_integers_already():
    assert Port(UINT4, (2,)).integers(np.array([[3, 15]])).tolist() == [[3, 15]]


def test_widths_of_the_facts():
    """Facts, MixPE 1.5: 19 bits of D and 15 of S at UINT4, INT8, group 128."""
    spec = MixPE(weight=UINT4, activation=INT8, group=128)
    assert spec.result == Integer(19)
    assert spec.activation_sum == Integer(15)
    assert spec.result_range == (-245760, 245760)
    signed = MixPE(weight=Integer(4), activation=INT8, group=128, zero_point=False)
    assert signed.result == Integer(19)  # 128 x 8 x 128 = 2^17 needs its sign and 2^17 itself
    assert MixPE(weight=Integer(8), activation=INT16, group=1024).result.bits == 34
