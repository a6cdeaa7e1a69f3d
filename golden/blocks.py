"""Blocks of elements that share a scale: MX, NVFP4 and block floating point.

A block is `block_size` neighbours along one axis; its values are scale times element. Both are
kept as codes of their formats (see `multipede.golden.formats`).

Sources: OCP Microscaling Formats Specification 1.0, 6.3 (FLOOR); torchao 0.18
`prototype/mx_formats` (CEIL, EVEN, RCEIL and the arithmetic of NVFP4); dmx-compressor 0.1.11
(block floating point).
"""

from dataclasses import KW_ONLY, dataclass
from enum import Enum
from typing import NamedTuple

import numpy as np

from multipede.golden.arrays import ArrayLike, exact_floats, like, refuse, to_numpy
from multipede.golden.formats import (
    E2M1,
    E2M3,
    E3M2,
    E4M3,
    E5M2,
    E8M0,
    FP32,
    UE4M3,
    FixedPoint,
    Float,
    Integer,
    Rounding,
)
from multipede.golden.number_format import require_kinds, require_range, require_type


class ScaleRule(Enum):
    """How the power of two of a block follows from its largest magnitude amax.

    With emax = floor(log2(element.maximum)), all computed exactly:

    =====  ===========================================================================
    FLOOR  floor(log2(amax)) - emax, the default and the minimum that OCP asks; the
           largest element may saturate
    CEIL   ceil(log2(amax)) - emax
    EVEN   floor(log2(r)) - emax, where r is amax rounded to the element's mantissa bits,
           ties upwards; for integers of p bits, p - 2 mantissa bits
    RCEIL  ceil(log2(amax / element.maximum)), the smallest without saturation (NVIDIA)
    =====  ===========================================================================

    For FP32 data RCEIL equals ceil(log2(RNE(amax / maximum))), as others compute it in FP32,
    where the maximum is an FP32 number and the quotient a normal one: then the quotient next
    above a power of two rounds to a number above it.
    """

    FLOOR = "floor"
    CEIL = "ceil"
    EVEN = "even"
    RCEIL = "rceil"

    def __repr__(self) -> str:
        return f"ScaleRule.{self.name}"


class Blocks(NamedTuple):
    """Codes of a quantised array, int64; numpy arrays or torch tensors."""

    elements: ArrayLike
    """Element codes, of the array's shape."""
    scales: ArrayLike
    """Scale codes, of the array's shape with the blocked axis divided by the block size."""
    tensor_scale: ArrayLike | None = None
    """The FP32 code of the scale of the whole tensor; None where the format has none."""


@dataclass(frozen=True)
class SharedExponent:
    """Elements times a power of two per block, held as E8M0: MX and block floating point.

    `element` is a signed float, fixed point or integer format whose values times 2**-127 and
    2**127 are float64. The power of two follows `scale_rule` and is clamped to 2**-127 ..
    2**127; a block of zeros has the scale 2**-127. Elements are value / scale, rounded once by
    `rounding`, and saturate; with `symmetric`, integers never take their lowest code. A NaN or
    an infinity makes the scale of its block NaN (and the elements zero), hence all of its
    values NaN.
    """

    element: Float | FixedPoint | Integer
    block_size: int = 32
    _: KW_ONLY
    scale_rule: ScaleRule = ScaleRule.FLOOR
    rounding: Rounding = Rounding.NEAREST_EVEN
    symmetric: bool = True

    def __post_init__(self) -> None:
        require_kinds("element", self.element, (Float, FixedPoint, Integer))
        require_range("block_size", self.block_size, 1, 1 << 20)
        require_type("scale_rule", self.scale_rule, ScaleRule)
        require_type("rounding", self.rounding, Rounding)
        require_type("symmetric", self.symmetric, bool)
        if not self.element.signed or not 2 <= self.element.bits <= 32:
            raise ValueError(
                f"element = {self.element}: allowed are signed formats of 2 to 32 bits"
            )
        # The lowest bit and the top of the elements, as powers of two.
        lowest, top = self._lowest_exponent, np.frexp(float(self.element.maximum))[1]
        if lowest - E8M0.bias < -1074 or top + E8M0.bias > 1024:
            raise ValueError(
                f"element = {self.element}: allowed are formats whose values times 2**-127 and"
                " 2**127 are float64"
            )

    @property
    def scale(self) -> Float:
        """The format of the scales."""
        return E8M0

    def quantise(self, values: ArrayLike, *, axis: int = -1) -> Blocks:
        """The codes of `values`, floats or integers whose `axis` holds whole blocks.

        Raises TypeError for other dtypes, ValueError for other lengths and for integers beyond
        +-2**53.
        """
        array = exact_floats(values, "values").astype(np.float64)
        array = _split(array, axis, self.block_size)
        amax = np.abs(array).max(axis=-1, initial=0.0)
        finite = np.isfinite(amax)
        exponents = np.clip(self._exponents(np.where(finite, amax, 0.0)), -E8M0.bias, E8M0.bias)
        scaled = _times_power_of_two(np.where(finite[..., None], array, 0.0), -exponents[..., None])
        elements = self.element.encode(scaled, rounding=self.rounding)
        if self.symmetric and not isinstance(self.element, Float):
            elements = np.maximum(elements, -self.element.maximum_code)
        scales = np.where(finite, exponents + E8M0.bias, E8M0.nan_code)
        return Blocks(like(_merge(elements, axis), values), like(_move_back(scales, axis), values))

    def dequantise(self, blocks: Blocks, *, axis: int = -1) -> ArrayLike:
        """The values of `blocks`, exactly, as float64."""
        return like(_merge(_products(self, blocks, axis), axis), blocks.elements)

    def _exponents(self, amax: np.ndarray) -> np.ndarray:
        """Exponents of the scales, int64, for finite `amax` (0 gives the lowest)."""
        mantissa, exponent = np.frexp(amax)
        top_mantissa, top_exponent = np.frexp(float(self.element.maximum))
        match self.scale_rule:
            case ScaleRule.FLOOR:
                up = np.zeros(amax.shape, dtype=bool)
            case ScaleRule.CEIL:
                up = mantissa > 0.5
            case ScaleRule.EVEN:
                up = mantissa >= 1 - 2.0 ** -(self._mantissa_bits + 2)
            case ScaleRule.RCEIL:
                up = mantissa > top_mantissa
        exponents = exponent.astype(np.int64) - int(top_exponent) + up
        return np.where(amax == 0, -E8M0.bias, exponents)

    @property
    def _lowest_exponent(self) -> int:
        """The exponent of the power of two that all elements are multiples of."""
        if isinstance(self.element, Float):
            return 1 - self.element.bias - self.element.mantissa_bits
        return -self.element.fraction_bits

    @property
    def _mantissa_bits(self) -> int:
        if isinstance(self.element, Float):
            return self.element.mantissa_bits
        return self.element.bits - 2


def block_floating_point(bits: int, block_size: int) -> SharedExponent:
    """Two's complement mantissas of `bits` bits, sign included, with one exponent per block.

    The step is 2**(floor(log2(amax)) - (bits - 2)); mantissas are rounded to nearest, ties to
    even, and clipped to +-(2**(bits - 1) - 1).
    """
    require_range("bits", bits, 2, 32)
    return SharedExponent(FixedPoint(bits, bits - 2), block_size)


@dataclass(frozen=True)
class NVFP4:
    """E2M1 elements with a UE4M3 scale per block and an FP32 scale for the whole tensor.

    The arithmetic is that of torchao 0.18, every step rounded to FP32: with t the tensor scale,

    - stored = UE4M3(clamp((amax of the block / 6) / t, 2**-6, 448)),
    - element = E2M1(x * ((1 / t) / stored)), saturating;
    - value = element * stored * t, exactly.

    By default t = max(amax of the tensor / (448 * 6), 2**-120): the bound, which only tensors
    below 2**-108 meet, keeps a tensor of zeros and all reciprocals finite.
    """

    block_size: int = 16

    def __post_init__(self) -> None:
        require_range("block_size", self.block_size, 1, 1 << 20)

    @property
    def element(self) -> Float:
        """The format of the elements."""
        return E2M1

    @property
    def scale(self) -> Float:
        """The format of the scales."""
        return UE4M3

    def quantise(
        self, values: ArrayLike, *, axis: int = -1, tensor_scale: float | None = None
    ) -> Blocks:
        """The codes of `values`, which are first rounded to FP32.

        `tensor_scale` replaces t, as after calibration; 1 gives the format of one level.
        Raises TypeError for other dtypes than floats and integers, and ValueError unless
        `axis` holds whole blocks, for values that are not finite in FP32, and for a
        `tensor_scale` out of 2**-120 .. 2**120.
        """
        source = to_numpy(values, "values")
        with np.errstate(over="ignore"):
            array = source.astype(np.float32)
        refuse(~np.isfinite(array), source, "values", "NVFP4 holds finite FP32 numbers only")
        t = self._tensor_scale(array, tensor_scale)
        array = _split(array, axis, self.block_size)
        block_scale = np.abs(array).max(axis=-1, initial=0) / np.float32(E2M1.maximum)
        stored = np.clip(block_scale / t, UE4M3.smallest_normal, UE4M3.maximum)
        scales = UE4M3.encode(stored)
        reciprocal = (np.float32(1) / t) / UE4M3.decode(scales).astype(np.float32)
        elements = E2M1.encode(array * reciprocal[..., None])
        return Blocks(
            like(_merge(elements, axis), values),
            like(_move_back(scales, axis), values),
            like(FP32.encode(np.asarray(t)), values),
        )

    def dequantise(self, blocks: Blocks, *, axis: int = -1) -> ArrayLike:
        """The values of `blocks`, exactly, as float64."""
        t = FP32.decode(to_numpy(blocks.tensor_scale, "tensor_scale"))
        return like(_merge(_products(self, blocks, axis) * t, axis), blocks.elements)

    @staticmethod
    def _tensor_scale(array: np.ndarray, given: float | None) -> np.float32:
        lowest = 2.0**-120
        if given is None:
            top = np.float32(UE4M3.maximum * E2M1.maximum)
            return np.maximum(np.abs(array).max(initial=0) / top, np.float32(lowest))
        if not lowest <= float(given) <= 1 / lowest:
            raise ValueError(f"tensor_scale = {given}: allowed are 2**-120 to 2**120")
        return np.float32(given)


MXFP8_E4M3 = SharedExponent(E4M3)
MXFP8_E5M2 = SharedExponent(E5M2)
MXFP6_E2M3 = SharedExponent(E2M3)
MXFP6_E3M2 = SharedExponent(E3M2)
MXFP4 = SharedExponent(E2M1)
MXINT8 = SharedExponent(FixedPoint(8, 6))


def _split(array: np.ndarray, axis: int, block_size: int) -> np.ndarray:
    """`array` with `axis` moved last and cut: (..., number of blocks, block_size)."""
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"axis = {axis}: the array has {array.ndim} axes")
    length = array.shape[axis]
    if length % block_size:
        raise ValueError(
            f"axis {axis} has {length} elements: allowed are multiples of block_size {block_size}"
        )
    moved = np.moveaxis(array, axis, -1)
    return moved.reshape(*moved.shape[:-1], length // block_size, block_size)


def _merge(array: np.ndarray, axis: int) -> np.ndarray:
    """The inverse of `_split`."""
    *outer, blocks, block_size = array.shape
    return _move_back(array.reshape(*outer, blocks * block_size), axis)


def _move_back(array: np.ndarray, axis: int) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array, -1, axis))


def _products(form: SharedExponent | NVFP4, blocks: Blocks, axis: int) -> np.ndarray:
    """Scale times element, split into blocks."""
    elements = form.element.check(to_numpy(blocks.elements, "elements"), "elements")
    elements = _split(form.element.decode(elements), axis, form.block_size)
    scales = form.scale.check(to_numpy(blocks.scales, "scales"), "scales")
    scales = np.moveaxis(form.scale.decode(scales), axis, -1)
    if scales.shape != elements.shape[:-1]:
        shapes = f"{tuple(blocks.scales.shape)} for elements of {tuple(blocks.elements.shape)}"
        raise ValueError(
            f"scales has shape {shapes}: allowed is one per {form.block_size} along axis {axis}"
        )
    return elements * scales[..., None]


def _times_power_of_two(values: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """values * 2**exponents, exact but for results that no element could tell from zero.

    Those must not become zero all the same, or directed rounding would lose them.
    """
    scaled = np.ldexp(values, exponents)
    return np.where((scaled == 0) & (values != 0), np.copysign(2.0**-1074, values), scaled)
