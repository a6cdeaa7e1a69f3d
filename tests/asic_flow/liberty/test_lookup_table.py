"""Tables of two variables: at their points, between them and beyond."""

import numpy as np
import pytest

from multipede.asic_flow.liberty.lookup_table import LookupTable, TableStack

TABLE = LookupTable(
    np.array([1.0, 2.0, 4.0]), np.array([0.0, 10.0]), np.array([[1.0, 3.0], [2.0, 6.0], [8.0, 8.0]])
)


def test_points_are_met():
    for i, row in enumerate(TABLE.rows):
        for j, column in enumerate(TABLE.columns):
            assert TABLE.at(row, column) == TABLE.values[i, j]


def test_between_points_it_is_bilinear():
    assert TABLE.at(1.5, 0) == 1.5
    assert TABLE.at(1, 5) == 2
    # By hand: 3 at (1.5, 5), between 2 and 4.
    assert TABLE.at(1.5, 5) == 3


def test_beyond_it_goes_on_as_between_the_last_two():
    assert TABLE.at(6, 0) == 14
    assert TABLE.at(0, 0) == 0
    assert TABLE.at(1, 20) == 5
    assert TABLE.at(1, -10) == -1


def test_constants_and_tables_of_one_variable():
    assert LookupTable.constant(7.5).at(3, -4) == 7.5
    line = LookupTable(np.zeros(1), np.array([1.0, 3.0]), np.array([[10.0, 30.0]]))
    assert line.at(99, 2) == 20
    assert line.at(-99, 4) == 40


def test_tables_of_different_sizes_are_looked_up_together():
    """The same as one by one, at random places."""
    generator = np.random.default_rng(5)
    tables = []
    for rows, columns in ((1, 1), (2, 7), (7, 7), (5, 1), (3, 2)):
        axes = [np.cumsum(generator.uniform(0.1, 2, size)) for size in (rows, columns)]
        tables.append(LookupTable(*axes, generator.normal(size=(rows, columns))))
    numbers = generator.integers(0, len(tables), 500)
    places = generator.uniform(-5, 20, (2, 500))
    found = TableStack(tables).at(numbers, *places)
    alone = [tables[n].at(r, c) for n, r, c in zip(numbers, *places, strict=True)]
    np.testing.assert_allclose(found, alone, rtol=1e-12)


@pytest.mark.parametrize(
    ("rows", "columns", "values", "message"),
    [
        ([1, 1], [0], [[1], [2]], "rows = \\[1.0, 1.0\\]: they must rise"),
        ([1], [2, 0], [[1, 2]], "columns = .*: they must rise"),
        ([1, 2], [0], [[1, 2]], "values have the shape \\(1, 2\\), but there are 2 rows"),
        ([], [], np.zeros((0, 0)), "they must rise"),
        ([1], [0], [[float("nan")]], "values must be finite"),
    ],
)
def test_bad_tables_are_refused(rows, columns, values, message):
    with pytest.raises(ValueError, match=message):
        LookupTable(np.array(rows, float), np.array(columns, float), np.array(values, float))
