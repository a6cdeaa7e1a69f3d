"""``Stallable`` against a naive queue: nothing is lost, repeated, reordered or invented.

The unit inside runs a second time on the records that were taken, and its results go into a queue
that is never full. From reset, with valid, ready, payload and further resets free, the unit shows
exactly what stands first in that queue, takes records while there is room, and keeps what is not
taken as it is.
"""

from multipede.golden.formats import Integer
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.number_converter import NumberConverter
from multipede.golden.rounded_operation import MAXIMUM_STAGES
from multipede.golden.spec import Spec
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.sim.formal_harness import instance, module, payload_bits, started, stream_wires
from multipede.sim.formal_report import Method
from multipede.sim.formal_solver import Obligation
from multipede.sim.verilog import verilog_of

__all__ = ["carrier", "stalls"]


def carrier(latency: int) -> Spec | None:
    """A unit of this latency that carries a bit through, enough to tell any record from the others;
    None where there is none so slow."""
    bit = Integer(1, signed=False)
    if latency <= MAXIMUM_STAGES:
        return NumberConverter(x=bit, result=bit, stages=latency)
    if latency <= 16:
        return IntegerMultiplier(a=bit, b=bit, stages=latency)
    return None


def stalls(inside: Spec, style: Style, *, depth: int) -> Obligation:
    """What is claimed above of a fixed-latency unit that is made stallable; it may have a ready of
    its own.

    It is followed for its latency, the time to fill and to empty its queue, and ``depth`` clocks
    from reset.
    """
    spec = Stallable(inside=inside)
    gate, gold = verilog_of(spec, style, name="gate"), verilog_of(inside, style, name="gold")
    free = {"clk": 1, "again": 1, "i_valid": 1, "i_payload": payload_bits(spec.inputs)}
    free["o_ready"] = 1
    goals = ("wrong_order", "wrong_room", "wrong_hold")
    clocks = inside.latency + 2 * spec.depth + depth
    return Obligation(
        name=f"stalls of {inside.unit}",
        claim=(
            f"around {inside.unit} of latency {inside.latency}, no record is lost, repeated,"
            " reordered or invented, what is not taken stays, room is used"
        ),
        method=Method.BOUNDED,
        style=style.value,
        designs={"gate": gate, "gold": gold},
        harness=module(free, goals, started() + _around(spec, gate, gold) + _RULES),
        goals=goals,
        clocks=clocks,
        inputs=spec.inputs,
        outputs=spec.outputs,
        shown=("rst", "i_valid", "i_ready", "o_ready", "gate_valid", "gold_valid"),
    )


def _around(spec: Stallable, gate: str, gold: str) -> str:
    """The unit, the one inside on the records taken, the naive queue, and records on their way."""
    bits, places = payload_bits(spec.outputs), spec.depth.bit_length()
    pins = {name: name for name in ("clk", "rst", "i_valid", "i_payload", "i_ready", "o_ready")}
    body = stream_wires("gate", spec.outputs) + stream_wires("early", spec.outputs)
    body += "  wire i_ready, accepted = i_valid & i_ready, given = gate_valid & o_ready;\n"
    body += instance(gate, "gate", pins | {"o_valid": "gate_valid", "o_payload": "gate_payload"})
    # A unit with a ready of its own is asked only when the one around it takes a record.
    has_ready = not spec.inside.always_ready
    body += "  wire gold_ready;\n" if has_ready else "  wire gold_ready = 1;\n"
    pins |= {"i_valid": "accepted", "o_valid": "early_valid", "o_payload": "early_payload"}
    body += instance(gold, "gold", pins | {"i_ready": "gold_ready"})
    latency = spec.inside.latency
    under_way = " + ".join(f"way_{clock}" for clock in range(1, latency + 1)) or "1'b0"
    before = "accepted"
    for clock in range(1, latency + 1):
        body += f"  reg way_{clock}; always @(posedge clk) way_{clock} <= {before} & ~rst;\n"
        before = f"way_{clock}"
    body += (
        f"  reg [{bits - 1}:0] waiting [0:{(1 << places) - 1}];\n"
        f"  reg [{places - 1}:0] first, free_place, count;\n"
        f"  wire [{places}:0] on_hand = {{1'b0, count}} + {under_way};\n"
        f"  wire room = on_hand < {spec.depth} & gold_ready;\n"
        "  wire has = count != 0;\n"
        "  wire gold_valid = has | early_valid;\n"
        f"  wire [{bits - 1}:0] gold_payload = has ? waiting[first] : early_payload;\n"
    )
    return body + (
        "  always @(posedge clk) begin\n"
        "    if (early_valid) waiting[free_place] <= early_payload;\n"
        "    free_place <= free_place + early_valid; first <= first + given;\n"
        "    count <= count + early_valid - given;\n"
        "    if (rst) begin free_place <= 0; first <= 0; count <= 0; end\n"
        "  end\n"
        f"  reg held; reg [{bits - 1}:0] held_payload;\n"
        "  always @(posedge clk) begin\n"
        "    held <= gate_valid & ~o_ready & ~rst; held_payload <= gate_payload;\n"
        "  end\n"
    )


_RULES = """\
  assign wrong_order = started & (gate_valid != gold_valid
    | gate_valid & gate_payload != gold_payload);
  assign wrong_room = started & i_ready != room;
  assign wrong_hold = started & held & (~gate_valid | gate_payload != held_payload);
"""
