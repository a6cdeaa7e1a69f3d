"""Style against style, and units cut by register ranks against those that are not.

Both run on the same records with valid and reset free. A unit without state of its own is shown
to agree at the end of a window that is as long as its latency, whatever its registers held before:
that is every clock. One with state is followed from reset.
"""

from dataclasses import replace

from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.formal_harness import (
    DelayLine,
    instance,
    module,
    payload_bits,
    started,
    stream_wires,
)
from multipede.sim.formal_report import Method
from multipede.sim.formal_solver import Obligation
from multipede.sim.verilog import verilog_of

__all__ = ["against", "least_stages", "pipeline", "styles_alike"]


def least_stages(spec: Spec) -> Spec | None:
    """The unit with as few register ranks as it takes; None if it has no parameter for them."""
    if not hasattr(spec, "stages"):
        return None
    for stages in (0, 1):
        try:
            return replace(spec, stages=stages)
        except ValueError:
            continue
    return None


def pipeline(spec: Spec, style: Style, *, depth: int, stateful: bool) -> Obligation | None:
    """The unit gives the results of the one with the least ranks, so many clocks later; None
    where it has the least."""
    plain = least_stages(spec)
    if plain is None or plain.latency == spec.latency:
        return None
    gate, gold = verilog_of(spec, style, name="gate"), verilog_of(plain, style, name="gold")
    later = spec.latency - plain.latency
    claim = f"{_named(spec)} with stages = {spec.stages} gives the results of stages = "
    claim += f"{plain.stages} and its valid, {later} clocks later"
    clocks = spec.latency + depth if stateful else 0
    return against(
        spec,
        gate,
        gold,
        name="pipeline",
        claim=claim,
        style=style.value,
        later=later,
        clocks=clocks,
    )


def styles_alike(spec: Spec, style: Style, other: Style, *, depth: int, stateful: bool):
    """The unit's RTL in ``style`` gives what that in ``other`` gives, in the same clocks."""
    gate, gold = (verilog_of(spec, s, name=n) for s, n in ((style, "gate"), (other, "gold")))
    return against(
        spec,
        gate,
        gold,
        name=f"as {other.value}",
        claim=f"{_named(spec)} in style {style.value} gives what style {other.value} gives",
        style=style.value,
        clocks=spec.latency + depth if stateful else 0,
    )


def _named(spec: Spec) -> str:
    """The unit with its inputs' formats, which may be smaller than those asked about."""
    formats = [f"{name} {port.format}" for name, port in spec.inputs.items() if name != "last"]
    return f"{spec.unit} ({', '.join(formats)})"


def against(
    spec: Spec,
    gate: str,
    gold: str,
    *,
    name: str,
    claim: str,
    style: str,
    later: int = 0,
    clocks: int = 0,
) -> Obligation:
    """Two always-ready designs on the same records; ``gold`` is ``later`` clocks earlier.

    With ``clocks`` they are followed so long from reset; without, over a window of ``spec``'s
    latency.
    """
    bits = payload_bits(spec.outputs)
    line = DelayLine("later", "early_valid", "early_payload", bits, later)
    free = {"clk": 1, "rst": 1, "i_valid": 1, "i_payload": payload_bits(spec.inputs)}
    judged = "1"
    body = ""
    if clocks:
        free["again"] = free.pop("rst")
        body, judged = started(), "started"
    pins = {name_: name_ for name_ in ("clk", "rst", "i_valid", "i_payload")}
    body += stream_wires("gate", spec.outputs) + stream_wires("early", spec.outputs)
    body += instance(gate, "gate", pins | {"o_valid": "gate_valid", "o_payload": "gate_payload"})
    body += instance(gold, "gold", pins | {"o_valid": "early_valid", "o_payload": "early_payload"})
    body += line.verilog + stream_wires("gold", spec.outputs)
    body += (
        f"  assign gold_valid = {line.valid};\n  assign gold_payload = {line.payload};\n"
        f"  assign wrong = {judged} & (gate_valid != gold_valid"
        " | gate_valid & gate_payload != gold_payload);\n"
    )
    if clocks:
        method = Method.BOUNDED
    else:
        method = Method.WINDOW if spec.latency else Method.MITER
    window = spec.latency + 1 if spec.latency else 0
    return Obligation(
        name=name,
        claim=claim,
        method=method,
        style=style,
        designs={"gate": gate, "gold": gold},
        harness=module(free, ("wrong",), body),
        clocks=clocks or window,
        skipped=0 if clocks else max(0, window - 1),
        inputs=spec.inputs,
        outputs=spec.outputs,
        shown=("rst", "i_valid", "gate_valid", "gold_valid"),
    )
