"""States of cells: conditions, dependence and probabilities, by hand."""

import numpy as np
import pytest

from multipede.asic_flow.liberty.cell_behaviour import cell_behaviour
from multipede.asic_flow.liberty.cell_states import CellStates
from tests.asic_flow.hand_netlists import hand_library


def states(kind: str) -> CellStates:
    return CellStates(hand_library().cells[kind], cell_behaviour(hand_library(), kind))


def test_conditions_on_inputs_and_outputs():
    nand = states("NAND")
    assert nand.variables == ("B", "A")  # that of the larger capacitance first
    assert nand.where("A !B").tolist() == [False, False, True, False]
    assert nand.where("!Y").tolist() == [False, False, False, True]
    with pytest.raises(ValueError, match="cannot read"):
        nand.where("Q")


def test_a_register_is_in_one_of_its_states_and_its_outputs_follow():
    register = states("DFFR")
    assert register.variables[-1] == "IQ"
    assert (register.outputs["Q"] != register.outputs["QN"]).all()
    assert not register.where("Q QN").any()
    assert (register.where("Q") == register.where("!QN")).all()


def test_dependence():
    adder = states("FA")
    assert adder.sensitive("S", "A").all()
    carries = adder.sensitive("CO", "A")
    assert (carries == adder.where("B ^ C")).all()


def test_probabilities():
    found = states("NAND").probabilities(np.array([[0.25, 0.8], [1.0, 0.0]]))
    assert found == pytest.approx(np.array([[0.15, 0.05, 0.6, 0.2], [0, 1, 0, 0]]))
    assert states("ONE").probabilities(np.zeros((2, 0))).tolist() == [[1.0], [1.0]]
