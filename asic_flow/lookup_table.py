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
        self._rows, self._row_counts = _padded([table.rows for table in tables])
        self._columns, self._column_counts = _padded([table.columns for table in tables])
        shape = (len(tables), self._rows.shape[1], self._columns.shape[1])
        self._values = np.zeros(shape)
        for number, table in enumerate(tables):
            whole = np.pad(
                table.values,
                [(0, shape[1] - len(table.rows)), (0, shape[2] - len(table.columns))],
                mode="edge",
            )
            self._values[number] = whole

    def at(self, numbers: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The values of tables, by number, each at its place; all arrays of shape (n,)."""
        return self.profiles(numbers, columns).at(slice(None), rows)

    def profiles(self, numbers: np.ndarray, columns: np.ndarray) -> "RowProfiles":
        """What tables, by number, are at one place of the second variable each."""
        j, v = _place(self._columns[numbers], self._column_counts[numbers], columns)
        low, high = self._values[numbers, :, j], self._values[numbers, :, j + 1]
        values = low + (high - low) * v[:, None]
        return RowProfiles(self._rows[numbers], self._row_counts[numbers], values)

    def column_slopes(
        self, numbers: np.ndarray, rows: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        """How much the values grow with the second variable, at the places as in :meth:`at`."""
        axes, counts = self._columns[numbers], self._column_counts[numbers]
        j, _ = _place(axes, counts, columns)
        i, u = _place(self._rows[numbers], self._row_counts[numbers], rows)
        each = np.arange(len(numbers))
        width = axes[each, j + 1] - axes[each, j]
        low = self._values[numbers, i, j + 1] - self._values[numbers, i, j]
        high = self._values[numbers, i + 1, j + 1] - self._values[numbers, i + 1, j]
        return np.where(counts > 1, (low * (1 - u) + high * u) / width, 0.0)


class RowProfiles:
    """Functions of the first variable alone, given at points and linear between them."""

    def __init__(self, axes: np.ndarray, counts: np.ndarray, values: np.ndarray):
        self._axes = axes
        self._counts = counts
        self._values = values

    def at(self, which: slice | np.ndarray, rows: np.ndarray) -> np.ndarray:
        """The values of those of ``which``, each at its place."""
        values = self._values[which]
        i, u = _place(self._axes[which], self._counts[which], rows)
        each = np.arange(len(values))
        low = values[each, i]
        return low + (values[each, i + 1] - low) * u

    def slopes(self, rows: np.ndarray) -> np.ndarray:
        """How much each grows with the variable, each at its place."""
        i, _ = _place(self._axes, self._counts, rows)
        each = np.arange(len(self._values))
        width = self._axes[each, i + 1] - self._axes[each, i]
        rise = self._values[each, i + 1] - self._values[each, i]
        return np.where(self._counts > 1, rise / width, 0.0)


def _padded(axes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Axes as one array, two places long at least; what follows an axis's end rises further."""
    counts = np.array([len(axis) for axis in axes], int)
    length = max(2, int(counts.max(initial=1)))
    padded = np.zeros((len(axes), length))
    for number, axis in enumerate(axes):
        padded[number, : len(axis)] = axis
        padded[number, len(axis) :] = axis[-1] + 1.0 + np.arange(length - len(axis))
    return padded, counts


def _place(axes: np.ndarray, counts: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval of each axis, and where in it: from 0 to 1, and beyond outside the axis."""
    last = np.maximum(counts - 2, 0)
    interval = np.clip((axes <= at[:, None]).sum(axis=1) - 1, 0, last)
    each = np.arange(len(axes))
    low, high = axes[each, interval], axes[each, interval + 1]
    place = (at - low) / (high - low)
    return interval, np.where(counts > 1, place, 0.0)
