"""Plans of the floating-point units evaluated without RTL, against their references."""

import numpy as np
import pytest
import torch

from multipede.golden.float_adder import FloatAdder
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.fused_multiply_add import FusedMultiplyAdd
from multipede.golden.number_converter import NumberConverter
from multipede.golden.rounded_operation import RoundedOperation
from multipede.hw import Style
from multipede.hw.float_adder import FloatAdderUnit
from multipede.hw.float_multiplier import FloatMultiplierUnit
from multipede.hw.fused_multiply_add import FusedMultiplyAddUnit
from multipede.hw.number_converter import NumberConverterUnit

UNITS = {
    FloatAdder: FloatAdderUnit,
    FloatMultiplier: FloatMultiplierUnit,
    FusedMultiplyAdd: FusedMultiplyAddUnit,
    NumberConverter: NumberConverterUnit,
}


def assert_plan_equals_reference(spec: RoundedOperation, records: dict[str, np.ndarray]) -> None:
    """Compare what the plan's operators compute, without RTL."""
    count = len(next(iter(records.values())))
    bits = {
        name: np.asarray(port.format.to_bits(records[name])) for name, port in spec.inputs.items()
    }
    plan = UNITS[type(spec)].planned(spec, Style.CELLS).circuit
    got = np.broadcast_to(plan.evaluate(**bits)[spec.result_port], count)
    outputs, _ = spec.reference(**{n: torch.from_numpy(codes) for n, codes in records.items()})
    wanted = np.asarray(spec.result.to_bits(outputs[spec.result_port].numpy()))
    (wrong,) = np.nonzero(got != wanted)
    if len(wrong):
        first = wrong[0]
        operands = {name: int(codes[first]) for name, codes in records.items()}
        pytest.fail(f"{spec}: {operands} gives {got[first]:#x}, not {wanted[first]:#x}")
