"""Implicit neural representations: activations, initialisation, training, and fixed point."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from multipede.golden.formats import FP16, FixedPoint, Overflow
from multipede.golden.images import IMAGES, TUNING_IMAGE, image, video
from multipede.golden.inr import Inr, InrLayer, equal_width, grid, psnr
from multipede.golden.inr_activations import ACTIVATIONS, Activation, activation
from multipede.golden.inr_training import InrTraining, fit_inr, reached
from multipede.golden.quantised_inr import LinearMap, QuantisedInr, reference_of, rounded_sums

NAMES = [a.name for a in ACTIVATIONS]
SHORT = InrTraining(iterations=30, hidden=12, layers=2, every=10)


@pytest.fixture(scope="module")
def picture() -> tuple[torch.Tensor, torch.Tensor]:
    """Coordinates and colours of a small image."""
    return grid(12, 12), image("coffee", 12).reshape(-1, 3)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("QuadINR", lambda u: (t := (u + 2) % 4 - 2) * (2 - abs(t))),
        ("SIREN", lambda u: math.sin(math.pi * u / 2)),
        ("FINER", lambda u: math.sin(math.pi / 2 * (u + u * abs(u) / 16))),
        ("Gauss", lambda u: math.exp(-u * u)),
        ("sinc", lambda u: math.sin(math.pi * u / 2) / (math.pi * u / 2)),
    ],
)
def test_activations_are_their_definitions(name, known):
    values = torch.linspace(-7.3, 7.9, 401, dtype=torch.float64)
    found = activation(name).function(values)
    assert found.tolist() == pytest.approx([known(float(u)) for u in values], abs=1e-12)


def test_wire_is_a_wave_within_a_bell():
    u, v = torch.linspace(-5, 5, 101).double(), torch.linspace(3, -2, 101).double()
    found = activation("WIRE").function(u, v)
    assert torch.allclose(found, torch.cos(math.pi * u / 2) * torch.exp(-(v**2)))


@pytest.mark.parametrize("chosen", ACTIVATIONS, ids=NAMES)
def test_units_compute_what_networks_are_trained_with(chosen):
    """To a unit in the last place, but for QuadINR's, whose unit rounds to nearest."""
    x, result = FixedPoint(12, 8), FixedPoint(10, 8)
    unit = chosen.unit(*[x] * chosen.arguments, result)
    codes = [np.arange(-500, 500) * sign for sign in (1, -1)[: chosen.arguments]]
    found = reference_of(unit)(**dict(zip(unit.inputs, codes, strict=True)))
    real = chosen.function(*(torch.from_numpy(code / 2.0**8) for code in codes))
    assert np.abs(found / 2.0**8 - real.numpy()).max() < 2.0**-8


def test_finer_does_not_follow_the_growth_of_its_frequency():
    u = torch.tensor([0.5], requires_grad=True, dtype=torch.float64)
    activation("FINER").function(u).backward()
    growth = 1 + 0.5 / 16
    known = math.cos(math.pi / 2 * 0.5 * growth) * math.pi / 2 * growth
    assert float(u.grad) == pytest.approx(known)


def test_siren_is_initialised_as_published():
    torch.manual_seed(3)
    siren = activation("SIREN")
    assert siren.omega == pytest.approx(30)
    first = InrLayer(siren, 2, 4000, first=True).maps[0].weight
    hidden = InrLayer(siren, 64, 400, first=False).maps[0].weight
    assert float(first.abs().max()) == pytest.approx(1 / 2, rel=0.01)
    assert float(hidden.abs().max()) == pytest.approx(math.sqrt(6 / 64) / 30, rel=0.01)
    assert abs(float(hidden.mean())) < 1e-3


def test_sums_are_exact_at_every_width():
    """Of weights and values of 24 bits some are beyond float64."""
    low = -(1 << 23) + 1
    wide = FixedPoint(24, 20)
    linear = LinearMap(np.full((1, 255), low), np.array([3]), wide, wide, wide, Overflow.SATURATE)
    assert linear.accumulator_bits > 53
    assert linear.sums(np.full((2, 255), low)).tolist() == [[255 * low * low + 3]] * 2


@pytest.mark.parametrize(
    ("overflow", "expected"), [(Overflow.SATURATE, [7, 7, -8, 0]), (Overflow.WRAP, [0, 0, 0, 0])]
)
def test_sums_of_fewer_places_saturate_before_they_are_shifted(overflow, expected):
    sums = np.array([5 << 20, 1 << 24, -(1 << 40), 0])
    assert rounded_sums(sums, 20, FixedPoint(4, 60), overflow).tolist() == expected


def test_coordinates_of_another_shape_are_refused():
    network = Inr(activation("QuadINR"), hidden=3, layers=1)
    with pytest.raises(ValueError, match=r"coordinates \(5, 3\): \(n, 2\) is needed"):
        QuantisedInr.of(network, torch.zeros(5, 3))
    with pytest.raises(TypeError, match="coordinates"):
        QuantisedInr.of(network, [[0.0, 0.0]])


@pytest.mark.parametrize(("name", "value"), [("hidden", 0), ("layers", 17)])
def test_sizes_out_of_range(name, value):
    with pytest.raises(ValueError, match=f"{name} = {value}: allowed are 1 to"):
        InrTraining(**{name: value})


def test_tiny_weights_keep_a_format_that_fits():
    torch.manual_seed(2)
    network = Inr(activation("QuadINR"), hidden=3, layers=1)
    with torch.no_grad():
        network.last.weight.mul_(1e-14)
    assert QuantisedInr.of(network, grid(3, 3)).last.weight_format == FixedPoint(12, 24)


def test_networks_of_equal_size():
    sizes = [Inr(a, hidden=equal_width(a, 64)).parameter_count for a in ACTIVATIONS]
    assert max(sizes) < 1.02 * min(sizes)
    assert sizes[0] == 2 * 64 + 64 + 2 * (64 * 64 + 64) + 64 * 3 + 3


def test_grid_and_psnr():
    assert grid(2, 3).tolist() == [[-1, -1], [-1, 0], [-1, 1], [1, -1], [1, 0], [1, 1]]
    wanted = torch.zeros(10, 3)
    assert psnr(wanted + 0.2, wanted) == pytest.approx(20, abs=1e-4)
    assert psnr(wanted, wanted) == math.inf
    assert psnr(wanted + 9, wanted + 1) == math.inf


@pytest.mark.parametrize("name", NAMES)
def test_training_fits(name, picture):
    chosen = activation(name)
    begun = fit_inr(chosen, *picture, InrTraining(iterations=1, hidden=12, layers=2))
    network = fit_inr(chosen, *picture, InrTraining(iterations=80, hidden=12, layers=2))
    assert reached(network, *picture) > reached(begun, *picture) + 3


def test_the_same_seed_gives_the_same_network(picture):
    first, again = (fit_inr(activation("QuadINR"), *picture, SHORT) for _ in range(2))
    other = fit_inr(
        activation("QuadINR"), *picture, InrTraining(iterations=30, hidden=12, layers=2, seed=2)
    )
    assert all(
        torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True)
    )
    assert not torch.equal(first.last.weight, other.last.weight)


@pytest.mark.parametrize("batch", [None, 50])
def test_a_training_broken_off_goes_on_to_the_same_end(picture, tmp_path, batch, monkeypatch):
    training = InrTraining(iterations=30, hidden=12, layers=2, every=10, batch=batch)
    chosen, path = activation("SIREN"), tmp_path / "deep" / "state.pt"
    whole = fit_inr(chosen, *picture, training)
    steps = []

    def step(self, real=torch.optim.Adam.step):
        steps.append(1)
        if len(steps) == 17:
            raise KeyboardInterrupt
        return real(self)

    with monkeypatch.context() as patched:
        patched.setattr(torch.optim.Adam, "step", step)
        with pytest.raises(KeyboardInterrupt):
            fit_inr(chosen, *picture, training, checkpoint=path)
    resumed = fit_inr(chosen, *picture, training, checkpoint=path)
    ended = fit_inr(chosen, *picture, training, checkpoint=path)
    for network in (resumed, ended):
        pairs = zip(whole.parameters(), network.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
    assert [p.name for p in path.parent.iterdir()] == ["state.pt"]


def test_checkpoints_of_something_else_are_refused(picture, tmp_path):
    path = tmp_path / "state.pt"
    fit_inr(activation("SIREN"), *picture, SHORT, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="another network, other colours or another training"):
        fit_inr(activation("Gauss"), *picture, SHORT, checkpoint=path)
    assert path.read_bytes() == before
    path.write_bytes(before[:100])
    with pytest.raises(ValueError, match="cannot be read"):
        fit_inr(activation("SIREN"), *picture, SHORT, checkpoint=path)


@pytest.mark.few(3)
@pytest.mark.parametrize("name", NAMES)
def test_fixed_point_is_near_the_network(name, picture):
    network = fit_inr(activation(name), *picture, InrTraining(iterations=60, hidden=12, layers=2))
    quantised = QuantisedInr.of(network, picture[0], weight_bits=16, bits=12)
    with torch.no_grad():
        distance = (quantised(picture[0]) - network(picture[0])).abs().max()
    # Arguments that grow with the square need four bits more before the point.
    assert distance < (0.05 if name == "FINER" else 0.02)
    coarse = QuantisedInr.of(network, picture[0], weight_bits=6, bits=8)
    assert distance < (coarse(picture[0]) - quantised(picture[0])).abs().max() < 1.5


def test_sums_are_exact_and_rounded_once(picture):
    """Against Python's integers, from weights to arguments."""
    network = fit_inr(activation("QuadINR"), *picture, SHORT)
    quantised = QuantisedInr.of(network, picture[0])
    ((linear,), *_) = quantised.layers
    codes = np.asarray(quantised.coordinates.encode(picture[0].double().numpy()))
    found = linear(codes)
    for record in (0, 17, 143):
        for output in (0, 5, 11):
            total = int(linear.bias[output])
            total += sum(
                int(w) * int(c) for w, c in zip(linear.weight[output], codes[record], strict=True)
            )
            drop = linear.places - linear.argument.fraction_bits
            rounded = (total + (1 << drop >> 1)) // (1 << drop)
            wrapped = (rounded + (1 << 15)) % (1 << 16) - (1 << 15)
            assert found[record, output] == wrapped
            assert abs(total) < 1 << (linear.accumulator_bits - 1)


def test_periodic_arguments_wrap_and_others_saturate():
    sums = np.array([5 << 6, -(5 << 6), 33, 31, -32])
    argument = FixedPoint(4, 2)
    wrapped = rounded_sums(sums, 8, argument, Overflow.WRAP)
    saturated = rounded_sums(sums, 8, argument, Overflow.SATURATE)
    assert wrapped.tolist() == [5, -5, 1, 0, 0]
    assert saturated.tolist() == [5, -5, 1, 0, 0]
    far = np.array([9 << 6, -(9 << 6)])
    assert rounded_sums(far, 8, argument, Overflow.WRAP).tolist() == [-7, 7]
    assert rounded_sums(far, 8, argument, Overflow.SATURATE).tolist() == [7, -8]


def test_argument_formats(picture):
    """A period of what is periodic; a bell's arguments end where it has ended."""
    formats = {}
    for name in NAMES:
        network = fit_inr(activation(name), *picture, SHORT)
        formats[name] = QuantisedInr.of(network, picture[0], bits=10).arguments
    assert formats["QuadINR"] == formats["SIREN"] == (FixedPoint(10, 8),)
    assert formats["Gauss"][0].fraction_bits >= 6
    assert formats["WIRE"][0] == FixedPoint(10, 8)
    assert all(f.bits == 10 for found in formats.values() for f in found)


@pytest.mark.parametrize("name", [*IMAGES, TUNING_IMAGE])
def test_images(name):
    colours = image(name, 32)
    assert colours.shape == (32, 32, 3)
    assert -1 <= colours.min() < -0.3
    assert 0 < colours.max() <= 1
    large = image(name, 64)
    shrunk = large.reshape(32, 2, 32, 2, 3).mean(dim=(1, 3))
    assert (shrunk - colours).abs().mean() < 0.05


def test_videos_move():
    frames = video("astronaut", 4, 16)
    assert frames.shape == (4, 16, 16, 3)
    for before, behind in pairwise(frames):
        assert 0.01 < (before - behind).abs().mean() < 0.6


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: activation("relu"), ValueError, "activation = 'relu': allowed are QuadINR"),
        (lambda: activation(3), TypeError, "activation must be str"),
        (lambda: image("lena", 32), ValueError, "image = 'lena': allowed are astronaut"),
        (lambda: image("coffee", 4), ValueError, "size = 4: allowed are 8 to 1024"),
        (lambda: video("coffee", 1, 32), ValueError, "frames = 1"),
        (lambda: Inr("SIREN"), TypeError, "activation must be Activation"),
        (lambda: Inr(ACTIVATIONS[0], layers=0), ValueError, "layers = 0: allowed are 1 to 16"),
        (lambda: InrTraining(iterations=0), ValueError, "iterations = 0"),
        (lambda: InrTraining(learning_rate=2.0), ValueError, "learning_rate = 2.0"),
        (lambda: InrTraining(batch=0), ValueError, "batch = 0"),
        (
            lambda: fit_inr(ACTIVATIONS[0], torch.zeros(3, 2), torch.zeros(4, 3)),
            ValueError,
            r"coordinates \(3, 2\) and colours \(4, 3\)",
        ),
        (
            lambda: QuantisedInr.of(Inr(ACTIVATIONS[0]), grid(2, 2), bits=7),
            ValueError,
            "bits = 7: allowed are 8 to 24",
        ),
        (lambda: QuantisedInr.of(FP16, grid(2, 2)), TypeError, "network must be Inr"),
    ],
)
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_activations_name_their_sources():
    for chosen in ACTIVATIONS:
        assert isinstance(chosen, Activation)
        assert chosen.source
        assert activation(chosen.name.upper()) is chosen
