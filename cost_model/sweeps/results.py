"""What a file of results has, as answers and as a DataFrame."""

from pathlib import Path
from typing import TYPE_CHECKING

from multipede.cost_model.sweeps.frame import frame
from multipede.cost_model.sweeps.question import Answer
from multipede.cost_model.sweeps.store import Store

if TYPE_CHECKING:
    import pandas

__all__ = ["answers_of", "read_results"]


def answers_of(
    file: Path | str, *, unit: str | None = None, target: str | None = None
) -> list[Answer]:
    """Those of a unit and on a target, or all.

    Raises StoreError for what is no file of results; ValueError for a unit or a target that it has
    nothing of.
    """
    with Store(file, read_only=True) as store:
        answers = store.all(unit=unit, target=target)
        there = [] if answers else store.all()
    for name, value, known in (
        ("unit", unit, {answer.spec["unit"] for answer in there}),
        ("target", target, {answer.target for answer in there}),
    ):
        if known and value is not None and value not in known:
            raise ValueError(f"{name} = {value!r}: {file} has {', '.join(sorted(known))}")
    return answers


def read_results(
    file: Path | str, *, unit: str | None = None, target: str | None = None
) -> "pandas.DataFrame":
    """A row for each point of a file that sweeps wrote, with columns, units and methods as
    :func:`~multipede.cost_model.sweeps.frame.frame` has them.

    Parameters
    ----------
    file : of results. unit : only of this one. target : only on this one.

    Raises
    ------
    StoreError
        For what is no such file.
    ValueError
        For a unit or a target that it has nothing of.
    """
    return frame(answers_of(file, unit=unit, target=target))
