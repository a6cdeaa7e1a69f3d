"""Products of tiles whose multipliers add codes, by their definition, one at a time."""

import torch

from multipede.golden.formats import Float
from multipede.golden.logarithmic_factors import LogarithmicFactors
from tests.golden.float_tile_oracle import float_code_of
from tests.golden.logarithmic_oracle import product_code
from tests.golden.rational_oracle import Number, number
from tests.golden.test_logarithmic_multiplier import correction


def lane_product(
    spec: LogarithmicFactors,
    inputs: dict[str, torch.Tensor],
    record: int,
    row: int,
    column: int,
    lane: int,
) -> Number:
    """The product that a record has in a row, a column and a lane."""
    multiplier = spec.multiplier
    made = multiplier.format

    def converted(number_format: Float, code: int) -> int:
        if number_format == made:
            return code
        return float_code_of(made, number(number_format, code))

    a = converted(spec.activation, int(inputs["a"][record, row, lane]))
    w = converted(spec.weight, int(inputs["w"][record, column, lane]))
    code = product_code(made, multiplier.policies, a, w, correction(multiplier, a, w))
    return number(made, code)
