"""A tile of one lane against a naive specification: ``w * a``, added up, less ``z * sum of a``.

The proof is an induction with shared state. From any state in which the two agree on all that can
still matter, one clock leads to another such state and gives the same results; reset leads there
from anywhere. So it holds in every clock, and each step is a circuit without registers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from multipede.golden.integer_tile import IntegerTile, TileOutput
from multipede.hw import Style
from multipede.sim.formal_harness import instance, module, payload_bits
from multipede.sim.formal_pipelines import against
from multipede.sim.formal_report import Method
from multipede.sim.formal_solver import Obligation
from multipede.sim.verilog import verilog_of

__all__ = [
    "NARROW",
    "PRODUCT",
    "extended",
    "naive_tile",
    "narrow",
    "one_lane",
    "tile_against_naive",
]

_GROUP = 4
PRODUCT = 32
"""bits of weight times bits of activation that the solver manages in a minute"""
NARROW = (4, 6)
"""bits of both where it does not"""
_CLOCKS = 6
"""clocks from reset in which a counterexample is looked for: a whole group and its result"""


def one_lane(spec: IntegerTile) -> IntegerTile:
    """The tile with one row, column and lane, groups of 4 at the most, one register rank, and the
    group's sum as its output; of the same formats, unless products are too large for the
    solver."""
    group = min(_GROUP, spec.records_per_group)
    if spec.weight.bits * spec.activation.bits > PRODUCT:
        spec = _narrowed(spec, *NARROW)
    return replace(
        spec,
        rows=1,
        columns=1,
        lanes=1,
        group=group,
        stages=1,
        accumulator=None,
        output=TileOutput.GROUP,
    )


class _Case(Enum):
    """What the tile is about when a clock begins; with it, which registers still matter."""

    DONE = "done"
    """a result is on the output: all registers"""
    OPEN = "open"
    """a group has begun and no result is there: the sums"""
    IDLE = "idle"
    """neither: none"""


def narrow(spec: IntegerTile, *, weight: int = 2) -> IntegerTile:
    """The tile with weights of so many bits, activations of 4 and groups of 2 at the most, to be
    followed for many clocks."""
    group = min(2, spec.records_per_group) * spec.lanes
    return replace(_narrowed(spec, weight, 4), group=group)


def _narrowed(spec: IntegerTile, weight: int, activation: int) -> IntegerTile:
    """The tile with formats of so many bits at the most."""
    w, a = spec.weight, spec.activation
    return replace(
        spec,
        weight=replace(w, bits=min(weight, w.bits)),
        activation=replace(a, bits=min(activation, a.bits)),
        accumulator=None,
    )


@dataclass(frozen=True)
class _Register:
    """A register that both designs have: its name in ours, its bits, and where it matters."""

    name: str
    gate: str
    bits: int
    cases: tuple[_Case, ...]


def _registers(spec: IntegerTile) -> list[_Register]:
    """All but those of control, ``valid`` and ``position``, which are always the same."""
    sums = (_Case.DONE, _Case.OPEN)
    found = [_Register("p", "p_0_0", spec.result.bits, sums)]
    if spec.zero_point:
        found.append(_Register("s", "s_0", spec.activation_sum.bits, sums))
        found.append(_Register("z", "z_0", spec.weight.bits, (_Case.DONE,)))
    return [*found, _Register("last", "last", 1, (_Case.DONE,))]


def naive_tile(spec: IntegerTile) -> str:
    """Verilog of what a tile of one row, column and lane does, written from its definition."""
    a, w, p, s = spec.activation, spec.weight, spec.result.bits, spec.activation_sum.bits
    records, position = spec.records_per_group, (spec.records_per_group - 1).bit_length()
    top = a.bits + w.bits
    z_bits = w.bits * spec.zero_point
    sum_ = f"  reg signed [{s - 1}:0] s; reg [{w.bits - 1}:0] z;\n" if spec.zero_point else ""
    take = (
        f"      s <= (first ? {s}'sd0 : s) + a;\n      z <= i_payload[{top + z_bits - 1}:{top}];\n"
        if spec.zero_point
        else ""
    )
    counted = f"  reg [{position - 1}:0] position;\n" if position else ""
    first = "position == 0" if position else "1'b1"
    ends = f"i_payload[{top + z_bits}] | position == {records - 1}" if position else "1'b1"
    count = f"      position <= ends ? {position}'d0 : position + 1'b1;\n" if position else ""
    clear = "position <= 0; " if position else ""
    return (
        "// naive tile of one lane\n\nmodule gold(\n  input clk,\n  input rst,\n"
        f"  input [{top + z_bits}:0] i_payload,\n  input i_valid,\n"
        f"  output [{p}:0] o_payload,\n  output reg o_valid\n);\n"
        f"  wire signed [{p - 1}:0] a = {extended('i_payload', 0, a)};\n"
        f"  wire signed [{p - 1}:0] w = {extended('i_payload', a.bits, w)};\n"
        f"  reg last; reg signed [{p - 1}:0] p;\n{sum_}{counted}"
        f"  wire first = {first};\n  wire ends = {ends};\n"
        "  always @(posedge clk) begin\n    o_valid <= i_valid & ends;\n    if (i_valid) begin\n"
        f"      p <= (first ? {p}'sd0 : p) + w * a;\n{take}"
        f"      last <= i_payload[{top + z_bits}];\n{count}    end\n"
        f"    if (rst) begin {clear}o_valid <= 0; end\n  end\n"
        + (
            f"  wire signed [{p - 1}:0] zero = {extended('z', 0, w)};\n"
            f"  wire signed [{p - 1}:0] total = {extended('s', 0, spec.activation_sum)};\n"
            f"  wire signed [{p - 1}:0] d = p - zero * total;\n"
            if spec.zero_point
            else f"  wire signed [{p - 1}:0] d = p;\n"
        )
        + "  assign o_payload = {last, d};\nendmodule\n"
    )


def extended(word: str, low: int, number_format) -> str:
    """Some bits of a word as a signed expression of any width."""
    bits = f"{word}[{low + number_format.bits - 1}:{low}]"
    return f"$signed({bits})" if number_format.signed else f"$signed({{1'b0, {bits}}})"


def tile_against_naive(spec: IntegerTile, style: Style) -> Obligation:
    """The tile, one of one lane with one register rank, in ``style`` does what the naive one
    does."""
    gate, gold = verilog_of(spec, style, name="gate"), naive_tile(spec)
    size = f"{spec.weight} x {spec.activation}, groups of {spec.group}"
    claim = f"{spec.unit} of one lane, {size}, is w * a added up"
    claim += ", less z * sum of a" if spec.zero_point else ""
    search = against(spec, gate, gold, name="naive", claim=claim, style=style.value, clocks=_CLOCKS)
    cases = [c for c in _Case if c is not _Case.OPEN or spec.records_per_group > 1]
    goals = ("wrong_reset", "wrong_result", *(f"wrong_{case.value}" for case in cases))
    body = "".join(_step(spec, case, gate, gold) for case in cases)
    free = {"clk": 1, "rst": 1, "i_valid": 1, "i_payload": payload_bits(spec.inputs)}
    free["position"] = max(1, _position_bits(spec))
    for register in _registers(spec):
        free |= {register.name: register.bits, f"{register.name}_other": register.bits}
    return Obligation(
        name="naive",
        claim=claim,
        method=Method.INDUCTION,
        style=style.value,
        designs={"gate": _parted(gate), "gold": _parted(gold)},
        harness=module(free, goals, body + _reset(spec, cases)),
        goals=goals,
        opened=("gate", "gold"),
        sweep=True,
        search=search,
    )


def _parted(verilog: str) -> str:
    """The design with gates between registers and payload, so that opening a register does not
    take the port away."""
    return re.sub(r"assign o_payload = (.*?);", r"assign o_payload = ~(~(\1));", verilog, count=1)


def _position_bits(spec: IntegerTile) -> int:
    return (spec.records_per_group - 1).bit_length()


def _step(spec: IntegerTile, case: _Case, gate: str, gold: str) -> str:
    """One clock of both designs from the states of a case; what matters behind it must agree."""
    at = case.value
    valid = int(case is _Case.DONE)
    position = "1'd0" if case is _Case.IDLE else "position"
    lines, differences = [], []
    pins = {design: {} for design in ("gate", "gold")}

    def add(name, ours, bits, states, needed, theirs=None) -> None:
        after = {"gate": f"{name}_{at}_ours", "gold": f"{name}_{at}_naive"}
        lines.append(f"  wire [{bits - 1}:0] {', '.join(after.values())};")
        for design, register, state in zip(after, (ours, theirs or name), states, strict=True):
            pins[design] |= {f"\\{register}.q ": state, f"\\{register}.d ": after[design]}
        differences.append(f"{needed} & {after['gate']} != {after['gold']}")

    # The port o_valid is a register in both.
    add("valid", "o_valid", 1, (f"1'd{valid}",) * 2, "1", "o_valid")
    done, kept = f"valid_{at}_ours", f"valid_{at}_ours"
    if bits := _position_bits(spec):
        state = f"{bits}'d0" if case is _Case.IDLE else position
        add("position", "position", bits, (state, state), "1")
        kept = f"({done} | |position_{at}_ours)"
        # A counter that does not reach its end stays below it, which is part of the claim.
        differences.append(f"{{1'b0, position_{at}_ours}} >= {spec.records_per_group}")
    for register in _registers(spec):
        other = register.name if case in register.cases else f"{register.name}_other"
        needed = kept if _Case.OPEN in register.cases else done
        add(register.name, register.gate, register.bits, (register.name, other), needed)
    texts = {"gate": gate, "gold": gold}
    lines += [_opened(spec, texts[design], design, at, pins[design]) for design in texts]
    begins = "1"
    if _position_bits(spec) and case is not _Case.IDLE:
        begins = f"{{1'b0, position}} < {spec.records_per_group}"
        begins += " & |position" if case is _Case.OPEN else ""
    lines.append(f"  assign wrong_{at} = {begins} & ({' | '.join(differences)});")
    if case is _Case.DONE:
        lines.append(f"  assign wrong_result = gate_{at}_payload != gold_{at}_payload;")
    return "".join(f"{line}\n" for line in lines)


def _opened(spec: IntegerTile, text: str, design: str, at: str, state: Mapping[str, str]) -> str:
    """An instance whose registers are ports."""
    name = f"{design}_{at}"
    wires = {pin: pin for pin in ("clk", "rst", "i_valid", "i_payload")}
    wires |= {"o_valid": "", "o_payload": f"{name}_payload"}
    more = ", ".join(f".{pin}({wire})" for pin, wire in state.items())
    made = instance(text, design, wires).replace(f"{design} {design}(", f"{design} {name}(")
    return f"  wire [{payload_bits(spec.outputs) - 1}:0] {name}_payload;\n" + made.replace(
        ");", f", {more});"
    )


def _reset(spec: IntegerTile, cases: Sequence[_Case]) -> str:
    """Reset makes both idle."""
    names = ("valid", "position") if _position_bits(spec) else ("valid",)
    cleared = [
        f"|{name}_{case.value}_{whose}"
        for name in names
        for case in cases
        for whose in ("ours", "naive")
    ]
    return f"  assign wrong_reset = rst & ({' | '.join(cleared)});\n"
