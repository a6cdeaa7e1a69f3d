"""Tiles with float activations: exact sums and aligned sums against exact rationals."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from multipede.golden.formats import BF16, E2M1, E4M3, E5M2, FP16, INT4, INT8, UINT4, Float, Integer
from multipede.golden.mixed_tile import Accumulation
from multipede.golden.mixpe import MixPE
from tests.golden.pieces import check_in_pieces

SEED = 5
ALIGNED = Accumulation.ALIGNED
SHAPE = {"rows": 2, "columns": 3, "lanes": 4, "group": 16}
FORMATS = [
    FP16,
    BF16,
    E4M3,
    E5M2,
    E2M1,
    Float(5, 10, subnormals=False),
    Float(4, 0),
]


def records(spec: MixPE, count: int, seed: int = SEED) -> dict[str, torch.Tensor]:
    """Random records, a quarter of the activations corners, some `last` inside of groups."""
    print(f"seed {seed}")
    generator = np.random.default_rng(seed)
    result = {}
    for name, port in spec.inputs.items():
        patterns = generator.integers(0, 1 << port.format.bits, (count, *port.shape))
        codes = port.format.from_bits(patterns)
        corners = generator.choice(port.format.corners(), codes.shape)
        result[name] = np.where(generator.random(codes.shape) < 0.25, corners, codes)
    if isinstance(spec.activation, Float):
        # Exponents within a few of each other, else only the largest counts.
        near = generator.normal(0, 1, result["a"].shape) * 2.0 ** generator.integers(
            -3, 4, (count, 1, 1)
        )
        near = spec.activation.encode(near)
        result["a"] = np.where(generator.random(near.shape) < 0.7, near, result["a"])
    result["last"] = (generator.random(count) < 0.1).astype(np.int64)
    return {name: torch.from_numpy(array) for name, array in result.items()}


def exact_value(number_format, code: int) -> Fraction | None:
    """None for infinity and NaN."""
    value = float(number_format.decode(code))
    return Fraction(value) if np.isfinite(value) else None


def groups(spec: MixPE, inputs: dict[str, torch.Tensor]) -> list[list[int]]:
    """Records of each finished group."""
    found, current = [], []
    for index, last in enumerate(inputs["last"].tolist()):
        current.append(index)
        if last or len(current) == spec.records_per_group:
            found.append(current)
            current = []
    return found


def limbs_value(port, array: np.ndarray) -> int:
    value = sum(int(limb) << 32 * place for place, limb in enumerate(array))
    return value - (1 << port.format.bits) * (value >> (port.format.bits - 1))


def exact_results(spec: MixPE, inputs: dict[str, torch.Tensor]):
    """For each group, row and column: D of the finite lanes, and whether one is not finite."""
    a, w = inputs["a"].tolist(), inputs["w"].tolist()
    for members in groups(spec, inputs):
        for row, column in itertools.product(range(spec.rows), range(spec.columns)):
            zero = int(inputs["z"][members[-1], column]) if spec.zero_point else 0
            total, bad = Fraction(0), False
            for n, lane in itertools.product(members, range(spec.lanes)):
                value = exact_value(spec.activation, a[n][row][lane])
                bad |= value is None
                total += (w[n][column][lane] - zero) * (value or 0)
            yield total, bad


@pytest.mark.parametrize("activation", FORMATS, ids=str)
@pytest.mark.parametrize("weight", [UINT4, INT4, Integer(8)], ids=str)
def test_exact_sums_are_exact(activation, weight):
    spec = MixPE(weight=weight, activation=activation, accumulation=Accumulation.EXACT, **SHAPE)
    inputs = records(spec, 40)
    outputs, _ = spec.reference(**inputs)
    port = spec.outputs["d"]
    compared = 0
    d = outputs["d"].reshape(-1, *((port.limbs,) if port.limbs else ())).numpy()
    nan = outputs["nan"] if spec.has_nan else torch.zeros(len(outputs["last"]), spec.rows)
    nan = nan.repeat_interleave(spec.columns, dim=1).flatten().tolist()
    for code, flag, (expected, bad) in zip(d, nan, exact_results(spec, inputs), strict=True):
        value = limbs_value(port, code) if port.limbs else int(code)
        assert Fraction(value, 1 << spec.fraction_bits) == expected
        assert bool(flag) == bad
        compared += 1
    assert compared >= 10 * spec.rows * spec.columns
    assert any(nan) == spec.has_nan
    port.check("d", outputs["d"].numpy())


def aligned_by_definition(spec: MixPE, inputs):
    """The docstring of MixedTile, number by number in Python integers."""
    f, guard = spec.activation, spec.guard_bits
    unit = f.bias + f.mantissa_bits
    for members in groups(spec, inputs):
        for row in range(spec.rows):
            x, s, nan = 0, 0, False
            p = [0] * spec.columns
            for n in members:
                lanes = []
                for code in inputs["a"][n, row].tolist():
                    value = exact_value(f, code)
                    nan |= value is None
                    e = max(1, (code & ((1 << (f.bits - 1)) - 1)) >> f.mantissa_bits)
                    m = int((value or 0) * Fraction(2) ** (unit - e))
                    lanes.append((m, e))
                raised = max([x, *(e for m, e in lanes if m)])
                p = [value >> (raised - x) for value in p]
                s >>= raised - x
                x = raised
                for lane, (m, e) in enumerate(lanes):
                    t = (m << guard) >> (x - e) if m else 0
                    s += t
                    for column in range(spec.columns):
                        p[column] += int(inputs["w"][n, column, lane]) * t
            z = inputs["z"][members[-1]].tolist() if spec.zero_point else [0] * spec.columns
            yield [value - zero * s for value, zero in zip(p, z, strict=True)], x, nan


@pytest.mark.parametrize("activation", FORMATS, ids=str)
@pytest.mark.parametrize("guard", [0, 3, 8])
def test_aligned_sums_follow_the_definition(activation, guard):
    spec = MixPE(activation=activation, accumulation=ALIGNED, guard=guard, **SHAPE)
    inputs = records(spec, 80)
    outputs, _ = spec.reference(**inputs)
    expected = list(aligned_by_definition(spec, inputs))
    assert len(expected) >= 15 * spec.rows
    assert outputs["d"].reshape(-1, spec.columns).tolist() == [d for d, _, _ in expected]
    assert outputs["exponent"].flatten().tolist() == [x for _, x, _ in expected]
    if spec.has_nan:
        assert outputs["nan"].flatten().tolist() == [int(nan) for _, _, nan in expected]
    for name, port in spec.outputs.items():
        port.check(name, outputs[name].numpy())


@pytest.mark.parametrize("activation", [BF16, FP16, E5M2], ids=str)
@pytest.mark.parametrize("guard", [0, 4, 8, 16])
def test_aligned_sums_keep_their_error_bound(activation, guard):
    """|error of D| <= (group max|w| + records + |z| (group + records)) u, and it is not idle."""
    spec = MixPE(activation=activation, accumulation=ALIGNED, guard=guard, **SHAPE)
    inputs = records(spec, 200)
    outputs, _ = spec.reference(**inputs)
    members = groups(spec, inputs)
    exact = iter(exact_results(spec, inputs))
    worst = Fraction(0)
    for index, (row, column) in itertools.product(
        range(len(members)), itertools.product(range(spec.rows), range(spec.columns))
    ):
        value, _ = next(exact)
        x = int(outputs["exponent"][index, row])
        unit = Fraction(2) ** (x - activation.bias - activation.mantissa_bits - guard)
        error = abs(int(outputs["d"][index, row, column]) * unit - value)
        count = len(members[index])
        zero = int(inputs["z"][members[index][-1], column])
        lanes = count * spec.lanes
        bound = (lanes * 15 + count + zero * (lanes + count)) * unit
        assert error <= bound
        worst = max(worst, error / bound)
    assert worst > Fraction(1, 50)


@pytest.mark.parametrize("accumulation", list(Accumulation))
def test_in_pieces_it_gives_the_same(accumulation):
    spec = MixPE(activation=FP16, accumulation=accumulation, **SHAPE)
    rest, state = check_in_pieces(spec, records(spec, 100))
    for name in ("products", "activations", "special"):
        assert torch.equal(getattr(state, name).long(), getattr(rest, name).long())


def test_every_fp16_activation_times_every_uint4_weight():
    """Facts 1.6 (4): 65,536 x 16 products, all exact, by float64, which holds them all."""
    spec = MixPE(activation=FP16, zero_point=False, rows=1, columns=16, lanes=1, group=1)
    a = torch.arange(1 << 16)
    w = torch.arange(16).repeat(len(a), 1)[..., None]
    outputs, _ = spec.reference(a=a[:, None, None], w=w, last=torch.zeros(len(a), dtype=int))
    with np.errstate(invalid="ignore"):
        value = FP16.decode(a.numpy())
        expected = np.where(np.isfinite(value), value, 0)[:, None] * np.arange(16)
    got = outputs["d"][:, 0].double().numpy() * 2.0**-24
    assert got.size == 1 << 20
    assert (got == expected).all()
    assert (outputs["nan"][:, 0].numpy() == ~np.isfinite(value)).all()


def test_widths():
    assert MixPE(activation=FP16).result.bits == 52  # facts 1.5
    exact_bf16 = MixPE(activation=BF16, accumulation=Accumulation.EXACT)
    assert exact_bf16.result.bits == 273  # facts 1.5 and design.md section 5
    assert exact_bf16.outputs["d"].limbs == 9
    assert not MixPE(activation=FP16).is_aligned
    assert MixPE(activation=BF16).is_aligned
    assert MixPE(activation=BF16).result.bits == 8 + 8 + 4 + 7 + 1


@pytest.mark.few(10)
@pytest.mark.parametrize("activation", [BF16, FP16, E2M1, Float(3, 0)], ids=str)
@pytest.mark.parametrize("guard", [0, 1])
@pytest.mark.parametrize("weight", [UINT4, INT4, Integer(1, signed=False), INT8], ids=str)
def test_aligned_widths_hold_at_the_extremes(activation, guard, weight):
    """A group of largest numbers, small ones first so that sums are shifted, in both signs."""
    spec = MixPE(
        weight=weight,
        activation=activation,
        accumulation=ALIGNED,
        guard=guard,
        **SHAPE | {"rows": 1, "columns": 1, "group": 64},
    )
    top = int(activation.encode(activation.maximum))
    sign = 1 << (activation.bits - 1)
    smaller = range(0, top, max(1, top // 50))
    for w, z, s in itertools.product(weight.corners(), weight.corners(), (0, sign)):
        chosen = [[first | s] * 4 for first in smaller]
        steps = [row for first in chosen for row in ([first] + [[top | s] * 4] * 15)]
        a = torch.tensor(steps)[:, None, :]
        outputs, _ = spec.reference(
            a=a,
            w=torch.full((len(a), 1, 4), w),
            z=torch.full((len(a), 1), z),
            last=torch.zeros(len(a), dtype=int),
        )
        assert len(outputs["d"]) == len(chosen)
        spec.outputs["d"].check("d", outputs["d"].numpy())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "fp32"}, "activation = fp32: mixpe takes signed floats of at most 16 bits"),
        ({"activation": "ue4m3"}, "activation = ue4m3: mixpe takes signed floats"),
        (
            {"activation": "ternary"},
            "activation = ternary: mixpe takes integers of 4 to 16 bits and signed floats",
        ),
        ({"accumulation": "aligned"}, "accumulation = aligned: not with activation = int8"),
        ({"guard": "4"}, "guard = 4: only with accumulation = aligned"),
        ({"activation": "fp16", "guard": "4"}, "guard = 4: only with accumulation = aligned"),
        ({"activation": "bf16", "guard": "33"}, "guard = 33: allowed are 0 to 32"),
        ({"activation": "bf16", "guard": "-1"}, "guard = -1: allowed are 0 to 32"),
        ({"activation": "bf16", "accumulation": "sloppy"}, "allowed are exact, aligned"),
        (
            {"activation": "e2m13-ieee", "accumulation": "aligned", "guard": "32"}
            | {"group": "1024", "weight": "uint8"},
            "guard = 32: sums would have 65 bits, at most 63 are allowed",
        ),
    ],
)
def test_bad_parameters(change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        MixPE.from_parameters(change)
