"""Which modules Verilator should compile once, instead of copying them to every instance.

Copies are a little faster while a design is small. A tile of float multipliers has thousands of
statements per record: compiled once per circuit, it builds faster and, since its code then fits
the processor's cache, runs faster.
"""

import re

_MODULE = re.compile(r"^module (\w+)\(.*?^endmodule", re.MULTILINE | re.DOTALL)
_HEAD = re.compile(r"^module (\w+)\([^)]*\);$", re.MULTILINE)
_INSTANCE = re.compile(r"^  (\w+) (?:#.*?)?\w+ \($", re.MULTILINE)
_ASSIGNMENT = re.compile(r"<?=(?!=)")

SMALL_DESIGN = 5000
"""Designs of so many statements, all copies counted, are fastest with copies."""
CIRCUIT = range(60, 1000)
"""Statements of modules that are worth a function: adders, multipliers, dot products."""
_MARK = " /*verilator no_inline_module*/"


def compile_once(verilog: str, *, top: str) -> str:
    """The Verilog with marks at the largest modules of a size in ``CIRCUIT``, if it is large.

    Verilog that is not written as ours is left as it is.
    """
    modules = {match[1]: match[0] for match in _MODULE.finditer(verilog)}
    if top not in modules:
        return verilog
    children = {
        name: [child for child in _INSTANCE.findall(body) if child in modules]
        for name, body in modules.items()
    }
    sizes: dict[str, int] = {}

    def size(name: str) -> int:
        if name not in sizes:
            own = len(_ASSIGNMENT.findall(modules[name]))
            sizes[name] = own + sum(map(size, children[name]))
        return sizes[name]

    if size(top) <= SMALL_DESIGN:
        return verilog
    marked, seen, waiting = set(), {top}, [top]
    while waiting:
        for child in set(children[waiting.pop()]) - seen:
            seen.add(child)
            if size(child) in CIRCUIT:
                marked.add(child)
            else:
                waiting.append(child)
    return _HEAD.sub(lambda head: head[0] + _MARK * (head[1] in marked), verilog)


def compile_all_once(verilog: str, *, top: str) -> str:
    """The Verilog with a mark at every module but the top one."""
    return _HEAD.sub(lambda head: head[0] + _MARK * (head[1] != top), verilog)
