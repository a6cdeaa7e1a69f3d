"""A unit between registers, with four pins: what its speed is measured in.

Units have more ports than FPGAs have pins, and paths to pins say nothing of a unit. Here every
input comes out of a flip-flop and every output goes straight into one, so that all paths are the
unit's.
"""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.golden.source_files import OWN, source_digest
from multipede.golden.spec import Port, Spec
from multipede.hw import Style, build
from multipede.hw.hierarchy import shared, to_rtlil
from multipede.sim.pins import needed_pins
from multipede.sim.verilog import rtl_key
from multipede.toolchain import cached, key, write_atomically

__all__ = ["TOP", "RegisterRing", "register_ring_rtlil", "ring_registers"]

TOP = "register_ring"


def _registers(spec: Spec) -> tuple[dict[str, int], dict[str, int]]:
    """Bits of what goes into the unit and of what comes out, by port, payloads in their order."""
    pins = needed_pins(spec)
    widths = [
        {name: port.bits for name, port in ports.items()} for ports in (spec.inputs, spec.outputs)
    ]
    into = {"valid_in": 1, **{f"in_{name}": bits for name, bits in widths[0].items()}}
    out = {"valid_out": 1, **{f"out_{name}": bits for name, bits in widths[1].items()}}
    into |= {"ready_in": 1} if "o_ready" in pins else {}
    out |= {"ready_out": 1} if "i_ready" in pins else {}
    return into, out


_CONTROL = ("valid_in", "ready_out", "valid_out", "ready_in")


def _bits(ports: Mapping[str, Port]) -> int:
    return sum(port.bits for port in ports.values())


def ring_registers(spec: Spec) -> int:
    """Flip-flops of the ring: one for each bit that goes in, two for each that comes out."""
    into, out = _registers(spec)
    return sum(into.values()) + 2 * sum(out.values())


class RegisterRing(wiring.Component):
    """The unit's inputs are the bits of a shift register. Its outputs are taken into registers,
    which another shift register adds up bit by bit, so that nothing of the unit is left out.

    Registers are named after the unit's ports, ``in_`` or ``out_`` before them.

    Members
    -------
    serial_in : In(1). serial_out : Out(1).
    """

    def __init__(self, spec: Spec, *, style: Style = Style.WORD):
        self.spec, self.style = spec, style
        super().__init__({"serial_in": In(1), "serial_out": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        into, out = (
            {name: Signal(width, name=name, reset_less=True) for name, width in group.items()}
            for group in _registers(self.spec)
        )
        payload = [signal for name, signal in into.items() if name not in _CONTROL]
        pins = {"i_valid": into["valid_in"], "i_payload": Cat(payload)}
        if "ready_in" in into:
            pins["o_ready"] = into["ready_in"]
        given = {name: Signal(len(signal)) for name, signal in out.items()}
        pins["o_valid"] = given["valid_out"]
        pins["o_payload"] = results = Signal(_bits(self.spec.outputs), name="o_payload")
        if "ready_out" in out:
            pins["i_ready"] = given["ready_out"]
        unit = build(self.spec, style=self.style)
        shared(m, platform, self.spec.unit, unit, instance="unit", **pins)
        offered, taken = Cat(into.values()), Cat(out.values())
        folded = Signal(len(taken), name="folded", reset_less=True)
        m.d.comb += Cat(s for name, s in given.items() if name not in _CONTROL).eq(results)
        m.d.sync += [
            offered.eq(Cat(self.serial_in, offered)),
            taken.eq(Cat(given.values())),
            folded.eq(Cat(folded[1:], folded[0]) ^ taken),
        ]
        m.d.comb += self.serial_out.eq(folded[0])
        return m


def register_ring_rtlil(spec: Spec, style: Style) -> str:
    """The ring around a unit in RTLIL, its top module being :data:`TOP`. Cached."""
    identity = key(rtl_key(spec, style), source_digest(OWN, "fpga/register_ring.py"))

    def write(place) -> None:
        rtlil = to_rtlil(RegisterRing(spec, style=style), TOP)
        write_atomically(place / "ring.il", rtlil)

    return (cached("rtlil", identity, write) / "ring.il").read_text()
