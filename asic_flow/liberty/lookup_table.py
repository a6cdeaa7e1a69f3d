"""Tables of two variables, looked up many at once, as Liberty's nonlinear delay model has them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["LookupTable", "RowProfiles", "TableStack"]


@dataclass(frozen=True, eq=False)
class LookupTable:
    """``values[i, j]`` at the first variable's ``rows[i]`` and the second one's ``columns[j]``.

    Between them it is bilinear, and beyond them it goes on as between the last two. A table that a
    variable does not change has one row or one column.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.rows), len(self.columns)):
            raise ValueError(
                f"values have the shape {self.values.shape}, but there are {len(self.rows)} rows"
                f" and {len(self.columns)} columns"
            )
        for name in ("rows", "columns"):
            axis = getattr(self, name)
            if not len(axis) or not (np.diff(axis) > 0).all():
                raise ValueError(f"{name} = {axis.tolist()}: they must rise")
        if not np.isfinite(self.values).all():
            raise ValueError("values must be finite")

    @classmethod
    def constant(cls, value: float) -> "LookupTable":
        """The same value everywhere."""
        return cls(np.zeros(1), np.zeros(1), np.full((1, 1), float(value)))

    def at(self, row: float, column: float) -> float:
        """The value at one place."""
        return float(
            TableStack([self]).at(np.zeros(1, int), np.array([row]), np.array([column]))[0]
        )


class TableStack:
    """Tables of any sizes in one array."""

    def __init__(self, tables: Sequence[LookupTable]):
        self._rows = _Axes([table.rows for table in tables])
        self._columns = _Axes([table.columns for table in tables])
        self._values = np.zeros((len(tables), self._columns.length, self._rows.length))
        for number, table in enumerate(tables):
            missing = [self._columns.length - len(table.columns), self._rows.length]
            missing[1] -= len(table.rows)
            self._values[number] = np.pad(table.values.T, [(0, m) for m in missing], mode="edge")

    def at(self, numbers: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values of tables, by number, each at its place; all arrays of shape (n,)."""
        return self.profiles(numbers, columns).at(slice(None), rows)

    def profiles(self, numbers: np.ndarray, columns: np.ndarray) -> "RowProfiles":
        """What tables, by number, are at one place of the second variable each."""
        j, v, _ = self._columns.place(self._columns.numbers[numbers], columns)
        values = self._values[numbers, j]
        values += (self._values[numbers, j + 1] - values) * v[:, None]
        return RowProfiles(self._rows, self._rows.numbers[numbers], values)

    def column_slopes(
        self, numbers: np.ndarray, rows: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        """How much the values grow with the second variable, at the places as in :meth:`at`."""
        j, _, width = self._columns.place(self._columns.numbers[numbers], columns)
        i, u, _ = self._rows.place(self._rows.numbers[numbers], rows)
        low = self._values[numbers, j + 1, i] - self._values[numbers, j, i]
        high = self._values[numbers, j + 1, i + 1] - self._values[numbers, j, i + 1]
        return (low * (1 - u) + high * u) / width


class RowProfiles:
    """Functions of the first variable alone, given at points and linear between them."""

    def __init__(self, axes: "_Axes", numbers: np.ndarray, values: np.ndarray):
        self._axes = axes
        self._numbers = numbers
        self._values = values

    def at(self, which: slice | np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The values of those of ``which``, each at its place."""
        values = self._values[which]
        i, u, _ = self._axes.place(self._numbers[which], rows)
        each = np.arange(len(values))
        low = values[each, i]
        return low + (values[each, i + 1] - low) * u

    def slopes(self, rows: np.ndarray) -> np.ndarray:
        """How much each grows with the variable, each at its place."""
        i, _, width = self._axes.place(self._numbers, rows)
        each = np.arange(len(self._values))
        return (self._values[each, i + 1] - self._values[each, i]) / width


class _Axes:
    """The axes of many tables, equal ones once; ``numbers`` tells which each table has.

    All are made two places long at least, and equally long: what follows an axis's end is never
    reached, and where there is but one value its neighbour is the same, infinitely far away.
    """

    def __init__(self, axes: Sequence[np.ndarray]):
        known: dict[bytes, int] = {}
        different: list[np.ndarray] = []
        for axis in axes:
            if known.setdefault(axis.tobytes(), len(different)) == len(different):
                different.append(axis)
        self.numbers = np.array([known[axis.tobytes()] for axis in axes], int)
        self.length = max(2, max(map(len, different), default=0))
        self._points = np.full((len(different), self.length), np.inf)
        for number, axis in enumerate(different):
            self._points[number, : len(axis)] = axis
        self._last = np.array([max(len(axis) - 2, 0) for axis in different], int)

    def place(
        self, numbers: np.ndarray, at: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The interval of each axis, where in it (0 to 1, and beyond outside the axis), and how
        wide it is."""
        interval = np.zeros(len(numbers), int)
        for point in range(1, self.length - 1):
            interval += self._points[numbers, point] <= at
        interval = np.minimum(interval, self._last[numbers])
        low = self._points[numbers, interval]
        width = self._points[numbers, interval + 1] - low
        return interval, (at - low) / width, width
