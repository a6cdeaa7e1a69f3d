"""Which of a unit's pins a module has, in Verilog of any hand."""

import re

from multipede.golden.spec import Spec

__all__ = ["module_pins", "needed_pins"]

_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/|\(\*.*?\*\)', re.DOTALL)
"""What is no code: strings, comments and attributes."""


def needed_pins(spec: Spec) -> list[str]:
    """The pins that every module for the specification has, besides clk and rst."""
    pins = ["i_valid", "i_payload", "o_valid", "o_payload"]
    pins += [] if spec.always_ready else ["i_ready"]
    return pins + (["o_ready"] if spec.stallable else [])


def module_pins(verilog: str, top: str, spec: Spec) -> list[str]:
    """The pins of module ``top``: clk and rst where it has them, and what the specification needs.

    Raises
    ------
    ValueError
        If there is no such module, it lacks a pin, or has a clock and no reset.
    """
    code = _COMMENT.sub(" ", verilog)
    imports = r"(?:\s*import\b[^;]*;)*"
    head = re.search(rf"\bmodule\s+\\?{re.escape(top)}\s{imports}[^;]*;", code)
    head = head or re.search(rf"\bmodule\s+{re.escape(top)}\b[^;]*;", code)
    if head is None:
        raise ValueError(f"verilog: it has no module {top}")
    words = set(re.findall(r"\w+", head[0]))
    needed = needed_pins(spec) + (["rst"] if "clk" in words else [])
    missing = [pin for pin in needed if pin not in words]
    if missing:
        raise ValueError(f"verilog: module {top} has no {', '.join(missing)}")
    return [pin for pin in ("clk", "rst") if pin in words] + needed_pins(spec)
