"""What tiles whose multipliers add codes make of them: all pairs of small formats, every preset."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from multipede.golden.exact_lmul_tile import ExactLMulTile
from multipede.golden.formats import E2M1, E2M3, E3M2, E4M3, E5M2, FP16, Float, Specials
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import Correction, LogarithmicFactors
from multipede.golden.logarithmic_policies import Preset
from multipede.hw import Style, planned

BARE = replace(E2M3, subnormals=False)
BARE_WITH_NAN = Float(3, 2, bias=1, subnormals=False)
BIASED = Float(4, 3, bias=-2)
LOW = Float(4, 2, bias=12, specials=Specials.FN)
FORMATS = [
    # activation, weight, product
    (E4M3, E4M3, None),
    (E5M2, E5M2, None),
    (E2M1, E4M3, None),
    (E4M3, E4M3, E4M3),
    (E5M2, E5M2, E5M2),
    (E3M2, E3M2, Float(4, 2)),
    (BARE, BARE, BARE),
    (BARE, BARE, E2M3),
    (BARE_WITH_NAN, BARE_WITH_NAN, BARE_WITH_NAN),
    (LOW, E2M1, None),
]
SINGLE = {"rows": 1, "columns": 1, "lanes": 1}


def pairs(spec: LogarithmicFactors) -> tuple[np.ndarray, np.ndarray]:
    """All codes of activations with all of weights."""
    listed = spec.activation.codes(), spec.weight.codes()
    a, w = np.array(list(itertools.product(*listed)), np.int64).T
    assert len(a) >= 16 * 16
    return a, w


def results(spec: LogarithmicFactors, a: np.ndarray, w: np.ndarray) -> dict[str, np.ndarray]:
    """The tile's, of sums of one product."""
    codes = {"a": a.reshape(-1, 1, 1), "w": w.reshape(-1, 1, 1), "last": np.ones_like(a)}
    outputs, _ = spec.reference(**{n: torch.from_numpy(array) for n, array in codes.items()})
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def evaluated(plan, circuit, a: np.ndarray, w: np.ndarray) -> dict[str, np.ndarray]:
    """What the RTL's circuits make of codes, conversion included."""
    spec, made = plan.spec, []
    for number_format, codes in ((spec.activation, a), (spec.weight, w)):
        bits = codes & ((1 << number_format.bits) - 1)
        if not plan.is_multiplied(number_format):
            bits = plan.conversion(number_format).plan.evaluate(code=bits)["converted"]
        made.append(bits)
    return circuit.plan.evaluate(a=made[0], b=made[1])


@pytest.mark.parametrize("correction", list(Correction))
@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize(("activation", "weight", "product"), FORMATS, ids=str)
class TestEveryPair:
    @pytest.mark.few(50)
    def test_in_fixed_point(self, activation, weight, product, preset, correction):
        spec = ExactLMulTile(
            activation=activation,
            weight=weight,
            product=product,
            preset=preset,
            correction=correction,
            **SINGLE,
        )
        plan, (a, w) = planned(spec, style=Style.WORD), pairs(spec)
        found = evaluated(plan, plan.product, a, w)
        outputs = results(spec, a, w)
        addends = spec.outputs["y"].integers(outputs["y"]).reshape(-1)
        assert (found["addend"] == addends % (1 << plan.addend_bits)).all()
        special = outputs.get("nan", np.zeros(len(a), np.int64)).reshape(-1)
        assert (found["special"] == special).all()
        assert len(set(addends)) > 7

    @pytest.mark.few(50)
    def test_rounded(self, activation, weight, product, preset, correction):
        spec = LMulTile(
            activation=activation,
            weight=weight,
            product=product,
            preset=preset,
            correction=correction,
            accumulator=FP16,
            **SINGLE,
        )
        plan, (a, w) = planned(spec, style=Style.WORD), pairs(spec)
        found = plan.term.decode(evaluated(plan, plan.tree.product, a, w)["product"].astype(int))
        wanted = FP16.decode(results(spec, a, w)["y"].reshape(-1))
        assert np.array_equal(found, wanted, equal_nan=True)
        assert len(set(wanted[np.isfinite(wanted)])) > 7
