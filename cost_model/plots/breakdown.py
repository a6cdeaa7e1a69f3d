"""Where the area of units goes, by part."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from multipede.cost_model.plots.picture import Picture, canvas
from multipede.golden.number_format import require_type

if TYPE_CHECKING:
    from multipede.asic_flow import Synthesis

__all__ = ["breakdown", "breakdown_plot"]

_TOP = "outside of parts"
_NUMBERS = re.compile(r"\d+")


def breakdown(found: "Synthesis") -> dict[str, float]:
    """Part -> area, the largest first; parts that differ in numbers only are one.

    What belongs to no part, as the registers of a tile or the gates of a unit without submodules,
    is "outside of parts". TypeError for what is no synthesis.
    """
    from multipede.asic_flow import Synthesis

    require_type("found", found, Synthesis)
    parts: dict[str, float] = {}
    for path, area in found.modules.items():
        part = _part(path.partition(".")[0])
        parts[part] = parts.get(part, 0.0) + area
    return dict(sorted(parts.items(), key=lambda pair: -pair[1]))


def _part(name: str) -> str:
    """What a submodule is, without which one of its kind it is: ``p_0_1_dot_product`` is a dot
    product."""
    words = [word for word in _NUMBERS.sub("", name).split("_") if len(word) > 1]
    return " ".join(dict.fromkeys(words)) or _TOP


def breakdown_plot(found: "Mapping[str, Synthesis]", *, per_operation: bool = True) -> Picture:
    """A bar for each unit, by label: its parts on each other.

    Parameters
    ----------
    found : of the same unit of area. per_operation : whether areas are divided by what a record is
        worth.

    Raises
    ------
    TypeError, ValueError
        For no units, other values, and different units of area.
    ToolError
        If matplotlib is missing.
    """
    if not found:
        raise ValueError("found is empty: at least one synthesis is needed")
    divided = {label: breakdown(one) for label, one in found.items()}
    units = {one.area_unit for one in found.values()}
    if len(units) > 1:
        raise ValueError(f"areas in {', '.join(sorted(units))} cannot stand beside each other")
    divisors = {
        label: next(iter(one.operations.values()), 1) if per_operation else 1
        for label, one in found.items()
    }
    parts = list(dict.fromkeys(part for bars in divided.values() for part in bars))
    figure, axes = canvas(2.0 + 1.1 * len(found), 4.4)
    bottom = dict.fromkeys(found, 0.0)
    for part in parts:
        heights = [divided[label].get(part, 0.0) / divisors[label] for label in found]
        axes.bar(list(found), heights, bottom=list(bottom.values()), width=0.6, label=part)
        bottom = {
            label: start + height
            for (label, start), height in zip(bottom.items(), heights, strict=True)
        }
    (unit,) = units
    axes.set_ylabel(f"area per operation, {unit}" if per_operation else f"area, {unit}")
    axes.set_xticks(range(len(found)), list(found), rotation=20, ha="right")
    axes.margins(y=0.1)
    axes.legend(frameon=False, bbox_to_anchor=(1.0, 1.0), loc="upper left")
    return Picture(figure)
