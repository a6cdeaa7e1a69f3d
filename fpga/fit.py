"""The largest tile that a board holds at its clock, found by building ever closer ones.

For a board whose chip no open tool routes, Yosys' counts decide, and the clock is not known.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from tqdm import tqdm

from multipede.fpga.board_design import BoardDesign
from multipede.fpga.boards import Board
from multipede.fpga.boards import board as board_of
from multipede.fpga.clock import BoardClock, checked_clock
from multipede.fpga.nextpnr import DoesNotFitError
from multipede.fpga.place_and_route import checked_seeds
from multipede.fpga.shell.executor import Executor
from multipede.fpga.shell.shell import BAUD_RATE
from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Kind, Spec
from multipede.toolchain import ToolFailure, ToolTimeout

__all__ = ["Fit", "Tried", "fit", "fit_table"]

MOST_COLUMNS = 256
SEEDS = 2
TIME_LIMIT = 900.0
_FULL = 0.97
"""share of a chip's look-up tables up to which placement is hoped for"""
_COUNTED = ", counted and not routed"


@dataclass(frozen=True)
class Tried:
    """A number of columns that was tried.

    Attributes
    ----------
    columns : how many. used : of the chip, as far as it is known.
    reached : the highest clock of its placements, MHz; None where it was not placed.
    trouble : what stood against it.
    """

    columns: int
    used: Mapping[str, int] | None
    reached: float | None
    trouble: str

    @property
    def holds(self) -> bool:
        """Whether it fits and meets the clock."""
        return not self.trouble


@dataclass(frozen=True)
class Fit:
    """The largest tile that was found.

    Attributes
    ----------
    spec : the tile, None if not even one column fits. board : name.
    frequency : of the design, MHz. baud_rate : of the line. record_clocks : clocks in which the
        memories give a record. record_bytes : of the line; both 0 if nothing fits.
    tried : all that was tried, in turn.
    """

    spec: Spec | None
    board: str
    frequency: float
    baud_rate: int
    record_clocks: float
    record_bytes: int
    tried: tuple[Tried, ...]

    @property
    def largest(self) -> Tried | None:
        """The tile that was found."""
        holding = (tried for tried in self.tried if tried.holds)
        return max(holding, key=lambda tried: tried.columns, default=None)

    @property
    def operations(self) -> dict[str, float]:
        """Per second: of the tile in every clock, of what the block RAMs give it, of what the
        serial line brings at most. Empty if nothing fits."""
        if self.spec is None:
            return {}
        (each,) = self.spec.operations.values()
        clock = self.frequency * 1e6
        return {
            "tile": each * clock / self.spec.initiation_interval,
            "block RAM": each * clock / self.record_clocks,
            "serial line": each * self.baud_rate / (10 * self.record_bytes),
        }

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "specification": None if self.spec is None else self.spec.to_dict(),
            "board": self.board,
            "frequency": self.frequency,
            "reached": None if self.largest is None else self.largest.reached,
            "used": None if self.largest is None else dict(self.largest.used),
            "operations_per_second": self.operations,
            "tried": [{"columns": tried.columns, "trouble": tried.trouble} for tried in self.tried],
        }

    def __str__(self) -> str:
        target = board_of(self.board)
        last = max(
            (tried for tried in self.tried if not tried.holds),
            default=None,
            key=lambda tried: -tried.columns,
        )
        lines = []
        if self.spec is None or self.largest is None:
            lines.append(f"{target.title} at {self.frequency:g} MHz: not even one column")
        else:
            (operation, each), *_ = self.spec.operations.items()
            lines.append(
                f"{self.spec.unit}, {self.spec.rows} x {self.spec.columns} x {self.spec.lanes} on"
                f" {target.title} at {self.frequency:g} MHz"
                + (f" ({self.largest.reached:.1f} reached)" if self.largest.reached else _COUNTED)
            )
            lines.append(f"  {each:,} {operation.replace('_', '-')} in a record; per second:")
            lines += [f"  {rate / 1e6:12,.2f} M  {name}" for name, rate in self.operations.items()]
            lines += [f"  {line}" for line in target.fpga.shares(self.largest.used)]
        if last is not None:
            lines.append(f"  {last.columns} columns: {last.trouble}")
        else:
            lines.append("  more columns were not asked for")
        return "\n".join(lines)


def fit(
    spec: Spec,
    board: str,
    *,
    frequency: float | None = None,
    baud_rate: int = BAUD_RATE,
    most: int = MOST_COLUMNS,
    seeds: int = SEEDS,
    time_limit: float = TIME_LIMIT,
) -> Fit:
    """Find the largest number of columns that fits a board, shell included, and holds its clock.

    A progress bar on a terminal. Each size that is tried is placed and routed, and cached. Of what
    is found, one column more was tried and does not hold, unless ``most`` is reached. Where no open
    tool routes, sizes are counted only, and whether they hold the clock is not known.

    Parameters
    ----------
    spec : a tile; its columns do not count. board : one of
        :data:`~multipede.fpga.boards.BOARDS`.
    frequency : MHz, as of :func:`~multipede.fpga.build.build_for`.
    baud_rate : bits per second. most : columns at most, 1 to 256. seeds : of the placer for each
        size. time_limit : s for each placement, as a chip that is nearly full may never be routed.

    Raises
    ------
    TypeError, ValueError
        For what is no tile, an unknown board, and other parameters.
    ToolError
        If a tool is missing or fails, but for nextpnr: what it fails at does not fit.
    """
    require_type("spec", spec, Spec)
    if spec.kind is not Kind.TILE:
        raise ValueError(f"spec = {spec.unit}: it is no tile, so that it has no columns to vary")
    require_type("board", board, str)
    target = board_of(board)
    require_range("most", most, 1, MOST_COLUMNS)
    chosen = checked_seeds(seeds)
    if isinstance(time_limit, bool) or not isinstance(time_limit, Real):
        raise TypeError(f"time_limit must be a number of seconds, not {time_limit!r}")
    if not time_limit > 0:
        raise ValueError(f"time_limit = {time_limit}: more than 0 s is needed")
    clock = BoardClock(target, checked_clock(target, frequency)).frequency
    asked = {"frequency": clock, "baud_rate": baud_rate}
    executors: dict[int, Executor] = {}

    def attempt(columns: int) -> Tried:
        tile = replace(spec, columns=columns)
        try:
            BoardDesign.check_size(tile, target)
        except DoesNotFitError as error:
            return Tried(columns, None, None, str(error))
        design = BoardDesign.of(tile, target, records=None, **asked)
        executors[columns] = design.shell.executor
        if not target.fpga.is_routed:
            used = design.resources.by_kind
            return Tried(columns, used, None, target.fpga.lacks(used))
        # What Yosys fails at is not a matter of size.
        design.netlist  # noqa: B018
        try:
            placements = design.place(chosen, timeout=time_limit)
        except ToolTimeout:
            return Tried(columns, None, None, f"not routed within {time_limit:g} s")
        except (DoesNotFitError, ToolFailure) as error:
            return Tried(columns, None, None, " ".join(str(error).split()))
        best = max(placements, key=lambda placement: placement.frequency)
        missing = clock / 1e6 - best.frequency
        slow = f"misses {clock / 1e6:g} MHz by {missing:.1f}" if missing > 0 else ""
        return Tried(columns, best.used, best.frequency, slow)

    # disable=None: only where somebody can see it.
    bar = tqdm(_tried(attempt, target, most), desc="fit", unit="size", leave=False, disable=None)
    tried = tuple(bar)
    columns = max((one.columns for one in tried if one.holds), default=0)
    # What does not fit is not built to say how quick it would be.
    executor = executors[columns] if columns else None
    return Fit(
        spec=replace(spec, columns=columns) if columns else None,
        board=board,
        frequency=clock / 1e6,
        baud_rate=baud_rate,
        record_clocks=executor.record_clocks if executor else 0.0,
        record_bytes=executor.record_bytes if executor else 0,
        tried=tried,
    )


def fit_table(fits: Sequence[Fit]) -> str:
    """The largest tiles of several boards side by side; what one of them is made of, above."""
    found = [each for each in fits if each.spec is not None]
    lines = [f"{found[0].spec} in other sizes"] if found else []
    head = f"{'shape':>12}{'LUT':>9}{'full':>6}{'MHz':>6}{'reached':>9}"
    lines.append(f"{'':36}{head}{'tile':>11}{'block RAM':>11}{'line':>9}  M operations per s")
    for each in fits:
        title = board_of(each.board).title
        if each.spec is None or each.largest is None:
            lines.append(f"{title:36}{'none':>12}  {each.tried[0].trouble}")
            continue
        spec, used = each.spec, each.largest.used["lut"]
        shape = f"{spec.rows}x{spec.columns}x{spec.lanes}"
        full = used / board_of(each.board).fpga.holds["lut"]
        line = f"{title:36}{shape:>12}{used:9,}{full:6.0%}{each.frequency:6g}"
        line += f"{f'{each.largest.reached:.1f}' if each.largest.reached else '-':>9}"
        tile, memory, serial = (rate / 1e6 for rate in each.operations.values())
        lines.append(f"{line}{tile:11,.1f}{memory:11,.2f}{serial:9,.3f}")
    lines += [
        "",
        "shape: rows x columns x lanes; columns are the most that are placed, routed and hold the"
        " clock, the shell around the tile included; where no clock is reached, the most that Yosys"
        " counts no more than the chip's resources for",
        "tile: a record in each clock; block RAM: as the memories give records; line: as the serial"
        " line brings them at most",
    ]
    return "\n".join(lines)


def _tried(attempt: Callable[[int], Tried], target: Board, most: int) -> Iterator[Tried]:
    """Sizes, each chosen by what the look-up tables of those before let expect."""
    fits, too_many = 0, most + 1
    known: dict[int, int] = {}
    following = 1
    while too_many - fits > 1:
        one = attempt(following)
        yield one
        if one.used is not None:
            known[one.columns] = one.used["lut"]
        if one.holds:
            fits = one.columns
        else:
            too_many = one.columns
        following = _following(known, target.fpga.holds["lut"], fits, too_many, most)


def _following(known: dict[int, int], there: int, fits: int, too_many: int, most: int) -> int:
    """A number between one that fits and one that does not."""
    middle = (fits + too_many) // 2
    if len(known) == 1:
        return min(fits + 1, middle) if too_many > fits + 2 else middle
    if len(known) > 1:
        (first, used), (last, more) = sorted(known.items())[:: len(known) - 1]
        # At first a little less than all, as a chip that is nearly full takes long to route.
        hoped_for = there * (_FULL if len(known) == 2 else 1.0)
        hoped = int(last + (hoped_for - more) * (last - first) / max(1, more - used))
        # What is expected may be wrong by a little; by more, it is not the tables that stand in the
        # way.
        if hoped <= too_many + 1 or too_many > most:
            return min(max(hoped, fits + 1), too_many - 1)
    return middle
