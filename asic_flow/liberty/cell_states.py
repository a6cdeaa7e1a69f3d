"""The states that a cell can be in, to weigh what its Liberty file gives by state.

A state is an assignment to the cell's input pins and to a register's own state; all outputs follow
from it, so that conditions on inputs and outputs are told apart exactly. Inputs and state are taken
as independent of each other.
"""

from functools import cached_property

import numpy as np

from multipede.asic_flow.liberty.boolean import difference, truth_table
from multipede.asic_flow.liberty.cell_behaviour import CellBehaviour
from multipede.asic_flow.liberty.library import Cell

__all__ = ["CellStates"]


class CellStates:
    """States of one kind of cell, numbered: bit ``k`` is the value of variable ``k``.

    ``variables`` are the input pins and, last, a register's state.
    """

    def __init__(self, cell: Cell, behaviour: CellBehaviour):
        self._behaviour = behaviour
        register = behaviour.register
        self.variables = (*cell.inputs, *([register.state] if register else []))

    @property
    def count(self) -> int:
        """How many there are."""
        return 1 << len(self.variables)

    @cached_property
    def outputs(self) -> dict[str, np.ndarray]:
        """The value of each output pin in each state: bool (count,)."""
        numbers = np.arange(self.count)
        register = self._behaviour.register
        if register is None:
            own = numbers
        else:
            state = numbers >> (len(self.variables) - 1) & 1
            own = state | (1 - state) << 1
        return {
            pin: np.array([bool(table >> int(place) & 1) for place in own])
            for pin, table in self._behaviour.outputs.items()
        }

    def where(self, condition: str) -> np.ndarray:
        """In which states a condition on pins holds: bool (count,).

        Raises ValueError for one that cannot be read or names something else.
        """
        names = [*self.variables, *self.outputs]
        table = truth_table(condition, names)
        extended = np.arange(self.count)
        for place, values in enumerate(self.outputs.values(), start=len(self.variables)):
            extended = extended | values.astype(int) << place
        return np.array([bool(table >> int(place) & 1) for place in extended])

    def sensitive(self, output: str, pin: str) -> np.ndarray:
        """In which states a change of the input would change the output: bool (count,)."""
        table = sum(int(value) << i for i, value in enumerate(self.outputs[output]))
        changed = difference(table, self.variables.index(pin), len(self.variables))
        return np.array([bool(changed >> i & 1) for i in range(self.count)])

    def probabilities(self, of_variables: np.ndarray) -> np.ndarray:
        """From the probability that each variable is 1, (n, variables), that of each state."""
        found = np.ones((len(of_variables), 1))
        for column in of_variables.T:
            found = np.concatenate([found * (1 - column)[:, None], found * column[:, None]], axis=1)
        return found
