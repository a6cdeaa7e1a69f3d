"""What predictions go by."""

import pytest

from multipede.cost_model.prediction.measures import OPERATORS, SHAPE, measures
from multipede.golden.catalogue import unit_names
from multipede.golden.float_adder import FloatAdder
from multipede.golden.formats import INT4, INT8, INT16
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.golden.small_units import small_unit
from multipede.hw import Style, inventory


@pytest.mark.parametrize("name", unit_names())
@pytest.mark.parametrize("style", [Style.WORD, Style.CELLS])
def test_of_every_unit(name, style):
    spec = small_unit(name)
    found = measures(spec, style)
    assert found.operators == inventory(spec, style=style)
    assert set(found.operators) <= set(OPERATORS)
    assert tuple(found.shape) == SHAPE
    assert found.gates > 0


def test_the_shape_of_a_tile():
    spec = MixPE(rows=2, columns=3, lanes=4, stages=2)
    found = measures(spec, Style.CELLS)
    counted = inventory(spec, style=Style.CELLS)
    assert found.shape["input bits"] == 8
    assert found.shape["output bits"] == max(port.format.bits for port in spec.outputs.values())
    assert found.shape["latency"] == spec.latency
    # Six results and ``last``.
    assert found.shape["register bits"] == counted["register"] / 7
    logic = sum(counted.values()) - counted["register"]
    assert found.shape["operator bits"] == pytest.approx(logic / 7)
    assert found.depth is None


def test_the_depth_of_a_circuit_falls_with_its_ranks():
    depths = [measures(FloatAdder(stages=stages), Style.CELLS).depth for stages in (1, 2, 4, 8)]
    assert depths == sorted(depths, reverse=True)
    assert depths[0] > 3 * depths[-1]
    assert measures(FloatAdder(), Style.WORD).depth is None


def test_products_that_are_left_to_synthesis():
    left = {"partial_products": PartialProducts.INFERRED}
    tile = MultiplierTile(rows=2, columns=3, lanes=4, activation=INT16, **left)
    assert measures(tile, Style.WORD).products == 24
    assert measures(IntegerMultiplier(a=INT8, b=INT4, **left), Style.WORD).products == 1
    assert measures(IntegerMultiplier(), Style.WORD).products == 0


def test_operators_that_are_not_known(monkeypatch):
    monkeypatch.delitem(OPERATORS, "full_adder")
    with pytest.raises(ValueError, match="nothing is known of operators full_adder"):
        measures(MixPE(rows=1, columns=1, lanes=2), Style.CELLS)
