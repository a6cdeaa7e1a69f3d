"""Whole networks: RTL equals golden at its specified pace, and bugs in the flow are found."""

import numpy as np
import pytest
import torch

from multipede.golden.formats import FixedPoint
from multipede.golden.inr import Inr, grid
from multipede.golden.inr_activations import activation
from multipede.golden.inr_network import InrNetwork
from multipede.golden.quantised_inr import QuantisedInr
from multipede.golden.small_units import small_unit
from multipede.hw import Style
from multipede.hw.inr_layer import InrLayerPlan
from multipede.sim.compiled import compile_model, compile_verilog
from multipede.sim.verilog import verilog_of
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory
from tests.hw.planted import check_found, replaced

NARROW = {
    "first_weight": FixedPoint(7, 3),
    "weight": FixedPoint(6, 4),
    "argument": FixedPoint(10, 8),
    "second_argument": FixedPoint(9, 6),
    "value": FixedPoint(8, 6),
}
SPECS = [
    InrNetwork(width=4, depth=2, lanes=2, **NARROW),
    InrNetwork(width=5, depth=1, lanes=2, neurons=2, dimensions=3, channels=1, **NARROW),
    InrNetwork(activation="WIRE", width=3, depth=2, lanes=4, neurons=2, **NARROW),
    InrNetwork(width=1, depth=1, dimensions=1, channels=1, activation_stages=0, **NARROW),
    InrNetwork(activation="Gauss", width=6, depth=1, lanes=1, tile_stages=1, **NARROW),
    InrNetwork(width=8, depth=3, lanes=8, neurons=8, channels=4, tile_stages=4, **NARROW),
    InrNetwork(activation="SIREN", width=7, lanes=4, activation_stages=5),
    InrNetwork(activation="FINER", width=4, **NARROW),
    InrNetwork(activation="sinc", width=3, neurons=4, **NARROW),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=2000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, InrNetwork()], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=30_000)


@pytest.mark.parametrize("spec", [SPECS[0], SPECS[1], SPECS[2], SPECS[5]], ids=str)
def test_inventory_equals_the_netlist(spec):
    check_inventory(spec, Style.CELLS)


@pytest.mark.few(2)
@pytest.mark.parametrize("index", [0, 1, 2, 5])
def test_it_keeps_its_pace_and_loads_in_every_clock(index):
    spec = SPECS[index]
    torch.manual_seed(index)
    network = Inr(
        activation(spec.activation),
        inputs=spec.dimensions,
        hidden=spec.width,
        layers=spec.depth,
        outputs=spec.channels,
    )
    coordinates = grid(*[40 if spec.dimensions == 2 else 9] * spec.dimensions)
    quantised = QuantisedInr.of(network, coordinates, bits=10, weight_bits=9, shared=True)
    unit = InrNetwork.of(
        quantised,
        lanes=spec.lanes,
        neurons=spec.neurons,
        tile_stages=spec.tile_stages,
    )
    model = compile_model(unit)
    load = model.run(unit.load_records(quantised))
    assert load.cycles == unit.parameter_count
    codes = np.asarray(unit.value.encode(coordinates.double().numpy()))
    run = model.run(unit.coordinate_records(codes))
    assert run.cycles == unit.initiation_interval * (len(codes) - 1) + unit.latency + 1
    colours = run["colours"] / 2.0**unit.value.fraction_bits
    assert np.array_equal(colours.astype(np.float32), quantised(coordinates).numpy())


def test_a_queue_is_as_small_as_a_full_pace_allows():
    """With a place less vectors come late."""
    spec = InrNetwork(width=4, depth=1, lanes=4, **NARROW)
    records = spec.coordinate_records(np.zeros((50, 2), np.int64))
    full = compile_model(spec).run(records).cycles
    assert full == spec.initiation_interval * 49 + spec.latency + 1
    text = verilog_of(spec, Style.WORD)
    depth = InrLayerPlan(spec.layers[0], Style.WORD).depth
    assert text.count(f"used != 3'h{depth}") == 1
    small = text.replace(f"used != 3'h{depth}", f"used != 3'h{depth - 1}")
    assert compile_verilog(small, spec).run(records).cycles > full


BUGS = {
    "weights are written while coordinates are under way": replaced(
        r"assign empty = .*;", "assign empty = 1'b1;"
    ),
    "weights survive a reset": replaced(r"if \(rst\) written <= .*;", "if (0) written <= 0;"),
    "a first word leaves the others as they were": replaced(
        r"assign row_is_old = .*;", "assign row_is_old = 1'b1;"
    ),
    "a later word clears the others": replaced(
        r"assign row_is_old = .*;", "assign row_is_old = 1'b0;"
    ),
    "no room is looked for": replaced(r"assign has_room = .*;", "assign has_room = 1'b1;"),
    "a place too few for a full pace": replaced(
        r"assign row_given = .*;", "assign row_given = busy & (used == 0);"
    ),
    "a vector that is not complete": replaced(
        r"o_valid = count == 3'h4", "o_valid = count >= 3'h3"
    ),
    "a bias of another block": replaced(r"block_q2 <= block_q1;", "block_q2 <= ~block_q1;"),
}


@pytest.mark.few(3)
@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug):
    check_found(small_unit("inr_network"), BUGS[bug])
