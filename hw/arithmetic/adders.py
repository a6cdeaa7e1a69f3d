"""The adder modules of ``adders.v``, their behaviour in Amaranth, and how to place them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

from amaranth.hdl import Cat, Instance, Module, Value

from multipede.hw.hierarchy import Hierarchy

__all__ = [
    "FULL_ADDERS",
    "HALF_ADDERS",
    "HALF_ADDERS_PLUS_ONE",
    "PREFIX_ADDER",
    "RIPPLE_ADDER",
    "RIPPLE_HALF_ADDER",
    "RIPPLE_HALF_ADDER_PLUS_ONE",
    "AdderModule",
    "adders_verilog",
]


def adders_verilog() -> str:
    """The Verilog source of all adder modules."""
    return (files(__package__) / "adders.v").read_text()


@dataclass(frozen=True)
class AdderModule:
    """A module of ``adders.v``; ``behaviour`` gives (sum, carry) from its input pins."""

    name: str
    behaviour: Callable[[Mapping[str, Value], int], tuple[Value, Value | None]]

    def place(self, m: Module, platform, width: int, pins: Mapping[str, Value], name: str) -> None:
        """Put ``width`` bits of the module into ``m`` as ``name``; pins as in an Instance.

        Outside a :class:`Hierarchy` its behaviour is written in place, so that a unit needs no
        file beside it on other platforms.
        """
        if isinstance(platform, Hierarchy):
            m.submodules[name] = Instance(self.name, p_WIDTH=width, **pins)
            return
        inputs = {name[2:]: value for name, value in pins.items() if name.startswith("i_")}
        total, carry = self.behaviour(inputs, width)
        m.d.comb += pins["o_sum"].eq(total)
        if carry is not None:
            m.d.comb += pins["o_carry" if "o_carry" in pins else "o_co"].eq(carry)


def _chain(total: Value, width: int) -> tuple[Value, Value]:
    return Cat(total)[:width], Cat(total)[width]


FULL_ADDERS = AdderModule(
    "full_adders",
    lambda i, _: (
        i["a"] ^ i["b"] ^ i["c"],
        (i["a"] & i["b"]) | (i["c"] & (i["a"] ^ i["b"])),
    ),
)
HALF_ADDERS = AdderModule("half_adders", lambda i, _: (i["a"] ^ i["b"], i["a"] & i["b"]))
HALF_ADDERS_PLUS_ONE = AdderModule(
    "half_adders_plus_one", lambda i, _: (~(i["a"] ^ i["b"]), i["a"] | i["b"])
)
RIPPLE_ADDER = AdderModule(
    "ripple_adder", lambda i, width: _chain(i["a"] + i["b"] + i["ci"], width)
)
RIPPLE_HALF_ADDER = AdderModule(
    "ripple_half_adder", lambda i, width: _chain(i["a"] + i["ci"], width)
)
RIPPLE_HALF_ADDER_PLUS_ONE = AdderModule(
    "ripple_half_adder_plus_one",
    lambda i, width: _chain(i["a"] + ((1 << width) - 1) + i["ci"], width),
)
PREFIX_ADDER = AdderModule("prefix_adder", lambda i, width: ((i["a"] + i["b"])[:width], None))
