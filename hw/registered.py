"""A unit between register ranks, so that its paths begin and end at registers."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.golden.number_format import require_range, require_type
from multipede.hw.hierarchy import shared
from multipede.hw.unit import Unit

__all__ = ["RegisterBank", "Registered"]


class Registered(wiring.Component):
    """A rank of registers in front of a unit and, if asked for, one behind it.

    Parameters
    ----------
    unit : which it stands around, and which is wired in as an ordinary part.
    behind : whether its outputs have registers, too.

    Members
    -------
    i, i_valid : In, the payload and the validity of the unit's inputs.
    o, o_valid : Out, those of its outputs; without registers behind a unit without any, validity
        comes at once.

    Attributes
    ----------
    registers : names of the signals that are its registers.

    Raises
    ------
    TypeError
        If ``unit`` is no unit.
    """

    def __init__(self, unit: Unit, *, behind: bool):
        require_type("unit", unit, Unit)
        self._unit, self._behind = unit, behind
        # A register that is an output has the output's name in the end.
        self.registers = ("i_held", "i_valid_held", *(("o",) if behind else ()))
        super().__init__(
            {
                "i": In(len(Value.cast(unit.i.payload))),
                "i_valid": In(1),
                "o": Out(len(Value.cast(unit.o.payload))),
                "o_valid": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        result = Signal(len(self.o), name="result")
        arriving = _held(m, self.i, "i_held")
        valid = _held(m, self.i_valid, "i_valid_held")
        pins = {"i_payload": arriving, "i_valid": valid}
        pins |= {"o_payload": result, "o_valid": self.o_valid}
        shared(m, platform, "unit", self._unit, instance="unit", **pins)
        m.d.comb += self.o.eq(_held(m, result, "o_held") if self._behind else result)
        return m


def _held(m: Module, value: Value, name: str) -> Signal:
    register = Signal(len(value), name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register


class RegisterBank(wiring.Component):
    """Registers and nothing else, to see what one takes: all with a synchronous reset.

    Parameters
    ----------
    bits : how many, 1 or more.
    enable : whether there is an input ``enable`` without which they keep what they have.

    Raises
    ------
    TypeError, ValueError
        For a number of bits that is no integer, or below 1.
    """

    def __init__(self, bits: int, *, enable: bool):
        require_range("bits", bits, 1, 1 << 16)
        members = {"i": In(bits), "o": Out(bits)}
        super().__init__(members | ({"enable": In(1)} if enable else {}))

    def elaborate(self, platform) -> Module:
        m = Module()
        register = Signal(len(self.o), name="register")
        with m.If(getattr(self, "enable", 1)):
            m.d.sync += register.eq(self.i)
        m.d.comb += self.o.eq(register)
        return m
