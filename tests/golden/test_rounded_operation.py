"""Parameters, ports and messages of the floating-point units."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden.catalogue import unit
from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.formats import FP16, FP32, Float, Integer, Rounding, parse_format
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.number_converter import NumberConverter
from multipede.golden.rounded_operation import CHUNK, NanResult
from multipede.golden.spec import Kind, Port

UNITS = {
    FloatMultiplier: ("float_multiplier", "ab", "p", "multiply", Kind.MULTIPLIER),
    FloatAdder: ("float_adder", "ab", "s", "add", Kind.PART),
    FusedMultiplyAdd: ("fused_multiply_add", "abc", "y", "multiply_accumulate", Kind.PART),
    NumberConverter: ("number_converter", "x", "y", "convert", Kind.PART),
}


@pytest.mark.parametrize("specification", UNITS)
def test_ports_and_costs(specification) -> None:
    name, inputs, output, operation, kind = UNITS[specification]
    spec = specification(stages=3, result=parse_format("e5m2"))
    assert unit(name) is specification
    assert spec.kind is kind
    assert list(spec.inputs) == list(inputs)
    assert spec.outputs == {output: Port(parse_format("e5m2"))}
    assert spec.operations == {operation: 1}
    assert (spec.latency, spec.initiation_interval, spec.always_ready) == (3, 1, True)
    assert all(port == Port(getattr(spec, name)) for name, port in spec.inputs.items())
    defaults = specification()
    assert (defaults.result, defaults.stages, defaults.overflow) == (FP16, 1, None)
    assert defaults.rounding is Rounding.NEAREST_EVEN
    assert defaults.nan is NanResult.MAXIMUM
    assert repr(defaults.nan) == "NanResult.MAXIMUM"


KINDS = "a float format, an integer format or a fixed-point format"


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("float_adder", {"a": "e8m24-ieee"}, "a = e8m24-ieee: allowed are floats of at most 32"),
        ("float_adder", {"b": "int64"}, "integers and fixed point of at most 63"),
        ("float_adder", {"b": "ternary"}, f"b must be {KINDS}, not a codebook: ternary"),
        ("float_adder", {"result": "int8"}, "result must be a float format, not an integer format"),
        (
            "float_multiplier",
            {"result": "fixed8.4"},
            "result must be a float format, not a fixed-point",
        ),
        ("fused_multiply_add", {"c": "fixed64.4"}, "c = fixed64.4: allowed are"),
        ("fused_multiply_add", {"overflow": "raise"}, "overflow = raise: allowed with result = "),
        ("float_adder", {"overflow": "wrap"}, "fp16 are saturate, infinity, nan"),
        ("float_adder", {"overflow": "nan", "result": "e2m1"}, "result = e2m1 are saturate"),
        ("number_converter", {"overflow": "infinity", "result": "int8"}, "are saturate, wrap"),
        ("number_converter", {"result": "binary"}, f"result must be {KINDS}, not"),
        ("number_converter", {"rounding": "even"}, "rounding = 'even': allowed are nearest_even"),
        ("number_converter", {"nan": "most"}, "nan = 'most': allowed are maximum, zero"),
        ("number_converter", {"source": "fp16"}, "number_converter has no parameter 'source'"),
        ("float_adder", {"stages": "13"}, "stages = 13: allowed are 0 to 12"),
        ("float_adder", {"stages": "-1"}, "stages = -1: allowed are 0 to 12"),
        (
            "number_converter",
            {"result": "ue3m2-finite-b9-nozero", "nan": "zero"},
            "nan = zero: result = ue3m2-finite-b9-nozero has no zero; allowed is maximum",
        ),
    ],
)
def test_wrong_parameters_are_named(name: str, parameters: dict, message: str) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        unit(name).from_parameters(parameters)
    assert message in str(caught.value)


def test_wrong_kinds_are_type_errors() -> None:
    for wrong in (
        *({"a": "fp16"}, {"result": "fp16"}, {"result": None}, {"rounding": "down"}),
        *({"overflow": "nan"}, {"nan": "zero"}, {"stages": 1.0}, {"stages": True}),
    ):
        with pytest.raises(TypeError, match=next(iter(wrong))):
            FloatAdder(**wrong)


def test_parameters_survive_texts() -> None:
    for spec in (
        FusedMultiplyAdd(a=Integer(19), c=FP32, result=FP32, rounding=Rounding.UP),
        replace(FloatAdder(), overflow=FloatAdder().overflow_policy, nan=NanResult.ZERO),
        NumberConverter(x=Float(3, 4, bias=5, subnormals=False), result=Integer(7)),
    ):
        texts = {name: str(value) for name, value in spec.to_dict()["parameters"].items()}
        texts["overflow"] = texts["overflow"].lower()
        assert type(spec).from_parameters(texts) == spec


def test_records_are_independent_of_chunks_and_dtypes() -> None:
    count = 2 * CHUNK + 3
    codes = torch.arange(count) % (1 << 15)
    spec = FloatAdder()
    whole, state = spec.reference(a=codes, b=codes.flip(0))
    parts = [
        spec.reference(a=a, b=b, state=state)[0]["s"]
        for a, b in zip(codes.split(1000), codes.flip(0).split(1000), strict=True)
    ]
    assert torch.equal(torch.cat(parts), whole["s"])
    assert whole["s"].dtype == torch.int64
    assert whole["s"].shape == (count,)
    narrow = codes.to(torch.int16)
    assert torch.equal(spec.reference(a=narrow, b=narrow.flip(0))[0]["s"], whole["s"])


def test_no_records_give_no_results() -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    outputs, state = NumberConverter().reference(x=nothing)
    assert outputs["y"].shape == (0,)
    assert state is None


def test_inputs_are_checked() -> None:
    spec = FloatAdder()
    good = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"b\[1\] = 65536: codes of fp16 are 0 to 65535"):
        spec.reference(a=good, b=torch.tensor([0, 65_536]))
    with pytest.raises(TypeError, match=r"inputs must be \['a', 'b'\]"):
        spec.reference(a=good)
    with pytest.raises(TypeError, match="a must be a torch tensor, not ndarray"):
        spec.reference(a=np.zeros(2, np.int64), b=good)
    with pytest.raises(ValueError, match="differ in their number of records"):
        spec.reference(a=good, b=torch.zeros(3, dtype=torch.int64))


def test_nothing_is_written_to_the_inputs() -> None:
    codes = torch.arange(1 << 12)
    kept = codes.clone()
    FusedMultiplyAdd().reference(a=codes, b=codes, c=codes)
    NumberConverter(x=Integer(16), result=FP32).reference(x=codes)
    assert torch.equal(codes, kept)
