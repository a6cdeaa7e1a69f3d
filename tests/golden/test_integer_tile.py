"""Golden integer tiles against the definition, summed element by element in exact integers."""

import itertools

import numpy as np
import pytest
import torch

from multipede.golden.formats import INT4, INT8, INT16, UINT1, UINT8, Integer
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile

SEED = 20261122


def records(spec, count, seed=SEED, last=0.1):
    """Random inputs, half of them at the extremes of their formats."""
    print(f"seed {seed}")
    generator = np.random.default_rng(seed)
    inputs = {}
    for name, port in spec.inputs.items():
        shape = (count, *port.shape)
        low, high = port.format.minimum, port.format.maximum
        uniform = generator.integers(low, high + 1, shape)
        extreme = generator.choice([low, high], shape)
        inputs[name] = torch.from_numpy(np.where(generator.random(shape) < 0.5, uniform, extreme))
    inputs["last"] = torch.from_numpy((generator.random(count) < last).astype(np.int64))
    return inputs


def oracle(spec, inputs):
    """D by the definition: sum over the group of (w - z) a in Python integers."""
    values = {name: tensor.tolist() for name, tensor in inputs.items()}
    groups, open_records = [], []
    for record in range(len(values["last"])):
        open_records.append(record)
        full = len(open_records) * spec.lanes == spec.group
        if not full and not values["last"][record]:
            continue
        zeros = values["z"][record] if spec.zero_point else [0] * spec.columns
        groups.append(
            [
                [
                    sum(
                        (w - zeros[column]) * a
                        for n in open_records
                        for w, a in zip(values["w"][n][column], values["a"][n][row], strict=True)
                    )
                    for column in range(spec.columns)
                ]
                for row in range(spec.rows)
            ]
        )
        open_records = []
    return groups


SPECS = [
    MixPE(rows=2, columns=3, lanes=4, group=16),
    MixPE(rows=1, columns=1, lanes=1, group=1),
    MixPE(weight=INT4, activation=INT16, rows=2, columns=2, lanes=2, group=6, zero_point=False),
    MixPE(weight=Integer(1), activation=INT4, rows=1, columns=2, lanes=3, group=3),
    MixPE(weight=UINT1, activation=INT8, rows=2, columns=1, lanes=2, group=32),
    MultiplierTile(rows=2, columns=2, lanes=4, group=8),
    MultiplierTile(weight=UINT8, activation=UINT8, rows=1, columns=2, lanes=2, group=4),
    MultiplierTile(weight=INT16, activation=INT16, lanes=2, group=1024, rows=1, columns=1),
]


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_reference_is_the_definition(spec):
    inputs = records(spec, 200)
    outputs, _ = spec.reference(**inputs)
    expected = oracle(spec, inputs)
    assert len(expected) >= 20
    assert outputs["d"].tolist() == expected


def test_a_wrong_oracle_is_noticed():
    """The comparison above can fail: the twin leaves out the zero point."""
    spec = MixPE(rows=2, columns=3, lanes=4, group=16)
    inputs = records(spec, 200)
    inputs["z"] += (inputs["z"] == 0).long()
    without = oracle(spec, inputs | {"z": torch.zeros_like(inputs["z"])})
    assert spec.reference(**inputs)[0]["d"].tolist() != without


@pytest.mark.parametrize("cut", [1, 3, 7, 199])
def test_state_carries_over_chunks(cut):
    spec = MixPE(rows=2, columns=3, lanes=4, group=16)
    inputs = records(spec, 200)
    whole, end = spec.reference(**inputs)
    state, parts = None, []
    for start in range(0, 200, cut):
        chunk = {name: tensor[start : start + cut] for name, tensor in inputs.items()}
        outputs, state = spec.reference(state, **chunk)
        parts.append(outputs)
    assert torch.equal(torch.cat([part["d"] for part in parts]), whole["d"])
    assert torch.equal(torch.cat([part["last"] for part in parts]), whole["last"])
    assert state.position == end.position
    assert torch.equal(state.products, end.products)


def test_no_records_give_no_results():
    spec = MixPE(rows=2, columns=3, lanes=4, group=16)
    outputs, state = spec.reference(**{k: v[:0] for k, v in records(spec, 4).items()})
    assert outputs["d"].shape == (0, 2, 3)
    assert state.position == 0
    inputs = records(spec, 3, last=0)
    nothing = {name: tensor[:0] for name, tensor in inputs.items()}
    _, open_group = spec.reference(**inputs)
    _, after = spec.reference(open_group, **nothing)
    assert after.position == open_group.position == 3
    assert torch.equal(after.products, open_group.products)


@pytest.mark.parametrize("group", [1, 2, 32, 64, 128])
@pytest.mark.parametrize(("q", "z"), [(15, 0), (0, 15), (15, 15), (7, 8)])
@pytest.mark.parametrize("a", [-128, 127, 0, -1])
def test_corners_of_whole_groups(group, q, z, a):
    """Facts 1.6, identity 2: sum (q - z) a = sum q a - z sum a, at the +-245,760 corners too."""
    spec = MixPE(rows=1, columns=1, lanes=1, group=group)
    ones = torch.ones(group, dtype=torch.int64)
    outputs, _ = spec.reference(
        a=(a * ones).view(-1, 1, 1),
        w=(q * ones).view(-1, 1, 1),
        z=(z * ones).view(-1, 1),
        last=0 * ones,
    )
    assert outputs["d"].tolist() == [[[group * (q - z) * a]]]


def test_order_inside_a_group_does_not_matter():
    """Facts 1.6, identity 5."""
    spec = MixPE(rows=1, columns=1, lanes=8, group=32)
    inputs = records(spec, 4, last=0)
    inputs["z"] = inputs["z"][-1:].expand(4, -1).clone()
    expected = spec.reference(**inputs)[0]["d"]
    order = torch.randperm(32, generator=torch.Generator().manual_seed(SEED))
    for name in ("a", "w"):
        inputs[name] = inputs[name].reshape(-1)[order].reshape(4, 1, 8)
    assert torch.equal(spec.reference(**inputs)[0]["d"], expected)


def test_group_then_scale_equals_scale_then_sum():
    """Facts 1.6, identity 3, in exact rational arithmetic."""
    from fractions import Fraction

    spec = MixPE(rows=1, columns=1, lanes=8, group=32)
    inputs = records(spec, 40, last=0)
    scales = [Fraction(n + 1, 997) for n in range(10)]
    outputs, _ = spec.reference(**inputs)
    postponed = sum(s * d for s, d in zip(scales, outputs["d"].reshape(-1).tolist(), strict=True))
    direct = Fraction(0)
    for record, lane in itertools.product(range(40), range(8)):
        zero = int(inputs["z"][record // 4 * 4 + 3, 0])
        weight = int(inputs["w"][record, 0, lane]) - zero
        direct += scales[record // 4] * weight * int(inputs["a"][record, 0, lane])
    assert postponed == direct


@pytest.mark.parametrize("low", [-129, -128, -1, 0, 1])
@pytest.mark.parametrize("high", [1, 127, 128, 255])
def test_spanning_formats_are_the_narrowest(low, high):
    found = Integer.spanning(low, high)
    assert found.minimum <= low
    assert high <= found.maximum
    if found.bits > 1:
        narrower = Integer(found.bits - 1, signed=found.signed)
        assert low < narrower.minimum or high > narrower.maximum
