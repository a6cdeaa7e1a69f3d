"""Circuits in which operators that do the same are one."""

from multipede.hw.arithmetic.circuit import Circuit, Operator, Word

__all__ = ["SharingCircuit"]


class SharingCircuit(Circuit):
    """A circuit that makes an operator on the same operands only once, under its first name.

    The sum and the difference of two floats then share all but the last of their operators.
    """

    def __init__(self):
        super().__init__()
        self._made_already: dict[tuple, Word] = {}

    def copy(self) -> "SharingCircuit":
        """A circuit of the same nodes, to try something out on."""
        other = SharingCircuit()
        other.nodes = list(self.nodes)
        other._made_already = dict(self._made_already)
        return other

    def _new(self, operator, name, inputs, width, heap=None) -> Word:
        if operator is Operator.INPUT:
            return super()._new(operator, name, inputs, width, heap)
        summed = heap and (tuple(heap.operands.items()), heap.rows, heap.constant)
        key = operator, inputs, width, summed
        if key not in self._made_already:
            self._made_already[key] = super()._new(operator, name, inputs, width, heap)
        return self._made_already[key]
