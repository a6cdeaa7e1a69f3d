"""A planned circuit as RTL: one named signal per node and per register."""

from collections import Counter
from collections.abc import Mapping
from itertools import groupby

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from multipede.hw.arithmetic.circuit import Bit, Operator, Word
from multipede.hw.arithmetic.circuit_plan import CircuitPlan, Placed
from multipede.hw.arithmetic.summation import Summation
from multipede.hw.hierarchy import shared

__all__ = ["emit_circuit"]


def emit_circuit(
    m: Module, platform, plan: CircuitPlan, inputs: Mapping[str, Value]
) -> dict[str, Value]:
    """Write the circuit into ``m``; the values of its outputs, ``plan.ranks`` clocks later."""
    return _Emitter(m, platform, plan).emit(inputs)


class _Emitter:
    def __init__(self, m: Module, platform, plan: CircuitPlan):
        self._m, self._platform, self._plan = m, platform, plan
        self._sums: Counter = Counter()  # by name
        # Per node and rank the signal that holds it, and the places of its bits therein.
        self._signals: dict[tuple[int, int], tuple[Value, dict[int, int]]] = {}

    def emit(self, inputs: Mapping[str, Value]) -> dict[str, Value]:
        plan = self._plan
        for number, placed in plan.placed.items():
            if placed.node.operator is Operator.INPUT:
                value = inputs[placed.node.name].as_unsigned()
                places = {index: index for index in range(placed.node.width)}
            else:
                value = self._node(number, placed)
                places = {index: place for place, index in enumerate(placed.live)}
            self._signals[number, placed.leaves] = value, places
            self._registers(number, placed)
        return {name: self._word(word, plan.ranks) for name, word in plan.circuit.outputs.items()}

    def _registers(self, number: int, placed: Placed) -> None:
        for rank in range(placed.leaves + 1, self._plan.ranks + 1):
            bits = self._plan.registers.get((number, rank))
            if bits is None:
                return
            register = Signal(len(bits), name=f"{placed.node.name}_q{rank}", reset_less=True)
            before = self._word(tuple(Bit(number, index) for index in bits), rank - 1)
            self._m.d.sync += register.eq(before)
            places = {index: place for place, index in enumerate(bits)}
            self._signals[number, rank] = register, places

    def _node(self, number: int, placed: Placed) -> Signal:
        node = placed.node
        signal = Signal(len(placed.live), name=node.name)
        if node.heap is not None:
            self._sum(placed, signal)
            return signal
        operands = [self._word(word, placed.enters) for word in self._plan.operands(number)]
        match node.operator:
            case Operator.AND:
                value = operands[0] & operands[1]
            case Operator.OR:
                value = operands[0] | operands[1]
            case Operator.EXCLUSIVE_OR:
                value = operands[0] ^ operands[1]
            case Operator.MULTIPLEXER:
                value = Mux(*operands)
            case Operator.ANY:
                value = operands[0].any()
            case Operator.ALL:
                value = operands[0].all()
        self._m.d.comb += signal.eq(value)
        return signal

    def _sum(self, placed: Placed, total: Signal) -> None:
        node = placed.node
        ranks = placed.leaves - placed.enters
        component = Summation(node.heap, style=self._plan.style, ranks=ranks)
        pins = {"sum": total}
        for position, (name, operand) in enumerate(node.heap.operands.items()):
            value = self._word(node.inputs[position], placed.taken(position))
            pins[name] = value.as_signed() if operand.signed else value
        self._sums[node.name] += 1
        number = self._sums[node.name]
        instance = f"{node.name}_sum" if number == 1 else f"{node.name}_sum_{number}"
        shared(self._m, self._platform, node.name, component, instance=instance, **pins)

    def _word(self, word: Word, rank: int) -> Value:
        """The bits as they stand behind ``rank``, neighbours of one signal taken as slices."""
        parts = []
        for (source, flipped), run in groupby(word, key=lambda bit: (bit.node, bit.inverted)):
            bits = list(run)
            if source < 0:
                parts.append(Const(-int(flipped) % (1 << len(bits)), len(bits)))
                continue
            value = self._slices(source, [bit.index for bit in bits], rank)
            parts.append(~value if flipped else value)
        return parts[0] if len(parts) == 1 else Cat(parts)

    def _slices(self, source: int, indices: list[int], rank: int) -> Value:
        signal, places = self._signals[source, rank]
        found = [places[index] for index in indices]
        slices: list[list[int]] = []  # first place, number of places, step 0 or 1
        for place in found:
            last = slices[-1] if slices else None
            if last and last[2] in (1, None) and place == last[0] + last[1]:
                last[1:] = [last[1] + 1, 1]
            elif last and last[2] in (0, None) and place == last[0]:
                last[1:] = [last[1] + 1, 0]
            else:
                slices.append([place, 1, None])
        parts = [
            signal[first].replicate(count) if step == 0 else signal[first : first + count]
            for first, count, step in slices
        ]
        return parts[0] if len(parts) == 1 else Cat(parts)
