"""nextpnr for each family of FPGAs: one run of it, and what it says."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile

from multipede.fpga.chips import Chip
from multipede.toolchain import ToolError, ToolFailure, find, run

__all__ = [
    "TIMEOUT",
    "DoesNotFitError",
    "Nextpnr",
    "Placement",
    "Step",
    "nextpnr_of",
    "place",
    "placed",
]

TIMEOUT = 3600.0
"""Seconds after which a run is given up: a chip that is nearly full may never be routed."""
REPORT, LOG = "report.json", "nextpnr.log"


class DoesNotFitError(ValueError):
    """A design takes more than the chip holds; the message says of what, and how much more."""


@dataclass(frozen=True)
class Nextpnr:
    """The program of a family.

    Attributes
    ----------
    tool : its name. output, result : the option and file of the routed design.
    constraints, pins, free : option and file of pin constraints, and the options that let pins be
        chosen where there are none.
    packer, packing : the tool that writes a bitstream, and its arguments; ``{routed}``,
        ``{bitstream}`` and ``{part}`` stand for files and the chip's ``part``.
    bitstream : the ending of the file that it writes.
    resources : the cells that nextpnr counts, as our resources.
    cells : beginnings of names of mapped cells, which Yosys puts behind the user's names.
    mapping : file with what replaces mapped cells before nextpnr sees them, if anything.
    sites : cell -> sites of look-up tables that it takes at least, where cells of several kinds
        share them. nextpnr's report does not count them then, but its log does, as of ``LUT4``; and
        it would look long for places that there are too few of.
    """

    tool: str
    output: str
    result: str
    constraints: tuple[str, ...]
    pins: str
    free: tuple[str, ...]
    packer: str
    packing: tuple[str, ...]
    bitstream: str
    resources: Mapping[str, str]
    cells: tuple[str, ...]
    mapping: str = ""
    sites: Mapping[str, int] = field(default_factory=dict)


_PROGRAMS = {
    "ecp5": Nextpnr(
        tool="nextpnr-ecp5",
        output="--textcfg",
        result="routed.config",
        constraints=("--lpf", "pins.lpf"),
        pins="pins.lpf",
        free=("--lpf-allow-unconstrained",),
        packer="ecppack",
        packing=("--compress", "--input", "{routed}", "--bit", "{bitstream}"),
        bitstream="bit",
        resources={
            "TRELLIS_COMB": "lut",
            "TRELLIS_FF": "ff",
            "MULT18X18D": "dsp",
            "DP16KD": "bram",
        },
        cells=("TRELLIS_", "CCU2", "LUT4", "PFUMX", "L6MUX", "MULT18X18D", "ALU54B", "DP16KD"),
    ),
    "ice40": Nextpnr(
        tool="nextpnr-ice40",
        output="--asc",
        result="routed.asc",
        constraints=("--pcf", "pins.pcf"),
        pins="pins.pcf",
        free=("--pcf-allow-unconstrained",),
        packer="icepack",
        packing=("{routed}", "{bitstream}"),
        bitstream="bin",
        resources={"ICESTORM_LC": "lut", "ICESTORM_DSP": "dsp", "ICESTORM_RAM": "bram"},
        cells=("SB_",),
    ),
    "gowin": Nextpnr(
        tool="nextpnr-gowin",
        output="--write",
        result="routed.json",
        constraints=("--vopt", "cst=pins.cst"),
        pins="pins.cst",
        free=(),
        packer="gowin_pack",
        packing=("-d", "{part}", "-o", "{bitstream}", "{routed}"),
        bitstream="fs",
        resources={"LUT4": "lut", "DFF": "ff", "MULT9X9": "dsp", "BSRAM": "bram"},
        cells=("DFF", "ALU", "LUT", "MUX2", "MULT", "RAM16", "SDP", "DP", "SP", "pROM"),
        mapping="gowin_whole_luts.v",
        sites={**{f"LUT{inputs}": 1 for inputs in range(1, 5)}, "ALU": 1, "RAM16SDP4": 8},
    ),
}


def nextpnr_of(chip: Chip) -> Nextpnr:
    """The program for a chip. ValueError if there is none."""
    if not chip.is_routed:
        known = ", ".join(_PROGRAMS)
        raise ValueError(
            f"chip = {chip.name!r}: no open tool places and routes for it, only for {known}"
        )
    return _PROGRAMS[chip.family]


@dataclass(frozen=True)
class Step:
    """A step of a path: ``kind`` (clk-to-q, logic, routing, setup), ``delay`` in ns, and the user's
    signal that it goes along, empty where there is none."""

    kind: str
    delay: float
    signal: str = ""


@dataclass(frozen=True)
class Placement:
    """A design on a chip.

    Attributes
    ----------
    seed : of the placer. frequency : the highest one that it holds, MHz.
    used : resource -> number. path : the longest path between registers.
    """

    seed: int
    frequency: float
    used: Mapping[str, int]
    path: tuple[Step, ...]

    @property
    def path_delay(self) -> float:
        """Of the longest path, ns."""
        return sum(step.delay for step in self.path)

    @property
    def path_lines(self) -> list[str]:
        """The longest path for people: when a signal begins, ns behind the clock's edge, steps
        along the tools' own signals in between, and the end."""
        lines, elapsed, named, hidden = [], 0.0, "", 0
        for step in self.path:
            if step.signal == "" and step.kind == "logic":
                hidden += 1
            elif step.signal and step.signal != named:
                lines += [f"          ({hidden} steps of logic without a name)"] * bool(hidden)
                lines.append(f"  {elapsed:8.2f}  {step.signal}")
                named, hidden = step.signal, 0
            elapsed += step.delay
        lines += [f"          ({hidden} steps of logic without a name)"] * bool(hidden)
        return [*lines, f"  {elapsed:8.2f}  the register at the end is ready for the next edge"]


def place(
    chip: Chip,
    netlist: Path,
    *,
    seed: int,
    frequency: float,
    pins: str,
    directory: Path,
    timeout: float = TIMEOUT,
) -> None:
    """Run nextpnr once in ``directory``, which has the routed design and the report afterwards.

    Parameters
    ----------
    chip, netlist : where to, and what, as JSON of Yosys.
    seed, frequency : of the placer; MHz to aim at.
    pins : pin constraints in the family's format; empty to let pins be chosen.
    directory : an empty one. timeout : seconds.

    Raises
    ------
    DoesNotFitError
        If the design takes more than the chip holds.
    ToolError, ToolFailure, ToolTimeout
        If nextpnr is missing, fails otherwise, or takes too long.
    """
    program = nextpnr_of(chip)
    if program.sites:
        _check_sites(chip, program, netlist)
    # WebAssembly sees nothing outside the directory, so that a link would not do.
    copyfile(netlist, directory / "netlist.json")
    arguments = [*chip.arguments, "--json", "netlist.json", program.output, program.result]
    arguments += ["--seed", str(seed), "--freq", str(frequency), "--timing-allow-fail"]
    arguments += ["--report", REPORT]
    if pins:
        (directory / program.pins).write_text(pins)
        arguments += program.constraints
    else:
        arguments += program.free
    try:
        done = run(find(program.tool), arguments, directory=directory, timeout=timeout)
    except ToolFailure as failure:
        too_many = _too_many(program, failure.stdout + failure.stderr)
        if too_many:
            raise DoesNotFitError(f"{chip.title} is too small: {too_many}") from failure
        raise
    (directory / "netlist.json").unlink()
    (directory / LOG).write_text(done.stdout + done.stderr)
    # What cannot be read is not to be cached.
    placed(chip, directory, seed)


def _check_sites(chip: Chip, program: Nextpnr, netlist: Path) -> None:
    """DoesNotFitError if the look-up tables and what shares their sites are too many for sure."""
    # The netlist is flat: other modules in it are the chip's cells, and empty.
    modules = json.loads(netlist.read_text())["modules"].values()
    cells = (cell["type"] for module in modules for cell in module["cells"].values())
    taken = sum(program.sites.get(kind, 0) for kind in cells)
    lacking = chip.lacks({"lut": taken})
    if lacking:
        raise DoesNotFitError(lacking)


def placed(chip: Chip, directory: Path, seed: int) -> Placement:
    """What :func:`place` found. ToolError if it left something else."""
    program = nextpnr_of(chip)
    try:
        report = json.loads((directory / REPORT).read_text())
        frequency = min(clock["achieved"] for clock in report["fmax"].values())
        counts = report["utilization"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolError(f"{program.tool} wrote a report that cannot be read: {error}") from None
    used = {
        name: counts[cell]["used"] for cell, name in program.resources.items() if cell in counts
    }
    if program.sites:
        logged = {
            cell: int(taken) for cell, taken, _ in _USED.findall((directory / LOG).read_text())
        }
        used["lut"] = logged["LUT4"]
    return Placement(seed, frequency, used, _longest(program, report["critical_paths"]))


_USED = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", re.MULTILINE)


def _too_many(program: Nextpnr, log: str) -> str:
    """Of which resources more are needed than there are."""
    return ", ".join(
        f"{used} {cell} are needed and {there} there, {int(used) - int(there)} too few"
        for cell, used, there in _USED.findall(log)
        if int(used) > int(there)
    )


def _longest(program: Nextpnr, paths: list) -> tuple[Step, ...]:
    """The path between registers that limits the clock."""
    inside = [p["path"] for p in paths if "<async>" not in (p["from"], p["to"])]
    longest = max(inside, key=lambda path: sum(step["delay"] for step in path), default=[])
    return tuple(
        Step(step["type"], step["delay"], _user_signal(program, step.get("net", "")))
        for step in longest
    )


def _user_signal(program: Nextpnr, net: str) -> str:
    """The name that the user gave, of a net that Yosys named after the cells around it."""
    if net.startswith("$"):  # nextpnr's own
        return ""
    cells = "|".join(program.cells)
    name = re.split(rf"(?:^|[_$])(?:{cells})", net, maxsplit=1)[0]
    return name.removeprefix("unit.").rstrip("_.$")
