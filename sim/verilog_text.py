"""Yosys' Verilog made readable: headers, names, register blocks. Texts in, texts out.

Every change here is one of notation; the styles' simulation against the reference covers it.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping

from multipede.golden.spec import Port

__all__ = ["field_ranges", "readable"]

_NAME = re.compile(r"\\\S+ |\b[A-Za-z_][\w$]*")
_DECLARED = re.compile(r"^  (?:wire|reg) (\[\d+:\d+\] )?(\\\S+ |\w+)(?: = .*)?;$", re.M)
_WIRE = re.compile(r"  wire (?:\[\d+:\d+\] )?(\\\S+ |\w+);")
_ASSIGN = re.compile(r"  assign (\\\S+ |\w+) = .*;")
_ALIAS = re.compile(r"^  assign (\\\S+ |\w+) = (_\d+_);\n", re.M)
_PORT = re.compile(r"^  (input|output) (\[\d+:\d+\] )?(\w+);\n", re.M)
_MUX = re.compile(r"^  assign (_\d+_) = ([\w\[\]]+) \? (.+?) : (.+);$", re.M)
_REGISTER = re.compile(r"(?<=^  always @\(posedge clk\)\n)    (\w+) <= (_\d+_);\n", re.M)
_REGISTERS = re.compile(r"(?:^  always @\(posedge clk\)\n(?:    .*\n)+)+", re.M)
_REPEATED = re.compile(r"(?<=[{,] )([\w\[\]:]+)(?:, \1)+(?=[, ])")


def field_ranges(ports: Mapping[str, Port]) -> dict[str, tuple[int, int]]:
    """Lowest bit and number of bits of every element in a payload, by names like ``a_0_3``."""
    ranges, offset = {}, 0
    for name, port in ports.items():
        for element in range(port.elements):
            ranges["_".join([name, *_index(element, port.shape)])] = offset, port.format.bits
            offset += port.format.bits
    return ranges


def _index(element: int, shape: tuple[int, ...]) -> list[str]:
    index = []
    for length in reversed(shape):
        element, place = divmod(element, length)
        index.insert(0, str(place))
    return index


def readable(text: str, top: str, inputs: Mapping[str, Port]) -> str:
    """All modules of a unit, the top module first.

    ``inputs`` are the fields of ``i_payload``, whose slices are called by their names.
    """
    body = text.split("\n", 1)[1].strip()  # Yosys' own first line names its compiler
    body = re.sub(r"32'd(\d+)", r"\1", body)
    # Yosys writes $signed wherever it means it, but an unsigned a < b of signed wires as a < b.
    body = re.sub(r"^(  (?:input|output|wire|reg)) signed ", r"\1 ", body, flags=re.M)
    body = re.sub(r"#\(\n    (\.\w+\(\d+\))\n  \)", r"#(\1)", body)
    # Yosys declares every port twice.
    body = re.sub(r"^(  (?:in|out)put( .*;\n))  wire\2", r"\1", body, flags=re.M)
    body = _plain_modules(body)
    modules = {}
    for module in re.findall(r"^module .*?^endmodule$", body, re.M | re.S):
        name = re.match(r"module (\w+)", module)[1]
        steps: list[Callable[[str], str]] = [_named_wires, _register_statements, _without_unread]
        steps += [_plain_names]
        steps += [lambda m: _named_fields(m, inputs)] if name == top else []
        steps += [_repetitions, _register_blocks, _header]
        for step in steps:
            module = step(module)
        modules[name] = module
    return "\n\n".join([modules.pop(top), *modules.values()]) + "\n"


def _named_wires(module: str) -> str:
    """Yosys' numbered wires called by the names that Amaranth gave them."""
    width = {found[2]: found[1] for found in _DECLARED.finditer(module)}
    new_names = {}
    for alias in _ALIAS.finditer(module):
        name, numbered = alias.groups()
        if name in width and width[name] == width[numbered] and numbered not in new_names:
            new_names[numbered] = name
    taken = {(name, numbered) for numbered, name in new_names.items()}
    module = _ALIAS.sub(lambda a: "" if a.groups() in taken else a[0], module)
    for numbered in new_names:
        module = re.sub(rf"^  wire .*\b{numbered};\n", "", module, flags=re.M)
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


def _plain_modules(text: str) -> str:
    r"""Modules that Amaranth named after their place, ``\top.part``, as ``top_part``."""
    taken = set(_NAME.findall(text))

    def plain(found: re.Match) -> str:
        name = found[1].replace(".", "_")
        return found[0] if name in taken else f"{name} "

    return re.sub(r"\\(\w+(?:\.\w+)+) ", plain, text)


def _plain_names(module: str) -> str:
    """Escaped names that Amaranth made distinct with a dollar sign, without the backslash."""
    taken = set(_NAME.findall(module))

    def plain(found: re.Match) -> str:
        name = f"{found[1]}_{found[2]}"
        return found[0] if name in taken else name

    return re.sub(r"\\(\w+)\$(\d+) ", plain, module)


def _named_fields(module: str, ports: Mapping[str, Port]) -> str:
    """Slices of ``i_payload`` that are one element called after it, as in ``i_a_0_3``."""
    taken = set(_NAME.findall(module))
    names = {
        (low, bits): f"i_{name}"
        for name, (low, bits) in field_ranges(ports).items()
        if f"i_{name}" not in taken
    }
    used: dict[tuple[int, int], None] = {}

    def named(found: re.Match) -> str:
        high = int(found[1])
        low = int(found[2] or high)
        if (low, high - low + 1) not in names:
            return found[0]
        used[low, high - low + 1] = None
        return names[low, high - low + 1]

    module = re.sub(r"\bi_payload\[(\d+)(?::(\d+))?\]", named, module)
    lines = [
        f"  wire {f'[{bits - 1}:0] ' if bits > 1 else ''}{names[low, bits]}"
        f" = i_payload[{f'{low + bits - 1}:{low}' if bits > 1 else low}];\n"
        for low, bits in sorted(used)
    ]
    # Behind the ports, in front of the module's own wires.
    place = max((port.end() for port in _PORT.finditer(module)), default=0)
    return module[:place] + "".join(lines) + module[place:]


def _repetitions(module: str) -> str:
    """``{ s[3], s[3], s }`` as ``{ {2{s[3]}}, s }``."""

    def repeated(found: re.Match) -> str:
        return f"{{{found[0].count(',') + 1}{{{found[1]}}}}}"

    return re.sub(r"\{ (\{\d+\{[\w\[\]:]+\}\}) \}", r"\1", _REPEATED.sub(repeated, module))


def _register_statements(module: str) -> str:
    """Multiplexers in front of a register as conditions: ``if (rst) x <= 0; else if (en) ...``."""
    chosen = {found[1]: found.groups()[1:] for found in _MUX.finditer(module)}
    uses = Counter(_NAME.findall(module))

    def statement(found: re.Match) -> str:
        register, value = found.groups()
        branches = []
        # Declared, assigned and used here: nothing else reads the wire.
        while value in chosen and uses[value] == 3:
            condition, taken, value = chosen[value]
            branches.append(f"if ({condition}) {register} <= {taken};\n")
        if value != register:
            branches.append(f"{register} <= {value};\n")
        return "    " + "    else ".join(branches) if branches else found[0]

    return _REGISTER.sub(statement, module)


def _register_blocks(module: str) -> str:
    """Registers that follow each other in one block."""

    def block(found: re.Match) -> str:
        if found[0].count("always") == 1:
            return found[0]
        lines = found[0].replace("  always @(posedge clk)\n", "")
        return f"  always @(posedge clk) begin\n{lines}  end\n"

    return _REGISTERS.sub(block, module)


def _header(module: str) -> str:
    """The ports declared in the module's header: clock and reset, inputs, outputs."""
    registers = dict(re.findall(r"^  reg (?:\[\d+:\d+\] )?(\w+)( = .*)?;\n", module, re.M))
    ports = []
    for direction, bits, name in _PORT.findall(module):
        kind = " reg" if name in registers else ""
        initial = registers.get(name, "")
        ports.append((name, direction, f"  {direction}{kind} {bits}{name}{initial}"))
        if kind:
            module = re.sub(rf"^  reg .*\b{name}(?: = .*)?;\n", "", module, flags=re.M)
    ports.sort(key=lambda port: (port[0] not in ("clk", "rst"), port[1], _natural(port[0])))
    declarations = ",\n".join(text for _, _, text in ports)
    name = re.match(r"module (\w+)", module)[1]
    return re.sub(
        r"\Amodule [^;]*;\n", f"module {name}(\n{declarations}\n);\n", _PORT.sub("", module)
    )


def _natural(name: str) -> list[tuple[str, int]]:
    """A key that sorts a10 behind a9."""
    return [(word, int(digits or 0)) for word, digits in re.findall(r"(\D+)(\d*)", name)]
