"""Truth tables of gates and registers, and what is refused."""

import re

import pytest

from multipede.asic_flow.liberty.cell_behaviour import cell_behaviour
from multipede.asic_flow.liberty.library import read_liberty
from tests.asic_flow.hand_netlists import hand_library


def test_gates_are_functions_of_their_pins():
    found = cell_behaviour(hand_library(), "NAND")
    assert (set(found.variables), found.register) == ({"A", "B"}, None)
    assert found.outputs == {"Y": 0b0111}
    adder = cell_behaviour(hand_library(), "FA")
    assert adder.outputs == {"S": 0b10010110, "CO": 0b11101000}
    assert cell_behaviour(hand_library(), "ONE").outputs == {"Y": 1}


def test_registers_have_a_state():
    found = cell_behaviour(hand_library(), "DFFRS")
    register = found.register
    assert (found.variables, found.outputs) == (("IQ", "IQN"), {"Q": 0b1010, "QN": 0b1100})
    assert (register.clock, register.state) == ("CK", "IQ")
    assert set(register.variables[:-1]) == {"D", "E", "RN", "S"}
    assert register.variables[-1] == "IQ"
    for state in range(32):
        pins = {name: state >> place & 1 for place, name in enumerate(register.variables)}
        assert register.next_state >> state & 1 == (pins["D"] if pins["E"] else pins["IQ"])
        assert register.clear >> state & 1 == 1 - pins["RN"]
        assert register.preset >> state & 1 == pins["S"]
    assert register.cleared_and_preset == (1, 1)
    plain = cell_behaviour(hand_library(), "DFF").register
    assert (plain.variables, plain.next_state, plain.clear, plain.preset) == (
        ("D", "IQ"),
        0b1010,
        0,
        0,
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("NONE", "cell NONE: hand has no such cell"),
        ("DFFN", "cell DFFN: clocked_on : '!CK': only registers on the rising edge"),
        ("LATCH", "cell LATCH: it is a latch: only flip-flops and gates are simulated"),
        ("GATED", "cell GATED: it is a statetable"),
        ("BUS", "cell BUS: pin Y: three-state outputs are not simulated"),
        ("WIDE", "cell WIDE: 'A B C D E F G' has 7 variables: at most 6"),
        ("MUTE", "cell MUTE: pin Y has no function"),
        ("TOGGLE", r"cell TOGGLE: clear_preset_var1, 2 = \['T', 'T'\]: L or H is needed"),
    ],
)
def test_what_cannot_be_simulated_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        cell_behaviour(hand_library(), name)


@pytest.mark.parametrize(
    ("name", "simulated", "refused"),
    [
        ("nangate45_typ.lib.gz", 108, 26),
        ("sky130hd_tt.lib.gz", 373, 55),
        ("sg13g2_typ_1p20V_25C.lib.gz", 63, 21),
    ],
)
def test_of_open_libraries_latches_and_three_state_cells_alone_are_refused(
    liberty_file, name, simulated, refused
):
    """And clock gates, cells without a function (fillers), and registers on the falling edge."""
    library = read_liberty(liberty_file(name))
    done, messages = 0, []
    for cell in library.cells:
        try:
            done += bool(cell_behaviour(library, cell).outputs)
        except ValueError as error:
            messages.append(str(error))
    assert (done, len(library.cells) - done) == (simulated, refused)
    known = r"is a (latch|statetable)|three-state|registers on the rising edge"
    assert all(re.search(known, message) for message in messages)
