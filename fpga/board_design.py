"""A unit's shell on a board: what is made for Vivado, and what our own tools go on with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from amaranth.back import rtlil
from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io

from multipede.fpga.boards import Board
from multipede.fpga.clock import BoardClock
from multipede.fpga.nextpnr import TIMEOUT, DoesNotFitError, Placement
from multipede.fpga.place_and_route import mapped_netlist, place_and_route, routed_directory
from multipede.fpga.resources import Resources, resources_of_rtlil
from multipede.fpga.shell import Shell
from multipede.golden.spec import Spec
from multipede.hw import Style, inventory
from multipede.toolchain.yosys import run_yosys

if TYPE_CHECKING:
    from amaranth.build import Platform

__all__ = ["TOP", "BoardDesign"]

TOP = "top"
_SOURCE = re.compile(r"^ *attribute \\src .*\n", re.MULTILINE)


class _Top(Elaboratable):
    """The shell between the board's pins."""

    def __init__(self, shell: Shell, clock: BoardClock) -> None:
        self._shell, self._clock = shell, clock

    def elaborate(self, platform: "Platform") -> Module:
        m = Module()
        self._clock.elaborate(m, platform)
        m.submodules.shell = shell = self._shell
        # Lines for the flow of bytes, where there are some, stay as they are.
        pins = platform.request("uart", 0, dir="-")
        m.submodules.rx = rx = io.Buffer("i", pins.rx)
        m.submodules.tx = tx = io.Buffer("o", pins.tx)
        m.d.comb += [shell.rx.eq(rx.i), tx.o.eq(shell.tx)]
        if ("led", 0) in platform.resources:
            m.submodules.led = led = io.Buffer("o", platform.request("led", 0, dir="-"))
            m.d.comb += led.o.eq(shell.busy)
        return m


@dataclass(frozen=True)
class BoardDesign:
    """Files of a design for a board.

    Attributes
    ----------
    board, clock, shell : what it is of.
    files : by name, as Amaranth's platform writes them.
    """

    board: Board
    clock: BoardClock
    shell: Shell
    files: dict[str, str]

    @staticmethod
    def check_size(spec: Spec, board: Board) -> None:
        """DoesNotFitError for a unit that is too large for sure, before hours go into it: whose
        registers alone, or half of whose adders' bits, are more than the chip has places for."""
        counted = inventory(spec, style=Style.WORD)
        least = {"ff": counted["register"], "lut": counted["word_adder_bit"] // 2}
        lacking = board.fpga.lacks(least)
        if lacking:
            raise DoesNotFitError(f"{lacking}, at the least")

    @classmethod
    def of(
        cls,
        spec: Spec,
        board: Board,
        *,
        frequency: float,
        baud_rate: int,
        records: int | None,
    ) -> "BoardDesign":
        """The design of a unit. Raises TypeError, ValueError as the shell and the clock do, and
        ToolError if amaranth-boards is missing."""
        clock = BoardClock(board, frequency)
        shell = Shell(
            spec,
            clock=frequency,
            board=board.name,
            baud_rate=baud_rate,
            records=records,
            style=Style.WORD,
        )
        platform = _without_verilog(board.platform())
        plan = platform.prepare(_Top(shell, clock), name=TOP)
        files = {
            name: content if isinstance(content, str) else content.decode()
            for name, content in plan.files.items()
        }
        # Where something stands in our files is nothing that a cached netlist should depend on.
        files[f"{TOP}.il"] = _SOURCE.sub("", files[f"{TOP}.il"])
        return cls(board, clock, shell, files)

    @property
    def rtlil(self) -> str:
        """The design."""
        return self.files[f"{TOP}.il"]

    @property
    def pins(self) -> str:
        """Constraints of the pins in the format of the family's place and route."""
        (name,) = (name for name in self.files if name.endswith((".lpf", ".pcf", ".cst", ".xdc")))
        return self.files[name]

    @property
    def megahertz(self) -> float:
        """Frequency of the clock."""
        return self.clock.frequency / 1e6

    @cached_property
    def netlist(self) -> Path:
        """Mapped to the board's chip. ToolError if Yosys is missing or fails."""
        return mapped_netlist(self.rtlil, TOP, self.board.fpga)

    @cached_property
    def resources(self) -> Resources:
        """Yosys' count, without the buffers of pins and clock, which its libraries lack in part.
        ToolError if Yosys is missing or fails."""
        plain = rtlil.convert(self.shell, name="shell")
        return resources_of_rtlil(plain, top="shell", device=self.board.fpga.family)

    def place(self, seeds: Sequence[int], *, timeout: float = TIMEOUT) -> list[Placement]:
        """Placements, one for each seed. Raises as
        :func:`~multipede.fpga.place_and_route.place_and_route`."""
        asked = {"seeds": seeds, "frequency": self.megahertz, "pins": self.pins}
        return place_and_route(self.netlist, self.board.fpga, timeout=timeout, **asked)

    def routed(self, seed: int) -> Path:
        """The directory with the routed design of a seed."""
        asked = {"seed": seed, "frequency": self.megahertz, "pins": self.pins}
        return routed_directory(self.netlist, self.board.fpga, **asked)

    def vivado_files(self) -> dict[str, str]:
        """What Vivado builds in batch mode: Verilog, constraints, a Tcl script, and a shell script
        that runs it."""
        done = run_yosys(
            f"read_rtlil {TOP}.il\nproc\nmemory_collect\n"
            f"setattr -unset src\nsetattr -mod -unset src\nwrite_verilog {TOP}.v",
            files={f"{TOP}.il": self.rtlil},
            outputs=[f"{TOP}.v"],
        )
        kept = (f"{TOP}.xdc", f"{TOP}.tcl", f"build_{TOP}.sh")
        return {f"{TOP}.v": done.outputs[f"{TOP}.v"], **{name: self.files[name] for name in kept}}


def _without_verilog(platform: "Platform") -> "Platform":
    """A platform that writes RTLIL, as Amaranth would look for a Yosys of its own to write Verilog
    with."""
    kind = type(platform)
    templates = {
        name: text for name, text in platform.file_templates.items() if not name.endswith(".v")
    }
    templates["{{name}}.il"] = "{{emit_rtlil()}}"
    written = type(kind.__name__, (kind,), {"file_templates": property(lambda self: templates)})
    return written()
