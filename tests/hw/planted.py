"""Bugs planted into a unit's Verilog, which `verify` must find."""

import re
from collections.abc import Callable

from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.verify import verify
from multipede.sim.verilog import verilog_of


def check_found(spec: Spec, plant: Callable[[str], str]) -> None:
    """The unit is right, and wrong with what ``plant`` makes of its Verilog."""
    text = verilog_of(spec, Style.WORD)
    broken = plant(text)
    assert broken != text
    report = verify(spec, verilog={"ours": text, "broken": broken}, records=2000, waveform=False)
    failed = {check.style for check in report.checks if not check.passed}
    assert failed == {"broken"}


def replaced(pattern: str, wrong: str) -> Callable[[str], str]:
    """What plants ``wrong`` wherever ``pattern`` is."""
    return lambda text: re.sub(pattern, wrong, text)


def swapped(*pairs: tuple[str, str], begin: str = "", end: str = "") -> Callable[[str], str]:
    """What makes each word of the pairs the other, between the texts ``begin`` and ``end``."""

    def plant(text: str) -> str:
        start = text.index(begin)
        stop = text.index(end, start) if end else len(text)
        other = dict(pairs) | {second: first for first, second in pairs}
        words = re.compile(rf"\b({'|'.join(other)})\b")
        middle = words.sub(lambda match: other[match[0]], text[start:stop])
        return text[:start] + middle + text[stop:]

    return plant
