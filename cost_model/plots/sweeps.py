"""Pictures of sweeps: the Pareto front of two figures, and one figure over two parameters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from multipede.cost_model.plots.picture import Picture, canvas, labelled
from multipede.cost_model.sweeps.frame import ERROR_BAR, pareto
from multipede.golden.number_format import require_type

if TYPE_CHECKING:
    import pandas

__all__ = ["heat_map", "pareto_plot"]

_FEW = 10
"""values of a column that have a colour each"""


def pareto_plot(
    found: "pandas.DataFrame",
    x: str,
    y: str,
    *,
    maximise: Sequence[str] = (),
    colour: str | None = None,
) -> Picture:
    """All points by two figures, and the front of those that none is better than.

    Predictions have their error bars.

    Parameters
    ----------
    found : as of :func:`~multipede.cost_model.sweeps.sweep.sweep`.
    x, y : columns. maximise : those of both that are better when larger.
    colour : a column that tells points apart.

    Raises
    ------
    TypeError, ValueError
        For columns that there are not, or not of numbers, and no point that has both figures.
    ToolError
        If matplotlib is missing.
    """
    _require_columns(found, x=x, y=y)
    if wrong := set(maximise) - {x, y}:
        raise ValueError(f"maximise = {sorted(wrong)}: of {x} and {y} only")
    goals = {
        "minimise": [name for name in (x, y) if name not in maximise],
        "maximise": [name for name in (x, y) if name in maximise],
    }
    front = pareto(found, **goals).sort_values(x)
    whole = found.dropna(subset=[x, y])
    if whole.empty:
        raise ValueError(f"no point has both {x} and {y}")
    figure, axes = canvas()
    for label, rows in _apart(whole, colour):
        bars = {f"{way}err": _bars(rows, name) for way, name in (("x", x), ("y", y))}
        axes.errorbar(
            rows[x], rows[y], **bars, fmt="o", markersize=4, elinewidth=0.6, alpha=0.7, label=label
        )
    where = "post" if (y in maximise) == (x in maximise) else "pre"
    line = {"color": "black", "linewidth": 1, "marker": "o", "fillstyle": "none"}
    axes.step(front[x], front[y], where=where, label="front", **line)
    units = found.attrs.get("units", {})
    axes.set(xlabel=labelled(x, units), ylabel=labelled(y, units))
    for name, scale in ((x, axes.set_xscale), (y, axes.set_yscale)):
        if whole[name].min() > 0 and whole[name].max() / whole[name].min() > 20:
            scale("log")
    axes.legend(frameon=False, title=colour)
    return Picture(figure)


def heat_map(found: "pandas.DataFrame", x: str, y: str, value: str) -> Picture:
    """The least of a figure for each pair of two parameters' values; empty where there is none.

    ``x`` and ``y`` are columns of parameters, ``value`` one of figures. Raises as
    :func:`pareto_plot`.
    """
    _require_columns(found, value=value)
    for word, name in (("x", x), ("y", y)):
        _require_column(found, word, name)
    whole = found.dropna(subset=[value])
    if whole.empty:
        raise ValueError(f"no point has {value}")
    table = whole.pivot_table(index=y, columns=x, values=value, aggfunc="min", sort=True)
    figure, axes = canvas(1.6 + 0.7 * len(table.columns), 1.6 + 0.45 * len(table.index))
    image = axes.imshow(table.to_numpy(float), aspect="auto", origin="lower", cmap="viridis_r")
    axes.set_xticks(range(len(table.columns)), table.columns)
    axes.set_yticks(range(len(table.index)), table.index)
    middle = (whole[value].min() + whole[value].max()) / 2
    for row, figures in enumerate(table.to_numpy(float)):
        for column, figure_ in enumerate(figures):
            if figure_ == figure_:
                dark = "white" if figure_ > middle else "black"
                axes.text(
                    column, row, f"{figure_:.3g}", ha="center", va="center", color=dark, size=8
                )
    axes.set(xlabel=x.replace("_", " "), ylabel=y.replace("_", " "))
    bar = figure.colorbar(image)
    bar.set_label(labelled(value, found.attrs.get("units", {})))
    return Picture(figure)


def _apart(whole: "pandas.DataFrame", colour: str | None) -> list[tuple[str, Any]]:
    """Label and rows of what is drawn in one colour."""
    if colour is None:
        return [("points", whole)]
    _require_column(whole, "colour", colour)
    values = sorted(whole[colour].unique().tolist(), key=str)
    if len(values) > _FEW:
        raise ValueError(f"colour = {colour!r}: {len(values)} values are more than {_FEW} colours")
    return [(str(value), whole[whole[colour] == value]) for value in values]


def _bars(rows: "pandas.DataFrame", column: str) -> Any:
    """Error bars in the unit of the column; None where it has none."""
    name = f"{column}.{ERROR_BAR}"
    return rows[column] * rows[name] if name in rows else None


def _require_column(found: "pandas.DataFrame", word: str, name: str) -> None:
    import pandas

    require_type("found", found, pandas.DataFrame)
    if name not in found.columns:
        raise ValueError(f"{word} = {name!r}: columns are {', '.join(found.columns)}")


def _require_columns(found: "pandas.DataFrame", **names: str) -> None:
    """That there are such columns of numbers."""
    import pandas

    for word, name in names.items():
        _require_column(found, word, name)
        if not pandas.api.types.is_numeric_dtype(found[name]):
            raise ValueError(f"{word} = {name!r}: the column has no numbers")
