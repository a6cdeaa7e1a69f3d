"""Boolean functions of Liberty files."""

from itertools import product

import pytest

from multipede.asic_flow.boolean import truth_table

FUNCTIONS = {
    "A": lambda a, b, c: a,
    "!A": lambda a, b, c: not a,
    "A'": lambda a, b, c: not a,
    "A B": lambda a, b, c: a and b,
    "A*B+C": lambda a, b, c: (a and b) or c,
    "A & B | C": lambda a, b, c: (a and b) or c,
    "A | B & C": lambda a, b, c: a or (b and c),
    "A ^ B & C": lambda a, b, c: a ^ (b and c),
    "A | B ^ C": lambda a, b, c: a or (b ^ c),
    "!(A & B)": lambda a, b, c: not (a and b),
    "(A B)' C": lambda a, b, c: not (a and b) and c,
    "!A !B": lambda a, b, c: not a and not b,
    "((A & B) | (C & (A | B)))": lambda a, b, c: a + b + c >= 2,
    "1": lambda a, b, c: True,
    "A & 0": lambda a, b, c: False,
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_assignment(function):
    expected = sum(
        bool(FUNCTIONS[function](a, b, c)) << (a | b << 1 | c << 2)
        for a, b, c in product((0, 1), repeat=3)
    )
    assert truth_table(function, ["A", "B", "C"]) == expected


@pytest.mark.parametrize("function", ["", "A &", "A & D", "(A", "A)", "A # B", "& A"])
def test_what_cannot_be_read_is_quoted(function):
    with pytest.raises(ValueError, match=r"function '.*': cannot read"):
        truth_table(function, ["A", "B"])
