"""The adder modules of ``adders.v`` against plain sums, for the widths that a unit uses."""

import re
from collections.abc import Mapping, Sequence

from multipede.hw.arithmetic.adders import adders_verilog
from multipede.sim.formal_report import Method
from multipede.sim.formal_solver import Obligation

__all__ = ["adder_obligations", "adder_widths"]

_USE = re.compile(r"^ +(\w+) #\(\.WIDTH\((\d+)\)\)", re.M)

_BITWISE = {"full_adders": "abc", "half_adders": "ab", "half_adders_plus_one": "ab"}
_CHAINS = {"ripple_adder": "ab", "ripple_half_adder": "a", "ripple_half_adder_plus_one": "a"}


def adder_widths(verilog: str) -> dict[str, list[int]]:
    """Adder modules that this Verilog has instances of -> their widths."""
    found: dict[str, set[int]] = {}
    for name, width in _USE.findall(verilog):
        found.setdefault(name, set()).add(int(width))
    known = {*_BITWISE, *_CHAINS, "prefix_adder"}
    return {name: sorted(widths) for name, widths in sorted(found.items()) if name in known}


def adder_obligations(
    widths: Mapping[str, Sequence[int]], style: str, *, source: str | None = None
) -> list[Obligation]:
    """One claim per module: it adds, at each of these widths.

    ``source`` is Verilog of the modules, by default our own.
    """
    source = adders_verilog() if source is None else source
    return [_obligation(name, list(sizes), style, source) for name, sizes in widths.items()]


def _obligation(name: str, widths: list[int], style: str, source: str) -> Obligation:
    inputs, wrong, body = {}, [], ""
    for width in widths:
        pins = _BITWISE.get(name) or _CHAINS.get(name) or "ab"
        inputs |= {f"{pin}_{width}": width for pin in pins}
        if name in _CHAINS:
            inputs[f"ci_{width}"] = 1
        body += _compared(name, width, pins)
        wrong.append(f"wrong_{width}")
    body += f"  assign wrong = {' | '.join(wrong)};\n"
    ports = ", ".join(f"input [{bits - 1}:0] {port}" for port, bits in inputs.items())
    sizes = ", ".join(map(str, widths))
    return Obligation(
        name=name,
        claim=f"{name} adds, {'WIDTH' if len(widths) == 1 else 'WIDTHs'} {sizes}",
        method=Method.MITER,
        style=style,
        designs={},
        harness=f"{source}\nmodule harness({ports}, output wrong);\n{body}endmodule\n",
        shown=tuple(inputs) + tuple(f"{pin}_{w}" for w in widths for pin in ("sum", "carry")),
    )


def _compared(name: str, width: int, pins: str) -> str:
    """An instance, and ``wrong_WIDTH``: it differs from the sum written out."""
    wired = ", ".join(f".{pin}({pin}_{width})" for pin in pins)
    high = f"[{width - 1}:0]"
    text = f"  wire {high} sum_{width}; wire {high} carry_{width}; wire wrong_{width};\n"
    plus_one = "plus_one" in name
    if name in _BITWISE:
        text += f"  {name} #(.WIDTH({width})) at_{width}({wired}, .sum(sum_{width}),"
        text += f" .carry(carry_{width}));\n"
        terms = [
            f"{{carry_{width}[{bit}], sum_{width}[{bit}]}} != "
            + " + ".join([*(f"{{1'b0, {pin}_{width}[{bit}]}}" for pin in pins), f"2'd{plus_one:d}"])
            for bit in range(width)
        ]
        return text + f"  assign wrong_{width} = {' | '.join(f'({term})' for term in terms)};\n"
    if name == "prefix_adder":
        text += f"  assign carry_{width} = 0;\n"
        text += f"  {name} #(.WIDTH({width})) at_{width}({wired}, .sum(sum_{width}));\n"
        return text + f"  assign wrong_{width} = sum_{width} != a_{width} + b_{width};\n"
    # Bit by bit, as the cells do it.
    text += f"  wire [{width}:0] chain_{width}; assign chain_{width}[0] = ci_{width};\n"
    text += f"  wire {high} naive_{width}; wire co_{width}; assign carry_{width} = co_{width};\n"
    text += f"  {name} #(.WIDTH({width})) at_{width}({wired}, .ci(ci_{width}),"
    text += f" .sum(sum_{width}), .co(co_{width}));\n"
    for bit in range(width):
        terms = [f"{{1'b0, {pin}_{width}[{bit}]}}" for pin in pins]
        terms += [f"{{1'b0, chain_{width}[{bit}]}}", f"2'd{plus_one:d}"]
        text += f"  assign {{chain_{width}[{bit + 1}], naive_{width}[{bit}]}} = "
        text += f"{' + '.join(terms)};\n"
    total, chain = f"{{co_{width}, sum_{width}}}", f"{{chain_{width}[{width}], naive_{width}}}"
    return text + f"  assign wrong_{width} = {total} != {chain};\n"
