"""A whole implicit neural representation: coordinates in, colours out, weights loaded before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from multipede.golden.fixed_function import ARGUMENT, WAVE
from multipede.golden.formats import UINT1, FixedPoint, Integer, Overflow
from multipede.golden.inr_activations import Activation, activation
from multipede.golden.network_layer import NetworkLayer
from multipede.golden.network_state import NetworkState, written
from multipede.golden.number_format import require_range, require_type
from multipede.golden.rounded_operation import MAXIMUM_STAGES
from multipede.golden.spec import Kind, Port, Spec
from multipede.golden.tile import MAXIMUM_STAGES as MAXIMUM_TILE_STAGES

if TYPE_CHECKING:
    from torch import Tensor

    from multipede.golden.inr import Inr
    from multipede.golden.quantised_inr import QuantisedInr

__all__ = ["InrNetwork"]

MAXIMUM_BITS = 16
WIDE_WEIGHT, WEIGHT = FixedPoint(12, 6), FixedPoint(12, 10)
MAXIMUM_FRACTION_BITS = 24
PERIOD_BITS = 2
"""bits before the point of a period of activations, the sign included"""


@dataclass(frozen=True, kw_only=True)
class InrNetwork(Spec):
    """The network of :class:`~multipede.golden.quantised_inr.QuantisedInr` as one unit: layers of
    tiles and activations, each at work on other coordinates than the next.

    A record with ``load`` writes the weight of sum ``row`` and input ``column`` of layer ``layer``,
    the last one being the linear map behind the activations; sum m of output n of a layer whose
    activation has a arguments is row ``n * a + m``. In the column behind the last input stands the
    bias. ``data`` is the code; a weight's highest bits are left out. Beyond the layer nothing is
    written. All weights are 0 until written, and from each reset on. Any other record gives the
    colours at ``coordinates``, and its ``last`` beside them. One that loads waits until all colours
    before it have been taken.

    Sums are exact; they are rounded to nearest, ties upwards, to the format of the activation's
    argument, where they wrap if the activation is periodic in it and saturate else. Colours
    saturate.

    Parameters
    ----------
    activation : QuadINR, SIREN, FINER, Gauss, WIRE or sinc, in any case.
    dimensions : coordinates, 1 to 8.
    width : units of each layer, 1 to 256.
    depth : layers with an activation, 1 to 16.
    channels : colours, 1 to 64.
    first_weight : format of the first layer's weights, signed fixed point of 2 to 16 bits and at
        most 24 fraction bits.
    weight : format of all other weights, in the same limits.
    argument : format of the activation's argument, in the same limits.
    second_argument : format of the second argument of WIRE, in the same limits.
    value : format of coordinates, activations and colours, signed fixed point of 2 to 16 bits with
        at least one before the point.
    lanes : products that each layer takes up for a sum per clock, a power of two from 1 to 256; no
        layer has more than it can use.
    neurons : sums that each layer works on at once, likewise.
    tile_stages : register ranks of the tiles, 1 to 16.
    activation_stages : register ranks of the activations, 0 to 12.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed.
    """

    unit: ClassVar[str] = "inr_network"
    title: ClassVar[str] = "a whole implicit neural representation, weights loaded at run time"
    kind: ClassVar[Kind] = Kind.NETWORK
    source: ClassVar[str] = "QuadINR (arXiv 2508.14374) and the networks that it is compared with"

    activation: str = "QuadINR"
    dimensions: int = 2
    width: int = 32
    depth: int = 2
    channels: int = 3
    first_weight: FixedPoint = WIDE_WEIGHT
    weight: FixedPoint = WEIGHT
    argument: FixedPoint = WAVE
    second_argument: FixedPoint = ARGUMENT
    value: FixedPoint = WAVE
    lanes: int = 8
    neurons: int = 1
    tile_stages: int = 2
    activation_stages: int = 2

    def __post_init__(self):
        # Of one network there is one specification, whatever case the name was given in.
        object.__setattr__(self, "activation", activation(self.activation).name)
        for name, most in (("dimensions", 8), ("width", 256), ("depth", 16), ("channels", 64)):
            require_range(name, getattr(self, name), 1, most)
        for name in ("first_weight", "weight", "argument", "second_argument", "value"):
            self._check_format(name)
        for name in ("lanes", "neurons"):
            count = getattr(self, name)
            require_range(name, count, 1, 256)
            if count & (count - 1):
                raise ValueError(f"{name} = {count}: a power of two is needed")
        require_range("tile_stages", self.tile_stages, 1, MAXIMUM_TILE_STAGES)
        require_range("activation_stages", self.activation_stages, 0, MAXIMUM_STAGES)
        self._check_periods()
        self._check_activation()

    def _check_format(self, name: str) -> None:
        number_format = getattr(self, name)
        require_type(name, number_format, FixedPoint)
        if not (number_format.signed and 2 <= number_format.bits <= MAXIMUM_BITS):
            raise ValueError(
                f"{name} = {number_format}: signed fixed point of 2 to {MAXIMUM_BITS} bits is"
                " needed"
            )
        # Activations reach 1.
        most = number_format.bits - 1 if name == "value" else MAXIMUM_FRACTION_BITS
        if not 0 <= number_format.fraction_bits <= most:
            raise ValueError(f"{name} = {number_format}: at most {most} fraction bits are allowed")

    def _check_activation(self) -> None:
        """What the activation's own unit asks of its formats."""
        try:
            _ = self.activation_unit
        except ValueError as error:
            names = ("argument", "second_argument")[: self.function.arguments]
            formats = ", ".join(f"{name} = {getattr(self, name)}" for name in (*names, "value"))
            raise ValueError(f"{formats}: {self.activation}'s unit refuses them: {error}") from None

    def _check_periods(self) -> None:
        """What is taken modulo a period must hold one."""
        names = ("argument", "second_argument")
        for name, periodic in zip(names, self.function.periodic, strict=False):
            number_format = getattr(self, name)
            if periodic and number_format.bits - number_format.fraction_bits < PERIOD_BITS:
                raise ValueError(
                    f"{name} = {number_format}: {self.activation} has a period of 4, so that at"
                    f" least {PERIOD_BITS} bits before the point are needed"
                )

    @classmethod
    def of(cls, network: "QuantisedInr", **parameters: Any) -> Self:
        """The unit that computes this network once its weights are loaded.

        ``parameters`` are those that do not follow from it (lanes, neurons, stages). Raises
        TypeError, ValueError as the class, and ValueError if the weights of layers behind the first
        have several formats: quantise with ``shared=True``.
        """
        from multipede.golden.quantised_inr import QuantisedInr

        require_type("network", network, QuantisedInr)
        behind = [linear for maps in network.layers[1:] for linear in maps] + [network.last]
        formats = [sorted({m.weight_format.name for m in maps}) for maps in network.layers[:1]]
        formats.append(sorted({linear.weight_format.name for linear in behind}))
        if any(len(names) > 1 for names in formats):
            raise ValueError(f"network has weights of {formats}: quantise with shared=True")
        first, second = (*network.arguments, cls.second_argument)[:2]
        return cls(
            activation=network.activation.name,
            dimensions=network.layers[0][0].weight.shape[1],
            width=network.last.weight.shape[1],
            depth=len(network.layers),
            channels=network.last.weight.shape[0],
            first_weight=network.layers[0][0].weight_format,
            weight=network.last.weight_format,
            argument=first,
            second_argument=second,
            value=network.coordinates,
            **parameters,
        )

    @property
    def function(self) -> Activation:
        """The activation."""
        return activation(self.activation)

    @cached_property
    def activation_unit(self) -> Spec:
        """The unit of the activation, with its register ranks."""
        arguments = (self.argument, self.second_argument)[: self.function.arguments]
        return replace(self.function.unit(*arguments, self.value), stages=self.activation_stages)

    @cached_property
    def layers(self) -> tuple[NetworkLayer, ...]:
        """The layers, and behind them the linear map to the colours."""
        function = self.function
        wraps = {True: Overflow.WRAP, False: Overflow.SATURATE}
        arguments = (self.argument, self.second_argument)[: function.arguments]
        widths = [self.dimensions, *[self.width] * self.depth]
        hidden = [
            self._layer(
                inputs,
                outputs,
                weight=self.first_weight if number == 0 else self.weight,
                arguments=arguments,
                overflows=tuple(wraps[periodic] for periodic in function.periodic),
                activation=self.activation_unit,
            )
            for number, (inputs, outputs) in enumerate(pairwise(widths))
        ]
        last = self._layer(
            self.width,
            self.channels,
            weight=self.weight,
            arguments=(self.value,),
            overflows=(Overflow.SATURATE,),
            activation=None,
        )
        return (*hidden, last)

    def _layer(self, inputs: int, outputs: int, **rest: Any) -> NetworkLayer:
        return NetworkLayer(
            inputs=inputs,
            outputs=outputs,
            lanes=min(self.lanes, 1 << (inputs - 1).bit_length()),
            neurons=min(self.neurons, 1 << (outputs - 1).bit_length()),
            value=self.value,
            tile_stages=self.tile_stages,
            **rest,
        )

    @property
    def parts(self) -> tuple[Spec, ...]:
        """Tiles and activation."""
        return (*(layer.tile for layer in self.layers), self.activation_unit)

    @property
    def inputs(self) -> Mapping[str, Port]:
        """``load``, ``layer``, ``row``, ``column`` and ``data`` (), ``coordinates`` (dimensions),
        and ``last`` ()."""
        rows = max(layer.results for layer in self.layers)
        columns = max(layer.inputs for layer in self.layers) + 1
        bits = max(layer.bias.bits for layer in self.layers)
        return {
            "load": Port(UINT1, meaning="whether a weight or bias is written"),
            "layer": Port(_numbers(len(self.layers)), meaning="where: number of the layer"),
            "row": Port(_numbers(rows), meaning="where: number of the sum"),
            "column": Port(_numbers(columns), meaning="where: number of the input; then the bias"),
            "data": Port(Integer(bits), meaning="code of the weight or bias"),
            "coordinates": Port(self.value, (self.dimensions,), "where colours are asked for"),
            "last": Port(UINT1, meaning="passed on with the colours: the end of a picture, say"),
        }

    @property
    def outputs(self) -> Mapping[str, Port]:
        """``colours`` (channels) and ``last`` ()."""
        return {
            "colours": Port(self.value, (self.channels,), "of the coordinates"),
            "last": Port(UINT1, meaning="of the record with the coordinates"),
        }

    @property
    def operations(self) -> Mapping[str, int]:
        """Multiply-accumulates and activations of one record with coordinates."""
        return {
            "multiply_accumulate": sum(layer.results * layer.inputs for layer in self.layers),
            "activation": self.width * self.depth,
        }

    @property
    def latency(self) -> int:
        """Clocks through all layers."""
        return sum(layer.latency for layer in self.layers)

    @property
    def initiation_interval(self) -> int:
        """Clocks of the slowest layer."""
        return max(layer.clocks for layer in self.layers)

    @property
    def always_ready(self) -> bool:
        """False."""
        return False

    @property
    def parameter_count(self) -> int:
        """Weights and biases: as many records load them all."""
        return sum(layer.results * (layer.inputs + 1) for layer in self.layers)

    def quantised(self, network: "Inr") -> "QuantisedInr":
        """A network in this unit's formats, so that it can be loaded.

        Raises TypeError, ValueError for a network of another shape, and for weights that the
        formats do not hold.
        """
        from multipede.golden.inr import Inr
        from multipede.golden.quantised_inr import QuantisedInr

        require_type("network", network, Inr)
        weights = [[layer.weight] * layer.maps for layer in self.layers]
        same = network.activation.name == self.activation  # scales are part of the weights
        if not same or len(network.layers) != self.depth:
            raise ValueError(
                f"network has {len(network.layers)} layers of {network.activation.name}: this unit"
                f" has {self.depth} of {self.activation}"
            )
        return QuantisedInr.with_formats(network, weights, self.layers[0].arguments, self.value)

    def load_records(self, network: "QuantisedInr") -> dict[str, np.ndarray]:
        """Records (parameter_count) that load a network's weights and biases.

        Raises TypeError, ValueError if it is none of this unit's shape and formats, or has a bias
        that its format does not hold.
        """
        wanted = InrNetwork.of(network)
        for name in _OF_NETWORKS[: len(_OF_NETWORKS) - 2 + self.function.arguments]:
            self._require_alike(name, wanted)
        layers = [*network.layers, (network.last,)]
        parts = [
            written(number, layer, maps)
            for number, (layer, maps) in enumerate(zip(self.layers, layers, strict=True))
        ]
        where = np.concatenate(parts)
        records = self._zeros(len(where))
        records["load"][:] = 1
        for name, codes in zip(("layer", "row", "column", "data"), where.T, strict=True):
            records[name] = np.ascontiguousarray(codes)
        return records

    def _require_alike(self, name: str, other: "InrNetwork") -> None:
        mine, theirs = getattr(self, name), getattr(other, name)
        if mine != theirs:
            raise ValueError(f"network has {name} {theirs}: this unit has {mine}")

    def coordinate_records(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """Records (n) that ask for the colours at coordinates' codes (n, dimensions), ``last`` with
        the last one.

        Raises TypeError, ValueError unless they are such codes.
        """
        self.inputs["coordinates"].check("codes", codes)
        records = self._zeros(len(codes))
        records["coordinates"] = np.ascontiguousarray(codes, np.int64)
        records["last"][-1:] = 1
        return records

    def _zeros(self, count: int) -> dict[str, np.ndarray]:
        """So many records of zeros."""
        return {
            name: np.zeros((count, *port.shape), np.int64) for name, port in self.inputs.items()
        }

    def reference(
        self, state: NetworkState | None = None, **inputs: "Tensor"
    ) -> "tuple[dict[str, Tensor], NetworkState]":
        """Colours and ``last`` of all records that do not load."""
        import torch

        from multipede.golden.quantised_inr import reference_of

        self.check_tensors(inputs)
        arrays = {name: tensor.to(torch.int64).cpu().numpy() for name, tensor in inputs.items()}
        state = NetworkState.zeros(self.layers) if state is None else state.copied()
        colours = [np.empty((0, self.channels), np.int64)]
        load = arrays["load"] != 0
        edges = np.flatnonzero(np.diff(load)) + 1
        for run in np.split(np.arange(len(load)), edges):
            if len(run) and load[run[0]]:
                state.write(self.layers, {name: codes[run] for name, codes in arrays.items()})
            elif len(run):
                network = self._loaded(state)
                records = arrays["coordinates"][run]
                colours.append(network.codes(records, reference_of(self.activation_unit)))
        outputs = {"colours": np.concatenate(colours), "last": arrays["last"][~load]}
        return {name: torch.from_numpy(codes) for name, codes in outputs.items()}, state

    def _loaded(self, state: NetworkState) -> "QuantisedInr":
        """The network whose weights and biases these are."""
        from multipede.golden.quantised_inr import QuantisedInr

        *hidden, (last,) = state.maps(self.layers)
        return QuantisedInr(self.function, self.activation_unit, tuple(hidden), last, self.value)

    def results_by_record(self, state: Any = None, **inputs: "Tensor") -> "Tensor":
        """One for each record that does not load."""
        self.check_tensors(inputs)
        return 1 - inputs["load"]

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray]:
        """Stretches that load and stretches of coordinates, within the layers; weights and biases
        so small that sums seldom saturate."""
        layers = generator.integers(0, len(self.layers), count)
        results, inputs, bits = (
            np.array(numbers)[layers]
            for numbers in zip(
                *((layer.results, layer.inputs, layer.weight.bits) for layer in self.layers),
                strict=True,
            )
        )
        column = generator.integers(0, inputs + 1)
        spread = bits - 3 + np.where(column == inputs, self.value.bits - 2, 0)
        codes = generator.normal(0, 1, (count, self.dimensions + 1))
        limit = self.inputs["data"].format.maximum
        data = np.rint(codes[:, 0] * 2.0**spread).astype(np.int64).clip(-limit - 1, limit)
        coordinates = np.asarray(self.value.encode(codes[:, 1:] / 2))
        stretch = np.repeat(generator.random(-(-count // STRETCH)) < LOADING, STRETCH)[:count]
        return {
            "load": stretch.astype(np.int64),
            "layer": layers,
            "row": generator.integers(0, results),
            "column": column,
            "data": data,
            "coordinates": coordinates,
            "last": np.zeros(count, np.int64),
        }

    def ended(self, records: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The last record asks for colours, the last ones."""
        load, last = records["load"].copy(), records["last"].copy()
        load[-1:], last[-1:] = 0, 1
        return {**records, "load": load, "last": last}


_OF_NETWORKS = (
    *("activation", "dimensions", "width", "depth", "channels"),
    *("first_weight", "weight", "value", "argument", "second_argument"),
)
"""parameters that follow from a network; the last of WIRE's alone"""

STRETCH = 24
"""records in a row that load, or do not"""
LOADING = 0.7
"""share of the stretches that load"""


def _numbers(count: int) -> Integer:
    """The format of numbers from 0 to less than ``count``."""
    return Integer(max(1, (count - 1).bit_length()), signed=False)
