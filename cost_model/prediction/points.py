"""Synthesised points that a calibration is made from, kept beside it as a table."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multipede.golden.catalogue import spec_from_dict
from multipede.golden.spec import Spec

__all__ = ["Point", "read_points", "written"]

_FIRST = ("family", "unit", "parameters", "rtlil")


@dataclass(frozen=True)
class Point:
    """A unit, and what synthesis found.

    Attributes
    ----------
    family : that it belongs to. spec : as of :meth:`Spec.to_dict`. rtlil : digest of what was
        synthesised. figures : by quantity.
    """

    family: str
    spec: Mapping[str, Any]
    rtlil: str
    figures: Mapping[str, float]

    @property
    def unit(self) -> str:
        """Its name."""
        return self.spec["unit"]

    def read(self) -> Spec:
        """The specification. TypeError, ValueError if it is one of other code."""
        return spec_from_dict(dict(self.spec))


def written(points: Iterable[Point], quantities: Sequence[str]) -> str:
    """As CSV: a line each, the parameters as JSON."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([*_FIRST, *quantities])
    for point in points:
        parameters = json.dumps(point.spec["parameters"], sort_keys=True)
        figures = [repr(float(point.figures[name])) for name in quantities]
        table.writerow([point.family, point.unit, parameters, point.rtlil, *figures])
    return text.getvalue()


def read_points(path: Path) -> list[Point]:
    """Those of a file that :func:`written` made. ValueError if it is none."""
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        return [_point(row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no table of calibration points: {error}") from None


def _point(row: dict[str, str]) -> Point:
    figures = {name: float(value) for name, value in row.items() if name not in _FIRST}
    spec = {"unit": row["unit"], "parameters": json.loads(row["parameters"])}
    return Point(row["family"], spec, row["rtlil"], figures)
