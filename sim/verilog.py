"""From a specification to RTLIL and to the Verilog that users and simulators read."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache as once
from pathlib import Path
from typing import TYPE_CHECKING

from multipede.golden.import_closure import imported_files
from multipede.golden.source_files import OWN, require_unchanged, source_digest
from multipede.golden.spec import Port, Spec
from multipede.hw import Style
from multipede.sim.verilog_text import readable
from multipede.toolchain import cached, find, key, write_atomically
from multipede.toolchain.yosys import run_yosys

__all__ = [
    "adder_modules",
    "axi4_stream_verilog",
    "code_key",
    "rtl_key",
    "rtlil_of",
    "unit_verilog",
    "verilog_of",
]

if TYPE_CHECKING:
    from multipede.hw.axi4_stream import Axi4StreamLayout

# Our own code between RTLIL and Verilog.
_SOURCES = ("sim/verilog.py", "sim/verilog_text.py", "toolchain/yosys.py")
_NO_WARNING = """{heading}
// Operands of different widths are extended on purpose.
/* verilator lint_off WIDTHEXPAND */

{modules}
/* verilator lint_on WIDTHEXPAND */
"""


def rtl_key(spec: Spec, style: Style, name: str | None = None) -> str:
    """Identity of a unit's RTL, known without elaborating it.

    It depends on the code that this process has loaded: on golden, hw and Amaranth, and of a
    plug-in on all Python, Verilog and C++ files of the packages that hold the specification, the
    classes it derives from, and the hardware. What else a unit is made of, as tables that it reads
    or other packages, does not count: such things belong into its parameters or its package.

    Raises
    ------
    SourceChangedError
        If a file was changed before this process loaded it.
    ValueError
        For a unit that was typed into an interpreter and so has no source file.
    """
    identity = key(style.value, name or spec.unit, *_made_of(spec, ("golden", "hw")))
    require_unchanged()
    return identity


def code_key(spec: Spec) -> str:
    """Identity of the code that a unit is made of, for what is to be remembered of it.

    As :func:`rtl_key`, but of golden and hw it depends on just those modules that a unit of ours
    imports: another unit leaves it as it is. Raises what that raises.
    """
    rooms, modules = ("golden", "hw"), _modules(spec)
    own = all(module.partition(".")[0] in {OWN, *sys.stdlib_module_names} for module in modules)
    identity = key(*_made_of(spec, imported_files(modules, rooms=rooms) if own else rooms))
    require_unchanged()
    return identity


def _modules(spec: Spec) -> list[str]:
    """Modules that hold the specification, what it derives from, and its hardware."""
    kinds = _kinds(spec)
    bases = [base.__module__ for kind in kinds for base in kind.__mro__]
    return [*(kind.hardware_module for kind in kinds), *bases]


def _kinds(spec: Spec) -> list[type[Spec]]:
    """Classes of the specification and of its parts, each once."""
    inner = [kind for part in spec.parts for kind in _kinds(part)]
    return list(dict.fromkeys([type(spec), *inner]))


def _made_of(spec: Spec, parts: Sequence[str]) -> list[str]:
    """Parts of a key: the specification, its code, and ``parts`` of our own."""
    packages = {module.partition(".")[0] for module in _modules(spec)}
    kinds = _kinds(spec)
    return [
        spec.fingerprint,
        *(f"{kind.__module__}:{kind.__qualname__}, {kind.hardware_module}" for kind in kinds),
        _amaranth_version(),
        source_digest(OWN, *parts),
        *(source_digest(package) for package in sorted(packages - {OWN, *sys.stdlib_module_names})),
    ]


@once
def _amaranth_version() -> str:
    from importlib.metadata import version

    return version("amaranth")


def rtlil_of(spec: Spec, style: Style, *, name: str | None = None) -> str:
    """The unit in RTLIL; adder modules of the cells styles are left as instances. Cached.

    ``name`` is that of the top module and the beginning of those of the others, by default the
    unit's.
    """
    identity = rtl_key(spec, style, name)

    def build(place: Path) -> None:
        _write_rtlil(spec, style, name or spec.unit, place)

    return (cached("rtlil", identity, build) / "unit.il").read_text()


def _write_rtlil(spec: Spec, style: Style, name: str, place: Path) -> None:
    from multipede.hw import build
    from multipede.hw.hierarchy import to_rtlil

    write_atomically(place / "unit.il", to_rtlil(build(spec, style=style), name))


def verilog_of(spec: Spec, style: Style, *, name: str | None = None) -> str:
    """The unit in Verilog-2005, complete in one text, the top module first. Cached.

    ``name`` as in :func:`rtlil_of`.
    """
    unit = unit_verilog(spec, style, name=name)
    return "\n".join([unit, *(f"{module}\n" for module in adder_modules(unit))])


def unit_verilog(spec: Spec, style: Style, *, name: str | None = None) -> str:
    """As :func:`verilog_of`, without the adder modules that :func:`adder_modules` gives."""
    sources = source_digest(OWN, *_SOURCES)
    identity = key(rtl_key(spec, style, name), find("yosys").identity, sources)

    def build(place: Path) -> None:
        _write_verilog(spec, style, name or spec.unit, place)

    return (cached("verilog", identity, build) / "unit.v").read_text()


def adder_modules(verilog: str) -> list[str]:
    """Those modules of ``adders.v`` that this Verilog has instances of."""
    from multipede.hw.arithmetic.adders import adders_verilog

    modules = re.split(r"\n(?=// [^\n]*\n(?:// [^\n]*\n)*module )", adders_verilog())
    return [m.strip() for m in modules if re.search(rf"^ +{_module_name(m)} #", verilog, re.M)]


def axi4_stream_verilog(layout: "Axi4StreamLayout", style: Style, *, name: str) -> str:
    """The unit between two AXI4-Stream ports, as :func:`unit_verilog`. Cached."""
    sources = source_digest(OWN, *_SOURCES)
    width = str(layout.data_bits)
    identity = key(rtl_key(layout.inside, style, name), width, find("yosys").identity, sources)

    def build(place: Path) -> None:
        from multipede.hw.axi4_stream import Axi4Stream
        from multipede.hw.hierarchy import to_rtlil

        rtlil = to_rtlil(Axi4Stream(layout, style=style), name)
        heading = _heading(layout.spec, style, pins=False)
        _write_readable(place, rtlil, style, name, heading, {})

    return (cached("axi4-stream", identity, build) / "unit.v").read_text()


def _write_verilog(spec: Spec, style: Style, name: str, place: Path) -> None:
    rtlil = rtlil_of(spec, style, name=name)
    _write_readable(place, rtlil, style, name, _heading(spec, style), spec.inputs)


def _write_readable(
    place: Path, rtlil: str, style: Style, name: str, heading: str, inputs: Mapping[str, Port]
) -> None:
    # opt_clean merges bits that are wired together and so tears words apart: in compressor trees
    # that reads badly and makes Verilator see loops, so there only the top module is cleaned.
    selected = "" if style is Style.WORD else name
    result = run_yosys(
        f"read_rtlil unit.il; proc; opt_expr; opt_clean -purge {selected}\n"
        # Words no wider than they need to be read better.
        f"wreduce {selected}; opt_clean -purge {selected}\n"
        "write_verilog -noattr unit.v",
        files={"unit.il": rtlil},
        outputs=["unit.v"],
    )
    modules = readable(result.outputs["unit.v"], name, inputs)
    text = _NO_WARNING.format(heading=heading, modules=modules)
    write_atomically(place / "unit.v", text)


def _heading(spec: Spec, style: Style, *, pins: bool = True) -> str:
    where = [
        f"latency: {spec.latency} clocks from i_valid to o_valid",
        *(f"i_payload{field}" for field in _fields(spec.inputs)),
        *(f"o_payload{field}" for field in _fields(spec.outputs)),
    ]
    lines = [
        spec.title,
        str(spec),
        f"style: {style.value}",
        f"source: {spec.source}",
        f"specification: {spec.fingerprint}",
        *(where if pins else ["between two AXI4-Stream ports: see ports.json"]),
        "Made by Multipede; do not edit.",
    ]
    return "".join(f"// {line}\n" for line in lines)


def _fields(ports: Mapping[str, Port]) -> Iterator[str]:
    """Where each port is in its payload, for readers."""
    offset = 0
    for name, port in ports.items():
        shape = "".join(f"[{length}]" for length in port.shape)
        yield f"[{offset + port.bits - 1}:{offset}]: {name}{shape}, {port.format.name}"
        offset += port.bits


def _module_name(text: str) -> str:
    found = re.search(r"^module (\w+)", text, re.M)
    return found[1] if found else "-"
