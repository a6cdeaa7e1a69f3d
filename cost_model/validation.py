"""Published 28 nm blocks synthesised again: how far a library's areas are from theirs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from multipede.asic_flow.liberty.library import Library, read_liberty
from multipede.asic_flow.n28.library import n28_library
from multipede.asic_flow.timing.conditions import fanout_of_four
from multipede.cost_model.block_area import (
    BlockArea,
    adder_area,
    block_area,
    register_area,
    spec_of,
    unit_area,
)
from multipede.cost_model.leave_one_out import ScaleErrors, scale_errors
from multipede.cost_model.published import Point, PointKind, published_points
from multipede.hw import Style

__all__ = ["Row", "Validation", "validate_n28"]


@dataclass(frozen=True)
class Row:
    """A published figure beside ours.

    Attributes
    ----------
    point : the publication.
    ours, with_registers : um2; the latter with as many registers as the authors' wrapper has.
    block : our synthesis; None for sums.
    mended : the same without the authors' defects, where there are any. mend : um2 that the mends
        take, both synthesised for ``point.mend_clock``, at which both are small.
    """

    point: Point
    ours: float
    with_registers: float | None = None
    block: BlockArea | None = None
    mended: BlockArea | None = None
    mend: float | None = None

    @property
    def error(self) -> float:
        """Ours over published, less one, without registers around."""
        return self.ours / self.point.area - 1

    @property
    def error_with_registers(self) -> float | None:
        """The same with them."""
        if self.with_registers is None or self.point.with_registers is None:
            return None
        return self.with_registers / self.point.with_registers - 1

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        blocks = {"block": self.block, "mended": self.mended}
        return {
            "name": self.point.name,
            "number": self.point.number,
            "kind": self.point.kind.value,
            "source": self.point.origin.source,
            "published": self.point.area,
            "published_with_registers": self.point.with_registers,
            "ours": self.ours,
            "ours_with_registers": self.with_registers,
            "error": self.error,
            "error_with_registers": self.error_with_registers,
            "mend": self.mend,
            "note": self.point.note,
            **{
                name: None if block is None else {**vars(block), "holds": block.holds}
                for name, block in blocks.items()
            },
        }


@dataclass(frozen=True)
class Validation:
    """Every published point, and how well our areas tell theirs.

    Attributes
    ----------
    target : the library's name. clock_scale : by how much its gates are slower than those of n28 in
        the points' corner; the clocks are longer by that.
    rows : blocks and sums. not_recreated : the other points.
    same_node : rows of a publication for this very library, compared without a factor.
    """

    target: str
    clock_scale: float
    rows: tuple[Row, ...]
    same_node: tuple[Row, ...]
    not_recreated: tuple[Point, ...]

    @property
    def blocks(self) -> tuple[Row, ...]:
        """The rows that stand for themselves."""
        return tuple(row for row in self.rows if row.block is not None)

    @property
    def errors(self) -> ScaleErrors:
        """Of the blocks as published, defects included, without registers around."""
        return scale_errors([r.point.area for r in self.blocks], [r.ours for r in self.blocks])

    @property
    def errors_by_clock(self) -> dict[str, list[float]]:
        """Magnitudes of the errors of blocks left out, of those that hold the clock at which they
        are compared and of those that miss it, whose areas are then too small."""
        found: dict[str, list[float]] = {"hold": [], "miss": []}
        for row, error in zip(self.blocks, self.errors.left_out, strict=True):
            found["hold" if row.block.holds else "miss"].append(abs(error))
        return found

    @property
    def mended_errors(self) -> ScaleErrors:
        """The same with the mended units in place of those with defects."""
        areas = [(r.mended or r.block).area for r in self.blocks]
        return scale_errors([r.point.area for r in self.blocks], areas)

    @property
    def register_errors(self) -> ScaleErrors:
        """The same as :attr:`errors`, with registers around."""
        return scale_errors(
            [r.point.with_registers for r in self.blocks], [r.with_registers for r in self.blocks]
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        statistics = {
            "errors": self.errors,
            "mended_errors": self.mended_errors,
            "register_errors": self.register_errors,
        }
        return {
            "target": self.target,
            "clock_scale": self.clock_scale,
            "rows": [row.to_dict() for row in self.rows],
            "same_node": [row.to_dict() for row in self.same_node],
            "not_recreated": {point.name: point.reason for point in self.not_recreated},
            **{name: errors.to_dict() for name, errors in statistics.items()},
            "errors_by_clock": self.errors_by_clock,
        }

    def __str__(self) -> str:
        from multipede.cost_model.validation_report import validation_text

        return validation_text(self)


def validate_n28(*, liberty: Path | Library | None = None) -> Validation:
    """Synthesise the published blocks again, each in its corner and for its clock. Cached.

    Parameters
    ----------
    liberty : another library, as a file or read, in place of n28. Its areas belong to another node:
        only their ratios to the published ones count, and clocks are longer by the ratio of the
        delays of an inverter that drives four.

    Raises
    ------
    ValueError
        For a Liberty file that is missing or broken or has no delays.
    ToolError
        If Yosys is missing or fails, or the library lacks a cell that is needed.
    """
    if liberty is not None and not isinstance(liberty, Library):
        liberty = read_liberty(Path(liberty))
    points = published_points()
    blocks = [p for p in points if p.kind is PointKind.BLOCK and p.origin.nand2 is None]
    own = [p for p in points if liberty is not None and _is_of(p, liberty)]
    runs = sum(len(Style) * (1 + 3 * point.released) for point in blocks) + len(Style) * len(own)
    with tqdm(total=runs, unit="synthesis", desc="validate", disable=None, leave=False) as bar:
        rows = [_row(point, liberty, bar.update) for point in blocks]
        same_node = [_row_of_node(point, liberty, bar.update) for point in own]
    sums = [_sum(p, rows) for p in points if p.kind is PointKind.SUM]
    return Validation(
        target="n28" if liberty is None else liberty.source,
        clock_scale=_clock_scale(blocks[0], liberty),
        rows=(*rows, *sums),
        same_node=tuple(same_node),
        not_recreated=tuple(p for p in points if p.kind is PointKind.LISTED),
    )


def _is_of(point: Point, library: Library) -> bool:
    """Whether a point is to be compared with this very library."""
    nand2 = library.cells.get("NAND2_X1")
    return nand2 is not None and float(nand2.area) == point.origin.nand2


def _clock_scale(point: Point, liberty: Library | None) -> float:
    if liberty is None:
        return 1.0
    return fanout_of_four(liberty).delay / fanout_of_four(n28_library(point.origin.n28)).delay


def _row(point: Point, liberty: Library | None, done: Callable[[], object]) -> Row:
    library = liberty or n28_library(point.origin.n28)
    scale = _clock_scale(point, liberty)
    clock = scale * point.origin.clock
    found = block_area(point, library, clock, released=point.released, done=done)
    mended = mend = None
    if point.released:
        mended = block_area(point, library, clock, released=False, done=done)
        both = [
            block_area(point, library, scale * point.mend_clock, released=released, done=done).area
            for released in (False, True)
        ]
        mend = both[0] - both[1]
    around = _registers(point) * register_area(point.register, library, clock)
    return Row(point, found.area, found.area + around, found, mended, mend)


def _registers(point: Point) -> int:
    """How many the authors' wrapper has: one for each bit, but for what only our units have."""
    spec = spec_of(point)
    ports = [port for name, port in spec.inputs.items() if name != "start"]
    ports += spec.outputs.values() if point.behind else ()
    return sum(port.bits for port in ports)


def _row_of_node(point: Point, library: Library, done: Callable[[], object]) -> Row:
    if point.adder_bits is None:
        found = unit_area(spec_of(point), library, done=done)
    else:
        found = adder_area(point.adder_bits, library, done=done)
    return Row(point, found.area, block=found)


def _sum(point: Point, rows: Sequence[Row]) -> Row:
    parts = [row for row in rows if row.point.name in point.blocks]
    return Row(point, sum(row.ours for row in parts), sum(row.with_registers for row in parts))
