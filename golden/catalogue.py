"""All units by name: those of Multipede and those of installed plug-ins."""

from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from multipede.golden.spec import Spec

ENTRY_POINT_GROUP = "multipede.units"

UNITS = {
    "bitmod_bit_serial_multiplier": (
        "multipede.golden.bitmod_bit_serial_multiplier:BitModBitSerialMultiplier"
    ),
    "bitmod_dequantiser": "multipede.golden.bitmod_dequantiser:BitModDequantiser",
    "bitmod_exponent_match": "multipede.golden.bitmod_exponent_match:BitModExponentMatch",
    "bitmod_group_accumulator": (
        "multipede.golden.bitmod_group_accumulator:BitModGroupAccumulator"
    ),
    "compensated_lmul": "multipede.golden.compensated_lmul:CompensatedLMul",
    "cordic_sine": "multipede.golden.cordic_sine:CordicSine",
    "dequantiser": "multipede.golden.dequantiser:Dequantiser",
    "dequantise_first_tile": "multipede.golden.dequantise_first_tile:DequantiseFirstTile",
    "exact_lmul_tile": "multipede.golden.exact_lmul_tile:ExactLMulTile",
    "finer": "multipede.golden.finer:Finer",
    "float_adder": "multipede.golden.float_adder:FloatAdder",
    "float_lut_tensor_core": "multipede.golden.float_lut_tensor_core:FloatLutTensorCore",
    "float_multiplier": "multipede.golden.float_multiplier:FloatMultiplier",
    "float_multiplier_tile": "multipede.golden.float_multiplier_tile:FloatMultiplierTile",
    "fused_multiply_add": "multipede.golden.fused_multiply_add:FusedMultiplyAdd",
    "bit_serial_tile": "multipede.golden.bit_serial_tile:BitSerialTile",
    "lmul": "multipede.golden.lmul:LMul",
    "lmul_tile": "multipede.golden.lmul_tile:LMulTile",
    "lut_tensor_core": "multipede.golden.lut_tensor_core:LutTensorCore",
    "gabor": "multipede.golden.gabor:Gabor",
    "inr_network": "multipede.golden.inr_network:InrNetwork",
    "integer_multiplier": "multipede.golden.integer_multiplier:IntegerMultiplier",
    "mitchell": "multipede.golden.mitchell:Mitchell",
    "mixpe": "multipede.golden.mixpe:MixPE",
    "multiplier_tile": "multipede.golden.multiplier_tile:MultiplierTile",
    "number_converter": "multipede.golden.number_converter:NumberConverter",
    "piecewise_polynomial": "multipede.golden.piecewise_polynomial:PiecewisePolynomial",
    "quadinr": "multipede.golden.quadinr:QuadINR",
    "second_level_dequantiser": (
        "multipede.golden.second_level_dequantiser:SecondLevelDequantiser"
    ),
    "sinc_divider": "multipede.golden.sinc_divider:SincDivider",
    "stallable": "multipede.golden.stallable:Stallable",
    "table_precompute": "multipede.golden.table_precompute:TablePrecompute",
    "taylor_sine": "multipede.golden.taylor_sine:TaylorSine",
}
"""unit name -> module and class of its specification"""


@cache
def _plug_ins() -> dict[str, str]:
    return {point.name: point.value for point in entry_points(group=ENTRY_POINT_GROUP)}


def unit_names() -> list[str]:
    """Names of all units, sorted."""
    return sorted(UNITS | _plug_ins())


def unit(name: str) -> type[Spec]:
    """The specification class of a unit. ValueError for an unknown name lists the known ones."""
    where = UNITS.get(name) or _plug_ins().get(name)
    if where is None:
        near = get_close_matches(str(name), unit_names(), n=1)
        meant = f" (is {near[0]} meant?)" if near else ""
        raise ValueError(f"there is no unit {name!r}{meant}: there are {', '.join(unit_names())}")
    module, _, attribute = where.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"unit {name!r} is broken: {where} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Spec)):
        raise ValueError(f"unit {name!r} is broken: {where} is no specification")
    return found


def spec_from_dict(description: dict) -> Spec:
    """The specification that ``Spec.to_dict`` described. ValueError for another description."""
    if not isinstance(description, dict) or not {"unit", "parameters"} <= set(description):
        raise ValueError(f"a description has 'unit' and 'parameters', not {description!r}")
    return unit(description["unit"]).from_parameters(description["parameters"])
