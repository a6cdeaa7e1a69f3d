"""The page of a file of results."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multipede.cost_model.evidence import bundled, kept, summaries
from multipede.cost_model.plots.sweeps import pareto_plot
from multipede.cost_model.reproduction.headlines import PAPERS, published_headlines
from multipede.cost_model.sweeps.frame import (
    ERROR_BAR,
    frame,
    options_of,
    options_that_differ,
    pareto,
    place_of,
)
from multipede.cost_model.sweeps.question import PREDICTED, Answer
from multipede.cost_model.sweeps.store import Store
from multipede.golden.catalogue import unit, unit_names
from multipede.toolchain import ToolError

if TYPE_CHECKING:
    import pandas

__all__ = ["report"]

_ROWS = 30
_NO_HEADLINES = "{} holds no headline figures of 'multipede reproduce --json [PAPER]'"
_REPRODUCED = "Ours are those of {file}, which 'multipede reproduce --json' wrote."
_NOT_REPRODUCED = (
    "Ours were not computed for this page: 'multipede reproduce --json > FILE' and"
    " --reproduction FILE put them here."
)


def report(
    results: Path,
    *,
    minimise: Sequence[str] = (),
    maximise: Sequence[str] = (),
    reproduction: Path | None = None,
    title: str = "Multipede",
) -> str:
    """One self-contained HTML page: catalogue, Pareto fronts, tables, published figures, methods.

    Parameters
    ----------
    results : a file of a sweep. minimise, maximise : goals, as of
        :func:`~multipede.cost_model.sweeps.sweep.sweep`, for the sections that have these figures,
        measured or predicted; by default area or look-up tables of an operation, and rate.
    reproduction : what ``multipede reproduce --json`` printed, for
        our figures beside the published ones. title : of the page.

    Raises
    ------
    StoreError, ValueError
        For files that are none, and goals that no section has. ToolError if jinja2 or matplotlib is
        missing.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ModuleNotFoundError:
        raise ToolError("a report needs jinja2. Get it: pip install 'multipede[report]'") from None
    pages = _pages(reproduction)
    with Store(results, read_only=True) as store:
        answers = store.all()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["figure"] = _figure
    template = environment.from_string((files(__package__) / "page.html").read_text())
    return template.render(
        title=title,
        version=_version(),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        file=Path(results).name,
        points=_number(len({answer.fingerprint for answer in answers}), "point"),
        units=_number(len({answer.spec["unit"] for answer in answers}), "unit"),
        sections=_sections(answers, {"minimise": minimise, "maximise": maximise}),
        reproduced=_NOT_REPRODUCED
        if reproduction is None
        else _REPRODUCED.format(file=Path(reproduction).name),
        published=pages,
        catalogue=_catalogue(),
        methods=sorted({cost.source for answer in answers for cost in answer.costs}),
        tools=", ".join(sorted(_tools(answers))) or "none",
    )


def _version() -> str:
    import multipede

    return multipede.__version__


def _tools(answers: Iterable[Answer]) -> set[str]:
    return {
        f"{name} {version}"
        for answer in answers
        for cost in answer.costs
        for name, version in cost.tools.items()
    }


def _sections(
    answers: Sequence[Answer], goals: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """One for each unit, target and question, as for a clock, of what was measured and of what was
    predicted."""
    differing = options_that_differ(answers)
    groups: dict[tuple[str, str, str], list[Answer]] = {}
    for answer in answers:
        place = place_of(answer)
        told = {name: options_of(answer).get(name) for name in differing[place]}
        asked = ", ".join(f"{n.replace('_', ' ')} {value}" for n, value in told.items())
        groups.setdefault((answer.spec["unit"], place, asked), []).append(answer)
    tables = {group: frame(found) for group, found in sorted(groups.items())}
    for name in [name for names in goals.values() for name in names]:
        if not any(name in map(_measured, found) for found in tables.values()):
            figures = {_measured(one) for found in tables.values() for one in _figures_of(found)}
            raise ValueError(f"{name!r} is no figure: there are {', '.join(sorted(figures))}")
    return [_section(*group, found, groups[group], goals) for group, found in tables.items()]


def _figures_of(found: "pandas.DataFrame") -> list[str]:
    beside = ("error", "seconds", ERROR_BAR)
    return [name for name in found if "." in name and name.rpartition(".")[2] not in beside]


def _measured(column: str) -> str:
    """The column that a prediction is of; others as they are."""
    return column.replace(f".{PREDICTED}.", ".")


def _section(
    name: str,
    place: str,
    asked: str,
    found: "pandas.DataFrame",
    answers: Sequence[Answer],
    wanted: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    errors = [answer.error for answer in answers if answer.error]
    goals = {
        word: [one for one in found if _measured(one) in names] for word, names in wanted.items()
    }
    if not any(goals.values()):
        goals = _goals(found, place)
    best = pareto(found, **goals) if any(goals.values()) else found.iloc[:0]
    order = [*goals["minimise"], *goals["maximise"]]
    # All points where these are not too many: the best first, which are marked.
    others = found.drop(best.index) if len(found) <= _ROWS else found.iloc[:0]
    rows = [
        (each, row)
        for each, part in (("best", best), ("", others))
        for row in (part.sort_values(order) if order else part).to_dict("records")
    ]
    columns = _columns(found, place)
    numbers = [column for column in columns if column.startswith(place)]
    units = found.attrs["units"]
    methods = {found.attrs["methods"].get(column) for column in numbers} - {None}
    same = [n for n in found if "." not in n and n != "unit" and n not in columns]
    return {
        "unit": name,
        "target": ", ".join(filter(None, (place.replace(".", ", "), asked))),
        "points": _number(len(found), "point"),
        "method": " and ".join(sorted(methods)) or "none with figures",
        "failed": len(errors),
        "error": errors[0] if errors else "",
        "plot": _plot(found, goals),
        "same": ", ".join(f"{n} {found[n].iloc[0]}" for n in same),
        "shown": _shown(len(best), len(rows), order),
        "columns": columns,
        "numbers": set(numbers),
        "headings": {
            column: _heading(column.removeprefix(f"{place}."), units.get(column))
            for column in columns
        },
        "rows": [
            {"best": each, "cells": {column: _cell(row, column) for column in columns}}
            for each, row in rows[:_ROWS]
        ],
    }


def _shown(best: int, rows: int, goals: Sequence[str]) -> str:
    """Which points are in the table."""
    if not goals:
        return f"Of {rows:,} the first {_ROWS}" if rows > _ROWS else "All of them"
    text = f"None is better than {_number(best, 'point')} of them in {' and '.join(goals)}"
    if rows > best:
        text += ", which come first; the others follow"
    return text + (f"; {_ROWS} are shown" if rows > _ROWS else "")


def _cell(row: Mapping[str, Any], column: str) -> str:
    """A value, with the error bar of a prediction."""
    bar = row.get(f"{column}.{ERROR_BAR}")
    text = _figure(row[column])
    return text if bar is None or bar != bar else f"{text} ± {100 * bar:.0f} %"


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _goals(found: "pandas.DataFrame", place: str) -> dict[str, list[str]]:
    """What is best small and what large: for an operation, area or tables, and rate."""
    figures = [name for name in found if name.startswith(f"{place}.")]
    small = [n for n in figures if n.removeprefix(f"{place}.").startswith(("area_per", "lut_per"))]
    small = [name for name in small if not name.endswith(ERROR_BAR)]
    large = [name for name in figures if name.endswith("_per_second")]
    return {"minimise": small[:1], "maximise": large[:1]}


def _plot(found: "pandas.DataFrame", goals: Mapping[str, list[str]]) -> str:
    """The Pareto front as SVG; empty where there are not two figures."""
    names = [*goals["minimise"], *goals["maximise"]]
    if len(names) < 2 or len(found.dropna(subset=names)) < 2:
        return ""
    text = pareto_plot(found, *names, maximise=goals["maximise"]).svg()
    return text[text.index("<svg") :]


def _columns(found: "pandas.DataFrame", place: str) -> list[str]:
    """Parameters that differ, and figures."""
    parameters = [
        name
        for name in found
        if "." not in name and name != "unit" and found[name].astype(str).nunique() > 1
    ]
    figures = [name for name in _figures_of(found) if name.startswith(f"{place}.")]
    # A place of predictions begins like that of what is measured.
    return parameters + [name for name in figures if name.count(".") == place.count(".") + 1]


def _heading(name: str, unit_: str | None) -> str:
    words = name.replace("_", " ")
    return words if unit_ in (None, "1") else f"{words}, {unit_}"


def _figure(value: Any) -> str:
    """As in a table."""
    if value is None or value != value:
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.4g}" if abs(value) < 1e5 else f"{value:.3e}"


def _catalogue() -> list[dict[str, Any]]:
    findings = bundled() + kept()
    found = []
    for name in unit_names():
        kind = unit(name)
        found.append(
            {
                "name": name,
                "kind": kind.kind.value,
                "title": kind.title,
                "source": kind.source,
                "standing": summaries(name, findings),
            }
        )
    return found


def _pages(reproduction: Path | None) -> list[dict[str, Any]]:
    """Published figures of each paper, with ours where there are any."""
    if reproduction is None:
        without = {"ours": None, "ratio": None}
        return [
            {
                "title": f"headline figures of {paper}",
                "rows": [{**row, **without} for row in published_headlines(paper)],
            }
            for paper in PAPERS
        ]
    try:
        pages = json.loads(Path(reproduction).read_text())
        pages = pages if isinstance(pages, list) else [pages]
        needed = {"what", "published", "ours", "ratio", "unit", "differs", "source"}
        if not all(needed <= set(row) for page in pages for row in page["rows"]):
            raise ValueError(f"its rows have not {', '.join(sorted(needed))}")
        if not all(isinstance(page["title"], str) for page in pages):
            raise ValueError("its pages have no titles")
    except KeyError as error:
        raise ValueError(f"{_NO_HEADLINES.format(reproduction)}: it lacks {error}") from None
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{_NO_HEADLINES.format(reproduction)}: {error}") from None
    return pages
