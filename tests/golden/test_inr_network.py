"""Whole networks against exact rationals, record by record, and their records."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from multipede.golden.formats import FixedPoint, Integer
from multipede.golden.inr import Inr, grid
from multipede.golden.inr_activations import ACTIVATIONS, activation
from multipede.golden.inr_network import InrNetwork
from multipede.golden.network_layer import NetworkLayer
from multipede.golden.quadinr import Extension
from multipede.golden.quantised_inr import QuantisedInr, reference_of
from tests.golden.test_quadinr import phi

NAMES = [a.name for a in ACTIVATIONS]
SMALL = InrNetwork(
    width=3,
    depth=2,
    channels=2,
    first_weight=FixedPoint(7, 2),
    weight=FixedPoint(6, 4),
    argument=FixedPoint(9, 7),
    value=FixedPoint(8, 6),
    lanes=2,
)


def quantised(name: str, **shape: int) -> tuple[QuantisedInr, torch.Tensor]:
    """A network with random weights, and coordinates."""
    torch.manual_seed(20261128)
    network = Inr(activation(name), **({"hidden": 5, "layers": 2} | shape))
    coordinates = grid(*[5] * network.layers[0].maps[0].in_features)
    return QuantisedInr.of(network, coordinates, bits=10, weight_bits=9, shared=True), coordinates


def tensors(records: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(codes) for name, codes in records.items()}


def joined(*parts: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return tensors({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


class ExactNetwork:
    """Layers of QuadINR's units in rationals: what each weight is was written last."""

    def __init__(self, spec: InrNetwork):
        self.spec = spec
        self.widths = [spec.dimensions, *[spec.width] * spec.depth, spec.channels]
        self.written: dict[tuple[int, int, int], Fraction] = {}

    def write(self, layer: int, row: int, column: int, data: int) -> None:
        if layer > self.spec.depth:
            return
        inputs, outputs = self.widths[layer : layer + 2]
        if row >= outputs or column > inputs:
            return
        weight = self.spec.weight if layer else self.spec.first_weight
        bits, places = weight.bits, weight.fraction_bits
        if column == inputs:
            places += self.spec.value.fraction_bits
            bits = self.spec.layers[layer].bias.bits
        code = (data + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)
        self.written[layer, row, column] = Fraction(code, 1 << places)

    def colours(self, codes: list[int]) -> list[int]:
        value, argument = self.spec.value, self.spec.argument
        values = [Fraction(code, 1 << value.fraction_bits) for code in codes]
        for layer in range(self.spec.depth + 1):
            sums = [
                self.written.get((layer, row, len(values)), Fraction(0))
                + sum(
                    self.written.get((layer, row, column), Fraction(0)) * x
                    for column, x in enumerate(values)
                )
                for row in range(self.widths[layer + 1])
            ]
            if layer == self.spec.depth:
                rounded = [
                    math.floor(s * (1 << value.fraction_bits) + Fraction(1, 2)) for s in sums
                ]
                return [min(max(r, value.minimum_code), value.maximum_code) for r in rounded]
            scale = 1 << argument.fraction_bits
            arguments = [Fraction(math.floor(s * scale + Fraction(1, 2)), scale) for s in sums]
            values = [self.rounded(phi(u, Extension.PERIODIC)) for u in arguments]
        raise AssertionError

    def rounded(self, y: Fraction) -> Fraction:
        """To nearest, ties to even, and saturated, as the unit does by itself."""
        value = self.spec.value
        code = min(
            max(round(y * (1 << value.fraction_bits)), value.minimum_code), value.maximum_code
        )
        return Fraction(code, 1 << value.fraction_bits)


@pytest.mark.parametrize("seed", range(3))
def test_records_against_exact_rationals(seed):
    generator = np.random.default_rng(seed)
    records = dict(SMALL.related_records(generator, 600))
    for name in ("layer", "row", "column"):
        highest = SMALL.inputs[name].format.maximum
        anywhere = generator.integers(0, highest + 1, 600)
        records[name] = np.where(generator.random(600) < 0.2, anywhere, records[name])
    exact = ExactNetwork(SMALL)
    expected, loads = [], 0
    for load, *place, coordinates, _ in zip(
        *(records[name].tolist() for name in SMALL.inputs), strict=True
    ):
        if load:
            exact.write(*place)
            loads += 1
        else:
            expected.append(exact.colours(coordinates))
    assert loads > 200
    assert len({tuple(colours) for colours in expected}) > 60
    outputs, _ = SMALL.reference(**tensors(records))
    assert outputs["colours"].tolist() == expected
    assert outputs["last"].tolist() == records["last"][records["load"] == 0].tolist()


def test_nothing_is_written_beyond_a_layer():
    names = ("layer", "row", "column", "data")
    places = [(0, 0, 3, 7), (0, 3, 0, 7), (3, 0, 0, 7), (2, 2, 3, 7), (1, 3, 3, 7)]
    records = {
        name: np.zeros((len(places), *port.shape), np.int64) for name, port in SMALL.inputs.items()
    }
    records["load"][:] = 1
    for name, codes in zip(names, np.array(places).T, strict=True):
        records[name] = codes
    _, state = SMALL.reference(**tensors(records))
    assert not any(array.any() for array in (*state.weights, *state.biases))
    records["column"][0], records["row"][1] = 2, 2
    _, state = SMALL.reference(**tensors(records))
    assert state.biases[0].tolist() == [7, 0, 0]
    assert state.weights[0].tolist() == [[0, 0], [0, 0], [7, 0]]


def test_the_state_given_is_not_changed():
    network, _ = quantised("QuadINR")
    unit = InrNetwork.of(network)
    _, state = unit.reference(**tensors(unit.load_records(network)))
    before = [array.copy() for array in (*state.weights, *state.biases)]
    again = unit.load_records(network)
    again["data"][:] = 1
    unit.reference(state, **tensors(again))
    after = (*state.weights, *state.biases)
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_it_computes_the_network_that_is_loaded(name):
    network, coordinates = quantised(name)
    unit = InrNetwork.of(network, lanes=2)
    codes = np.asarray(unit.value.encode(coordinates.double().numpy()))
    load = unit.load_records(network)
    assert len(load["data"]) == unit.parameter_count
    outputs, _ = unit.reference(**joined(load, unit.coordinate_records(codes)))
    expected = network.codes(codes, reference_of(network.unit))
    assert np.array_equal(outputs["colours"].numpy(), expected)
    assert len(np.unique(expected)) > 5


def test_shared_formats_hold_the_largest_weight_of_their_layers():
    torch.manual_seed(1)
    network = Inr(activation("WIRE"), hidden=4, layers=3)
    with torch.no_grad():
        network.layers[2].maps[1].weight[0, 0] = 0.7  # times the scale of 10
        network.layers[0].maps[0].weight[0, 0] = -3.0
    own = QuantisedInr.of(network, grid(4, 4), weight_bits=10)
    shared = QuantisedInr.of(network, grid(4, 4), weight_bits=10, shared=True)
    formats = [[linear.weight_format for linear in maps] for maps in shared.layers]
    assert formats[1] == formats[2] == [FixedPoint(10, 6)] * 2
    assert shared.last.weight_format == FixedPoint(10, 6)
    assert formats[0] == [FixedPoint(10, 4)] * 2
    with pytest.raises(ValueError, match="quantise with shared=True"):
        InrNetwork.of(own)


def test_a_layer_is_padded_to_whole_rows():
    wire = InrNetwork(activation="WIRE", width=6, lanes=4, neurons=4, dimensions=3)
    first, _, last = wire.layers
    assert (first.lanes, first.steps, first.blocks, first.columns) == (4, 1, 2, 8)
    assert (last.lanes, last.steps, last.neurons, last.blocks) == (4, 2, 4, 1)
    assert wire.initiation_interval == 4
    assert wire.parameter_count == 12 * 4 + 12 * 7 + 3 * 7
    assert wire.operations == {"multiply_accumulate": 12 * 3 + 12 * 6 + 3 * 6, "activation": 12}


def test_biases_have_room_for_what_arguments_hold():
    layer: NetworkLayer = InrNetwork(argument=FixedPoint(16, 10)).layers[1]
    assert layer.places == 24
    assert layer.bias == FixedPoint(6 + 2 + 24, 24)
    assert layer.tile.weight == Integer(12)


def test_results_follow_from_records_with_coordinates():
    generator = np.random.default_rng(5)
    records = tensors(dict(SMALL.related_records(generator, 100)))
    counts = SMALL.results_by_record(**records)
    assert counts.tolist() == (1 - records["load"]).tolist()
    ended = SMALL.ended({"load": np.ones(3, np.int64), "last": np.zeros(3, np.int64)})
    assert ended["load"].tolist() == [1, 1, 0]
    assert ended["last"].tolist() == [0, 0, 1]


def test_another_network_in_the_units_formats():
    """Its own formats would be others."""
    first, coordinates = quantised("WIRE")
    unit = InrNetwork.of(first)
    torch.manual_seed(5)
    network = Inr(activation("WIRE"), hidden=5, layers=2)
    with torch.no_grad():
        for linear in (*network.layers[1].maps, network.last):
            linear.weight.mul_(0.2)
    own = QuantisedInr.of(network, coordinates, bits=10, weight_bits=9, shared=True)
    assert own.last.weight_format != unit.weight
    other = unit.quantised(network)
    assert InrNetwork.of(other) == unit
    codes = np.asarray(unit.value.encode(coordinates.double().numpy()))
    outputs, _ = unit.reference(
        **joined(unit.load_records(first), unit.load_records(other), unit.coordinate_records(codes))
    )
    assert np.array_equal(outputs["colours"].numpy(), other.codes(codes, reference_of(other.unit)))
    with torch.no_grad():
        network.last.weight[0, 0] = 40
    with pytest.raises(ValueError, match=r"weights of up to 40 in layer 2: fixed9\.\d+ holds"):
        unit.quantised(network)
    with pytest.raises(ValueError, match="network has 1 layers of WIRE: this unit has 2 of WIRE"):
        unit.quantised(Inr(activation("WIRE"), hidden=5, layers=1))
    with pytest.raises(TypeError, match="network"):
        unit.quantised(first)
    with pytest.raises(ValueError, match="network has width 4: this unit has 5"):
        unit.load_records(unit.quantised(Inr(activation("WIRE"), hidden=4, layers=2)))


def test_names_of_activations_in_any_case_are_one_specification():
    assert InrNetwork(activation="wire") == InrNetwork(activation="WIRE")
    assert InrNetwork(activation="siren").to_dict()["parameters"]["activation"] == "SIREN"


def test_coordinates_must_be_codes():
    with pytest.raises(TypeError, match="codes must hold integers"):
        SMALL.coordinate_records(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="codes has shape"):
        SMALL.coordinate_records(np.zeros((3, 5), np.int64))
    with pytest.raises(ValueError, match="codes"):
        SMALL.coordinate_records(np.full((3, 2), 128))
    records = SMALL.coordinate_records(np.array([[-128, 127], [3, 4]]))
    assert records["coordinates"].tolist() == [[-128, 127], [3, 4]]
    assert records["last"].tolist() == [0, 1]


def test_biases_that_do_not_fit_are_refused():
    network, _ = quantised("FINER")
    last = replace(network.last, bias=network.last.bias + (1 << 40))
    with pytest.raises(ValueError, match="network has biases of layer 2"):
        InrNetwork.of(network).load_records(replace(network, last=last))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("activation", "sinc"),
        ("dimensions", 3),
        ("width", 4),
        ("depth", 3),
        ("channels", 4),
        ("first_weight", FixedPoint(9, 1)),
        ("weight", FixedPoint(9, 1)),
        ("argument", FixedPoint(10, 7)),
        ("second_argument", FixedPoint(10, 2)),
        ("value", FixedPoint(10, 7)),
    ],
)
def test_networks_of_other_shapes_are_refused(name, other):
    network, _ = quantised("WIRE")
    unit = InrNetwork.of(network)
    mine = getattr(unit, name)
    with pytest.raises(ValueError, match=f"network has {name} {mine}: this unit has {other}"):
        replace(unit, **{name: other}).load_records(network)


def test_only_networks_are_taken():
    with pytest.raises(TypeError, match="network"):
        InrNetwork.of("SIREN")


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"activation": "ReLU"}, ValueError, "activation = 'ReLU': allowed are QuadINR, SIREN"),
        ({"weight": FixedPoint(16, 25)}, ValueError, "weight = fixed16.25: at most 24 fraction"),
        ({"value": FixedPoint(4, 4)}, ValueError, "value = fixed4.4: at most 3 fraction bits"),
        (
            {"value": FixedPoint(2, 0)},
            ValueError,
            "argument = .*, value = fixed2.0: QuadINR's unit",
        ),
        (
            {"activation": "WIRE", "value": FixedPoint(2, 1)},
            ValueError,
            "second_argument = fixed16.12, value = fixed2.1: WIRE's unit refuses them",
        ),
        ({"activation": 3}, TypeError, "activation"),
        ({"width": 0}, ValueError, "width = 0"),
        ({"depth": 17}, ValueError, "depth = 17"),
        ({"dimensions": 2.0}, TypeError, "dimensions"),
        ({"channels": 65}, ValueError, "channels = 65"),
        ({"lanes": 6}, ValueError, "lanes = 6: a power of two is needed"),
        ({"neurons": 512}, ValueError, "neurons = 512"),
        ({"value": Integer(8)}, TypeError, "value"),
        ({"weight": FixedPoint(17, 3)}, ValueError, "weight = fixed17.3: signed fixed point"),
        ({"value": FixedPoint(8, 6, signed=False)}, ValueError, "value = ufixed8.6"),
        ({"argument": FixedPoint(12, 11)}, ValueError, "QuadINR has a period of 4"),
        ({"tile_stages": 0}, ValueError, "tile_stages = 0"),
        ({"activation_stages": 13}, ValueError, "activation_stages = 13"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        InrNetwork(**parameters)
