"""Implicit neural representations: networks from coordinates to colours."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from multipede.golden.inr_activations import Activation
from multipede.golden.number_format import require_range, require_type

__all__ = ["Inr", "InrLayer", "equal_width", "grid", "psnr"]


MAXIMUM_HIDDEN, MAXIMUM_LAYERS = 4096, 16


class InrLayer(nn.Module):
    """f(scale * (W x + b)); of WIRE the function of two such maps.

    Parameters
    ----------
    activation : f and its scales. inputs, outputs : of the layer.
    first : whether x are coordinates, which SIREN's initialisation treats apart.
    """

    def __init__(self, activation: Activation, inputs: int, outputs: int, *, first: bool):
        super().__init__()
        self.activation = activation
        self.maps = nn.ModuleList(nn.Linear(inputs, outputs) for _ in range(activation.arguments))
        if activation.siren:
            # First layers spread over frequencies; behind them sums keep unit variance.
            bound = 1 / inputs if first else math.sqrt(6 / inputs) / activation.omega
            for linear in self.maps:
                nn.init.uniform_(linear.weight, -bound, bound)

    def arguments(self, x: Tensor) -> list[Tensor]:
        """What the activation is applied to, (..., outputs) each, of x (..., inputs)."""
        scales = self.activation.scales
        return [scale * linear(x) for scale, linear in zip(scales, self.maps, strict=True)]

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., outputs)."""
        return self.activation.function(*self.arguments(x))


class Inr(nn.Module):
    """Layers of one activation and a linear map behind them.

    Parameters
    ----------
    activation : of all layers.
    inputs, hidden, outputs : coordinates (2 of an image, 3 of a video), units of each layer, and
        colours. layers : with an activation, 1 to 16.
    """

    def __init__(
        self,
        activation: Activation,
        *,
        inputs: int = 2,
        hidden: int = 64,
        layers: int = 3,
        outputs: int = 3,
    ):
        super().__init__()
        require_type("activation", activation, Activation)
        for name, value, most in (
            *(("inputs", inputs, 8), ("hidden", hidden, MAXIMUM_HIDDEN)),
            *(("layers", layers, MAXIMUM_LAYERS), ("outputs", outputs, 64)),
        ):
            require_range(name, value, 1, most)
        widths = [inputs, *[hidden] * layers]
        self.activation = activation
        self.layers = nn.ModuleList(
            InrLayer(activation, before, behind, first=i == 0)
            for i, (before, behind) in enumerate(pairwise(widths))
        )
        self.last = nn.Linear(hidden, outputs)
        if activation.siren:
            bound = math.sqrt(6 / hidden) / activation.omega
            nn.init.uniform_(self.last.weight, -bound, bound)

    def forward(self, coordinates: Tensor) -> Tensor:
        """Coordinates (..., inputs) from -1 to 1 to colours (..., outputs), about -1 to 1."""
        x = coordinates
        for layer in self.layers:
            x = layer(x)
        return self.last(x)

    @property
    def parameter_count(self) -> int:
        """Weights and biases."""
        return sum(parameter.numel() for parameter in self.parameters())


def equal_width(activation: Activation, hidden: int) -> int:
    """The width at which a network has about as many parameters as one of ``hidden`` units and one
    linear map per layer: less by the square root of the maps."""
    return max(1, round(hidden / math.sqrt(activation.arguments)))


def grid(*sizes: int) -> Tensor:
    """Coordinates from -1 to 1, the last axis quickest: (product of sizes, number of sizes)."""
    axes = [torch.linspace(-1, 1, size) for size in sizes]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).reshape(-1, len(sizes))


def psnr(colours: Tensor, wanted: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of colours from -1 to 1, which are clipped to that: the
    peak is 2."""
    error = ((colours.clamp(-1, 1) - wanted) ** 2).mean().item()
    return math.inf if error == 0 else 10 * math.log10(4 / error)
