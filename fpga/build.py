"""From a specification to a bitstream, or to what a vendor's tool makes one of."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multipede.fpga.board_design import TOP, BoardDesign
from multipede.fpga.boards import Board
from multipede.fpga.boards import board as board_of
from multipede.fpga.clock import checked_clock
from multipede.fpga.nextpnr import Placement, nextpnr_of
from multipede.fpga.place_and_route import checked_seeds
from multipede.fpga.resources import Resources
from multipede.fpga.shell.shell import BAUD_RATE
from multipede.golden.number_format import require_type
from multipede.golden.spec import Spec
from multipede.toolchain import cached, find, key, run, write_atomically

__all__ = ["Build", "build_for"]

SEEDS = 2
_SCRIPT = f"build_{TOP}.sh"
"""which a directory for Vivado has"""


@dataclass(frozen=True)
class Build:
    """A unit built for a board.

    Attributes
    ----------
    unit : the specification as text. board : its name. frequency : of the design, MHz.
    baud_rate : of its serial line. records : places for records of one message.
    placements : one for each seed, none where a vendor's tool is to do that.
    resources : Yosys' count of a design for a vendor's tool, else None.
    files : what was written: the bitstream, or the directory for the vendor's tool; None if the
        clock is missed.
    method : tools, in words.
    """

    unit: str
    board: str
    frequency: float
    baud_rate: int
    records: int
    placements: tuple[Placement, ...]
    resources: Resources | None
    files: Path | None
    method: str

    @property
    def best(self) -> Placement | None:
        """The fastest placement."""
        return max(self.placements, key=lambda found: found.frequency, default=None)

    @property
    def meets_clock(self) -> bool | None:
        """Whether the best placement holds the clock; None where that is not known."""
        return None if self.best is None else self.best.frequency >= self.frequency

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it: MHz."""
        return {
            "unit": self.unit,
            "board": self.board,
            "frequency": self.frequency,
            "baud_rate": self.baud_rate,
            "records": self.records,
            "meets_clock": self.meets_clock,
            "reached": {found.seed: found.frequency for found in self.placements},
            "used": None if self.best is None else dict(self.best.used),
            "resources": None if self.resources is None else self.resources.to_dict(),
            "files": None if self.files is None else str(self.files),
            "method": self.method,
        }

    def __str__(self) -> str:
        target = board_of(self.board)
        lines = [
            f"{self.unit} on {target.title}: {self.frequency:g} MHz, {self.baud_rate:,} baud,"
            f" {self.records:,} records in a message"
        ]
        if self.best is None:
            lines.append(
                f"  counted by Yosys, and not routed: whether it holds {self.frequency:g} MHz is"
                " for Vivado to say"
            )
            lines += [f"  {line}" for line in target.fpga.shares(self.resources.by_kind)]
            lacking = target.fpga.lacks(self.resources.by_kind)
            lines += [f"  {lacking}, by Yosys' count"] if lacking else []
        else:
            reached = ", ".join(f"{found.frequency:.1f}" for found in self.placements)
            lines.append(f"  reached with each seed, MHz: {reached}")
            if not self.meets_clock:
                missing = self.frequency - self.best.frequency
                lines.append(f"  misses the clock by {missing:.1f} MHz: no bitstream is written")
                lines += self.best.path_lines
            lines += [f"  {line}" for line in target.fpga.shares(self.best.used)]
        if self.files is not None:
            lines.append(f"  written: {self.files}")
        return "\n".join([*lines, f"  {self.method}"])


def build_for(
    spec: Spec,
    board: str,
    *,
    output: Path | None = None,
    frequency: float | None = None,
    baud_rate: int = BAUD_RATE,
    records: int | None = None,
    seeds: int | Sequence[int] = SEEDS,
) -> Build:
    """Build a unit, with what a host needs to use it, for a board. Cached but for what is written.

    Parameters
    ----------
    spec : the unit. board : one of :data:`~multipede.fpga.boards.BOARDS`.
    output : the bitstream, or for Vivado a new directory, or that of
        a build before; by default the board's name.
    frequency : of the design, MHz; by default that of the board's oscillator, else one that the
        chip's PLL makes of it.
    baud_rate : bits per second of the serial line.
    records : places for records of one message; by default as many as 2 KiB hold.
    seeds : of the placer, how many or which; the fastest is taken.

    Raises
    ------
    TypeError, ValueError
        For an unknown board and for other parameters.
    DoesNotFitError
        If the design takes more than the chip holds.
    ToolError
        If a tool is missing or fails; nothing is written then.
    """
    require_type("spec", spec, Spec)
    require_type("board", board, str)
    target = board_of(board)
    chosen = checked_seeds(seeds)
    output = _checked_output(output, target)
    BoardDesign.check_size(spec, target)
    design = BoardDesign.of(
        spec,
        target,
        frequency=checked_clock(target, frequency),
        baud_rate=baud_rate,
        records=records,
    )
    asked = {
        "unit": str(spec),
        "board": board,
        "frequency": design.megahertz,
        "baud_rate": baud_rate,
        "records": design.shell.executor.capacity,
    }
    if not target.fpga.is_routed:
        return _for_vivado(design, output, asked)
    placements = design.place(chosen)
    best = max(placements, key=lambda found: found.frequency)
    meets = best.frequency >= design.megahertz
    if meets:
        bitstream = _bitstream(target, design.routed(best.seed))
        write_atomically(output, bitstream.read_bytes())
    program = nextpnr_of(target.fpga)
    tools = ("yosys", program.tool, program.packer)
    method = ", ".join(dict.fromkeys(map(_origin, tools)))
    return Build(
        **asked,
        placements=tuple(placements),
        resources=None,
        files=output if meets else None,
        method=method,
    )


def _origin(name: str) -> str:
    """Where a tool is from, in words."""
    tool = find(name)
    if tool.origin.startswith("wheel "):
        return tool.origin.removeprefix("wheel ")
    return f"{name} {'.'.join(map(str, tool.version))} on {tool.origin}"


def _checked_output(output: Path | None, target: Board) -> Path:
    """Where to write, which must be possible before hours go into what is to be written."""
    if output is None:
        routed = target.fpga.is_routed
        output = Path(
            f"{target.name}.{nextpnr_of(target.fpga).bitstream}" if routed else target.name
        )
    output = Path(output)
    if not output.parent.is_dir():
        raise ValueError(f"output = {output}: there is no directory {output.parent}")
    if output.exists() and output.is_dir() == target.fpga.is_routed:
        kind = "a directory" if output.is_dir() else "a file"
        raise ValueError(f"output = {output}: this is {kind}")
    if output.is_dir() and any(output.iterdir()) and not (output / _SCRIPT).exists():
        raise ValueError(
            f"output = {output}: a new directory is needed, or that of a build before, and other"
            " files are in this one"
        )
    return output


def _for_vivado(design: BoardDesign, output: Path, asked: Mapping[str, Any]) -> Build:
    """The directory, and Yosys' estimate."""
    found = design.resources
    files = design.vivado_files()
    output.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_atomically(output / name, text)
    method = f"run {_SCRIPT} there, with Vivado on PATH; {found.method}"
    return Build(**asked, placements=(), resources=found, files=output, method=method)


def _bitstream(target: Board, routed: Path) -> Path:
    """What the family's packer makes of a routed design. Cached."""
    program = nextpnr_of(target.fpga)
    packer = find(program.packer)
    source = routed / program.result
    name = f"{TOP}.{program.bitstream}"
    names = {"routed": program.result, "bitstream": name, "part": target.fpga.part}
    arguments = [argument.format(**names) for argument in program.packing]
    identity = key(source.read_text(), *arguments, packer.identity)

    def build(directory: Path) -> None:
        with tempfile.TemporaryDirectory(dir=directory) as work:
            # A packer in WebAssembly sees nothing outside the directory.
            place = Path(work)
            (place / program.result).write_bytes(source.read_bytes())
            run(packer, arguments, directory=place)
            write_atomically(directory / name, (place / name).read_bytes())

    return cached("fpga-bitstream", identity, build) / name
