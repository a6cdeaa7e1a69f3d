"""Changes of nets over a few clocks, and the VCD file of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from multipede.asic_flow.netlist.net_names import net_names

__all__ = ["Waveform", "vcd"]


@dataclass(frozen=True, eq=False)
class Waveform:
    """What happened from a clock's edge on.

    Attributes
    ----------
    start : the value of each net, by its number in the netlist, just before.
    times, nets, values : of each change, in order; times in fs.
    duration, period : fs.
    clock : the clock's net, whose changes are not among these, or None.
    """

    start: Mapping[int, int]
    times: np.ndarray
    nets: np.ndarray
    values: np.ndarray
    duration: int
    clock: int | None
    period: int


def vcd(waveform: Waveform, netlist: Mapping[str, Any], *, top: str) -> str:
    """The waveform as a value change dump of one scope ``top``, in fs, the clock included."""
    names = net_names(netlist)
    start = dict(waveform.start)
    if waveform.clock is not None:
        start[waveform.clock] = 0
    codes = {net: _code(number) for number, net in enumerate(start)}
    lines = ["$timescale 1 fs $end", f"$scope module {top} $end"]
    # A name with brackets in it is read as part of a word by some viewers: a space tells them.
    for net, code in codes.items():
        word, bracket, place = names.get(net, f"net_{net}").partition("[")
        reference = f"{_plain(word)} [{place}" if bracket and place[:-1].isdigit() else ""
        lines.append(f"$var wire 1 {code} {reference or _plain(names.get(net, f'net_{net}'))} $end")
    lines += ["$upscope $end", "$enddefinitions $end", "$dumpvars"]
    lines += [f"{value}{codes[net]}" for net, value in start.items()]
    lines.append("$end")
    before = None
    for time, net, value in _all_changes(waveform):
        if time != before:
            lines.append(f"#{time}")
        before = time
        lines.append(f"{value}{codes[net]}")
    return "\n".join([*lines, f"#{waveform.duration}", ""])


def _all_changes(waveform: Waveform) -> Iterator[tuple[int, int, int]]:
    """Those of nets and of the clock in order of time."""
    found = list(
        zip(waveform.times.tolist(), waveform.nets.tolist(), waveform.values.tolist(), strict=True)
    )
    if waveform.clock is not None:
        for begin in range(0, waveform.duration, waveform.period):
            found.append((begin, waveform.clock, 1))
            found.append((begin + waveform.period // 2, waveform.clock, 0))
    return iter(sorted(found, key=lambda change: change[0]))


def _code(number: int) -> str:
    """A short identifier of printable characters."""
    text = ""
    while True:
        number, digit = divmod(number, 94)
        text += chr(33 + digit)
        if not number:
            return text


def _plain(name: str) -> str:
    return "".join(
        character if character.isprintable() and character != " " else "_" for character in name
    )
