"""What stands around a netlist: slews, what drives its inputs, loads, wires."""

from dataclasses import dataclass
from typing import Any

from multipede.asic_flow.liberty.cell_model import Edge, cell_model
from multipede.asic_flow.liberty.library import Library
from multipede.asic_flow.liberty.wire_load import NO_WIRES, WireLoad, wire_load

__all__ = ["Conditions", "FanoutOfFour", "fanout_of_four", "usual_conditions"]


@dataclass(frozen=True)
class Conditions:
    """What stands around a netlist.

    Parameters
    ----------
    input_slew : ps, of inputs; of the driving cell's input, if there is one.
    driver : a buffer or inverter of the library that drives each input, or None.
    output_load : fF on each output.
    clock_slew : ps, of the clock at registers.
    wires : the wire-load model.
    """

    input_slew: float = 0.0
    driver: str | None = None
    output_load: float = 0.0
    clock_slew: float = 0.0
    wires: WireLoad = NO_WIRES

    def __post_init__(self) -> None:
        for name in ("input_slew", "output_load", "clock_slew"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} = {value}: 0 or more is needed")

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; the wire-load model by its name."""
        return {**vars(self), "wires": self.wires.name}

    def __str__(self) -> str:
        driver = f"inputs behind {self.driver}" if self.driver else "inputs without a driver"
        return (
            f"{driver} with {self.input_slew:.3g} ps of slew, {self.output_load:.3g} fF on outputs,"
            f" clock slew {self.clock_slew:.3g} ps, wire load {self.wires.name}"
        )


def usual_conditions(
    library: Library,
    *,
    driver: str | None = None,
    output_load: float | None = None,
    wires: str | None = None,
) -> Conditions:
    """A library's own yardsticks where nothing else is asked for.

    Parameters
    ----------
    library : with delays.
    driver : of each input; by default the smallest buffer.
    output_load : fF; by default four of the smallest inverter.
    wires : name of a wire-load model, or ``"none"``; by default the library's default, if it has
        one.

    The slews of the inputs and of the clock are those of an inverter that drives four.

    Raises
    ------
    ValueError
        For a library without delays or without the cells, an unknown wire-load model or driver, or
        a load that is negative.
    """
    yardstick = fanout_of_four(library)
    if driver is None:
        driver = library.smallest(1, 0b10).name
    elif driver not in library.cells or len(library.cells[driver].inputs) != 1:
        raise ValueError(f"driver = {driver!r}: a buffer or inverter of {library.source} is needed")
    return Conditions(
        input_slew=yardstick.slew,
        driver=driver,
        output_load=yardstick.load if output_load is None else output_load,
        clock_slew=yardstick.slew,
        wires=NO_WIRES if wires == NO_WIRES.name else wire_load(library, wires),
    )


@dataclass(frozen=True)
class FanoutOfFour:
    """The smallest inverter that drives four of itself, driven by its like.

    ``delay`` and ``slew`` ps, each the mean of both edges; ``load`` fF.
    """

    inverter: str
    delay: float
    slew: float
    load: float


def fanout_of_four(library: Library) -> FanoutOfFour:
    """The usual measure of how fast a library is.

    Raises
    ------
    ValueError
        If the library has no inverter, or none with delays.
    """
    cell = library.smallest(1, 0b01)
    if cell is None:
        raise ValueError(f"{library.source} has no inverter")
    model = cell_model(library, cell.name)
    arcs = {arc.output_edge: arc for arc in model.arcs}
    if set(arcs) != set(Edge):
        raise ValueError(f"{library.source} has no delays for {cell.name}")
    loads = {edge: 4 * model.capacitances[cell.inputs[0], edge] for edge in Edge}
    slews = dict.fromkeys(Edge, 0.0)
    for _ in range(100):  # it settles in far fewer
        before = slews
        slews = {e: arcs[e].slew.at(before[e.other], loads[e]) for e in Edge}
        if all(abs(slews[e] - before[e]) <= 1e-9 * max(slews[e], 1e-9) for e in Edge):
            break
    delays = [arcs[e].delay.at(slews[e.other], loads[e]) for e in Edge]
    return FanoutOfFour(
        cell.name, sum(delays) / 2, sum(slews.values()) / 2, sum(loads.values()) / 2
    )
