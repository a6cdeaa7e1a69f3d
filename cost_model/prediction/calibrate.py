"""Calibrations made: points of all families are synthesised, models fitted, errors measured."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from multipede.cost_model.prediction.calibration import (
    Calibration,
    Errors,
    Model,
    Origin,
    read_origin,
)
from multipede.cost_model.prediction.families import FAMILIES, family_points, read_families
from multipede.cost_model.prediction.fitting import Sample, calibrated
from multipede.cost_model.prediction.measures import measures
from multipede.cost_model.prediction.models import quantities
from multipede.cost_model.prediction.points import Point, read_points, written
from multipede.cost_model.sweeps.campaign import campaign
from multipede.cost_model.sweeps.executors import pool_of
from multipede.cost_model.sweeps.question import Answer, Question
from multipede.cost_model.sweeps.store import Store
from multipede.cost_model.sweeps.worker import Limits
from multipede.cost_model.targets import require_target, usual_style
from multipede.fpga.devices import DEVICES
from multipede.golden.number_format import require_range
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.toolchain import write_atomically

__all__ = ["Calibrating", "calibrate", "refit"]

_SEED = 1


@dataclass(frozen=True)
class Calibrating:
    """A calibration, and how it came about.

    Attributes
    ----------
    calibration : made. points : that it was fitted to. failed : points that could not be
        synthesised, and why.
    """

    calibration: Calibration
    points: Sequence[Point]
    failed: Sequence[str]

    def __str__(self) -> str:
        return "\n\n".join([_heading(self), *map(_table, self.calibration.models.items())])

    def write(self, path: Path) -> None:
        """The calibration as JSON, and its points beside it as CSV."""
        table = written(self.points, list(self.calibration.models))
        write_atomically(path.with_suffix(".csv"), table)
        write_atomically(path, json.dumps(self.calibration.to_dict(), indent=1) + "\n")


def calibrate(
    target: str = "n28",
    *,
    liberty: Path | None = None,
    points: int = 12,
    families: Path = FAMILIES,
    store: Path | str | None = None,
    executor: Any = None,
    workers: int | None = None,
    limits: Limits | None = None,
) -> Calibrating:
    """Make a calibration for a target.

    Parameters
    ----------
    target : as of :func:`~multipede.cost_model.targets.synthesize`, ``gates`` with a Liberty file.
    liberty : the file. points : random ones of each design space, besides the defaults.
    families : a directory of design spaces, see
        :func:`~multipede.cost_model.prediction.families.read_families`.
    store, executor, workers, limits : as of :func:`~multipede.cost_model.sweeps.sweep.sweep`; with
        a store, what was broken off goes on.

    Raises
    ------
    TypeError, ValueError, StoreError, ToolError
        As :func:`~multipede.cost_model.sweeps.sweep.sweep`, and for too few points.
    """
    require_range("points", points, 1, 100_000)
    families_of = {
        spec: family
        for family, spaces in read_families(families).items()
        for spec in family_points(spaces, points, _SEED)
    }
    kept = nullcontext() if store is None else Store(store)
    with kept as file, pool_of(executor, workers) as pool:
        jobs = [(spec, _question(spec, target, liberty)) for spec in families_of]
        answers = campaign(jobs, pool=pool, store=file, limits=limits or Limits())
    found, failed = [], []
    for (spec, family), answer in zip(families_of.items(), answers, strict=True):
        if answer.error:
            failed.append(f"{spec}: {answer.error}")
        else:
            found.append(_point(family, answer))
    if not found:
        raise ValueError(f"no point could be synthesised: {failed[0]}")
    units = {cost.quantity: cost.unit for answer in answers for cost in answer.costs}
    first = next(answer for answer in answers if not answer.error).costs[0]
    origin = Origin(
        target=target if liberty is None else Path(liberty).name,
        style=usual_style(target).value,
        source=f"calibrated on units synthesised by {first.source}",
        tools=dict(first.tools),
        units=units,
    )
    return Calibrating(_fitted(found, origin), found, failed)


def _question(spec: Spec, target: str, liberty: Path | None) -> Question:
    """On cells with the energy, too, of units whose records never wait, which it is known of."""
    cells = target not in DEVICES
    return Question(target, liberty=liberty, energy=cells and spec.keeps_pace)


def refit(path: Path, target: str | None = None) -> Calibrating:
    """A calibration that :meth:`Calibrating.write` wrote, now or in an earlier version, from the
    same points, by the models that there are now of the figures that it has. ValueError if the
    files are none, for points of other units, and if a target is given and is not theirs, which is
    ``gates`` where they are of a Liberty file."""
    origin = read_origin(path)
    try:
        require_target(origin.target)
        its = origin.target
    except ValueError:
        its = "gates"  # with a Liberty file, whose name stands there
    if target not in (None, its):
        raise ValueError(f"target = {target!r}: {path} is of {origin.target}, allowed is {its}")
    points = read_points(path.with_suffix(".csv"))
    return Calibrating(_fitted(points, origin), points, [])


def _fitted(points: Sequence[Point], origin: Origin) -> Calibration:
    """A progress bar on a terminal: measures of some units take a second."""
    style = Style(origin.style)
    samples = [
        Sample((point.family, point.unit), measures(point.read(), style), point.figures)
        for point in tqdm(points, unit="point", desc="measures", leave=False, disable=None)
    ]
    return calibrated(samples, quantities(origin.target), origin)


def _point(family: str, answer: Answer) -> Point:
    figures = {cost.quantity: cost.value for cost in answer.costs}
    told = {q.name: figures.get(q.name, 0.0) for q in quantities(answer.target)}
    digests = {cost.rtlil_digest for cost in answer.costs if cost.rtlil_digest}
    return Point(family, answer.spec, next(iter(digests), ""), told)


def _heading(made: Calibrating) -> str:
    calibration = made.calibration
    lines = [
        f"{calibration.target}: {len(made.points):,} points of {len(calibration.units)} units;"
        f" {calibration.source}"
    ]
    if made.failed:
        lines.append(f"{len(made.failed):,} points failed, as {made.failed[0]}")
    return "\n".join(lines)


def _table(figure: tuple[str, Model]) -> str:
    """Errors of one figure: with points left out in turn, and with a family left out."""
    name, model = figure
    unit = max(model.within, key=lambda one: model.within[one].median)
    rows = [
        ("each fifth left out", model.all_within),
        (f"  the worst: {unit}", model.within[unit]),
        ("a family left out", model.all_left_out),
        *((f"  {family}", errors) for family, errors in model.left_out.items()),
        ("larger half of each unit left out", model.all_larger),
    ]
    heading = f"{'':44}{'points':>7}{'median':>8}{'68 %':>8}{'95 %':>8}"
    return "\n".join(
        [f"{name}, errors in %{heading[len(name) + 13 :]}", *(_row(*row) for row in rows)]
    )


def _row(title: str, errors: Errors) -> str:
    figures = (errors.median, errors.two_thirds, errors.most)
    return f"{title:44}{errors.points:>7}" + "".join(f"{100 * one:>8.1f}" for one in figures)
