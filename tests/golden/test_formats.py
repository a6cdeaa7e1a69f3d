"""The interface that all formats share: names, codes, wires, arrays, and error messages."""

import json
import pickle
import re
import subprocess
import sys
import time
import tracemalloc
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch

from multipede.golden import formats
from multipede.golden.formats import (
    BF16,
    BINARY,
    E2M1,
    E4M3,
    E8M0,
    FP16,
    FP32,
    INT1,
    INT8,
    INT16,
    TERNARY,
    UE4M3,
    UE5M3,
    UINT4,
    Codebook,
    FixedPoint,
    Float,
    Format,
    Integer,
    Overflow,
    Specials,
    format_from_dict,
    parse_format,
)
from multipede.golden.number_format import require_kinds, require_type

FORMATS = [
    *formats.NAMED_FORMATS.values(),
    *(Integer(bits, signed=signed) for bits in (1, 2, 5, 8, 16, 63) for signed in (True, False)),
    FixedPoint(16, 8),
    FixedPoint(8, 12, signed=False),
    Float(3, 4),
    Float(4, 3),
    Float(5, 3, signed=False, specials=Specials.IEEE),
    Float(8, 7, subnormals=False),
    Float(4, 2, bias=-3, signed=False, subnormals=False, zero=False, specials=Specials.FINITE),
    Codebook((0, 0.1, None, -1e-30)),
]
WIDE = [Integer(64), Integer(4096, signed=False), FixedPoint(273, 298)]


@pytest.mark.parametrize("number_format", FORMATS + WIDE, ids=str)
def test_names_and_descriptions_come_back(number_format: Format) -> None:
    for name in (number_format.name, number_format.name.upper(), f" {number_format} "):
        assert parse_format(name) == number_format
    description = json.loads(json.dumps(number_format.to_dict()))
    assert format_from_dict(description) == number_format
    assert eval(repr(number_format), vars(formats)) == number_format
    copy = pickle.loads(pickle.dumps(number_format))
    assert copy == number_format
    assert hash(copy) == hash(number_format)


def test_names_are_distinct() -> None:
    assert len({number_format.name for number_format in FORMATS + WIDE}) == len(FORMATS + WIDE)
    assert len(set(FORMATS + WIDE)) == len(FORMATS + WIDE)


@pytest.mark.parametrize(
    ("name", "number_format"),
    [
        ("int8", INT8),
        ("UINT4", UINT4),
        ("ternary", TERNARY),
        ("Binary", BINARY),
        ("bf16", BF16),
        ("e4m3", E4M3),
        ("e4m3-fn", E4M3),
        ("e5m10-ieee", FP16),
        ("ue8m0-fn-nozero", E8M0),
        ("e3m4-finite-b-2-ftz", Float(3, 4, bias=-2, subnormals=False, specials=Specials.FINITE)),
        ("fixed16.8", FixedPoint(16, 8)),
        ("ufixed8.8", FixedPoint(8, 8, signed=False)),
        ("codebook(0, 0.5, none, -.5)", Codebook((0, 0.5, None, -0.5))),
    ],
)
def test_parsed_names(name: str, number_format: Format) -> None:
    assert parse_format(name) == number_format


def test_constants() -> None:
    for bits in range(1, 17):
        assert getattr(formats, f"INT{bits}") == Integer(bits)
        assert getattr(formats, f"UINT{bits}") == Integer(bits, signed=False)
    widths = {"fp32": 32, "tf32": 19, "bf16": 16, "e8m0": 8, "ue4m3": 7, "ue5m3": 8, "e3m0": 4}
    assert {name: parse_format(name).bits for name in widths} == widths
    assert (UE4M3.minimum, UE4M3.maximum, UE5M3.maximum) == (0.0, 448.0, 114688.0)
    assert parse_format("ue5m3-ieee").maximum == 61440.0
    assert parse_format("e3m0").decode(range(8)).tolist() == [0, 0.25, 0.5, 1, 2, 4, 8, 16]
    assert set(formats.__all__) <= set(vars(formats))


@pytest.mark.parametrize("number_format", [f for f in FORMATS if f.bits <= 16], ids=str)
def test_codes_are_all_that_is_valid(number_format: Format) -> None:
    codes = number_format.codes()
    assert codes.dtype == np.int64
    assert (np.diff(codes) > 0).all()
    span = np.arange(-(1 << number_format.bits) - 2, (1 << number_format.bits) + 3)
    np.testing.assert_array_equal(span[number_format.is_valid(span)], codes)
    patterns = number_format.to_bits(codes)
    assert (patterns >= 0).all()
    assert (patterns < 1 << number_format.bits).all()
    assert len(np.unique(patterns)) == len(codes)
    np.testing.assert_array_equal(number_format.from_bits(patterns), codes)
    values = number_format.decode(codes)
    finite = values[np.isfinite(values)]
    assert float(number_format.minimum) == finite.min()
    assert float(number_format.maximum) == finite.max()


@pytest.mark.parametrize("number_format", FORMATS + WIDE, ids=str)
def test_corners_are_distinct_valid_codes(number_format: Format) -> None:
    corners = number_format.corners()
    assert len(corners) == len(set(corners)) >= 2
    assert all(isinstance(code, int) for code in corners)
    if number_format.bits <= 63:
        assert number_format.is_valid(np.array(corners)).all()


def test_corners_hold_what_is_interesting() -> None:
    assert set(INT8.corners()) == {0, 1, -1, -128, -127, 127, 126}
    assert INT1.corners() == [0, -1]
    assert set(Integer(64).corners()) >= {-(2**63), 2**63 - 1}
    values = FP16.decode(FP16.corners())
    assert np.isnan(values).sum() == 6
    wanted = [65504, 65472, 2**-24, 2**-14, 2**-14 - 2**-24, 1, 1 + 2**-10, 1 - 2**-11, np.inf]
    assert set(values[~np.isnan(values)]) >= {*wanted, *np.negative(wanted), 0}
    assert {0, 0x8000} <= set(FP16.corners())
    assert set(E8M0.decode(E8M0.corners())[:-1]) >= {2.0**-127, 0.5, 1.0, 2.0, 2.0**127}
    assert sorted(TERNARY.corners()) == [0, 1, 3]


@pytest.mark.parametrize("number_format", [INT8, E4M3, TERNARY, FixedPoint(16, 8), BF16], ids=str)
def test_numpy_torch_and_numbers_alike(number_format: Format) -> None:
    values = np.array([[-1.0, 0.0, 1.0], [0.5, 2.0, 0.25]])
    codes = number_format.encode(values)
    assert codes.shape == (2, 3)
    assert codes.dtype == np.int64
    for dtype in (np.float32, np.float16, ">f8"):
        np.testing.assert_array_equal(number_format.encode(values.astype(dtype)), codes)
    np.testing.assert_array_equal(number_format.encode(values.tolist()), codes)
    np.testing.assert_array_equal(number_format.encode(values.T[::-1]), codes.T[::-1])
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float8_e4m3fn):
        tensor = number_format.encode(torch.from_numpy(values).to(dtype))
        assert tensor.dtype == torch.int64
        np.testing.assert_array_equal(tensor.numpy(), codes)
    decoded = number_format.decode(tensor)
    assert decoded.dtype == torch.float64
    np.testing.assert_array_equal(decoded.numpy(), number_format.decode(codes))
    assert torch.equal(number_format.check(tensor.int()), tensor)
    assert torch.equal(number_format.from_bits(number_format.to_bits(tensor)), tensor)
    assert number_format.is_valid(tensor).dtype == torch.bool
    one = number_format.encode(1)
    assert isinstance(one, np.int64)
    assert isinstance(number_format.decode(int(one)), np.float64)
    assert number_format.encode(np.array(1.0)).shape == ()
    assert number_format.encode(np.ones((0, 3))).shape == (0, 3)
    integers = np.array([-1, 0, 1], dtype=np.int8)
    np.testing.assert_array_equal(number_format.encode(integers), codes[0])


def test_inputs_are_left_alone() -> None:
    values = np.linspace(-500, 500, 1001)
    values.flags.writeable = False
    codes = E4M3.encode(values)
    codes.flags.writeable = False
    E4M3.decode(codes)
    tensor = torch.linspace(-9, 9, 10, requires_grad=True)
    assert not E2M1.encode(tensor).requires_grad


def test_torch_is_not_imported() -> None:
    program = (
        "import sys; from multipede.golden.formats import E4M3; import multipede.golden.blocks;"
        "assert E4M3.encode(1.5) == 60; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_ten_million_values_take_seconds_and_little_memory() -> None:
    values = np.random.default_rng(1).normal(0, 50, 10_000_000)
    tracemalloc.start()
    start = time.process_time()
    codes = E4M3.encode(values)
    seconds = time.process_time() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 6
    assert peak < codes.nbytes + 32e6
    picked = slice(None, None, 9973)
    wanted = torch.from_numpy(values[picked]).float().to(torch.float8_e4m3fn).view(torch.uint8)
    np.testing.assert_array_equal(codes[picked], wanted.numpy())


def test_formats_are_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        INT8.bits = 9
    assert replace(E4M3, bias=8) != E4M3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Integer(0), "bits = 0: allowed are 1 to 4096"),
        (lambda: Integer(4097), "bits = 4097: allowed are 1 to 4096"),
        (lambda: FixedPoint(8, -1), "fraction_bits = -1: allowed are 0 to 1074"),
        (lambda: Float(0, 3), "exponent_bits = 0: allowed are 1 to 11"),
        (lambda: Float(4, 52), "mantissa_bits = 52: allowed are 0 to 51"),
        (lambda: Float(5, 2, bias=1023), "bias = 1023: allowed are -993 to 1020"),
        (lambda: Float(5, 2, zero=False), "zero = False: allowed in unsigned formats"),
        (lambda: Float(1, 2), "specials = IEEE: leaves no normal number"),
        (lambda: Codebook((1, None)), "values has 2 entries: allowed are 2 to 65536, at least 2"),
        (lambda: Codebook((1, float("nan"))), r"values\[1\] = nan: allowed are finite numbers"),
        (lambda: FP32.codes(), "fp32 has 32 bits: codes are listed up to 24"),
        (lambda: Integer(64).encode(0), "int64 has 64 bits: int64 codes reach up to 63"),
        (lambda: Integer(64).check(0), "int64 has 64 bits"),
        (lambda: FixedPoint(64, 1).decode(0), "fixed64.1 has 64 bits"),
        (lambda: Integer(60).decode(0), "int60 does not fit float64: its codes are the exact"),
        (lambda: INT8.check([[0, 1], [2, 200]], "a"), r"a\[1, 1\] = 200: codes of int8 are -128 "),
        (lambda: UINT4.check(-1, "w"), "w = -1: codes of uint4 are 0 to 15"),
        (lambda: E4M3.check([256]), r"codes\[0\] = 256: codes of e4m3 are 0 to 255"),
        (lambda: TERNARY.check([1, 2]), r"codes\[1\] = 2: codes of ternary are 0, 1, 3"),
        (lambda: TERNARY.from_bits([1, 2]), r"codes\[1\] = 2: codes of ternary are 0, 1, 3"),
        (lambda: INT8.from_bits([256]), r"patterns\[0\] = 256: int8 has patterns 0 to 2\*\*8"),
        (lambda: INT8.decode([128]), r"codes\[0\] = 128: codes of int8 are"),
        (lambda: Codebook(range(99)).check(99), r"codes = 99: .* are 0, 1, 2, ..., 98"),
        (lambda: INT8.encode([1, np.nan]), r"values\[1\] = nan: int8 has no NaN"),
        (lambda: E2M1.encode(np.nan), "values = nan: e2m1 has no NaN"),
        (lambda: TERNARY.encode(np.nan), "values = nan: ternary has no NaN"),
        (lambda: E2M1.encode(1, overflow=Overflow.NAN), "overflow = NAN: e2m1 allows SATURATE, R"),
        (lambda: E2M1.encode(1, overflow=Overflow.INFINITY), "overflow = INFINITY: e2m1 allows"),
        (lambda: E4M3.encode(1, overflow=Overflow.WRAP), "overflow = WRAP: e4m3 allows SATURATE"),
        (lambda: INT8.encode(1, overflow=Overflow.NAN), "overflow = NAN: int8 allows SATURATE, W"),
        (lambda: INT8.encode([5, 128], overflow=Overflow.RAISE), r"values\[1\] = 128: int8 holds"),
        (lambda: FP16.encode(7e4, overflow=Overflow.RAISE), "= 70000.0: fp16 holds -65504.0 to "),
        (lambda: INT8.encode(np.inf, overflow=Overflow.WRAP), "values = inf: int8 holds -128 to"),
        (lambda: E4M3.encode(2**53 + 1), r"= 9007199254740993: integers beyond \+-2\*\*53 are no"),
        (lambda: INT16.encode(np.uint64(2**63)), r"= 9223372036854775808: at most 2\*\*63 - 1"),
        (lambda: parse_format("int"), "unknown format 'int': allowed are int<bits>, uint<bits>, f"),
        (lambda: parse_format("e3m3"), "unknown format 'e3m3': allowed are .*ieee.fn.finite"),
        (lambda: parse_format("int0"), "bits = 0: allowed are 1 to 4096"),
        (lambda: parse_format("codebook(0,x)"), "format 'codebook.*': 'x' is neither a number nor"),
        (lambda: format_from_dict({"kind": "real"}), "kind = 'real': allowed are integer, fixed_"),
        (lambda: format_from_dict({"kind": "integer"}), "format of kind integer: .* 'bits'"),
        (lambda: format_from_dict({"kind": "integer", "bits": "8"}), "kind integer: bits must be"),
    ],
)
def test_wrong_values_are_named(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Integer("8"), "bits must be int, not str: '8'"),
        (lambda: Integer(True), "bits must be int, not bool: True"),
        (lambda: Integer(8, signed=1), "signed must be bool, not int: 1"),
        (lambda: Float(4, 3, bias=1.5), "bias must be int, not float: 1.5"),
        (lambda: Float(4, 3, specials="fn"), "specials must be Specials, not str: 'fn'"),
        (lambda: Codebook("01"), "values must be a sequence of numbers, not '01'"),
        (lambda: Codebook((0, "1")), r"values\[1\] must be a number or None, not '1'"),
        (lambda: INT8.encode(1, rounding="up"), "rounding must be Rounding, not str: 'up'"),
        (lambda: INT8.encode(1, overflow=None), "overflow must be Overflow, not NoneType: None"),
        (lambda: INT8.encode("1"), "values must be integers or floats of at most 64 bits, not <U1"),
        (lambda: INT8.encode([True]), "values must be integers or floats .*, not bool"),
        (lambda: INT8.encode(None), "values must be integers or floats .*, not NoneType"),
        (lambda: INT8.encode([[1], [2, 3]]), "values must be an array of integers or floats"),
        (lambda: INT8.encode(torch.tensor([1j])), "values must be .*, not torch.complex64"),
        (lambda: INT8.encode(np.longdouble(1)), "values must be .* of at most 64 bits, not float1"),
        (lambda: INT8.decode([1.0]), "codes must be integers of at most 64 bits, not float64"),
        (lambda: INT8.check(torch.ones(2), "w"), "w must be integers .*, not torch.float32"),
        (lambda: INT8.check([True], "w"), "w must be integers of at most 64 bits, not bool"),
        (lambda: INT8.from_bits(0.5), "patterns must be integers .*, not float64"),
        (lambda: parse_format(8), "name must be str, not int: 8"),
    ],
)
def test_wrong_kinds_are_named(call: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


def test_wrong_kinds_are_shown_where_they_fit_a_line() -> None:
    """Whole operands are not."""
    long = "uint4 or any other format whose name does not fit into a line of text"
    for value, kind, end in [
        ([0] * 20, "list", f": {[0] * 20}"),
        ([0] * 21, "list", ""),
        (np.zeros((2, 1)), "ndarray", ""),
        (long, "str", r"; parse_format\(...\) reads names"),
        ("uint4", "str", r": 'uint4'; parse_format\('uint4'\) reads names"),
        (Codebook(tuple(range(60))), "a codebook", ""),
    ]:
        end = re.escape(end) if kind == "list" else end
        with pytest.raises(TypeError, match=f"^format must be an integer format, not {kind}{end}$"):
            require_type("format", value, Integer)
        both = "an integer format or a float format"
        with pytest.raises(TypeError, match=f"^format must be {both}, not {kind}{end}$"):
            require_kinds("format", value, (Integer, Float))
    with pytest.raises(TypeError, match=r"^size must be int or str, not list: .1.$"):
        require_kinds("size", [1], (int, str))
    with pytest.raises(TypeError, match=r"^size must be int or bytes, not str: 'x'$"):
        require_kinds("size", "x", (int, bytes))


def test_formats_of_other_kinds_are_named_in_words() -> None:
    """On the command line nobody knows of classes."""
    for value, words in [
        (INT8, "an integer format: int8"),
        (FixedPoint(8, 4), "a fixed-point format: fixed8.4"),
        (BF16, "a float format: bf16"),
        (TERNARY, "a codebook: ternary"),
    ]:
        other = Float if value != BF16 else Codebook
        needed = "a float format" if value != BF16 else "a codebook"
        with pytest.raises(TypeError, match=f"^size must be {needed}, not {words}$"):
            require_type("size", value, other)
        with pytest.raises(TypeError, match=f"^size = {value}: any other$"):
            require_kinds("size", value, (other,), "any other")
    with pytest.raises(TypeError, match=r"^size must be a number format, not int: 3$"):
        require_kinds("size", 3, (Format,), "any other")


def test_every_format_explains_its_alternatives() -> None:
    with pytest.raises(ValueError, match="allowed are") as error:
        parse_format("fp8")
    for name in formats.NAMED_FORMATS:
        assert re.search(rf"\b{name}\b", str(error.value))
