"""Operators counted in elaborated RTLIL."""

import re
from collections import Counter

from multipede.golden.spec import Spec
from multipede.hw import Style, inventory
from multipede.sim.verilog import rtlil_of
from multipede.toolchain.yosys import run_yosys

KINDS = {
    r"\full_adders": "full_adder",
    r"\ripple_adder": "full_adder",
    r"\half_adders": "half_adder",
    r"\ripple_half_adder": "half_adder",
    r"\half_adders_plus_one": "half_adder_plus_one",
    r"\ripple_half_adder_plus_one": "half_adder_plus_one",
    r"\prefix_adder": "prefix_adder_bit",
    "$dff": "register",
    "$dffe": "register",
    "$sdff": "register",
    "$sdffe": "register",
    "$and": "and",
    "$or": "or",
    "$xor": "exclusive_or",
    "$mux": "multiplexer_bit",
    "$reduce_or": "any",
    "$reduce_bool": "any",
    "$reduce_and": "all",
}
"""cell of RTLIL -> kind in inventories"""

COUNTED = sorted(set(KINDS.values()))
"""kinds that are counted; increments are wires, and word adders are as wide as Amaranth likes"""


def counted_operators(spec: Spec, style: Style) -> Counter:
    """Bits of each kind in the unit; a reduction of n bits counts n - 1.

    Not counted are XORs with constants, which invert, and multiplexers for the reset. In the word
    style the gated bits of heaps are multiplexers with a constant, counted as ANDs.
    """
    result = run_yosys(
        # The flow's own clean-up joins flip-flops of unused bits; nothing else is optimised.
        "read_rtlil unit.il; proc; flatten; opt_clean; write_rtlil flat.il",
        files={"unit.il": rtlil_of(spec, style)},
        outputs=["flat.il"],
    )
    count: Counter = Counter()
    cells = re.findall(r"^  cell (\S+) .*?\n(.*?)^  end", result.outputs["flat.il"], re.M | re.S)
    for cell, body in cells:
        kind = KINDS.get(cell)
        parameters = {
            name: int(v) for name, v in re.findall(r"parameter \\(\w+) (\d+)$", body, re.M)
        }
        pins = dict(re.findall(r"connect \\(\w+) (.*)$", body, re.M))
        if kind is None or pins.get("S") == r"\rst":
            continue
        if kind == "exclusive_or" and _is_constant(pins["B"]):
            continue
        if kind == "multiplexer_bit" and _is_constant(pins["A"]) and style is Style.WORD:
            kind = "and"
        width = parameters.get("WIDTH", parameters.get("Y_WIDTH"))
        count[kind] += parameters["A_WIDTH"] - 1 if kind in ("any", "all") else width
    return +count


def _is_constant(signal: str) -> bool:
    return re.fullmatch(r"\d+'[01]+", signal) is not None


def check_inventory(spec: Spec, style: Style) -> None:
    """Adders by kind and registers are as many as in the elaborated RTLIL."""
    counted, planned = counted_operators(spec, style), inventory(spec, style=style)
    for kind in ("full_adder", "half_adder", "half_adder_plus_one", "prefix_adder_bit", "register"):
        assert counted[kind] == planned[kind], kind
    if style is not Style.WORD:
        assert planned["full_adder"] > 0
