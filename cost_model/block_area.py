"""The area of a block between registers, under a clock, in the style that suits the clock best."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from amaranth.lib import wiring

from multipede.asic_flow import Constraints, Synthesis, synthesize_component
from multipede.asic_flow.liberty.library import Library
from multipede.cost_model.published import Point, WrapperRegister
from multipede.golden.catalogue import unit
from multipede.golden.spec import Spec
from multipede.hw import Style, build
from multipede.hw.arithmetic.bitheap import Heap, Operand, Row
from multipede.hw.arithmetic.summation import Summation
from multipede.hw.bitmod_released import ReleasedDequantiserUnit, ReleasedGroupAccumulatorUnit
from multipede.hw.registered import RegisterBank, Registered
from multipede.hw.unit import Unit

__all__ = ["BlockArea", "adder_area", "block_area", "register_area", "spec_of", "unit_area"]

_RELEASED = {
    each.specification: each for each in (ReleasedDequantiserUnit, ReleasedGroupAccumulatorUnit)
}
_BANK_BITS = 32


@dataclass(frozen=True)
class BlockArea:
    """A block as it was synthesised.

    Attributes
    ----------
    area : um2 without the registers around it. style : in which it is. delay : ps from register to
        register, None without a clock. clock : ns, likewise.
    """

    area: float
    style: str
    delay: float | None
    clock: float | None

    @property
    def holds(self) -> bool:
        """Whether the clock is held, if there is one."""
        return self.clock is None or self.delay <= 1000 * self.clock


def spec_of(point: Point) -> Spec:
    """The specification that a published block is synthesised as."""
    return unit(point.unit).from_parameters(point.parameters)


def block_area(
    point: Point, library: Library, clock: float, *, released: bool, done: Callable[[], object]
) -> BlockArea:
    """The smallest that holds the clock, over the styles, or else the fastest.

    Parameters
    ----------
    point : a block with a unit.
    library : with delays.
    clock : ns.
    released : whether to take the authors' defects along.
    done : called after each style.

    Raises
    ------
    ToolError
        If Yosys is missing or fails, or the library lacks a cell that is needed.
    """
    spec = spec_of(point)
    found = []
    for style in Style:
        unit_: Unit = (
            _RELEASED[type(spec)](spec, style=style) if released else build(spec, style=style)
        )
        component = Registered(unit_, behind=point.behind)
        made = synthesize_component(
            component,
            name=f"{spec.unit}_registered",
            style=style,
            liberty=library,
            constraints=Constraints(clock_period=clock),
        )
        around = sum(_register_areas(made, library, component.registers))
        found.append(BlockArea(made.total - around, style.value, made.delay, clock))
        done()
    return min(found, key=lambda one: (not one.holds, one.area if one.holds else one.delay))


def adder_area(bits: int, library: Library, *, done: Callable[[], object]) -> BlockArea:
    """A bare adder of two words, the smallest over the styles without a clock."""
    heap = Heap(bits, {"a": Operand(bits), "b": Operand(bits)}, (Row("a"), Row("b")))
    return _smallest(lambda style: Summation(heap, style=style), f"adder_{bits}", library, done)


def unit_area(spec: Spec, library: Library, *, done: Callable[[], object]) -> BlockArea:
    """A whole unit, the smallest over the styles without a clock."""
    return _smallest(lambda style: build(spec, style=style), spec.unit, library, done)


def _smallest(
    component: Callable[[Style], wiring.Component],
    name: str,
    library: Library,
    done: Callable[[], object],
) -> BlockArea:
    found = []
    for style in Style:
        made = synthesize_component(component(style), name=name, style=style, liberty=library)
        found.append(BlockArea(made.total, style.value, None, None))
        done()
    return min(found, key=lambda one: one.area)


def register_area(kind: WrapperRegister, library: Library, clock: float) -> float:
    """um2 of one register of a kind with its gates: the mean of a bank of 32."""
    enable = kind is WrapperRegister.ENABLE_AND_RESET
    made = synthesize_component(
        RegisterBank(_BANK_BITS, enable=enable),
        name="register_bank",
        style=Style.WORD,
        liberty=library,
        constraints=Constraints(clock_period=clock),
    )
    return made.total / _BANK_BITS


def _register_areas(made: Synthesis, library: Library, signals: tuple[str, ...]) -> Iterator[float]:
    """Areas of the flip-flops that hold these signals."""
    nets = made.netlist["netnames"]
    held = {bit for name in signals if name in nets for bit in nets[name]["bits"]}
    for cell in made.netlist["cells"].values():
        kind = library.cells[cell["type"]]
        if not kind.sequential:
            continue
        outputs = [
            bit
            for pin, bits in cell["connections"].items()
            if cell["port_directions"][pin] == "output"
            for bit in bits
        ]
        if held.intersection(outputs):
            yield float(kind.area)
