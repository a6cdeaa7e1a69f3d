"""Wires before there is a layout: a length for each fanout."""

from dataclasses import dataclass

import numpy as np

from multipede.asic_flow.liberty.library import Library

__all__ = ["NO_WIRES", "WireLoad", "wire_load"]


@dataclass(frozen=True)
class WireLoad:
    """A wire-load model: ``lengths`` by fanout from 1 on, ``slope`` more for each fanout beyond,
    ``capacitance`` fF and ``resistance`` kilohms per unit of length.

    ``tree`` is Liberty's ``tree_type``: a wire's resistance lies in front of all loads
    (``worst_case_tree``), in front of none (``best_case_tree``), or each load has its share of
    resistance and capacitance (``balanced_tree``).
    """

    name: str
    lengths: tuple[float, ...]
    slope: float
    capacitance: float
    resistance: float = 0.0
    tree: str = "balanced_tree"

    def load(self, fanout: np.ndarray) -> np.ndarray:
        """fF on nets with so many loads; none on nets without."""
        return self._length(fanout) * self.capacitance

    def delay(self, fanout: np.ndarray, pin: np.ndarray, load: np.ndarray) -> np.ndarray:
        """ps (Elmore) to pins of ``pin`` fF on nets with so many loads and ``load`` fF in all."""
        resistance = self._length(fanout) * self.resistance
        if self.tree == "best_case_tree":
            return 0 * resistance
        if self.tree == "worst_case_tree":
            return resistance * load
        share = np.maximum(fanout, 1)
        return resistance / share * (self.load(fanout) / share + pin)

    def _length(self, fanout: np.ndarray) -> np.ndarray:
        known = np.array((0.0, *self.lengths))
        beyond = np.maximum(fanout - len(self.lengths), 0)
        return known[np.minimum(fanout, len(self.lengths))] + self.slope * beyond


NO_WIRES = WireLoad("none", (), 0.0, 0.0)


def wire_load(library: Library, name: str | None = None) -> WireLoad:
    """A library's wire-load model, by default the one that it calls its default; NO_WIRES where it
    has none.

    Raises ValueError, naming the known ones, for another name.
    """
    models = {group.arguments[0]: group for group in library.header.of("wire_load")}
    chosen = library.header.text("default_wire_load") if name is None else name
    if name is None and not chosen:
        return NO_WIRES
    if chosen not in models:
        raise ValueError(
            f"wire_load = {chosen!r}: {library.source} has {', '.join(models) or 'none'}"
        )
    group = models[chosen]
    given = {
        int(float(values[0])): float(values[1])
        for values in group.attributes.get("fanout_length", ())
    }
    if not given:
        raise ValueError(f"wire_load = {chosen!r}: {library.source} gives it no fanout_length")
    fanouts = sorted(given)
    lengths = np.interp(np.arange(1, fanouts[-1] + 1), fanouts, [given[f] for f in fanouts])
    return WireLoad(
        chosen,
        tuple(map(float, lengths)),
        group.number("slope", 0.0),
        group.number("capacitance", 0.0) * library.units.load,
        group.number("resistance", 0.0) * library.units.resistance,
        _tree(library),
    )


def _tree(library: Library) -> str:
    """Of the operating conditions that are the default, or the only ones. Where they tell none it
    is the worst, as OpenSTA takes it."""
    known = library.header.of("operating_conditions")
    default = library.header.text("default_operating_conditions")
    chosen = [group for group in known if group.arguments[0] == default or len(known) == 1]
    return chosen[0].text("tree_type", "worst_case_tree") if chosen else "balanced_tree"
