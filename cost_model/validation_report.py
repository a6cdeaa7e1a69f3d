"""A validation as text."""

from statistics import median

from multipede.cost_model.leave_one_out import ScaleErrors
from multipede.cost_model.validation import Row, Validation

__all__ = ["OUTLIER", "validation_text"]

OUTLIER = 0.20
"""Errors beyond this are explained."""

_HEAD = (
    f"{'area, um2':26} {'published':>9} {'ours':>8} {'error':>7} {'left out':>8}"
    f" {'+ registers':>11} {'ours':>8} {'error':>7}  longest path"
)


def validation_text(validation: Validation) -> str:
    """Table, medians and what explains the outliers."""
    errors = validation.errors
    names = [row.point.name for row in validation.blocks]
    left_out = dict(zip(names, errors.left_out, strict=True))
    lines = [
        f"published blocks in 28 nm, synthesised again with {validation.target}",
        "",
        _HEAD,
        *(_line(row, left_out.get(row.point.name)) for row in validation.rows),
        "",
        "left out: each block's error with one factor fitted to all others",
        f"{'median of the magnitudes':44} {'left out':>8} {'factor 1':>9} {'fitted':>7}  factor",
        _medians("blocks", errors),
        _medians("blocks with the registers around them", validation.register_errors),
        _medians("blocks, defects mended", validation.mended_errors),
        *(
            f"  {f'blocks that {what} the clock: {len(found)}':42} {median(found):8.1%}"
            for what, found in validation.errors_by_clock.items()
            if found
        ),
        *_explanations(validation, left_out),
        *_mends(validation),
        *_same_node(validation),
        *_under(
            "not synthesised again:", [f"{p.name}: {p.reason}" for p in validation.not_recreated]
        ),
        "",
        *_conditions(validation),
    ]
    return "\n".join(lines)


def _line(row: Row, left_out: float | None) -> str:
    around, error = row.point.with_registers, row.error_with_registers
    columns = [
        f"{row.point.name:26} {row.point.area:9,.1f} {row.ours:8,.1f} {row.error:+7.1%}",
        f"{'' if left_out is None else f'{left_out:+.1%}':>8}",
        f"{around:11,.1f} {row.with_registers:8,.1f} {error:+7.1%}",
    ]
    return " ".join(columns) + _path(row)


def _path(row: Row) -> str:
    if row.block is None:
        return ""
    delay = row.block.delay / 1000
    missed = "" if row.block.holds else f", MISSES {row.block.clock:.3g} ns"
    return f"  {delay:.2f} ns{missed} ({row.block.style})"


def _medians(what: str, errors: ScaleErrors) -> str:
    medians = errors.medians
    return (
        f"  {what:42} {medians['left_out']:8.1%} {medians['plain']:9.1%} {medians['fitted']:7.1%}"
        f"  {errors.factor:.3f}"
    )


def _explanations(validation: Validation, left_out: dict[str, float]) -> list[str]:
    """What is known of blocks that are off with n28, with a factor of 1 or left out."""
    if validation.target != "n28":
        return []
    off = [
        row
        for row in validation.blocks
        if max(abs(row.error), abs(left_out[row.point.name])) > OUTLIER
    ]
    return _under(
        f"off by more than {OUTLIER:.0%}:", [f"{row.point.name}: {row.point.note}" for row in off]
    )


def _mends(validation: Validation) -> list[str]:
    lines = [
        f"{row.point.name}: {row.point.mends}: {row.mend:+.1f} um2 at"
        f" {validation.clock_scale * row.point.mend_clock:.3g} ns; mended, at the table's clock"
        f" {row.mended.area:.1f} um2, {row.mended.delay / 1000:.2f} ns"
        for row in validation.rows
        if row.mend is not None
    ]
    return _under("defects of the published RTL, which is in the table as it is:", lines)


def _same_node(validation: Validation) -> list[str]:
    lines = [
        f"{row.point.name:24} {row.point.area:9,.1f} {row.ours:8,.1f} {row.error:+7.1%}"
        f"  ({row.block.style})"
        for row in validation.same_node
    ]
    origins = {row.point.origin.source for row in validation.same_node}
    return _under("; ".join(sorted(origins)) + ":", lines)


def _under(head: str, lines: list[str]) -> list[str]:
    """The lines under a head; nothing if there are none."""
    return ["", head, *(f"  {line}" for line in lines)] if lines else []


def _conditions(validation: Validation) -> list[str]:
    origin = validation.blocks[0].point.origin
    scaled = "" if validation.clock_scale == 1 else f", clocks times {validation.clock_scale:.3f}"
    library = (
        f"n28 in {origin.n28}" if validation.target == "n28" else f"{validation.target}{scaled}"
    )
    return [
        f"{origin.source}",
        f"theirs: {origin.technology}; {origin.corner}; {origin.clock:g} ns; {origin.tool}",
        f"ours: {library}; between registers; the smallest style that holds the clock, or else the"
        " fastest",
    ]
