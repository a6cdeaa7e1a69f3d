"""Answers as a pandas DataFrame: a row for each point, columns with units."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from multipede.cost_model.sweeps.question import Answer
from multipede.golden.catalogue import spec_from_dict
from multipede.golden.number_format import require_kinds, require_type

if TYPE_CHECKING:
    import pandas

__all__ = ["frame", "numbers", "pareto"]


def frame(answers: Sequence[Answer]) -> "pandas.DataFrame":
    """A row for each point.

    Columns are ``unit``, the parameters of all the units there, and for each target what was found,
    as in ``n28.area``, and ``n28.error`` and ``n28.seconds``. Besides what is measured there are
    ``area_per_...`` an operation, ``lut_per_...``, and ``..._per_second``, operations at the
    shortest clock period. ``attrs["units"]`` has the units of columns, ``attrs["methods"]`` how
    figures came about, as in "synthesised". Points without a figure have NaN.
    """
    import pandas

    rows: dict[str, dict[str, Any]] = {}
    units, methods = {}, {}
    for answer in answers:
        row = rows.setdefault(answer.fingerprint, {"unit": answer.spec["unit"]})
        row |= answer.spec["parameters"]
        target = answer.target
        row |= {f"{target}.error": answer.error, f"{target}.seconds": answer.seconds}
        units[f"{target}.seconds"] = "s"
        for cost in answer.costs:
            column = f"{target}.{cost.quantity}"
            row[column], units[column] = cost.value, cost.unit
            methods[column] = cost.method.value
        for name, (value, unit) in _derived(answer).items():
            row[f"{target}.{name}"], units[f"{target}.{name}"] = value, unit
    found = pandas.DataFrame(list(rows.values()))
    parameters = [name for name in found.columns if "." not in name]
    found = found[[*parameters, *(name for name in found.columns if "." in name)]]
    found.attrs = {"units": units, "methods": methods}
    return found


def _derived(answer: Answer) -> dict[str, tuple[float, str]]:
    """What follows from figures and what a record of the unit is worth."""
    known = {cost.quantity: cost for cost in answer.costs}
    spec = spec_from_dict(answer.spec)
    derived = {}
    for operation, number in spec.operations.items():
        for quantity in ("area", "lut"):
            if quantity in known:
                cost = known[quantity]
                derived[f"{quantity}_per_{operation}"] = cost.value / number, cost.unit
        if "delay" in known and known["delay"].value:
            records = 1e12 / known["delay"].value / spec.initiation_interval
            derived[f"{operation}_per_second"] = number * records, "1/s"
    return derived


def pareto(
    found: "pandas.DataFrame", *, minimise: Sequence[str] = (), maximise: Sequence[str] = ()
) -> "pandas.DataFrame":
    """The rows that no other row is as good as in everything and better than in something.

    Rows without a figure in one of the columns are left out; of equal ones all are kept.

    Parameters
    ----------
    found : as of :func:`frame`, or any other. minimise, maximise : names of its columns.

    Raises
    ------
    TypeError, ValueError
        For no names, and names that are none of its columns or not of numbers.
    """
    import numpy as np
    import pandas

    require_type("found", found, pandas.DataFrame)
    signs: Mapping[str, int] = {}
    for word, names, sign in (("minimise", minimise, 1), ("maximise", maximise, -1)):
        require_kinds(word, names, (list, tuple))
        for name in names:
            if name not in found.columns:
                raise ValueError(f"{word} = {name!r}: columns are {', '.join(found.columns)}")
            if not pandas.api.types.is_numeric_dtype(found[name]):
                raise ValueError(f"{word} = {name!r}: the column has no numbers")
            signs = {**signs, name: sign}
    if not signs:
        raise ValueError("minimise and maximise are empty: at least one column is needed")
    whole = found.dropna(subset=list(signs))
    costs = whole[list(signs)].to_numpy(float) * np.array(list(signs.values()), float)
    kept = whole.iloc[_front(costs)]
    kept.attrs = dict(found.attrs)
    return kept


def numbers(found: "pandas.DataFrame", columns: Sequence[str]) -> list[list[float] | None]:
    """Of each row its figures in some columns; None where one is missing, as of a failed point.

    ValueError for a column that there is not, though a point was measured.
    """
    errors = found[[name for name in found.columns if name.endswith(".error")]]
    measured = errors.eq("").any(axis=None)
    for name in columns:
        if measured and name not in found.columns:
            figures = [column for column in found.columns if "." in column]
            raise ValueError(f"{name!r} is no figure: there are {', '.join(figures)}")
    rows = found.reindex(columns=list(columns)).to_numpy(float).tolist()
    return [None if any(map(math.isnan, row)) else row for row in rows]


def _front(costs: Any) -> list[int]:
    """Indices of rows of which none is dominated, smaller being better."""
    import numpy as np

    order = np.lexsort(costs.T[::-1])
    front: list[int] = []
    points = np.empty((0, costs.shape[1]))
    for index in order:
        # In this order nothing that comes later dominates what came before.
        no_worse = (points <= costs[index]).all(axis=1)
        better = (points < costs[index]).any(axis=1)
        if not (no_worse & better).any():
            front.append(int(index))
            points = np.vstack([points, costs[index]])
    return sorted(front)
