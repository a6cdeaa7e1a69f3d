"""From a specification to RTLIL and to the Verilog that users and simulators read."""

import hashlib
import re
from collections import Counter
from functools import cache as once
from importlib.util import find_spec
from pathlib import Path

from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.toolchain import cached, find, key, write_atomically
from multipede.toolchain.yosys import run_yosys

__all__ = ["rtlil_of", "source_digest", "verilog_of"]

_ROOMS = ("golden", "hw")


@once
def source_digest() -> str:
    """Digest of all sources of golden and hw and of Amaranth's version: what RTL depends on."""
    from importlib.metadata import version

    digest = hashlib.sha256(version("amaranth").encode())
    for room in _ROOMS:
        directory = Path(find_spec(f"multipede.{room}").origin).parent
        for path in sorted(p for p in directory.rglob("*") if p.suffix in (".py", ".v")):
            digest.update(f"{room}/{path.relative_to(directory).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def rtl_key(spec: Spec, style: Style) -> str:
    """Identity of a unit's RTL, known without elaborating it.

    A plug-in's own modules count too.
    """
    foreign = []
    for module in (type(spec).__module__, spec.hardware_module):
        if not module.startswith(tuple(f"multipede.{room}." for room in _ROOMS)):
            foreign.append(Path(find_spec(module).origin))
    return key(spec.fingerprint, style.value, source_digest(), *foreign)


def rtlil_of(spec: Spec, style: Style) -> str:
    """The unit in RTLIL; adder modules of the cells styles are left as instances. Cached."""
    path = cached("rtlil", rtl_key(spec, style), lambda place: _write_rtlil(spec, style, place))
    return (path / "unit.il").read_text()


def _write_rtlil(spec: Spec, style: Style, place: Path) -> None:
    from multipede.hw import build
    from multipede.hw.hierarchy import to_rtlil

    write_atomically(place / "unit.il", to_rtlil(build(spec, style=style), spec.unit))


def verilog_of(spec: Spec, style: Style) -> str:
    """The unit in Verilog-2005, complete in one text; top module named after the unit. Cached."""
    identity = key(rtl_key(spec, style), find("yosys").identity, key(Path(__file__)))
    path = cached("verilog", identity, lambda place: _write_verilog(spec, style, place))
    return (path / "unit.v").read_text()


def _write_verilog(spec: Spec, style: Style, place: Path) -> None:
    # opt_clean merges bits that are wired together and so tears words apart: in compressor trees
    # that reads badly and makes Verilator see loops, so there only the top module is cleaned.
    cleaned = "" if style is Style.WORD else spec.unit
    result = run_yosys(
        f"read_rtlil unit.il; proc; opt_expr; opt_clean -purge {cleaned}\n"
        "write_verilog -noattr unit.v",
        files={"unit.il": rtlil_of(spec, style)},
        outputs=["unit.v"],
    )
    write_atomically(place / "unit.v", _presented(spec, style, result.outputs["unit.v"]))


def _presented(spec: Spec, style: Style, text: str) -> str:
    """Yosys' Verilog under our header, with the adder modules that it uses."""
    from multipede.hw.arithmetic.adders import adders_verilog

    body = text.split("\n", 1)[1].strip()  # Yosys' own first line names its compiler
    body = re.sub(r"32'd(\d+)", r"\1", body)
    # Yosys declares every port twice.
    body = re.sub(r"^(  (?:in|out)put( .*;\n))  wire\2", r"\1", body, flags=re.MULTILINE)
    body = "\n\n".join(_without_unread(_renamed(m)) for m in body.split("\n\n"))
    modules = re.split(r"\n(?=// [^\n]*\n(?:// [^\n]*\n)*module )", adders_verilog())
    used = [m for m in modules if re.search(rf"^ +{_module_name(m)} #", body, re.MULTILINE)]
    header = (
        f"// {spec.title}\n// {spec}\n// style: {style.value}\n// source: {spec.source}\n"
        f"// specification: {spec.fingerprint}\n// Made by Multipede; do not edit.\n"
    )
    return "\n".join([header, *(module.strip() + "\n" for module in used), body]) + "\n"


_NAME = re.compile(r"\\\S+ |\b[A-Za-z_][\w$]*")
_WIRE = re.compile(r"  wire (?:signed )?(?:\[\d+:\d+\] )?(\\\S+ |\w+);")
_ASSIGN = re.compile(r"  assign (\\\S+ |\w+) = .*;")


_DECLARED = re.compile(
    r"^  (wire|reg) (?:signed )?(\[\d+:\d+\] )?(_\d+_|\\\S+ |\w+)( = .*)?;$", re.MULTILINE
)
_ALIAS = re.compile(r"^  assign (\\\S+ |\w+) = (_\d+_);\n", re.MULTILINE)


def _renamed(module: str) -> str:
    """The module with Yosys' numbered wires called by the names that Amaranth gave them."""
    width = {found[3]: found[2] for found in _DECLARED.finditer(module)}
    new_names = {}
    for alias in _ALIAS.finditer(module):
        name, numbered = alias.groups()
        if name in width and width[name] == width[numbered] and numbered not in new_names:
            new_names[numbered] = name
    taken = {(name, numbered) for numbered, name in new_names.items()}
    module = _ALIAS.sub(lambda a: "" if a.groups() in taken else a[0], module)
    for numbered in new_names:
        module = re.sub(rf"^  wire .*\b{numbered};\n", "", module, flags=re.MULTILINE)
    return re.sub(r"\b_\d+_", lambda number: new_names.get(number[0], number[0]), module)


def _without_unread(module: str) -> str:
    """The module without wires that nothing reads: names that Amaranth keeps for waveforms."""
    lines = module.split("\n")
    while True:
        uses = Counter(name for line in lines for name in _NAME.findall(line))
        # What each line declares or assigns as a whole, and does nothing else.
        made = [
            (_WIRE.fullmatch(line) or _ASSIGN.fullmatch(line) or [None] * 2)[1] for line in lines
        ]
        times = Counter(name for name in made if name)
        wires = {found[1] for found in map(_WIRE.fullmatch, lines) if found}
        unread = {name for name in wires if uses[name] == times[name]}
        if not unread:
            return "\n".join(lines)
        lines = [line for line, name in zip(lines, made, strict=True) if name not in unread]


def _module_name(text: str) -> str:
    found = re.search(r"^module (\w+)", text, re.MULTILINE)
    return found[1] if found else "-"
