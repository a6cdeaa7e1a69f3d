"""Plans of units that are one circuit, evaluated without RTL, against their references."""

import numpy as np
import pytest
import torch

from multipede.golden.spec import Spec
from multipede.hw import Style, planned


def assert_plan_equals_reference(spec: Spec, records: dict[str, np.ndarray]) -> None:
    """Compare what the plan's operators compute, without RTL."""
    count = len(next(iter(records.values())))
    bits = {
        name: np.asarray(port.format.to_bits(records[name])) for name, port in spec.inputs.items()
    }
    ((name, result),) = spec.outputs.items()
    plan = planned(spec, style=Style.CELLS).circuit
    got = np.broadcast_to(plan.evaluate(**bits)[name], count)
    outputs, _ = spec.reference(**{n: torch.from_numpy(codes) for n, codes in records.items()})
    wanted = np.asarray(result.format.to_bits(outputs[name].numpy()))
    (wrong,) = np.nonzero(got != wanted)
    if len(wrong):
        first = wrong[0]
        operands = {name: int(codes[first]) for name, codes in records.items()}
        pytest.fail(f"{spec}: {operands} gives {got[first]:#x}, not {wanted[first]:#x}")
