"""Answers as a pandas DataFrame: a row for each point, columns with units."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from multipede.cost_model.sweeps.question import PREDICTED, Answer, described
from multipede.golden.catalogue import spec_from_dict
from multipede.golden.number_format import require_kinds, require_type
from multipede.golden.spec import Spec
from multipede.toolchain.cost import Cost

if TYPE_CHECKING:
    import pandas

__all__ = [
    "ERROR_BAR",
    "frame",
    "near_pareto",
    "numbers",
    "options_of",
    "options_that_differ",
    "pareto",
    "place_of",
    "predicted_column",
]

ERROR_BAR = "error_bar"
"""what the column of a prediction's expected relative error ends with"""
_UNITS = {"clock_period": "ns", "output_load": "fF"}
"""of options"""
_FILES = ("liberty", PREDICTED)
_DIGITS = 12
_BESIDE = ("time_limit",)
"""options that figures do not depend on"""


def frame(answers: Sequence[Answer], specs: Mapping[str, Spec] | None = None) -> "pandas.DataFrame":
    """A row for each point.

    Columns are ``unit``, the parameters of all the units there, and for each target what was found,
    as in ``n28.area``, and ``n28.error`` and ``n28.seconds``. Besides what is measured there are
    ``area_per_...`` an operation, ``lut_per_...``, and ``..._per_second``, operations at the
    shortest clock period. What was predicted stands apart, as in ``n28.predicted.area``, with its
    expected relative error in ``n28.predicted.area.error_bar``. ``attrs["units"]`` has the units of
    columns, ``attrs["methods"]`` how figures came about, as in "synthesised". Points without a
    figure have NaN.

    Answers for a target that were asked for with different options, as for two clocks, are rows
    apart, and columns as ``n28.clock_period`` say which; of several to one question, which
    different code gave, the last counts. What other units compute is not known for units that there
    are no more: they have what was measured alone.

    ``specs`` are those of the answers, by fingerprint, where they are at hand.
    """
    import pandas

    latest = {(a.fingerprint, place_of(a), a.asked): a for a in answers}
    options = options_that_differ(latest.values())
    rows: dict[str, dict[str, dict[str, Any]]] = {one.fingerprint: {} for one in latest.values()}
    units, methods = {}, {}
    # Those of which there are several for a target first, as the others belong to each of them.
    for answer in sorted(latest.values(), key=lambda one: not options[place_of(one)]):
        place, mine = place_of(answer), rows[answer.fingerprint]
        told = {f"{place}.error": answer.error, f"{place}.seconds": answer.seconds}
        units[f"{place}.seconds"] = "s"
        for name in options[place]:
            told[f"{place}.{name}"] = options_of(answer).get(name)
            if name in _UNITS:
                units[f"{place}.{name}"] = _UNITS[name]
        spec = (specs or {}).get(answer.fingerprint) or _read(answer)
        for cost in [*answer.costs, *(_derived(answer.costs, spec) if spec else ())]:
            column = f"{place}.{cost.quantity}"
            told[column], units[column] = cost.value, cost.unit
            methods[column] = cost.method.value
            if cost.relative_error is not None:
                told[f"{column}.{ERROR_BAR}"] = cost.relative_error
                units[f"{column}.{ERROR_BAR}"] = "1"
        if options[place] or not mine:
            mine.setdefault(answer.asked if options[place] else "", _parameters(answer))
        these = [mine[answer.asked]] if options[place] else mine.values()
        for row in these:
            row |= told
    found = pandas.DataFrame([row for mine in rows.values() for row in mine.values()])
    parameters = [name for name in found.columns if "." not in name]
    found = found[[*parameters, *(name for name in found.columns if "." in name)]]
    found.attrs = {"units": units, "methods": methods}
    return found


def _parameters(answer: Answer) -> dict[str, Any]:
    """What a row begins with."""
    parameters = answer.spec["parameters"].items()
    return {"unit": answer.spec["unit"], **{name: described(value) for name, value in parameters}}


def _read(answer: Answer) -> Spec | None:
    """The specification; None if the unit or a parameter of it is no more."""
    try:
        return spec_from_dict(answer.spec)
    except (KeyError, TypeError, ValueError):
        return None


def options_of(answer: Answer) -> dict[str, Any]:
    """By name, those of constraints among them; files by the first digits of their digests."""
    options = dict(answer.options)
    options |= options.pop("constraints", None) or {}
    return {
        name: value[:_DIGITS] if name in _FILES and value else value
        for name, value in options.items()
    }


def options_that_differ(answers: Iterable[Answer]) -> dict[str, list[str]]:
    """Names of each place's options that are not the same in all of its answers."""
    asked: dict[str, dict[str, dict[str, Any]]] = {}
    for answer in answers:
        each = asked.setdefault(place_of(answer), {})
        if answer.asked not in each:
            each[answer.asked] = options_of(answer)
    return {
        place: [
            name
            for name in dict.fromkeys(name for options in each.values() for name in options)
            if name not in _BESIDE
            and len({str(options.get(name) or None) for options in each.values()}) > 1
        ]
        for place, each in asked.items()
    }


def place_of(answer: Answer) -> str:
    """What the columns of an answer's figures begin with."""
    return f"{answer.target}.{PREDICTED}" if PREDICTED in answer.options else answer.target


def _derived(costs: Sequence[Cost], spec: Spec) -> list[Cost]:
    """What follows from figures and what a record of the unit is worth."""
    known = {cost.quantity: cost for cost in costs}
    derived = []
    for operation, number in spec.operations.items():
        for quantity in ("area", "lut"):
            if quantity in known:
                cost = known[quantity]
                name = f"{quantity}_per_{operation}"
                derived.append(replace(cost, quantity=name, value=cost.value / number))
        if "delay" in known and known["delay"].value:
            delay = known["delay"]
            records = 1e12 / delay.value / spec.initiation_interval
            name = f"{operation}_per_second"
            derived.append(replace(delay, quantity=name, value=number * records, unit="1/s"))
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
            if name in signs:
                raise ValueError(f"{word} = {name!r}: it is among the others already")
            signs = {**signs, name: sign}
    if not signs:
        raise ValueError("minimise and maximise are empty: at least one column is needed")
    whole = found.dropna(subset=list(signs))
    costs = whole[list(signs)].to_numpy(float) * np.array(list(signs.values()), float)
    kept = whole.iloc[_front(costs)]
    kept.attrs = dict(found.attrs)
    return kept


def predicted_column(column: str) -> str:
    """Where a figure of a target, as ``n28.area``, stands if it is predicted; a parameter stays
    where it is."""
    target, dot, quantity = column.partition(".")
    return f"{target}.{PREDICTED}.{quantity}" if dot else column


def near_pareto(
    found: "pandas.DataFrame", *, minimise: Sequence[str] = (), maximise: Sequence[str] = ()
) -> "pandas.DataFrame":
    """The rows that may be among those of :func:`pareto` if predictions err by their error bars.

    ``minimise`` and ``maximise`` are columns as of what is measured; their predictions count. A row
    is left out if another one is better in everything even at the wrong ends of all error bars.
    """
    import numpy as np

    columns = list(map(predicted_column, [*minimise, *maximise]))
    whole = found.dropna(subset=columns)
    figures = np.log(whole[columns].to_numpy(float).clip(1e-300))
    figures[:, len(minimise) :] *= -1
    errors = whole.reindex(columns=[f"{column}.{ERROR_BAR}" for column in columns])
    bars = np.log1p(errors.fillna(0.0).to_numpy(float))  # what has none is known
    best, worst = figures - bars, figures + bars
    front = worst[_front(worst)]
    kept = [not ((front <= row).all(axis=1) & (front < row).any(axis=1)).any() for row in best]
    chosen = whole[kept]
    chosen.attrs = dict(found.attrs)
    return chosen


def numbers(found: "pandas.DataFrame", columns: Sequence[str]) -> list[list[float] | None]:
    """Of each row its figures in some columns; None where one is missing, as of a failed point.

    ValueError for a column that there is not, though a point was measured.
    """
    errors = found[[name for name in found.columns if name.endswith(".error")]]
    measured = errors.eq("").any(axis=None)
    for name in columns:
        if measured and name not in found.columns:
            figures = [column for column in found.columns if _is_figure(column)]
            asked, *known = (one.replace(f".{PREDICTED}.", ".") for one in [name, *figures])
            raise ValueError(f"{asked!r} is no figure: there are {', '.join(known)}")
    rows = found.reindex(columns=list(columns)).to_numpy(float).tolist()
    return [None if any(map(math.isnan, row)) else row for row in rows]


def _is_figure(column: str) -> bool:
    return "." in column and column.rpartition(".")[2] not in ("error", "seconds", ERROR_BAR)


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
