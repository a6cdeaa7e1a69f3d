"""Faithful results: every one less than a unit in the last place from what an oracle gives."""

from collections.abc import Callable

import numpy as np
import torch

from multipede.golden.fixed_function import FixedFunction
from multipede.golden.formats import FixedPoint

Oracle = Callable[..., np.ndarray]
"""real arguments (longdouble) to f of them"""


def all_codes(number_format: FixedPoint) -> np.ndarray:
    return np.arange(number_format.minimum_code, number_format.maximum_code + 1)


def errors(spec: FixedFunction, oracle: Oracle, **codes: np.ndarray) -> np.ndarray:
    """Of all records, in units in the last place; f beyond the result's range counts
    as its end."""
    outputs, state = spec.reference(**{name: torch.tensor(array) for name, array in codes.items()})
    assert state is None
    arguments = []
    for name, array in codes.items():
        scale = np.longdouble(2) ** spec.inputs[name].format.fraction_bits
        arguments.append(array.astype(np.longdouble) / scale)
    result = spec.result
    exact = oracle(*arguments) * np.longdouble(2) ** result.fraction_bits
    high = result.maximum_code
    low = -high if result.signed and exact.max() > high else result.minimum_code
    exact = np.clip(exact, low, high)
    return np.abs(outputs["y"].numpy() - exact)


def check_faithful(spec: FixedFunction, oracle: Oracle, **codes: np.ndarray) -> None:
    """Of the codes given, or of all codes of the only argument."""
    if not codes:
        (name,) = spec.arguments
        codes = {name: all_codes(getattr(spec, name))}
    found = errors(spec, oracle, **codes)
    assert len(found) >= 64
    worst = int(found.argmax())
    assert found[worst] < 1, f"{spec}: {[array[worst] for array in codes.values()]}"
    # Results that are all exact would mean that nothing was asked for.
    assert found[worst] > 0.3
