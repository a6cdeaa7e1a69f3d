"""Activity as a SAIF file, for other programs, and back.

Every pin of every instance is listed: a reader that knows nets by their pins alone finds nothing in
a file that lists nets.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from multipede.asic_flow.power.activity import Activity, require_complete

__all__ = ["read_saif", "write_saif"]

_PER_PICOSECOND = 1000
"""Times in the file are whole femtoseconds."""
_TIMESCALES = {"s": 1e12, "ms": 1e9, "us": 1e6, "ns": 1e3, "ps": 1.0, "fs": 1e-3}
_TOKEN = re.compile(r'[()]|"[^"]*"|(?:\\.|[^\s()"\\])+')
_SPECIAL = re.compile(r"[^\w]")


def write_saif(activity: Activity, netlist: Mapping[str, Any], *, top: str) -> str:
    """The text of the file: ports of the instance ``top`` and all pins of the cells in it.

    Raises ValueError if a net has no activity.
    """
    require_complete(activity, netlist)
    lines = [
        "(SAIFILE",
        ' (SAIFVERSION "2.0")',
        ' (DIRECTION "backward")',
        ' (PROGRAM_NAME "multipede")',
        " (DIVIDER / )",
        " (TIMESCALE 1 fs)",
        f" (DURATION {round(activity.duration * _PER_PICOSECOND)})",
        f" (INSTANCE {_escaped(top)}",
        "  (NET",
    ]
    for name, port in netlist["ports"].items():
        for place, bit in enumerate(port["bits"]):
            full = _escaped(name) + (rf"\[{place}\]" if len(port["bits"]) > 1 else "")
            lines += _net(full, bit, activity)
    lines.append("  )")
    for name, cell in netlist["cells"].items():
        lines.append(f"  (INSTANCE {_escaped(name)} (NET")
        for pin, bits in cell["connections"].items():
            if bits:
                lines += _net(_escaped(pin), bits[0], activity)
        lines.append("  ))")
    return "\n".join([*lines, " )", ")", ""])


def _net(name: str, bit: int | str, activity: Activity) -> list[str]:
    whole = round(activity.duration * _PER_PICOSECOND)
    if isinstance(bit, str):
        high, toggles = whole if bit == "1" else 0, 0
    else:
        high, toggles = round(activity.high[bit] * _PER_PICOSECOND), activity.toggles[bit]
    return [f"   ({name} (T0 {whole - high}) (T1 {high}) (TX 0) (TC {toggles}) (IG 0))"]


def _escaped(name: str) -> str:
    return _SPECIAL.sub(lambda found: "\\" + found[0], name)


def read_saif(text: str, netlist: Mapping[str, Any], *, top: str, clocks: int) -> Activity:
    """The activity that the file gives for the netlist, whose instance there is ``top``.

    A net has that of any of its pins and ports. ``clocks`` is how many passed, which the file does
    not tell.

    Raises
    ------
    ValueError
        For a text that is no SAIF file, without that instance, or with a net unannotated; also if
        the file says different things of one net's pins.
    """
    try:
        (file,) = _lists(text)
        duration = float(_find(file, "DURATION")[1]) * _unit(file)
    except (ValueError, IndexError, KeyError):
        raise ValueError("saif: it is broken, or no SAIF file") from None
    scope = _instance(file, top)
    if scope is None:
        raise ValueError(f"saif: it has no instance {top}")
    toggles: dict[int, int] = {}
    high: dict[int, float] = {}
    for bit, name, found in _annotated(scope, netlist):
        values = int(found["TC"]), float(found["T1"]) * _unit(file)
        if (toggles.setdefault(bit, values[0]), high.setdefault(bit, values[1])) != values:
            raise ValueError(f"saif: {name} differs from the other pins of its net")
    activity = Activity(clocks=clocks, duration=duration, toggles=toggles, high=high)
    require_complete(activity, netlist)
    return activity


def _annotated(scope: list, netlist: Mapping[str, Any]) -> Iterator[tuple[int, str, dict]]:
    """Net, name and values of each port's bit and each pin that the file has."""
    of_ports = _nets(scope)
    for name, port in netlist["ports"].items():
        for place, bit in enumerate(port["bits"]):
            full = f"{name}[{place}]" if len(port["bits"]) > 1 else name
            if isinstance(bit, int) and full in of_ports:
                yield bit, full, of_ports[full]
    instances = {_bare(part[1]): part for part in scope if _is(part, "INSTANCE")}
    for name, cell in netlist["cells"].items():
        pins = _nets(instances[name]) if name in instances else {}
        for pin, bits in cell["connections"].items():
            if bits and isinstance(bits[0], int) and pin in pins:
                yield bits[0], f"{name}/{pin}", pins[pin]


def _nets(scope: list) -> dict[str, dict[str, str]]:
    """The values by name of what an instance's NET lists, those of its own alone."""
    return {
        _bare(net[0]): {part[0]: part[1] for part in net[1:]}
        for part in scope
        if _is(part, "NET")
        for net in part[1:]
    }


def _unit(file: list) -> float:
    """ps in the file's unit of time."""
    words = "".join(_find(file, "TIMESCALE")[1:])
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", words).groups() if words else ("1", "ns")
    return float(number) * _TIMESCALES[unit]


def _find(file: list, kind: str) -> list:
    return next((part for part in file if _is(part, kind)), [kind])


def _instance(scope: list, name: str) -> list | None:
    """The instance of this name at any depth."""
    for part in scope:
        if _is(part, "INSTANCE"):
            found = part if _bare(part[1]) == name else _instance(part, name)
            if found is not None:
                return found
    return None


def _is(part: Any, kind: str) -> bool:
    return isinstance(part, list) and bool(part) and part[0] == kind


def _bare(name: str) -> str:
    return re.sub(r"\\(.)", r"\1", name)


def _lists(text: str) -> list:
    """Nested lists of words."""
    whole: list = []
    open_lists = [whole]
    for token in _TOKEN.findall(text):
        if token == "(":
            open_lists.append([])
            open_lists[-2].append(open_lists[-1])
        elif token == ")":
            open_lists.pop()
        else:
            open_lists[-1].append(token)
    if len(open_lists) != 1:
        raise ValueError("saif: parentheses do not match")
    return whole
