"""One layer of a network in hardware: how its weights lie in rows, and the formats around it."""

from dataclasses import dataclass

from multipede.golden.formats import FixedPoint, Integer, Overflow
from multipede.golden.multiplier_tile import MultiplierTile
from multipede.golden.spec import Spec

__all__ = ["NetworkLayer"]


BIAS_BITS = 2
"""bits that biases have more before the point"""


@dataclass(frozen=True)
class NetworkLayer:
    """Weights (results, inputs) and biases (results,) in front of activations.

    In each clock a tile takes one row: the weights of ``columns`` results, each for ``lanes``
    inputs. Where they do not divide the layer, the weights beyond it are zeros.

    Attributes
    ----------
    inputs, outputs : values that go in and come out.
    lanes, neurons : values that go in and outputs, per clock; powers of two.
    weight, value : formats of the weights and of what goes in.
    arguments : formats of the sums behind each output, as many as the activation has arguments.
    overflows : what sums beyond them become.
    activation : the unit behind the sums; None for none, where they are the outputs.
    tile_stages : register ranks of the tile.
    """

    inputs: int
    outputs: int
    lanes: int
    neurons: int
    weight: FixedPoint
    value: FixedPoint
    arguments: tuple[FixedPoint, ...]
    overflows: tuple[Overflow, ...]
    activation: Spec | None
    tile_stages: int

    @property
    def maps(self) -> int:
        """Sums behind each output."""
        return len(self.arguments)

    @property
    def results(self) -> int:
        """Rows of the matrix of weights: sum m of output n is number ``n * maps + m``."""
        return self.outputs * self.maps

    @property
    def columns(self) -> int:
        """Sums that the tile works on at once."""
        return self.neurons * self.maps

    @property
    def steps(self) -> int:
        """Clocks of one sum."""
        return -(-self.inputs // self.lanes)

    @property
    def blocks(self) -> int:
        """How often the inputs are gone through."""
        return -(-self.outputs // self.neurons)

    @property
    def clocks(self) -> int:
        """Clocks from one vector of inputs to the next."""
        return self.steps * self.blocks

    @property
    def places(self) -> int:
        """Fraction bits of products, sums and biases."""
        return self.weight.fraction_bits + self.value.fraction_bits

    @property
    def bias(self) -> FixedPoint:
        """Format of the biases: with more bits before the point than products and arguments."""
        product = self.weight.bits + self.value.bits - self.places
        whole = max(product, *(a.bits - a.fraction_bits for a in self.arguments)) + BIAS_BITS
        return FixedPoint(whole + self.places, self.places)

    @property
    def tile(self) -> MultiplierTile:
        """The unit that multiplies and adds."""
        return MultiplierTile(
            weight=Integer(self.weight.bits),
            activation=Integer(self.value.bits),
            rows=1,
            columns=self.columns,
            lanes=self.lanes,
            group=self.steps * self.lanes,
            stages=self.tile_stages,
        )

    @property
    def result(self) -> FixedPoint:
        """Format of the outputs."""
        return self.arguments[0] if self.activation is None else self.value

    @property
    def pipeline(self) -> int:
        """Clocks from a row's number to the result: the memory, the tile, the rounded sum, the
        activation."""
        return 2 + self.tile_stages + (self.activation.latency if self.activation else 0)

    @property
    def latency(self) -> int:
        """Clocks from the acceptance of the inputs to the validity of the outputs."""
        return self.clocks + self.pipeline + 1
