"""Tables of two variables, looked up many at once, as Liberty's nonlinear delay model has them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["LookupTable", "TableStack"]


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
        i, u = _place(self._rows[numbers], self._row_counts[numbers], rows)
        j, v = _place(self._columns[numbers], self._column_counts[numbers], columns)
        low = self._values[numbers, i, j] * (1 - v) + self._values[numbers, i, j + 1] * v
        high = self._values[numbers, i + 1, j] * (1 - v) + self._values[numbers, i + 1, j + 1] * v
        return low * (1 - u) + high * u


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
