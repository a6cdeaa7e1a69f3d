"""From a specification, or from Verilog with its ports, to a model that runs: compiled once."""

import re
from dataclasses import dataclass
from pathlib import Path

from multipede.golden.source_files import OWN, source_digest
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.harness import fields_header, harness_source
from multipede.sim.held_inputs import held_inputs
from multipede.sim.inlining import compile_all_once, compile_once
from multipede.sim.model import Model
from multipede.sim.pins import needed_pins
from multipede.sim.verilog import rtl_key, verilog_of
from multipede.toolchain import cached, find, key, write_atomically
from multipede.toolchain.compiler import compiler_key
from multipede.toolchain.verilator import compile_shared, verilate

__all__ = ["CELLS_OPTIONS", "Instruments", "compile_model", "compile_verilog"]

# Our own code between RTLIL and the library.
_SOURCES = (
    *("sim/compiled.py", "sim/harness.cpp", "sim/harness.py", "sim/held_inputs.py"),
    *("sim/inlining.py", "sim/pins.py", "sim/verilog.py", "sim/verilog_text.py"),
    *("toolchain/compiler.py", "toolchain/verilator.py", "toolchain/yosys.py"),
)
# A compressor tree repeats its inputs many times: Verilator's substitutions make its C++ ten times
# as long and no faster, and inlining makes one copy for each dot product of a tile.
CELLS_OPTIONS = ("-fno-dfg", "-fno-gate")


@dataclass(frozen=True, kw_only=True)
class Instruments:
    """What a model can do besides computing: write waveforms, count coverage, choose mutants.

    ``mutants`` is for Verilog whose top module has an input ``mutant`` more than the unit. With
    ``brief`` its C++ is not optimised, which pays where compiling takes longer than running.
    """

    trace: bool = False
    coverage: bool = False
    mutants: bool = False
    brief: bool = False

    @property
    def optimisation(self) -> str:
        """The C++ compiler's option."""
        return "-O0" if self.brief else "-O1"


def compile_model(
    spec: Spec,
    *,
    style: Style = Style.WORD,
    trace: bool = False,
    coverage: bool = False,
    brief: bool = False,
) -> Model:
    """The unit's model, compiled on first use and cached by content.

    With ``trace`` it can write waveforms; with ``coverage`` it counts, and is slower; ``brief`` is
    for some thousands of records: sooner compiled, and slower. The cache's key needs neither
    elaboration nor torch, so that an unchanged unit starts at once.

    Raises
    ------
    ToolError
        If Yosys, Verilator or a C++ compiler is missing or fails.
    """
    if not isinstance(spec, Spec):
        raise TypeError(f"spec must be a specification, not {spec!r}")
    if not isinstance(style, Style):
        raise TypeError(f"style must be a Style, not {style!r}")
    instruments = Instruments(trace=trace, coverage=coverage, brief=brief)
    identity = key(rtl_key(spec, style), find("yosys").identity, *_compilation(instruments))

    def build(place: Path) -> None:
        _build(verilog_of(spec, style), spec, place, identity, instruments, style, own=True)

    return Model(cached("model", identity, build) / "model.so", spec)


def compile_verilog(
    verilog: str,
    spec: Spec,
    *,
    trace: bool = False,
    style: Style = Style.WORD,
    mutants: bool = False,
    brief: bool = False,
) -> Model:
    """A model of any Verilog that has the ports of ``spec``: a mutant, a netlist, another's RTL.

    The top module must be called like the unit. ``style`` only matters to how it is compiled.
    ``trace`` and ``brief`` as for :func:`compile_model`.
    With ``mutants`` the top module has an input of that name, which :meth:`Model.mutant` sets.

    Raises
    ------
    ValueError
        If one of the unit's pins is missing.
    ToolError
        If Verilator or a C++ compiler is missing or fails, as it does on wrong Verilog.
    """
    instruments = Instruments(trace=trace, mutants=mutants, brief=brief)
    identity = key(verilog, rtl_key(spec, style), *_compilation(instruments))

    def build(place: Path) -> None:
        _build(verilog, spec, place, identity, instruments, style, own=mutants)

    return Model(cached("model", identity, build) / "model.so", spec)


def _compilation(instruments: Instruments) -> list[str]:
    """What a library depends on besides the RTL."""
    tools = [find("verilator").identity, compiler_key(find("c++"))]
    return [*tools, repr(instruments), source_digest(OWN, *_SOURCES)]


def _build(
    verilog: str,
    spec: Spec,
    place: Path,
    identity: str,
    instruments: Instruments,
    style: Style,
    *,
    own: bool,
) -> None:
    """``own`` says whether we wrote the Verilog."""
    trace, coverage = instruments.trace, instruments.coverage
    prefix = f"V{spec.unit}_{identity[:16]}"
    build = place / "build"
    build.mkdir()
    if coverage:  # a module that is compiled once has the counters of its first instance only
        options = ("--flatten",)
    else:
        apart = compile_once if style is Style.WORD else compile_all_once
        verilog = apart(verilog, top=spec.unit)
        options = ()
    plain = trace or coverage or not own  # where users see what is inside, or wrote it
    held = None if plain else held_inputs(verilog, spec, mutants=instruments.mutants)
    verilog, top = (verilog, spec.unit) if held is None else held
    verilate(
        {f"{spec.unit}.v": verilog},
        top=top,
        prefix=prefix,
        directory=build,
        trace=trace,
        coverage=coverage,
        extra=(*options, *(() if style is Style.WORD else CELLS_OPTIONS)),
    )
    pins = set(re.findall(r"\bVL_(?:IN|OUT)\w*\(&?(\w+),", (build / f"{prefix}.h").read_text()))
    clock = "clk" in pins
    missing = [pin for pin in [*needed_pins(spec), *(["rst"] * clock)] if pin not in pins]
    if missing:
        raise ValueError(f"verilog: module {spec.unit} has no {', '.join(missing)}")
    header = fields_header(
        spec,
        prefix=prefix,
        clock=clock,
        trace=trace,
        mutants=instruments.mutants,
        held=held is not None,
    )
    write_atomically(build / "fields.h", header)
    harness = build / "harness.cpp"
    harness.write_bytes(harness_source().read_bytes())
    library = place / "model.so"
    compile_shared(build, prefix, [harness], library, instruments.optimisation, trace, coverage)
    for path in sorted(build.rglob("*"), reverse=True):
        path.unlink()
    build.rmdir()
