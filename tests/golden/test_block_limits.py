"""Where shared exponents end: integers and formats that float64 cannot hold."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from multipede.golden.blocks import Blocks, ScaleRule, SharedExponent
from multipede.golden.formats import E4M3, FixedPoint, Float, Integer

EDGES = [Float(8, 7, bias=941), Float(8, 7, bias=-642), FixedPoint(8, 947)]
BEYOND = [
    Float(8, 7, bias=942),
    Float(8, 7, bias=-643),
    FixedPoint(8, 948),
    Float(8, 7, bias=1015),  # rounded twice, 1e308 and nextafter(2**-895, 0) gave 1 and not 0
]


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_integers_are_exact_or_refused(dtype: type) -> None:
    values = np.array([2**53, 2**53 - 1], dtype)
    form = SharedExponent(Integer(32), 1)
    assert form.quantise(values).elements.tolist() == [2**30, 2**31 - 1]
    values[1] = 2**53 + 1
    for given in (values, values.astype(np.int64), torch.from_numpy(values.astype(np.int64))):
        with pytest.raises(ValueError, match=r"values\[1\] = 9007199254740993: integers beyond"):
            form.quantise(given)


def test_rceil_is_exact_where_fp32_quotients_are_not() -> None:
    """Quotients just above a power of two, which FP32 rounds to it: wide integers, subnormals."""
    above = np.nextafter(np.float32(448 * 2.0**-127), np.float32(1))
    for element, amax, exponent in ((Integer(32), np.float32(2**31), 0), (E4M3, above, -127)):
        assert amax / np.float32(element.maximum) == 2.0**exponent
        assert Fraction(float(amax)) / Fraction(element.maximum) > Fraction(2) ** exponent
        form = SharedExponent(element, 1, scale_rule=ScaleRule.RCEIL)
        assert form.quantise([amax]).scales.tolist() == [exponent + 1 + 127]


@pytest.mark.parametrize("element", EDGES, ids=str)
@pytest.mark.parametrize("scale", [0, 254])
def test_products_are_exact_up_to_the_edge(element: Float | FixedPoint, scale: int) -> None:
    codes = np.array(element.corners())
    codes = codes[np.isfinite(element.decode(codes))]
    form = SharedExponent(element, 1)
    values = form.dequantise(Blocks(codes, np.full(codes.shape, scale)))
    factor = Fraction(2) ** (scale - 127)
    wanted = [Fraction(value) * factor for value in element.decode(codes).tolist()]
    assert [Fraction(value) for value in values.tolist()] == wanted
    assert len(wanted) >= 7


@pytest.mark.parametrize("element", BEYOND, ids=str)
def test_formats_beyond_the_edge_are_refused(element: Float | FixedPoint) -> None:
    with pytest.raises(ValueError, match=f"element = {element}: allowed are formats whose values"):
        SharedExponent(element, 2)
