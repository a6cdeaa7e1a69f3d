"""From a specification to RTLIL and to the Verilog that users and simulators read."""

import hashlib
import re
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
    result = run_yosys(
        "read_rtlil unit.il; proc; opt_expr; opt_clean -purge; write_verilog -noattr unit.v",
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
    modules = re.split(r"\n(?=// [^\n]*\n(?:// [^\n]*\n)*module )", adders_verilog())
    used = [m for m in modules if re.search(rf"^ +{_module_name(m)} #", body, re.MULTILINE)]
    header = (
        f"// {spec.title}\n// {spec}\n// style: {style.value}\n// source: {spec.source}\n"
        f"// specification: {spec.fingerprint}\n// Made by Multipede; do not edit.\n"
    )
    return "\n".join([header, *(module.strip() + "\n" for module in used), body]) + "\n"


def _module_name(text: str) -> str:
    found = re.search(r"^module (\w+)", text, re.MULTILINE)
    return found[1] if found else "-"
