"""What a unit's netlist holds, to be compared with its inventory."""

from collections import Counter

from multipede.golden.spec import Spec
from multipede.hw import Style, inventory
from multipede.sim.verilog import rtlil_of
from multipede.toolchain.yosys import run_yosys


def check_inventory(spec: Spec, style: Style) -> None:
    """Adders by kind and registers are as many as in the elaborated RTLIL."""
    result = run_yosys(
        # The flow's own clean-up joins flip-flops of unused bits; nothing else is optimised.
        "read_rtlil unit.il; proc; flatten; opt_clean; write_rtlil flat.il",
        files={"unit.il": rtlil_of(spec, style)},
        outputs=["flat.il"],
    )
    counted = _counted(result.outputs["flat.il"])
    planned = inventory(spec, style=style)
    for kind in ("full_adder", "half_adder", "half_adder_plus_one", "prefix_adder_bit"):
        assert counted[kind] == planned[kind], kind
    if style is not Style.WORD:
        assert planned["full_adder"] > 0
    assert counted["register"] == planned["register"]


def _counted(rtlil: str) -> Counter:
    count, kind, width = Counter(), None, 0
    kinds = {
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
    }
    for line in rtlil.split("\n"):
        words = line.split()
        if words[:1] == ["cell"]:
            kind, width = kinds.get(words[1]), 0
        elif words[:2] == ["parameter", "\\WIDTH"] and kind:
            width = int(words[2])
        elif words[:1] == ["end"] and kind:
            count[kind] += width
            kind = None
    return count
