"""Any unit between two AXI4-Stream ports (ARM IHI 0051: TVALID, TREADY, TDATA, TKEEP, TLAST).

A record is as many beats as its bits need, lowest bits first; each record begins with a beat of its
own. ``last``, where a unit has it, travels as TLAST. Around units without it packets keep their
ends: a record's TLAST comes out with its result.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from amaranth.hdl import (
    Cat,
    ClockDomain,
    ClockSignal,
    Const,
    Module,
    Mux,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.golden.number_format import require_type
from multipede.golden.spec import Port, Spec
from multipede.golden.stallable import Stallable
from multipede.hw import build
from multipede.hw.hierarchy import shared
from multipede.hw.stream import BypassQueue
from multipede.hw.style import Style

__all__ = ["Axi4Stream", "Axi4StreamLayout"]

WIDTHS = tuple(8 << n for n in range(8))
"""Bits of TDATA that may be asked for: 1 to 128 bytes."""


@dataclass(frozen=True)
class Axi4StreamLayout:
    """How records become beats.

    Parameters
    ----------
    spec : the unit.
    data_bits : bits of TDATA on both sides, one of ``WIDTHS``; None for a record in one beat, in
        whole bytes, on either side.

    Raises
    ------
    TypeError, ValueError
        For another width.
    """

    spec: Spec
    data_bits: int | None = None

    def __post_init__(self):
        require_type("spec", self.spec, Spec)
        if self.data_bits is None:
            return
        require_type("data_bits", self.data_bits, int)
        if self.data_bits not in WIDTHS:
            raise ValueError(
                f"data_bits = {self.data_bits}: allowed are {', '.join(map(str, WIDTHS))}"
            )

    @property
    def inside(self) -> Spec:
        """The unit with ready on both sides."""
        return self.spec if self.spec.stallable else Stallable(inside=self.spec)

    @property
    def inputs(self) -> dict[str, Port]:
        """What stands in a record's beats; ``last`` does not."""
        return _without_last(self.spec.inputs)

    @property
    def outputs(self) -> dict[str, Port]:
        """What stands in a result's beats."""
        return _without_last(self.spec.outputs)

    def width(self, ports: Mapping[str, Port]) -> int:
        """Bits of TDATA."""
        return self.data_bits or 8 * -(-_bits(ports) // 8)

    def beats(self, ports: Mapping[str, Port]) -> int:
        """Beats of a record or a result."""
        return -(-_bits(ports) // self.width(ports))

    @property
    def passes_ends(self) -> bool:
        """Whether TLAST marks ends of packets that the unit knows nothing of."""
        return "last" not in self.spec.inputs


def _without_last(ports: Mapping[str, Port]) -> dict[str, Port]:
    return {name: port for name, port in ports.items() if name != "last"}


def _bits(ports: Mapping[str, Port]) -> int:
    return sum(port.bits for port in ports.values())


class Axi4Stream(wiring.Component):
    """The wrapper.

    Bytes that TKEEP leaves out count as 0, and so does what a TLAST cuts off a record. Results
    have all bytes, zeros behind the last bit; TLAST stands on the last beat of a result whose
    ``last`` is 1, of every result if only records have one, and else of the result of a record
    that had TLAST.

    Members
    -------
    aclk, aresetn : In(1); the reset is synchronous.
    s_axis_tdata, s_axis_tkeep, s_axis_tlast, s_axis_tvalid : In; s_axis_tready : Out.
    m_axis_tdata, m_axis_tkeep, m_axis_tlast, m_axis_tvalid : Out; m_axis_tready : In.
    """

    def __init__(self, layout: Axi4StreamLayout, *, style: Style = Style.WORD):
        self.layout = layout
        self.style = style
        receive, send = (layout.width(ports) for ports in (layout.inputs, layout.outputs))
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(receive),
                "s_axis_tkeep": In(receive // 8),
                "s_axis_tlast": In(1),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(send),
                "m_axis_tkeep": Out(send // 8),
                "m_axis_tlast": Out(1),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        spec = self.layout.inside
        unit = build(spec, style=self.style)
        pins = {
            "i_valid": Signal(name="i_valid"),
            "i_ready": Signal(name="i_ready"),
            "i_payload": Signal(_bits(spec.inputs), name="i_payload"),
            "o_valid": Signal(name="o_valid"),
            "o_ready": Signal(name="o_ready"),
            "o_payload": Signal(_bits(spec.outputs), name="o_payload"),
        }
        shared(m, platform, spec.unit, unit, instance="unit", **pins)
        ends = self._ends(m)
        self._receive(m, pins, ends)
        self._send(m, pins, ends)
        return m

    def _ends(self, m: Module) -> BypassQueue | None:
        """TLAST of the records that are under way, where the unit does not carry it: a result may
        come in the clock of its record."""
        if not self.layout.passes_ends:
            return None
        m.submodules.ends = ends = BypassQueue(1, depth=self.layout.inside.latency + 2)
        return ends

    def _receive(self, m: Module, pins: Mapping[str, Signal], ends: BypassQueue | None) -> None:
        """Beats of a record, one after another, become the unit's payload."""
        layout = self.layout
        beats = layout.beats(layout.inputs)
        kept = Signal(len(self.s_axis_tdata), name="kept")
        for byte, keep in enumerate(self.s_axis_tkeep):
            value = Mux(keep, self.s_axis_tdata.word_select(byte, 8), 0)
            m.d.comb += kept.word_select(byte, 8).eq(value)
        word, complete = [kept], Const(1)
        room = pins["i_ready"] if ends is None else pins["i_ready"] & ends.i.ready
        if beats > 1:
            count = Signal(range(beats), name="beat")
            stored = [
                Signal(len(kept), name=f"beat_{n}", reset_less=True) for n in range(beats - 1)
            ]
            complete = Signal(name="complete")
            m.d.comb += complete.eq(self.s_axis_tlast | (count == beats - 1))
            word = [
                Mux(count == n, kept, Mux(count > n, stored[n], 0)) for n in range(beats - 1)
            ] + [Mux(count == beats - 1, kept, 0)]
            with m.If(self.s_axis_tvalid & self.s_axis_tready):
                m.d.sync += count.eq(Mux(complete, 0, count + 1))
                for n, register in enumerate(stored):
                    with m.If(count == n):
                        m.d.sync += register.eq(kept)
        m.d.comb += [
            pins["i_valid"].eq(
                self.s_axis_tvalid & complete & (1 if ends is None else ends.i.ready)
            ),
            self.s_axis_tready.eq(~complete | room),
            pins["i_payload"].eq(_with_last(layout.spec.inputs, Cat(*word), self.s_axis_tlast)),
        ]
        if ends is not None:
            m.d.comb += [
                ends.i.valid.eq(pins["i_valid"] & pins["i_ready"]),
                ends.i.payload.eq(self.s_axis_tlast),
            ]

    def _send(self, m: Module, pins: Mapping[str, Signal], ends: BypassQueue | None) -> None:
        """The unit's results, beat by beat; a result is taken from it with its last beat."""
        layout = self.layout
        beats, width = layout.beats(layout.outputs), layout.width(layout.outputs)
        payload, last = _apart(layout.spec.outputs, pins["o_payload"])
        if ends is not None:
            last = ends.o.payload
        elif last is None:
            last = Const(1)
        final: Value = Const(1)
        if beats > 1:
            count = Signal(range(beats), name="result_beat")
            final = Signal(name="final_beat")
            m.d.comb += final.eq(count == beats - 1)
            with m.If(self.m_axis_tvalid & self.m_axis_tready):
                m.d.sync += count.eq(Mux(final, 0, count + 1))
            data: Value = payload[(beats - 1) * width :]
            for n in reversed(range(beats - 1)):
                data = Mux(count == n, payload[n * width : (n + 1) * width], data)
            m.d.comb += self.m_axis_tdata.eq(data)
        else:
            m.d.comb += self.m_axis_tdata.eq(payload)
        m.d.comb += [
            self.m_axis_tvalid.eq(pins["o_valid"]),
            self.m_axis_tkeep.eq(~0),
            self.m_axis_tlast.eq(final & last),
            pins["o_ready"].eq(self.m_axis_tready & final),
        ]
        if ends is not None:
            m.d.comb += ends.o.ready.eq(pins["o_valid"] & pins["o_ready"])


def _with_last(ports: Mapping[str, Port], word: Value, last: Value) -> Value:
    """The payload of all ports from the bits of the others and ``last``."""
    parts, place = [], 0
    for name, port in ports.items():
        if name == "last":
            parts.append(last)
            continue
        parts.append(word[place : place + port.bits])
        place += port.bits
    return Cat(*parts)


def _apart(ports: Mapping[str, Port], payload: Value) -> tuple[Value, Value | None]:
    """The bits of all ports but ``last``, and ``last`` if there is one."""
    parts, last, place = [], None, 0
    for name, port in ports.items():
        bits = payload[place : place + port.bits]
        place += port.bits
        if name == "last":
            last = bits[0]
        else:
            parts.append(bits)
    return Cat(*parts), last
