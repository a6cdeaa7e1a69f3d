"""Compiles C++ with the compiler itself: no make, no perl."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from .errors import ToolFailure
from .find import find
from .run import Job, cores, run, run_all
from .tool import Tool

# Sources below this many bytes are not worth a compiler of their own: each reads the same headers.
_BATCH_BYTES = 150_000


def compile_objects(
    sources: Sequence[Path], flags: Sequence[str], directory: Path, *, workers: int | None = None
) -> list[Path]:
    """Compile each source to an object in the directory, as many at once as there are cores.

    They start in the order given, so the largest should come first.

    Raises:
        ToolError: no compiler.
        ToolFailure: a source does not compile.
    """
    compiler = find("c++")
    objects = [directory / f"{source.stem}.o" for source in sources]
    jobs = [
        Job(compiler, ["-c", *flags, str(source), "-o", str(object_)], directory=directory)
        for source, object_ in zip(sources, objects, strict=True)
    ]
    run_all(jobs, workers=workers)
    return objects


def precompile(header: str, flags: Sequence[str], directory: Path) -> None:
    """Put `header.h` with this text into the directory, precompiled if the compiler can use it.

    Raises:
        ToolError: no compiler.
        ToolFailure: the header does not compile.
    """
    path, trial = directory / "header.h", directory / "trial.cpp"
    path.write_text(header)
    trial.write_text("int trial() { return 1; }\n")
    compiler = find("c++")
    made = directory / f"header.h.{'pch' if is_clang() else 'gch'}"
    run(compiler, [*flags, "-x", "c++-header", str(path), "-o", str(made)], directory=directory)
    try:
        # Some kernels and hardened compilers cannot load what they have written.
        compile_objects([trial], [*flags, "-include", str(path)], directory)
    except ToolFailure:
        made.unlink()
    for rest in (trial, trial.with_suffix(".o")):
        rest.unlink(missing_ok=True)


def is_clang() -> bool:
    """Whether the compiler is Clang, by what it says of itself."""
    return "clang" in find("c++").description.lower()


def batch(
    sources: Sequence[Path], directory: Path, *, name: str, last: Sequence[Path] = ()
) -> list[Path]:
    """Gather sources into as few files as keep all cores busy, those of ``last`` behind others.

    Every source of Verilator's reads the same large headers, which takes longer than a small
    source itself.
    """
    total = sum(source.stat().st_size for source in sources)
    count = max(1, min(cores(), len(sources), total // _BATCH_BYTES))
    groups: list[list[Path]] = [[] for _ in range(count)]
    sizes = [0] * count
    for source in sorted(sources, key=lambda source: (-source.stat().st_size, source.name)):
        smallest = sizes.index(min(sizes))
        groups[smallest].append(source)
        sizes[smallest] += source.stat().st_size
    groups[sizes.index(min(sizes))].extend(last)
    made = []
    for index, group in enumerate(groups):
        path = directory / f"{name}__batch{index}.cpp"
        path.write_text("".join(f'#include "{source}"\n' for source in group))
        made.append(path)
    return made


def link_shared(objects: Sequence[Path], output: Path, libraries: Sequence[str]) -> None:
    """Link objects into a shared library.

    Raises:
        ToolFailure: it does not link.
    """
    if sys.platform == "darwin":
        shared = ["-dynamiclib", "-undefined", "error"]
    else:
        # Its own symbols first: another library with the same names may be loaded already.
        shared = ["-shared", "-Wl,-Bsymbolic", "-Wl,--no-undefined"]
    _link([*shared, *map(str, objects), "-o", str(output), *libraries], output)


def link_executable(objects: Sequence[Path], output: Path, libraries: Sequence[str]) -> None:
    """Link objects into a program.

    Raises:
        ToolFailure: it does not link.
    """
    _link([*map(str, objects), "-o", str(output), *libraries], output)


def compiler_key(compiler: Tool) -> str:
    """What the objects of this compiler depend on, for the cache."""
    return "\0".join([compiler.identity, *compiler.command[1:]])


def _link(arguments: Sequence[str], output: Path) -> None:
    run(find("c++"), arguments, directory=output.parent)
