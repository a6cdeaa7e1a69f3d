"""The source files of this process, as they were when it began to load them.

A process outlives changes of its files: it goes on with the code that it has imported. So the keys
of cached results are made of what the files held at first, and `require_unchanged` refuses a
process that has loaded anything else. Our own files are remembered with `import multipede`, before
any of them is loaded, those of a plug-in when its first specification is defined.
"""

import hashlib
import os
import sys
from collections.abc import Iterator

__all__ = ["OWN", "SourceChangedError", "remember", "require_unchanged", "source_digest"]

OWN = "multipede"
_SUFFIXES = (".py", ".v", ".cpp", ".h")
_PROGRAMS = ("toolchain/pyosys_runner.py",)
"""Python files that are not imported but read when they are needed, as those of other languages."""


class SourceChangedError(RuntimeError):
    """This process has loaded a file that is not as it was remembered."""


_packages: dict[str, dict[str, tuple[str, str]]] = {}
"""package -> path -> its name in the package, and a digest of what was there"""
_settled: dict[str, object] = {}
"""module found to be as remembered -> what is another object after a reload"""


def remember(module: str) -> dict[str, tuple[str, str]]:
    """Take down the files of the package that holds a module, unless that was done before.

    Path -> name in the package and digest; empty where there are no files.
    """
    package = _package(module)
    if package not in _packages:
        found = {path: (name, _digest(path)) for path, name in _files(package)}
        if not found:
            return {}
        _packages[package] = found
    return _packages[package]


def source_digest(module: str, *parts: str) -> str:
    """Digest of what was remembered of the package that holds a module, or of parts of it.

    Parts are files and directories, as in ``source_digest("multipede", "hw", "sim/model.py")``.
    Python, Verilog and C++ files count; of a module that is in no package, its own file. ValueError
    where there are none, as for what was typed into an interpreter.
    """
    files = sorted(remember(module).values())
    if not files:
        raise ValueError(f"{module} has no source file: define the unit in a module of its own")
    chosen = set() if parts else set(files)
    for part in parts:
        found = {file for file in files if f"{file[0]}/".startswith(f"{part}/")}
        if not found:
            raise ValueError(f"{module} has no source file {part!r}")
        chosen |= found
    return hashlib.sha256(repr(sorted(chosen)).encode()).hexdigest()


def require_unchanged() -> None:
    """Raise SourceChangedError if something was loaded that is not as it was remembered.

    A module that is as remembered may change on the disk from then on: it is loaded. Other files
    are read when they are needed and must stay as they are.
    """
    for name, module in list(sys.modules.items()):
        files = _packages.get(_package(name))
        path = getattr(module, "__file__", None)
        if files is None or path is None or not path.endswith(_SUFFIXES):
            continue
        loaded = getattr(module, "__spec__", None) or module
        if _settled.get(name) is not loaded:
            _require_same(files, os.path.abspath(path))
            _settled[name] = loaded
    for files in _packages.values():
        for path, (name, _) in files.items():
            if not path.endswith(".py") or name in _PROGRAMS:
                _require_same(files, path)


def _require_same(files: dict[str, tuple[str, str]], path: str) -> None:
    known = files.get(path)
    if known is None or known[1] != _digest(path):
        how = "changed" if known else "added"
        raise SourceChangedError(f"{path} was {how} while this process was running: start it anew")


def _package(module: str) -> str:
    """The outermost package that holds a module; a program run with -m belongs to its own."""
    if module == "__main__":
        specification = getattr(sys.modules[module], "__spec__", None)
        module = specification.name if specification else module
    return module.partition(".")[0]


def _files(package: str) -> Iterator[tuple[str, str]]:
    """Path and name of each source file of a package, or of a module that is none."""
    from importlib.util import find_spec

    module = sys.modules.get(package)
    if module is not None:
        places, own = getattr(module, "__path__", None), getattr(module, "__file__", None)
    elif found := find_spec(package):
        places, own = found.submodule_search_locations, found.origin
    else:
        return
    if places is None and own is not None:
        yield os.path.abspath(own), os.path.basename(own)
    for place in map(os.path.abspath, places or ()):
        for path in _walk(place):
            yield path, os.path.relpath(path, place)


def _walk(place: str) -> Iterator[str]:
    """Source files below a directory, links followed, each directory once."""
    seen = set()
    for directory, inner, names in os.walk(place, followlinks=True):
        inner[:] = [name for name in inner if name != "__pycache__" and name[0] != "."]
        if (real := os.path.realpath(directory)) in seen:
            inner.clear()
            continue
        seen.add(real)
        yield from (
            os.path.join(directory, name)
            for name in names
            if name.endswith(_SUFFIXES) and name[0] != "."
        )


def _digest(path: str) -> str:
    """Of a file's content; empty if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


remember(OWN)
