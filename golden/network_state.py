"""What a network that is loaded at run time holds: weights and biases of its layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from multipede.golden.network_layer import NetworkLayer

if TYPE_CHECKING:
    from multipede.golden.quantised_inr import LinearMap

__all__ = ["NetworkState", "written"]


@dataclass(frozen=True)
class NetworkState:
    """Weights (results, inputs) and biases (results,) of each layer, codes, int64."""

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    @classmethod
    def zeros(cls, layers: Sequence[NetworkLayer]) -> Self:
        """Nothing written yet."""
        return cls(
            tuple(np.zeros((layer.results, layer.inputs), np.int64) for layer in layers),
            tuple(np.zeros(layer.results, np.int64) for layer in layers),
        )

    def copied(self) -> Self:
        """The same, for writing."""
        return type(self)(tuple(map(np.copy, self.weights)), tuple(map(np.copy, self.biases)))

    def write(self, layers: Sequence[NetworkLayer], records: Mapping[str, np.ndarray]) -> None:
        """Carry out records that load, in order: of several writes to a place the last counts."""
        row, column, data = (records[name] for name in ("row", "column", "data"))
        for number, layer in enumerate(layers):
            inside = (records["layer"] == number) & (row < layer.results)
            for matrix, number_format, chosen in (
                (self.weights[number], layer.weight, inside & (column < layer.inputs)),
                (self.biases[number][:, None], layer.bias, inside & (column == layer.inputs)),
            ):
                places = row[chosen], column[chosen] % matrix.shape[1]
                patterns = data[chosen] & ((1 << number_format.bits) - 1)
                matrix[places] = number_format.from_bits(patterns)

    def maps(self, layers: Sequence[NetworkLayer]) -> "list[tuple[LinearMap, ...]]":
        """The linear maps of each layer, one for each argument of its activation."""
        from multipede.golden.quantised_inr import LinearMap

        return [
            tuple(
                LinearMap(
                    weights[number :: layer.maps],
                    biases[number :: layer.maps],
                    layer.weight,
                    layer.value,
                    argument,
                    overflow,
                )
                for number, (argument, overflow) in enumerate(
                    zip(layer.arguments, layer.overflows, strict=True)
                )
            )
            for layer, weights, biases in zip(layers, self.weights, self.biases, strict=True)
        ]


def written(number: int, layer: NetworkLayer, maps: "tuple[LinearMap, ...]") -> np.ndarray:
    """Layer, row, column and code of all weights and biases of a layer: (writes, 4).

    Raises ValueError for a bias that its format does not hold.
    """
    biases = np.stack([linear.bias for linear in maps], axis=1).reshape(-1, 1)
    lowest, highest = layer.bias.minimum_code, layer.bias.maximum_code
    if biases.min() < lowest or biases.max() > highest:
        raise ValueError(
            f"network has biases of layer {number} from {biases.min()} to {biases.max()}: this"
            f" unit holds {layer.bias}, {lowest} to {highest}"
        )
    weights = np.stack([linear.weight for linear in maps], axis=1).reshape(layer.results, -1)
    codes = np.concatenate([weights, biases], axis=1)
    rows, columns = np.indices(codes.shape)
    return np.stack([np.full_like(rows, number), rows, columns, codes], axis=-1).reshape(-1, 4)
