"""For users' own tests: a unit verified in one line, and the generated cocotb benches.

::

    import multipede as mp
    from multipede.sim.testing import check_unit

    def test_my_tile():
        check_unit(mp.MixPE(rows=8), records=100_000)
"""

import json
from collections.abc import Sequence
from pathlib import Path

from multipede.golden.catalogue import spec_from_dict
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.cocotb_bench import TIME_LIMIT, Bench, Simulator, cases, run_bench
from multipede.sim.report import MismatchError, VerifyReport
from multipede.sim.verify import verify

__all__ = ["Simulator", "check_directory", "check_unit", "directory_cases"]


def check_unit(
    spec: Spec, *, styles: Sequence[Style] | None = None, records: int = 100_000, seed: int = 1
) -> VerifyReport:
    """:func:`multipede.verify`, with MismatchError unless it passed."""
    __tracebackhide__ = True  # pytest shows the user's line, and the report
    report = verify(spec, styles=styles, records=records, seed=seed)
    report.raise_on_failure()
    return report


def directory_cases(directory: Path) -> list[str]:
    """The cases of a generated cocotb bench; see :func:`check_directory`."""
    description = _description(directory)
    return cases(_spec(description), resettable=description["reset"] is not None)


def check_directory(
    directory: Path,
    case: str,
    *,
    records: int,
    seed: int = 1,
    simulator: Simulator = Simulator.VERILATOR,
    time_limit: float = TIME_LIMIT,
) -> None:
    """Run one case of a bench that ``generate`` wrote with ``cocotb``, on the Verilog that lies
    there now.

    Parameters
    ----------
    directory : with ``ports.json`` and the Verilog files that it names.
    case : one of :func:`directory_cases`.
    records, seed, simulator, time_limit : as of :func:`multipede.verify_cocotb`.

    Raises
    ------
    MismatchError
        If a result is not that of the reference, is missing, or the unit hangs.
    ValueError
        For an unknown case, or a directory that holds no bench.
    ToolError
        If cocotb or the simulator is missing, too old, or fails.
    """
    __tracebackhide__ = True
    known = directory_cases(directory)
    if case not in known:
        raise ValueError(f"case = {case!r}: allowed are {', '.join(known)}")
    description = _description(directory)
    verilog = "\n".join(
        f'`line 1 "{name}" 0\n{(directory / name).read_text()}'  # for the tools' messages
        for name in description["files"]["rtl"]
    )
    spec, top = _spec(description), description["name"]
    bench = Bench(spec, verilog, top, simulator, records, seed, time_limit)
    (check,) = run_bench(bench, style=description["style"], only=[case])
    if not check.passed:
        few = f"{check.records} records and {check.results} results are too few"
        raise MismatchError(f"{top}, {check.stimulus}: {check.error or few}")


def _description(directory: Path) -> dict:
    file = Path(directory) / "ports.json"
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        raise ValueError(f"directory = {directory}: it has no ports.json") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{file} is no JSON: {error}") from None


def _spec(description: dict) -> Spec:
    return spec_from_dict(description["specification"])
