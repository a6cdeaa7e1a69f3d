"""Which source files a module is made of: its own, and those of what it imports, in turn."""

import ast
import os
from collections.abc import Iterable, Iterator
from functools import cache

from multipede.golden.source_files import remember

__all__ = ["imported_files"]


def imported_files(modules: Iterable[str], *, rooms: Iterable[str]) -> list[str]:
    """Names, in their package, of the source files that modules of one package import, sorted.

    Imports inside functions count. Files of other languages count with every module beside them,
    which may read them. What a module finds by a name that it computes does not count.

    Parameters
    ----------
    modules : such as ``multipede.hw.mixpe``.
    rooms : directories of the package, such as ``golden``; what lies elsewhere is left out.
    """
    waiting = list(modules)
    package = waiting[0].partition(".")[0]
    paths = {name: path for path, (name, _) in remember(package).items()}
    inside = {name for name in paths if name.partition("/")[0] in set(rooms)}
    found: set[str] = set()
    while waiting:
        name = _file(waiting.pop(), package, inside)
        if name is not None and name not in found:
            found.add(name)
            waiting += _imports(paths[name])
    places = {os.path.dirname(name) for name in found}
    beside = {n for n in inside if not n.endswith(".py") and os.path.dirname(n) in places}
    return sorted(found | beside)


def _file(module: str, package: str, files: set[str]) -> str | None:
    """The file of a module among ``files``."""
    parts = module.split(".")
    if parts[0] != package:
        return None
    place = "/".join(parts[1:])
    return next((name for name in (f"{place}.py", f"{place}/__init__.py") if name in files), None)


@cache
def _imports(path: str) -> tuple[str, ...]:
    with open(path, encoding="utf-8") as file:
        return tuple(_names(ast.parse(file.read())))


def _names(tree: ast.Module) -> Iterator[str]:
    """Modules that are imported, and names from packages that may be modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
