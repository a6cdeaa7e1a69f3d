"""Commands for design spaces: sweep, results and report."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multipede.answer import FAILED, HELD, TOOL_FAILED, Answer
from multipede.options import limits_of

if TYPE_CHECKING:
    import pandas

_ROWS = 40
"""of a table that are printed"""
_FORMATS = (".csv", ".parquet")


def sweep_command(options: argparse.Namespace) -> Answer:
    from multipede.asic_flow import Constraints
    from multipede.cost_model.sweeps.sweep import sweep

    _check_output(options.output)
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
    status, document, text = _answer(found, options)
    errors = found[[name for name in found if name.endswith(".error")]]
    # Points that fail are results, but nothing else is none.
    return (TOOL_FAILED if (errors.fillna("-") != "").all(axis=None) else status), document, text


def results_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.sweeps.changes import changes
    from multipede.cost_model.sweeps.frame import frame
    from multipede.cost_model.sweeps.store import Store

    _check_output(options.output)
    wanted = {"unit": options.unit, "target": options.target}
    with Store(options.file, read_only=True) as store:
        answers = store.all(**wanted)
    if options.compare is None:
        return _answer(frame(answers), options)
    with Store(options.compare, read_only=True) as store:
        found = changes(answers, store.all(**wanted), tolerance=options.tolerance)
    return FAILED if found.worse else HELD, found.to_dict(), str(found)


def report_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.report.report import report
    from multipede.toolchain import write_atomically

    output = options.output
    if not output.parent.is_dir():
        raise ValueError(f"--output {output}: there is no directory {output.parent}")
    if output.suffix != ".html":
        raise ValueError(f"--output {output}: a name that ends in .html")
    page = report(options.results, reproduction=options.reproduction, title=options.title)
    write_atomically(output, page)
    return HELD, {"written": str(output), "bytes": len(page.encode())}, f"written: {output}"


def _answer(found: "pandas.DataFrame", options: argparse.Namespace) -> Answer:
    """The table, where it is to go, and how many points of it failed."""
    from multipede.cost_model.sweeps.frame import pareto

    failed = sum(int((found[name] != "").sum()) for name in found if name.endswith(".error"))
    document = {
        "rows": found.astype(object).where(found.notna(), None).to_dict("records"),
        **found.attrs,
    }
    shown, what = found, "points"
    if options.minimise or options.maximise:
        goals = {"minimise": options.minimise, "maximise": options.maximise}
        shown = pareto(found, **{word: _there(found, names) for word, names in goals.items()})
        what = "points that none is better than"
        document["pareto"] = shown.index.tolist()
    lines = [f"{len(found):,} points" + (f", {failed:,} answers failed" if failed else "")]
    if options.output is not None:
        _write(found, options.output)
    if len(shown):
        lines += ["", _table(shown.head(_ROWS), _told(found))]
    if len(shown) > _ROWS:
        lines.append(f"... {len(shown) - _ROWS:,} more {what}")
    if options.output is not None:
        lines.append(f"written: {options.output}")
    return HELD, document, "\n".join(lines)


def _there(found: "pandas.DataFrame", names: list[str]) -> list[str]:
    """The columns of these names; where figures were only predicted, those of the predictions."""
    from multipede.cost_model.sweeps.frame import predicted_column

    predicted = {name: predicted_column(name) for name in names}
    only = [name for name in names if name not in found and predicted[name] in found]
    return [predicted[name] if name in only else name for name in names]


def _told(found: "pandas.DataFrame") -> list[str]:
    """Columns that say something: parameters that vary, figures, and errors if there are any."""

    def says(name: str) -> bool:
        column = found[name]
        if name.endswith(".error"):
            return bool((column != "").any())
        if "." in name:
            return bool(column.notna().any()) and not name.endswith(".seconds")
        return name == "unit" or column.nunique(dropna=False) > 1

    return list(filter(says, found.columns))


def _table(shown: "pandas.DataFrame", names: list[str]) -> str:
    """With units beside the names."""
    units = shown.attrs.get("units", {})
    headed = {name: f"{name}, {units[name]}" if name in units else name for name in names}
    return (
        shown[names]
        .rename(columns=headed)
        .to_string(index=False, float_format=lambda value: f"{value:,.6g}", na_rep="-")
    )


def _check_output(output: Path | None) -> None:
    """That it can be written is told before anything is measured."""
    if output is None:
        return
    if output.suffix not in _FORMATS:
        raise ValueError(f"--output {output}: a name that ends in {' or '.join(_FORMATS)}")
    if not output.parent.is_dir():
        raise ValueError(f"--output {output}: there is no directory {output.parent}")
    if output.is_dir():
        raise ValueError(f"--output {output}: this is a directory")


def _write(found: "pandas.DataFrame", output: Path) -> None:
    import io

    from multipede.toolchain import write_atomically

    content: Any = io.BytesIO()
    if output.suffix == ".csv":
        found.to_csv(content, index=False)
    else:
        found.to_parquet(content, index=False)
    write_atomically(output, content.getvalue())
