"""A picture that notebooks show and files keep."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from multipede.toolchain import ToolError, write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Picture", "canvas", "labelled"]

_FORMATS = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Picture:
    """What a plot draws; a notebook shows it. ``figure`` is matplotlib's, to change things in."""

    figure: "Figure"

    def save(self, path: Path | str) -> None:
        """Write it. ValueError for a name that does not end in .png, .svg or .pdf."""
        path = Path(path)
        if path.suffix not in _FORMATS:
            raise ValueError(f"path = {str(path)!r}: a name that ends in {', '.join(_FORMATS)}")
        write_atomically(path, self._written(path.suffix[1:]))

    def _repr_png_(self) -> bytes:
        return self._written("png")

    def svg(self) -> str:
        """As a text, for pages."""
        return self._written("svg").decode()

    def _written(self, form: str) -> bytes:
        content = io.BytesIO()
        self.figure.savefig(content, format=form, bbox_inches="tight")
        return content.getvalue()


def canvas(width: float = 6.4, height: float = 4.4) -> "tuple[Figure, Axes]":
    """A figure of so many inches with one pair of axes. ToolError if matplotlib is missing."""
    try:
        # Without pyplot: no window system and no global state.
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ToolError("plots need matplotlib. Get it: pip install matplotlib") from None
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def labelled(column: str, units: dict[str, str]) -> str:
    """A column's name with its unit, as on an axis."""
    unit = units.get(column, "1")
    name = column.replace("_", " ")
    return name if unit == "1" else f"{name}, {unit}"
