"""A unit between registers, with four pins: what its speed is measured in.

Units have more ports than FPGAs have pins, and paths to pins say nothing of a unit. Here every input
comes out of a flip-flop and every output goes straight into one, so that all paths are the unit's.
"""

from functools import partial

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.golden.source_files import OWN, source_digest
from multipede.golden.spec import Spec
from multipede.hw import Style, build
from multipede.hw.hierarchy import shared, to_rtlil
from multipede.sim.pins import needed_pins
from multipede.sim.verilog import rtl_key
from multipede.toolchain import cached, key, write_atomically

__all__ = ["TOP", "RegisterRing", "register_ring_rtlil", "ring_registers"]

TOP = "register_ring"


def _widths(spec: Spec) -> dict[str, int]:
    """Bits of each pin of the unit but clock and reset."""
    widths = {
        "i_payload": sum(port.bits for port in spec.inputs.values()),
        "o_payload": sum(port.bits for port in spec.outputs.values()),
    }
    return {pin: widths.get(pin, 1) for pin in needed_pins(spec)}


_INPUTS = ("i_valid", "i_payload", "o_ready")


def ring_registers(spec: Spec) -> int:
    """Flip-flops of the ring: one for each bit that goes in, two for each that comes out."""
    return sum(width * (1 if pin in _INPUTS else 2) for pin, width in _widths(spec).items())


class RegisterRing(wiring.Component):
    """The unit's inputs are the bits of a shift register. Its outputs are taken into registers,
    which another shift register adds up bit by bit, so that nothing of the unit is left out.

    Members
    -------
    serial_in : In(1). serial_out : Out(1).
    """

    def __init__(self, spec: Spec, *, style: Style = Style.WORD):
        self.spec, self.style = spec, style
        super().__init__({"serial_in": In(1), "serial_out": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        pins = {pin: Signal(width, name=pin) for pin, width in _widths(self.spec).items()}
        unit = build(self.spec, style=self.style)
        shared(m, platform, self.spec.unit, unit, instance="unit", **pins)
        register = partial(Signal, reset_less=True)
        driven = Cat(signal for pin, signal in pins.items() if pin in _INPUTS)
        read = Cat(signal for pin, signal in pins.items() if pin not in _INPUTS)
        offered = register(len(driven), name="ring_offered")
        taken = register(len(read), name="ring_taken")
        folded = register(len(read), name="ring_folded")
        m.d.sync += [
            offered.eq(Cat(self.serial_in, offered)),
            taken.eq(read),
            folded.eq(Cat(folded[1:], folded[0]) ^ taken),
        ]
        m.d.comb += [driven.eq(offered), self.serial_out.eq(folded[0])]
        return m


def register_ring_rtlil(spec: Spec, style: Style) -> str:
    """The ring around a unit in RTLIL, its top module being :data:`TOP`. Cached."""
    identity = key(rtl_key(spec, style), source_digest(OWN, "fpga/register_ring.py"))

    def write(place) -> None:
        rtlil = to_rtlil(RegisterRing(spec, style=style), TOP)
        write_atomically(place / "ring.il", rtlil)

    return (cached("rtlil", identity, write) / "ring.il").read_text()
