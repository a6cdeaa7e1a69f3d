"""The lookup tile against lookups one by one in plain Python, for all its parameters."""

import itertools

import pytest
import torch

from multipede.golden.formats import (
    BF16,
    BINARY,
    E4M3,
    FP16,
    INT1,
    INT3,
    INT4,
    INT8,
    ODD2,
    ODD3,
    ODD8,
    TERNARY,
    UINT1,
    UINT2,
    UINT3,
    UINT4,
    UINT8,
    Codebook,
    Integer,
)
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.golden.mixed_tile import Accumulation
from tests.golden.lookup_oracle import group_results

FORMS = {"folded": (True, True), "plain": (True, False), "whole": (False, False)}
SHAPE = {"rows": 2, "columns": 3}


def random_records(spec: LutTensorCore, seed: int, count: int = 17) -> dict[str, torch.Tensor]:
    """Random codes, a third of the records at the extremes of all ports."""
    generator = torch.Generator().manual_seed(seed)
    records = {}
    for name, port in spec.inputs.items():
        codes = torch.from_numpy(port.format.codes()) if port.format.bits <= 16 else None
        assert codes is not None
        pick = torch.randint(0, len(codes), (count, *port.shape), generator=generator)
        extreme = torch.rand((count, *[1] * len(port.shape)), generator=generator) < 1 / 3
        ends = torch.where(pick % 2 == 0, 0, len(codes) - 1)
        records[name] = codes[torch.where(extreme, ends, pick)]
    if spec.is_float:
        finite = torch.isfinite(spec.activation.decode(records["a"]))
        records["a"] = torch.where(finite, records["a"], 1)
    records["last"] = (torch.rand(count, generator=generator) < 0.2).long()
    return records


def require_results_of_lookups(spec: LutTensorCore, seed: int) -> int:
    """How many D were compared with the oracle's, of records in two pieces."""
    records = random_records(spec, seed)
    expected = group_results(spec, {name: t.tolist() for name, t in records.items()})
    first, state = spec.reference(**{name: t[:7] for name, t in records.items()})
    second, _ = spec.reference(state, **{name: t[7:] for name, t in records.items()})
    found = {name: torch.cat([first[name], second[name]]) for name in first}
    assert found["d"].tolist() == [group["d"] for group in expected]
    assert found["last"].tolist() == [group["last"] for group in expected]
    if "exponent" in found:
        assert found["exponent"].tolist() == [group["exponent"] for group in expected]
    assert (found["d"] != 0).any()
    return found["d"].numel()


def tiles(weight: Integer | Codebook, form: str, activation=INT8, **parameters):
    """Tiles of all other parameters."""
    reinterpreted, folded = FORMS[form]
    odd = isinstance(weight, Codebook)
    for tables, zero_point, run_time, size in itertools.product(
        Tables, (False, True), (False, True), (2, 3, 4)
    ):
        if (odd and zero_point) or (run_time and weight.bits == 1):
            continue
        yield LutTensorCore(
            weight=weight,
            activation=activation,
            reinterpreted=reinterpreted,
            folded=folded,
            tables=tables,
            zero_point=zero_point,
            run_time_bits=run_time,
            table_inputs=size,
            lanes=2 * size,
            group=6 * size,
            **SHAPE | parameters,
        )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "weight", [UINT1, INT1, UINT2, INT3, UINT8, INT8, BINARY, ODD2, ODD8], ids=str
)
def test_results_are_those_of_single_lookups(weight, form):
    if isinstance(weight, Codebook) and form == "whole":
        with pytest.raises(ValueError, match=r"reinterpreted = false: weight = .* has no bits"):
            list(tiles(weight, form))
        return
    compared = sum(
        require_results_of_lookups(spec, seed) for seed, spec in enumerate(tiles(weight, form))
    )
    assert compared >= 100


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("weight", [UINT3, INT4, ODD3], ids=str)
@pytest.mark.parametrize(
    ("activation", "accumulation"),
    [(FP16, None), (E4M3, None), (BF16, None), (FP16, Accumulation.ALIGNED)],
    ids=str,
)
def test_results_of_floats_are_those_of_single_lookups(weight, form, activation, accumulation):
    reinterpreted, folded = FORMS[form]
    odd = isinstance(weight, Codebook)
    if odd and not reinterpreted:
        weight = UINT3
    compared = 0
    for zero_point, run_time in itertools.product((False, True), repeat=2):
        if zero_point and isinstance(weight, Codebook):
            continue
        parameters = {
            "weight": weight,
            "activation": activation,
            "accumulation": accumulation,
            "reinterpreted": reinterpreted,
            "folded": folded,
            "zero_point": zero_point,
            "run_time_bits": run_time,
            "lanes": 4,
            "group": 12,
        }
        aligned = accumulation is Accumulation.ALIGNED or activation is BF16
        if run_time and aligned and reinterpreted and weight == UINT3:
            with pytest.raises(ValueError, match="run_time_bits = true: with aligned sums"):
                LutTensorCore(**parameters)
            continue
        compared += require_results_of_lookups(LutTensorCore(**SHAPE, **parameters), 3)
    assert compared >= 20


@pytest.mark.parametrize("planes", [1, 2, 3, 8, None])
def test_planes_per_cycle_change_no_value(planes):
    spec = LutTensorCore(weight=UINT8, planes_per_cycle=planes, **SHAPE, group=16)
    assert require_results_of_lookups(spec, 5) >= 20
    assert spec.cycles == -(-8 // (planes or 8))


@pytest.mark.parametrize("weight", [UINT1, UINT4, INT4, UINT8, BINARY, ODD8], ids=str)
def test_all_activations_at_their_lowest(weight):
    """The corner whose table needs all its bits: a = -128 everywhere."""
    odd = isinstance(weight, Codebook)
    spec = LutTensorCore(weight=weight, zero_point=not odd, group=8, rows=1, columns=1)
    assert spec.entry.bits == 10
    codes = torch.from_numpy(weight.codes())
    for code, zero in itertools.product((codes[0], codes[-1]), repeat=2):
        # Folding equal codes leaves nothing but the last of each table.
        w = torch.tensor([0, 0, 0, int(code)]).expand(2, 1, 4)
        inputs = {
            "a": torch.full((2, 1, 4), -128),
            "w": w,
            "last": torch.zeros(2, dtype=torch.int64),
        }
        if spec.zero_point:
            inputs["z"] = torch.full((2, 1), int(zero))
        outputs, _ = spec.reference(**inputs)
        value = int(weight.decode(int(code))) - (int(zero) if spec.zero_point else 0)
        assert outputs["d"].tolist() == [[[8 * -128 * value]]]


@pytest.mark.parametrize("bits", range(1, 9))
def test_zero_activations_give_exactly_zero(bits):
    """For every weight width and order of planes; there are no signs or exponents to go wrong."""
    for weight, external in itertools.product((Integer(bits), Integer(bits, signed=False)), Tables):
        spec = LutTensorCore(weight=weight, tables=external, group=8, planes_per_cycle=1, **SHAPE)
        records = random_records(spec, bits)
        name = "t" if spec.is_external else "a"
        records[name] = torch.zeros_like(records[name])
        outputs, _ = spec.reference(**records)
        assert len(outputs["d"]) >= 3
        assert (outputs["d"] == 0).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"weight": Integer(9)}, ValueError, "weight = int9: lut_tensor_core takes integers of 1"),
        ({"weight": TERNARY, "zero_point": False}, ValueError, "weight = ternary: allowed are"),
        (
            {"weight": TERNARY},
            ValueError,
            "odd8; ternary weights are uint2 with zero points of 1, as quantise_ternary makes them",
        ),
        ({"weight": Codebook((0, 1, 2))}, ValueError, "odd7, odd8$"),
        ({"weight": FP16}, TypeError, "weight = fp16: allowed are integers of 1 to 8"),
        ({"weight": ODD2}, ValueError, "zero_point = true: weight = odd2 has none"),
        ({"table_inputs": 1}, ValueError, "table_inputs = 1: allowed are 2 to 6"),
        ({"table_inputs": 7, "lanes": 7}, ValueError, "table_inputs = 7: allowed are 2 to 6"),
        ({"lanes": 6}, ValueError, "lanes = 6: they must be a multiple of table_inputs = 4"),
        ({"lanes": 260}, ValueError, "lanes = 260: allowed are 1 to 256"),
        ({"lanes": 4.0}, TypeError, "lanes must be int, not float"),
        ({"rows": 0}, ValueError, "rows = 0: allowed are 1 to 256"),
        ({"columns": 257}, ValueError, "columns = 257: allowed are 1 to 256"),
        ({"group": 6}, ValueError, "group = 6: it must be a multiple of lanes = 4"),
        ({"tables": "external"}, TypeError, "tables must be Tables, not str"),
        (
            {"tables": Tables.EXTERNAL, "activation": FP16},
            ValueError,
            "tables = external: not with activation = fp16",
        ),
        ({"activation": UINT8}, ValueError, "activation = uint8: lut_tensor_core takes int2"),
        ({"activation": INT1}, ValueError, "activation = int1: lut_tensor_core takes integers"),
        ({"planes_per_cycle": 3}, ValueError, "planes_per_cycle = 3: allowed are 1 to 2"),
        ({"planes_per_cycle": 0}, ValueError, "planes_per_cycle = 0: allowed are 1 to 2"),
        (
            {"run_time_bits": True, "weight": UINT1},
            ValueError,
            "run_time_bits: weight = uint1 has no fewer bits than one",
        ),
        ({"run_time_bits": 1}, TypeError, "run_time_bits must be bool, not int"),
        ({"folded": None}, TypeError, "folded must be bool"),
        (
            {"reinterpreted": False},
            ValueError,
            "folded = true: only weights that are reinterpreted can be folded",
        ),
    ],
)
def test_bad_parameters_are_named(change, error, message):
    with pytest.raises(error, match=message):
        LutTensorCore(**change)


def test_bad_records_are_named():
    spec = LutTensorCore(weight=UINT4, run_time_bits=True, group=8, **SHAPE)
    records = random_records(spec, 1)
    for name, code, message in [
        ("bits", 4, r"bits\[2\] = 4: code n stands for n \+ 1 bits, and weight = uint4 has 4"),
        ("a", 128, r"a\[2, 0, 0\] = 128: codes of int8"),
        ("w", 16, r"w\[2, 0, 0\] = 16: codes of uint4"),
    ]:
        bad = records[name].clone()
        bad[(2, *[0] * (bad.dim() - 1))] = code
        with pytest.raises(ValueError, match=message):
            spec.reference(**records | {name: bad})


def test_a_planted_error_would_be_seen():
    """Twin of the oracle's tests: weights that are not folded give other results."""
    spec = LutTensorCore(weight=UINT4, group=16, **SHAPE)
    records = random_records(spec, 2)
    plain = LutTensorCore(weight=UINT4, group=16, folded=False, **SHAPE)
    expected = group_results(plain, {name: t.tolist() for name, t in records.items()})
    assert spec.reference(**records)[0]["d"].tolist() != [group["d"] for group in expected]


def test_records_are_made_of_others_that_stay_as_they_are():
    spec = LutTensorCore(tables=Tables.EXTERNAL, reinterpreted=False, folded=False)
    plain = {
        "a": torch.zeros(1, 2, 4, dtype=torch.int64),
        "w": torch.zeros(1, 16, 4, dtype=torch.int64),
        "last": torch.ones(1, dtype=torch.int64),
    }
    records = spec.port_records(plain, spec.weight)
    assert set(plain) == {"a", "w", "last"}
    assert set(records) == {"t", "w", "last"}
