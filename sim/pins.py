"""Which of a unit's pins a module has, in Verilog of any hand."""

import re

from multipede.golden.spec import Spec

__all__ = ["module_pins"]

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def module_pins(verilog: str, top: str, spec: Spec) -> list[str]:
    """The pins of module ``top``, in the order of design rules: clk and rst where it has them.

    Raises
    ------
    ValueError
        If there is no such module, or it lacks a pin that the specification needs.
    """
    code = _COMMENT.sub(" ", verilog)
    head = re.search(rf"\bmodule\s+{re.escape(top)}\b[^;]*;", code)
    if head is None:
        raise ValueError(f"verilog: it has no module {top}")
    words = set(re.findall(r"\w+", head[0]))
    needed = ["i_valid", "i_payload", "o_valid", "o_payload"]
    needed += [] if spec.always_ready else ["i_ready"]
    needed += ["o_ready"] if spec.stallable else []
    missing = [pin for pin in needed if pin not in words]
    if missing:
        raise ValueError(f"verilog: module {top} has no {', '.join(missing)}")
    return [pin for pin in ("clk", "rst") if pin in words] + needed
