"""A layer of a network: a vector of values in, weights from a memory, a vector of values out.

The vector is held while the rows of the weight memory go by, one in each clock; behind the tile,
the rounded sums and the activations a queue takes what the next layer is not ready for.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from multipede.golden.network_layer import NetworkLayer
from multipede.golden.number_format import require_type
from multipede.hw import build, inventory
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.arithmetic.rounded_sum import rounded_sum
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import times
from multipede.hw.stream import BypassQueue
from multipede.hw.style import Style
from multipede.hw.unit import delayed
from multipede.hw.weight_memory import WeightMemory

__all__ = ["InrLayer", "InrLayerPlan"]


@dataclass(frozen=True)
class InrLayerPlan:
    """How a layer is built in a style."""

    layer: NetworkLayer
    style: Style

    @cached_property
    def rounded(self) -> tuple[CircuitDesign, ...]:
        """The rounded sum of each argument."""
        layer = self.layer
        return tuple(
            CircuitDesign(
                rounded_sum, (layer.tile.result, layer.bias, argument, overflow), self.style
            )
            for argument, overflow in zip(layer.arguments, layer.overflows, strict=True)
        )

    @property
    def rows(self) -> int:
        """Rows of the memory: the block's number above that of the step."""
        layer = self.layer
        return (layer.blocks - 1 << self.step_bits) + layer.steps

    @property
    def step_bits(self) -> int:
        """Bits of a step's number."""
        return (self.layer.steps - 1).bit_length()

    @property
    def block_bits(self) -> int:
        """Bits of a block's number."""
        return (self.layer.blocks - 1).bit_length()

    @property
    def weights(self) -> tuple[int, int, int]:
        """Rows, words and bits of the memory of weights."""
        return self.rows, self.layer.columns * self.layer.lanes, self.layer.weight.bits

    @property
    def biases(self) -> tuple[int, int, int]:
        """Those of the memory of biases."""
        return self.layer.blocks, self.layer.columns, self.layer.bias.bits

    @property
    def result_bits(self) -> int:
        """Bits of what comes out of the activations at once."""
        return self.layer.neurons * self.layer.result.bits

    @property
    def depth(self) -> int:
        """Results under way or in the queue at the most: as many as a full pace needs."""
        return self.layer.pipeline // self.layer.steps + 1

    def inventory(self) -> Counter:
        """Operators by kind, in bits."""
        layer = self.layer
        count = Counter(inventory(layer.tile, style=self.style))
        for design in self.rounded:
            count += times(design.plan.inventory(), layer.neurons)
        if layer.activation is not None:
            count += times(inventory(layer.activation, style=self.style), layer.neurons)
            # Of validities one is taken.
            count["register"] -= (layer.neurons - 1) * layer.activation.latency
        count["register"] -= layer.tile_stages  # `last` is not taken
        count += WeightMemory.inventory(*self.weights) + WeightMemory.inventory(*self.biases)
        place = (self.depth - 1).bit_length()
        taken = layer.lanes * layer.value.bits
        arguments = sum(argument.bits for argument in layer.arguments)
        count["memory_bit"] += self.depth * self.result_bits
        count["register"] += (
            layer.steps * taken  # the vector
            + (1 + self.step_bits + self.block_bits)  # busy, and the row
            + (taken + 1)  # what the tile takes
            + layer.tile_stages * self.block_bits
            + (layer.neurons * arguments + 1)  # rounded
            + 2 * place
            + 2 * self.depth.bit_length()  # the queue, and its credits
            + layer.blocks * self.result_bits
            + layer.blocks.bit_length()  # what is collected
        )
        return count


class InrLayer(wiring.Component):
    """A layer.

    Members
    -------
    i : In(stream), the inputs, the first one in the lowest bits. o : Out(stream), the outputs.
    write : In(1), whether ``data`` becomes the weight of sum ``row`` and input ``column``, or its
        bias in the column behind the last input. Both must be within the layer.
    """

    def __init__(self, plan: InrLayerPlan):
        require_type("plan", plan, InrLayerPlan)
        self.key = self.plan = plan
        layer = plan.layer
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(layer.inputs * layer.value.bits))),
                "o": Out(stream.Signature(unsigned(layer.outputs * layer.result.bits))),
                "write": In(1),
                "row": In(unsigned(max(1, (layer.results - 1).bit_length()))),
                "column": In(unsigned(layer.inputs.bit_length())),
                "data": In(unsigned(layer.bias.bits)),
            }
        )

    def duplicate(self) -> "InrLayer":
        """Another component for the same plan."""
        return InrLayer(self.plan)

    def elaborate(self, platform) -> Module:
        m = Module()
        layer = self.plan.layer
        rows = self._rows(m)
        lanes = delayed(m, rows.lanes, 1, name="lanes")
        valid = delayed(m, rows.given, 1, name="row_valid", reset=True)
        weights = self._weights(m, platform, rows)
        sums, summed = self._sums(m, platform, lanes, weights, valid)
        biases = self._biases(m, platform, rows)
        rounded = delayed(m, self._rounded(m, platform, sums, biases), 1, name="rounded")
        valid = delayed(m, summed, 1, name="rounded_valid", reset=True)
        if layer.activation is not None:
            rounded, valid = self._activated(m, platform, rounded, valid)
        self._collected(m, platform, rows, rounded, valid)
        return m

    def _rows(self, m: Module) -> "_Rows":
        """Hold a vector while its rows go by. A block's last row waits for room for its results."""
        layer, plan = self.plan.layer, self.plan
        lane_bits = layer.lanes * layer.value.bits
        vector = Signal(layer.steps * lane_bits, name="vector", reset_less=True)
        step = _counter(plan.step_bits, "step")
        block = _counter(plan.block_bits, "block")
        busy, has_room = Signal(name="busy"), Signal(name="has_room")
        given, sum_ends = Signal(name="row_given"), Signal(name="sum_ends")
        vector_ends = Signal(name="vector_ends")
        m.d.comb += [
            sum_ends.eq(step == layer.steps - 1),
            given.eq(busy & (has_room | ~sum_ends)),
            vector_ends.eq(given & sum_ends & (block == layer.blocks - 1)),
            self.i.ready.eq(~busy | vector_ends),
        ]
        with m.If(given):
            m.d.sync += vector.eq(Cat(vector[lane_bits:], vector[:lane_bits]))
            if plan.step_bits:
                m.d.sync += step.eq(Mux(sum_ends, 0, step + 1))
            if plan.block_bits:
                m.d.sync += block.eq(block + sum_ends)
        with m.If(self.i.ready):
            m.d.sync += [busy.eq(self.i.valid), vector.eq(self.i.payload)]
            m.d.sync += [number.eq(0) for number in (step, block) if isinstance(number, Signal)]
        return _Rows(vector[:lane_bits], step, block, given, given & sum_ends, has_room)

    def _place(self) -> tuple[Value, Value, Value, Value]:
        """Where a write goes: the block, the column of the tile, the step and the lane."""
        layer = self.plan.layer
        columns = (layer.columns - 1).bit_length()
        lanes = (layer.lanes - 1).bit_length()
        return self.row[columns:], self.row[:columns], self.column[lanes:], self.column[:lanes]

    def _weights(self, m: Module, platform, rows: "_Rows") -> Value:
        """The row's weights, in the clock behind."""
        layer, plan = self.plan.layer, self.plan
        block, column, step, lane = self._place()
        words = Signal(layer.columns * layer.lanes * layer.weight.bits, name="weights")
        shared(
            m,
            platform,
            "weights",
            WeightMemory(*plan.weights),
            instance="weight_memory",
            row=Cat(rows.step, rows.block),
            words_out=words,
            write=self.write & (self.column != layer.inputs),
            row_in=Cat(step[: plan.step_bits], block),
            word=Cat(lane, column),
            data=self.data[: layer.weight.bits],
        )
        return words

    def _biases(self, m: Module, platform, rows: "_Rows") -> Value:
        """The block's biases, beside its sums."""
        layer, plan = self.plan.layer, self.plan
        block, column, _, _ = self._place()
        words = Signal(layer.columns * layer.bias.bits, name="biases")
        shared(
            m,
            platform,
            "biases",
            WeightMemory(*plan.biases),
            instance="bias_memory",
            row=delayed(m, rows.block, layer.tile_stages if plan.block_bits else 0, name="block"),
            words_out=words,
            write=self.write & (self.column == layer.inputs),
            row_in=block,
            word=column,
            data=self.data,
        )
        return words

    def _sums(
        self, m: Module, platform, lanes: Value, weights: Value, valid: Value
    ) -> tuple[Value, Value]:
        """The tile's sums, one behind the other, and whether they are complete."""
        layer = self.plan.layer
        tile = layer.tile
        sums = Signal(sum(port.bits for port in tile.outputs.values()), name="sums")
        summed = Signal(name="summed")
        ports = {"a": lanes, "w": weights, "last": Const(0, 1)}
        shared(
            m,
            platform,
            "tile",
            build(tile, style=self.plan.style),
            instance="tile",
            i_valid=valid,
            i_payload=Cat(ports[name] for name in tile.inputs),
            o_valid=summed,
            o_payload=sums,
        )
        return sums, summed

    def _rounded(self, m: Module, platform, sums: Value, biases: Value) -> Value:
        """The activation's arguments, those of each neuron one behind the other."""
        layer = self.plan.layer
        found = []
        for column in range(layer.columns):
            which = column % layer.maps
            argument = Signal(layer.arguments[which].bits, name=f"argument_{column}")
            shared(
                m,
                platform,
                "rounded_sum",
                CircuitComponent(self.plan.rounded[which]),
                instance=f"rounded_sum_{column}",
                sum=sums.word_select(column, layer.tile.result.bits),
                bias=biases.word_select(column, layer.bias.bits),
                rounded=argument,
            )
            found.append(argument)
        return Cat(found)

    def _activated(
        self, m: Module, platform, arguments: Value, valid: Value
    ) -> tuple[Value, Value]:
        """The activations, and whether they are there."""
        layer = self.plan.layer
        bits = len(arguments) // layer.neurons
        found, validities = [], []
        for neuron in range(layer.neurons):
            result = Signal(layer.value.bits, name=f"activation_{neuron}")
            result_valid = Signal(name=f"activation_{neuron}_valid")
            shared(
                m,
                platform,
                "activation",
                build(layer.activation, style=self.plan.style),
                instance=f"activation_unit_{neuron}",
                i_valid=valid,
                i_payload=arguments.word_select(neuron, bits),
                o_valid=result_valid,
                o_payload=result,
            )
            found.append(result)
            validities.append(result_valid)
        return Cat(found), validities[0]

    def _collected(self, m: Module, platform, rows: "_Rows", results: Value, valid: Value) -> None:
        """Queue the results and make vectors of them."""
        layer, plan = self.plan.layer, self.plan
        first, first_valid = Signal(plan.result_bits, name="first"), Signal(name="first_valid")
        has_place = Signal(name="first_has_place")
        used = Signal(range(plan.depth + 1), name="used")
        collected = Signal(layer.blocks * plan.result_bits, name="collected", reset_less=True)
        count = Signal(range(layer.blocks + 1), name="count")
        full, taken = Signal(name="full"), Signal(name="taken")
        m.d.comb += [
            rows.has_room.eq(used != plan.depth),
            full.eq(count == layer.blocks),
            self.o.valid.eq(full),
            self.o.payload.eq(collected),
            has_place.eq(~full | self.o.ready),
            taken.eq(first_valid & has_place),
        ]
        shared(
            m,
            platform,
            "queue",
            BypassQueue(unsigned(plan.result_bits), depth=plan.depth),
            instance="queue",
            i_payload=results,
            i_valid=valid,
            i_ready=Signal(name="queue_ready"),  # never 0 where there are credits
            o_payload=first,
            o_valid=first_valid,
            o_ready=has_place,
        )
        m.d.sync += used.eq(used + rows.result_due - taken)
        with m.If(taken):
            m.d.sync += collected.eq(Cat(collected, first)[plan.result_bits :])
        with m.If(full & self.o.ready):
            m.d.sync += count.eq(taken)
        with m.Elif(taken):
            m.d.sync += count.eq(count + 1)


def _counter(bits: int, name: str) -> Value:
    """A register that counts, or nothing where there is nothing to count."""
    return Signal(bits, name=name, reset_less=True) if bits else Const(0, 0)


@dataclass(frozen=True)
class _Rows:
    """What the vector gives in a clock: values for ``lanes``, the number of the row, whether it is
    ``given``, and whether a result follows from it; ``has_room`` says whether one may."""

    lanes: Value
    step: Value
    block: Value
    given: Signal
    result_due: Value
    has_room: Signal
