"""Networks in fixed point: integer weights, exact sums, activations as their units compute them.

A layer's sums are exact: a dot product of weight codes and input codes, and a bias with as many
fraction bits as both together. A sum is rounded to nearest, ties upwards, to the format of the
activation's argument; where the activation is periodic in it, it wraps, and saturates else. The
last layer's sums are rounded to the output's format likewise, and saturate.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from multipede.golden.formats import FixedPoint, Overflow
from multipede.golden.inr import Inr
from multipede.golden.inr_activations import Activation
from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Spec

__all__ = ["LinearMap", "QuantisedInr", "reference_of", "rounded_sums"]

FLOAT64_BITS = 53
MAXIMUM_FRACTION_BITS = 24

ActivationFunction = Callable[..., np.ndarray]
"""codes of the arguments, by their ports' names, to the results' codes (int64)"""


@dataclass(frozen=True)
class LinearMap:
    """A linear map in fixed point.

    Attributes
    ----------
    weight : codes (outputs, inputs), int64, of ``weight_format``. bias : codes (outputs,) of as
        many fraction bits as a product of weight and input has.
    inputs, argument : formats of what goes in and of what the sums are rounded to.
    overflow : what sums beyond ``argument`` become, WRAP or SATURATE.
    """

    weight: np.ndarray
    bias: np.ndarray
    weight_format: FixedPoint
    inputs: FixedPoint
    argument: FixedPoint
    overflow: Overflow

    @property
    def places(self) -> int:
        """Fraction bits of the exact sums."""
        return self.weight_format.fraction_bits + self.inputs.fraction_bits

    @property
    def accumulator_bits(self) -> int:
        """Bits that hold every sum, sign included."""
        largest = np.abs(self.weight).sum(axis=1).max() << (self.inputs.bits - 1)
        return int(largest + np.abs(self.bias).max()).bit_length() + 1

    def sums(self, codes: np.ndarray) -> np.ndarray:
        """The exact sums (n, outputs), int64, of input codes (n, inputs)."""
        # float64 multiplies matrices quickly, and exactly as long as all sums have so few bits.
        kind = np.float64 if self.accumulator_bits <= FLOAT64_BITS else np.int64
        product = codes.astype(kind) @ self.weight.T.astype(kind)
        return product.astype(np.int64) + self.bias

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """The sums' codes in ``argument``."""
        return rounded_sums(self.sums(codes), self.places, self.argument, self.overflow)


def rounded_sums(
    sums: np.ndarray, places: int, argument: FixedPoint, overflow: Overflow
) -> np.ndarray:
    """Codes of sums of so many fraction bits, rounded to nearest, ties upwards."""
    drop = places - argument.fraction_bits
    if drop > 0:
        codes = (sums + (1 << drop >> 1)) >> drop
    else:
        if overflow is Overflow.SATURATE:  # what is beyond stays so, and within 64 bits
            sums = sums.clip(argument.minimum_code - 1, argument.maximum_code + 1)
        codes = sums << -drop
    below, above = codes < argument.minimum_code, codes > argument.maximum_code
    return argument.admit(codes, below, above, overflow)


@dataclass(frozen=True)
class QuantisedInr:
    """A network in fixed point.

    Attributes
    ----------
    activation : of all layers but the last. unit : its specification.
    layers : the linear maps of each layer, as many as the activation has arguments.
    last : the linear map behind them. coordinates : format of what goes in.
    """

    activation: Activation
    unit: Spec
    layers: tuple[tuple[LinearMap, ...], ...]
    last: LinearMap
    coordinates: FixedPoint

    @classmethod
    def of(
        cls,
        network: Inr,
        coordinates: Tensor,
        *,
        weight_bits: int = 12,
        bits: int = 16,
        shared: bool = False,
    ) -> "QuantisedInr":
        """The network quantised.

        Weights have as many fraction bits as the largest of a map leaves of ``weight_bits``; with
        ``shared``, of all maps of the first layer together, and of all others together, as
        :class:`~multipede.golden.inr_network.InrNetwork` needs it. The activation's scale is part
        of them. Activations' results have ``bits`` bits, two before the point, and their arguments
        just a period, or as many before the point as the arguments at ``coordinates`` (n, inputs)
        need.

        Raises TypeError or ValueError for parameters out of range (bits 8 to 24).
        """
        require_type("network", network, Inr)
        require_range("weight_bits", weight_bits, 4, 24)
        require_range("bits", bits, 8, 24)
        _require_coordinates(network, coordinates)
        value = FixedPoint(bits, bits - 2)
        weights = _weight_formats(network, weight_bits, shared)
        return cls.with_formats(
            network, weights, _argument_formats(network, coordinates, bits), value
        )

    @classmethod
    def with_formats(
        cls,
        network: Inr,
        weights: Sequence[Sequence[FixedPoint]],
        arguments: Sequence[FixedPoint],
        value: FixedPoint,
    ) -> "QuantisedInr":
        """The network in formats given: of the weights of each layer's maps and of the last map, of
        the activation's arguments, and of all other values.

        Raises ValueError for a weight that its format does not hold.
        """
        activation = network.activation
        overflows = [
            Overflow.WRAP if periodic else Overflow.SATURATE for periodic in activation.periodic
        ]
        layers = []
        for number, (maps, formats) in enumerate(zip(_scaled_maps(network), weights, strict=True)):
            last = number == len(network.layers)
            behind = ([value], [Overflow.SATURATE]) if last else (arguments, overflows)
            layers.append(
                tuple(
                    _quantised(f"layer {number}", *pair, weight, value, argument, overflow)
                    for pair, weight, argument, overflow in zip(maps, formats, *behind, strict=True)
                )
            )
        *hidden, (final,) = layers
        return cls(activation, activation.unit(*arguments, value), tuple(hidden), final, value)

    @property
    def arguments(self) -> tuple[FixedPoint, ...]:
        """The formats of the activation's arguments."""
        return tuple(linear.argument for linear in self.layers[0])

    def __call__(self, coordinates: Tensor, function: ActivationFunction | None = None) -> Tensor:
        """Colours (n, outputs), float32, at coordinates (n, inputs) from -1 to 1.

        ``function`` computes the activations; None for the unit's reference.
        """
        function = reference_of(self.unit) if function is None else function
        codes = np.asarray(self.coordinates.encode(coordinates.cpu().double().numpy()))
        places = self.last.argument.fraction_bits
        colours = np.ldexp(self.codes(codes, function).astype(np.float64), -places)
        return torch.from_numpy(colours.astype(np.float32))

    def codes(self, codes: np.ndarray, function: ActivationFunction) -> np.ndarray:
        """The output's codes (n, outputs) of coordinate codes (n, inputs)."""
        names = list(self.unit.inputs)
        for maps in self.layers:
            arguments = {
                name: linear(codes).reshape(-1) for name, linear in zip(names, maps, strict=True)
            }
            codes = function(**arguments).reshape(len(codes), -1)
        return self.last(codes)


def reference_of(unit: Spec) -> ActivationFunction:
    """The activation by the unit's reference."""

    def function(**codes: np.ndarray) -> np.ndarray:
        tensors = {name: torch.from_numpy(array) for name, array in codes.items()}
        outputs, _ = unit.reference(**tensors)
        return outputs["y"].numpy()

    return function


def _argument_formats(network: Inr, coordinates: Tensor, bits: int) -> list[FixedPoint]:
    """Two bits before the point of what is periodic; else as many as arguments need."""
    activation = network.activation
    largest = [0.0] * activation.arguments
    with torch.no_grad():
        x = coordinates
        for layer in network.layers:
            arguments = layer.arguments(x)
            largest = [
                max(m, float(u.abs().max())) for m, u in zip(largest, arguments, strict=True)
            ]
            x = activation.function(*arguments)
    formats = []
    for most, periodic, bound in zip(largest, activation.periodic, activation.bounds, strict=True):
        reach = most if bound is None else min(most, bound)
        whole = 1 if periodic else max(1, math.frexp(reach)[1])
        formats.append(FixedPoint(bits, max(1, bits - 1 - whole)))
    return formats


def _require_coordinates(network: Inr, coordinates: Tensor) -> None:
    require_type("coordinates", coordinates, Tensor)
    inputs = network.layers[0].maps[0].in_features
    if coordinates.dim() != 2 or coordinates.shape[1] != inputs or not len(coordinates):
        raise ValueError(f"coordinates {tuple(coordinates.shape)}: (n, {inputs}) is needed")


def _scaled_maps(network: Inr) -> list[list[tuple[Tensor, Tensor]]]:
    """Weights and biases of each layer's maps, activations' scales in them, and of the last map."""
    scales = network.activation.scales
    with torch.no_grad():
        hidden = [
            [
                (scale * linear.weight, scale * linear.bias)
                for scale, linear in zip(scales, layer.maps, strict=True)
            ]
            for layer in network.layers
        ]
        return [*hidden, [(network.last.weight.detach(), network.last.bias.detach())]]


def _weight_formats(network: Inr, bits: int, shared: bool) -> list[list[FixedPoint]]:
    """Of each map, with the most fraction bits that its largest weight leaves, or the largest of
    those that share the format."""
    largest = [[float(weight.abs().max()) for weight, _ in maps] for maps in _scaled_maps(network)]
    if shared:
        first, *behind = largest
        most = max(max(maps) for maps in behind)
        largest = [[max(first)] * len(first), *([most] * len(maps) for maps in behind)]
    return [[_holding(most, bits) for most in maps] for maps in largest]


def _holding(largest: float, bits: int) -> FixedPoint:
    whole = math.frexp(largest)[1] if largest else 0
    return FixedPoint(bits, min(max(0, bits - 1 - whole), MAXIMUM_FRACTION_BITS))


def _quantised(
    where: str,
    weight: Tensor,
    bias: Tensor,
    weight_format: FixedPoint,
    inputs: FixedPoint,
    argument: FixedPoint,
    overflow: Overflow,
) -> LinearMap:
    """The map in fixed point; ``where`` it is, for the error."""
    largest = float(weight.abs().max())
    if largest > weight_format.maximum + Fraction(1, 1 << weight_format.fraction_bits):
        raise ValueError(
            f"network has weights of up to {largest:.4g} in {where}: {weight_format} holds"
            f" {float(weight_format.maximum):.4g}"
        )
    places = weight_format.fraction_bits + inputs.fraction_bits
    codes = np.asarray(weight_format.encode(weight.cpu().double().numpy()))
    biases = np.rint(np.ldexp(bias.cpu().double().numpy(), places)).astype(np.int64)
    if overflow is Overflow.WRAP:  # where whole rounds of the argument make no difference
        round_bits = places + argument.bits - argument.fraction_bits
        biases = (biases + (1 << round_bits - 1) & (1 << round_bits) - 1) - (1 << round_bits - 1)
    return LinearMap(codes, biases, weight_format, inputs, argument, overflow)
