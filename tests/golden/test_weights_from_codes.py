"""Import of plain codes, and what is none."""

import numpy as np
import pytest
import torch

from multipede.golden.folded_weights import fold_weights, unfold_weights
from multipede.golden.formats import FP16, INT4, ODD2, TERNARY, UINT4, Integer
from multipede.golden.quantisation import quantise_weights
from multipede.golden.weights_from_codes import weights_from_codes
from tests.golden.test_folded_weights import require_same

CODES = np.arange(20).reshape(2, 10) % 16
SCALES = np.array([[0.5, 0.25, 1.0], [2.0, 0.0, 3.0]])
ZEROS = np.array([[0, 15, 8], [1, 2, 3]])


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
@pytest.mark.parametrize(("integer", "real"), [("int64", "float64"), ("uint8", "float16")])
def test_values_are_scale_times_code_less_zero(kind, integer, real):
    found = weights_from_codes(
        kind(CODES.astype(integer)),
        format=UINT4,
        group=4,
        scales=kind(SCALES.astype(real)),
        zeros=kind(ZEROS.astype(integer)),
    )
    assert (found.codes.dtype, found.zeros.dtype) == (torch.int64, torch.int64)
    assert found.scales.dtype == torch.float32
    for n in range(2):
        for k in range(10):
            expected = SCALES[n, k // 4] * (CODES[n, k] - ZEROS[n, k // 4])
            assert float(found.dequantised()[n, k]) == expected
    require_same(unfold_weights(fold_weights(found)), found)


@pytest.mark.parametrize("format", [UINT4, INT4, ODD2], ids=str)
def test_imported_weights_are_those_that_were_quantised(format):
    values = torch.randn(3, 21, generator=torch.Generator().manual_seed(1))
    weights = quantise_weights(values, format=format, group=8)
    zeros = None if weights.zeros is None else weights.zeros.numpy().astype(np.int32)
    found = weights_from_codes(
        weights.codes.to(torch.int16), format=format, group=8, scales=weights.scales, zeros=zeros
    )
    require_same(found, weights)
    found.scales.zero_()
    assert (weights.scales != 0).any()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"codes": CODES + 1}, ValueError, r"codes\[0, 15\] = 16: codes|codes\[1, 5\] = 16: codes"),
        ({"codes": CODES / 1.0}, TypeError, "codes must be integers"),
        ({"codes": CODES.tolist()}, TypeError, "codes must be an array or tensor, not list"),
        ({"codes": CODES[0]}, ValueError, r"codes have shape \(10,\): a matrix is needed"),
        ({"codes": CODES[:, :0]}, ValueError, r"codes have shape \(2, 0\): a matrix is needed"),
        ({"format": INT4}, ValueError, r"codes\[0, 8\] = 8: codes of int4 are -8 to 7"),
        ({"format": Integer(9)}, ValueError, "format = int9: integers of 1 to 8 bits"),
        ({"format": ODD2}, ValueError, "zeros: odd2 weights have none"),
        ({"format": TERNARY}, ValueError, "format = ternary: of codebooks allowed are binary"),
        ({"format": FP16}, TypeError, "format must be an integer format or a codebook, not"),
        ({"group": 0}, ValueError, "group = 0: allowed are 1 to 1024"),
        ({"group": 5}, ValueError, r"zeros have shape \(2, 3\): \(2, 2\) is needed"),
        ({"zeros": ZEROS * 2}, ValueError, r"zeros\[0, 1\] = 30: codes of uint4 are 0 to 15"),
        ({"scales": SCALES[:, :2]}, ValueError, r"scales have shape \(2, 2\): \(2, 3\) is needed"),
        ({"scales": ZEROS}, TypeError, "scales must hold floating-point numbers, not int64"),
        ({"scales": 3.0}, TypeError, "scales must be an array or tensor, not float"),
        ({"scales": -SCALES}, ValueError, r"scales of weights\[0, 0\] = -0.5: finite numbers"),
        (
            {"scales": SCALES / 0.3},
            ValueError,
            r"scales\[0, 0\] = 1.66.*: float32 must hold it; conv",
        ),
        ({"scales": SCALES * 1e300}, ValueError, r"scales\[0, 0\] = 5e\+299: float32 must hold"),
        ({"scales": SCALES * np.nan}, ValueError, r"scales of weights\[0, 0\] = nan"),
    ],
)
def test_bad_arguments_are_named(change, error, message):
    arguments = {
        "codes": CODES,
        "format": UINT4,
        "group": 4,
        "scales": SCALES,
        "zeros": ZEROS,
    } | change
    with pytest.raises(error, match=message):
        weights_from_codes(arguments.pop("codes"), **arguments)
