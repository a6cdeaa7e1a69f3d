"""Sizes against all that there are, on netlists small enough to try every one."""

from itertools import product

import numpy as np
import pytest

from multipede.asic_flow.mapping.sizing import Sizing
from multipede.asic_flow.n28 import n28_library
from multipede.asic_flow.timing.conditions import Conditions
from multipede.asic_flow.timing.propagation import Propagation
from multipede.asic_flow.timing.timing_graph import TimingGraph
from tests.asic_flow.hand_netlists import netlist_of

AROUND = Conditions(input_slew=10, driver="BUF_X1", output_load=12)


def sizing(
    cells: dict[str, tuple[str, dict[str, str]]], inputs: str, outputs: str, around=AROUND
) -> Sizing:
    made = netlist_of(n28_library(), inputs, outputs, cells)
    return Sizing(Propagation(TimingGraph(made, n28_library(), around, sizes=True)))


def chain() -> Sizing:
    cells = {f"i{n}": ("INV_X1", {"A": f"n{n}", "Y": f"n{n + 1}"}) for n in range(4)}
    return sizing(cells, "n0", "n4")


def tree() -> Sizing:
    """Two gates of different depth, of which one drives a side load, too."""
    cells = {
        "a": ("NAND2_X1", {"A1": "x", "A2": "y", "Y": "p"}),
        "b": ("INV_X1", {"A": "p", "Y": "q"}),
        "c": ("NOR2_X1", {"A1": "q", "A2": "x", "Y": "r"}),
        "d": ("INV_X1", {"A": "p", "Y": "s"}),
    }
    return sizing(cells, "x y", "r s")


def everything(of: Sizing) -> list[tuple[float, float]]:
    """Area and delay of every choice of cells that may drive their loads."""
    graph = of.propagation.graph
    counts = [len(graph.families[graph.family[i]].cells) for i in range(graph.own)]
    found = []
    for choice in product(*map(range, counts)):
        cells = np.concatenate([np.array(choice, int), graph.cells[graph.own :]])
        if not of.propagation.overloaded(cells).size:
            found.append((of.area(cells), of.propagation.arrivals(cells).delay))
    assert found
    return found


@pytest.mark.parametrize("made", [chain, tree])
def test_the_clock_is_held_with_hardly_more_than_the_least_area(made):
    of = made()
    choices = everything(of)
    fastest, slowest = min(d for _, d in choices), of.least.delay
    assert of.least.area == min(area for area, _ in choices)
    for share in (0.1, 0.3, 0.6, 0.9):
        period = fastest + share * (slowest - fastest)
        found = of.fit(period)
        assert found.delay <= period
        assert found.delay == of.propagation.arrivals(found.cells).delay
        best = min(area for area, delay in choices if delay <= period)
        assert best <= found.area <= 1.15 * best


@pytest.mark.parametrize("made", [chain, tree])
def test_what_cannot_be_held_is_hardly_missed(made):
    of = made()
    fastest = min(delay for _, delay in everything(of))
    assert fastest <= of.fit(0.5 * fastest).delay <= 1.05 * fastest


def test_the_last_of_the_speed_is_not_paid_for_where_the_clock_is_missed():
    """Two chains of two inverters: the fastest takes half as much area again as 1 % slower."""
    cells = {"a": ("INV_X1", {"A": "x", "Y": "p"}), "b": ("INV_X1", {"A": "p", "Y": "r"})}
    cells |= {"c": ("INV_X1", {"A": "y", "Y": "q"}), "d": ("INV_X1", {"A": "q", "Y": "s"})}
    of = sizing(cells, "x y", "r s", Conditions(input_slew=10, driver="BUF_X1", output_load=30))
    choices = everything(of)
    fastest = min(delay for _, delay in choices)
    best = min(area for area, delay in choices if delay <= 1.01 * fastest)
    assert min(area for area, delay in choices if delay == fastest) > 1.5 * best
    found = of.fit(0.5 * fastest)
    assert found.delay <= 1.01 * fastest
    assert found.area == pytest.approx(best)


class TestLargestLoads:
    """NOR2_X1 may drive 36 input capacitances of INV_X1 for its drive of 0.63."""

    @staticmethod
    def loaded(inverters: int, kind: str = "NOR2_X1") -> Sizing:
        cells = {"g": (kind, {"A1": "x", "A2": "y", "Y": "p"})}
        for number in range(inverters):
            cells[f"i{number}"] = ("INV_X1", {"A": "p", "Y": f"q{number}"})
        around = Conditions(input_slew=10, driver="BUF_X1", output_load=2)
        return sizing(cells, "x y", " ".join(f"q{n}" for n in range(inverters)), around)

    @pytest.mark.parametrize(("inverters", "size"), [(15, 0), (30, 1), (60, 2)])
    def test_the_least_may_drive_its_load(self, inverters, size):
        of = self.loaded(inverters)
        place = of.propagation.graph.instances.index("g")
        assert of.least.cells[place] == size
        assert of.propagation.overloaded(of.least.cells).size == 0
        least = np.where(np.arange(len(of.least.cells)) == place, 0, of.least.cells)
        assert of.propagation.overloaded(least).tolist() == ([place] if size else [])

    def test_sizes_for_a_clock_may_too(self):
        of = self.loaded(30)
        for share in (0.5, 0.8, 1.2):
            found = of.fit(share * of.least.delay)
            assert of.propagation.overloaded(found.cells).size == 0

    def test_too_much_for_any_is_told(self):
        of = self.loaded(400)
        place = of.propagation.graph.instances.index("g")
        assert of.propagation.overloaded(of.least.cells).tolist() == [place]


def test_a_slow_clock_leaves_all_at_the_least():
    of = chain()
    assert (of.fit(10 * of.least.delay).cells == of.least.cells).all()
