"""Commands for design spaces: sweep, results and report."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multipede.answer import FAILED, HELD, TOOL_FAILED, Answer
from multipede.options import check_output, limits_of

if TYPE_CHECKING:
    import pandas

_ROWS = 40
"""of a table that are printed"""
_FORMATS = (".csv", ".parquet")


def sweep_command(options: argparse.Namespace) -> Answer:
    from multipede.asic_flow import Constraints
    from multipede.cost_model.sweeps.sweep import sweep

    check_output(options.output, *_FORMATS)
    period = options.clock_period
    found = sweep(
        options.space,
        options.target or ["n28"],
        points=options.points,
        search=options.search,
        minimise=options.minimise,
        maximise=options.maximise,
        measure=options.measure,
        calibration=options.calibration,
        seed=options.seed,
        store=options.store,
        executor=options.scheduler,
        workers=options.workers,
        limits=limits_of(options),
        retry=options.retry,
        constraints=None if period is None else Constraints(clock_period=period),
        liberty=options.liberty,
        energy=options.energy,
    )
    status, document, text = _answer(found, options, _points_of(options, len(found)))
    errors = found[[name for name in found if name.endswith(".error")]]
    # Points that fail are results, but nothing else is none.
    return (TOOL_FAILED if (errors.fillna("-") != "").all(axis=None) else status), document, text


def results_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.sweeps.changes import changes
    from multipede.cost_model.sweeps.results import answers_of, read_results

    check_output(options.output, *_FORMATS)
    wanted = {"unit": options.unit, "target": options.target}
    if options.compare is None:
        found = read_results(options.file, **wanted)
        return _answer(found, options, f"{len(found):,} points")
    if options.output is not None:
        raise ValueError(f"--output {options.output}: it is of a table, and --compare makes none")
    before, after = (answers_of(file, **wanted) for file in (options.file, options.compare))
    found = changes(before, after, tolerance=options.tolerance)
    if not found.compared and not found.failing:
        raise ValueError(f"{options.file} and {options.compare} have no point in common")
    return FAILED if found.worse else HELD, found.to_dict(), str(found)


def report_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.report.report import report
    from multipede.toolchain import write_atomically

    output = options.output
    check_output(output, ".html")
    page = report(
        options.results,
        minimise=options.minimise,
        maximise=options.maximise,
        reproduction=options.reproduction,
        title=options.title,
    )
    write_atomically(output, page)
    return HELD, {"written": str(output), "bytes": len(page.encode())}, f"written: {output}"


def _points_of(options: argparse.Namespace, points: int) -> str:
    """How many of what there could be."""
    from multipede.cost_model.sweeps.space import read_spaces

    spaces = read_spaces(options.space)
    combinations = sum(space.combinations for space in spaces)
    if points == combinations:
        return f"{points:,} points"
    why = "the others are no points or were not asked for"
    if options.points is None:
        refused = next(filter(None, (space.refusal() for space in spaces)), "given twice")
        why = f"the others are no points, the first of them: {refused}"
    return f"{points:,} points of {combinations:,} combinations; {why}"


def _answer(found: "pandas.DataFrame", options: argparse.Namespace, heading: str) -> Answer:
    """The table, where it is to go, and how many points of it failed."""
    from multipede.cost_model.sweeps.frame import pareto

    failed = sum(map(int, (_errors(found) != "").sum()))
    document = {
        "rows": found.astype(object).where(found.notna(), None).to_dict("records"),
        **found.attrs,
    }
    shown, what, best = found, "points", ""
    if options.minimise or options.maximise:
        goals = {"minimise": options.minimise, "maximise": options.maximise}
        shown = pareto(found, **{word: _there(found, names) for word, names in goals.items()})
        what = "points that none is better than"
        document["pareto"] = shown.index.tolist()
        best = f"; none is better than these {len(shown):,}:"
    lines = [heading + (f", {failed:,} answers failed" if failed else "") + best]
    if options.output is not None:
        _write(found, options.output)
    if len(shown):
        lines += ["", _table(shown.head(_ROWS), _told(found))]
    if len(shown) > _ROWS:
        lines.append(f"... {len(shown) - _ROWS:,} more {what}")
    if options.output is not None:
        lines.append(f"written: {options.output}")
    return HELD, document, "\n".join(lines)


def _errors(found: "pandas.DataFrame") -> "pandas.DataFrame":
    """Those of each target; empty where a point was not asked for, too."""
    return found[[name for name in found if name.endswith(".error")]].fillna("")


def _there(found: "pandas.DataFrame", names: list[str]) -> list[str]:
    """The columns of these names; where figures were only predicted, those of the predictions."""
    from multipede.cost_model.sweeps.frame import predicted_column

    predicted = {name: predicted_column(name) for name in names}
    only = [name for name in names if name not in found and predicted[name] in found]
    return [predicted[name] if name in only else name for name in names]


def _told(found: "pandas.DataFrame") -> list[str]:
    """Columns that say something: parameters that vary, figures, and errors if there are any."""
    from multipede.cost_model.sweeps.frame import ERROR_BAR

    def says(name: str) -> bool:
        column = found[name]
        if name.endswith(".error"):
            return bool((column.fillna("") != "").any())
        if name.endswith(f".{ERROR_BAR}"):
            return False  # it stands beside its figure
        if "." in name:
            return bool(column.notna().any()) and not name.endswith(".seconds")
        return name == "unit" or column.nunique(dropna=False) > 1

    return list(filter(says, found.columns))


def _table(shown: "pandas.DataFrame", names: list[str]) -> str:
    """With units beside the names, and error bars behind the figures."""
    from multipede.cost_model.sweeps.frame import ERROR_BAR

    units = shown.attrs.get("units", {})
    headed = {name: f"{name}, {units[name]}" if name in units else name for name in names}
    table = shown[names].copy()
    for name in names:
        if f"{name}.{ERROR_BAR}" in shown:
            bars = shown[f"{name}.{ERROR_BAR}"]
            table[name] = [
                "-" if bar != bar else f"{value:,.4g} +-{100 * bar:.0f}%"
                for value, bar in zip(shown[name], bars, strict=True)
            ]
    return table.rename(columns=headed).to_string(
        index=False, float_format=lambda value: f"{value:,.6g}", na_rep="-"
    )


def _write(found: "pandas.DataFrame", output: Path) -> None:
    import io

    from multipede.toolchain import write_atomically

    content: Any = io.BytesIO()
    if output.suffix == ".csv":
        found.to_csv(content, index=False)
    else:
        found.to_parquet(content, index=False)
    write_atomically(output, content.getvalue())
