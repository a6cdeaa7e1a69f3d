"""Images out of whole networks in RTL: weights are loaded, coordinates go in, colours come out."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from multipede.cost_model.parallel_jobs import in_parallel
from multipede.cost_model.reproduction.inr_experiments import brought, fitted, jobs_of, steps
from multipede.golden.images import IMAGES, image
from multipede.golden.inr_activations import ACTIVATIONS, activation
from multipede.golden.inr_network import InrNetwork
from multipede.golden.inr_training import InrTraining
from multipede.sim.compiled import compile_model

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["NetworkRun", "Networks", "network_run", "networks"]


@dataclass(frozen=True)
class NetworkRun:
    """One network and the picture that it gives.

    Attributes
    ----------
    activation, picture : which. unit : the network in hardware. parameters : weights and biases.
    float_psnr, golden_psnr, rtl_psnr : dB, of the network as trained, of the unit's reference, and
        of its RTL.
    equal : whether the RTL's colours are the reference's to the bit.
    load_clocks, clocks : of loading the weights, and of the picture behind it. pixels : in it.
    rtl_seconds : of the picture in the simulator, model compiled.
    """

    activation: str
    picture: str
    unit: str
    parameters: int
    float_psnr: float
    golden_psnr: float
    rtl_psnr: float
    equal: bool
    load_clocks: int
    clocks: int
    pixels: int
    rtl_seconds: float


@dataclass(frozen=True)
class Networks:
    """Several networks. ``title`` says what was measured."""

    title: str
    rows: tuple[NetworkRun, ...]

    @property
    def errors(self) -> list[str]:
        """Where the RTL and the reference differ."""
        return [
            f"{row.activation}, {row.picture}: RTL and reference differ"
            for row in self.rows
            if not row.equal
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"title": self.title, "rows": [asdict(row) for row in self.rows]}

    def __str__(self) -> str:
        lines = [
            self.title,
            "",
            f"{'PSNR, dB':9}{'picture':>11}{'parameters':>12}{'float':>8}{'golden':>8}{'RTL':>8}"
            f"{'clocks to load':>16}{'clocks a pixel':>16}{'simulated in s':>16}",
        ]
        for row in self.rows:
            lines.append(
                f"{row.activation:9}{row.picture:>11}{row.parameters:12,}{row.float_psnr:8.2f}"
                f"{row.golden_psnr:8.2f}{row.rtl_psnr:8.2f}{row.load_clocks:16,}"
                f"{row.clocks / row.pixels:16.2f}{row.rtl_seconds:16.1f}"
            )
        note = (
            "golden, RTL: the whole network in fixed point, weights of 12 bits, values of 16; all"
            " colours of the RTL equal the reference's"
        )
        return "\n".join([*lines, "", *(self.errors or [note])])


def network_run(
    name: str, picture: str, colours: "Tensor", training: InrTraining, **parameters: Any
) -> NetworkRun:
    """Fit a network to ``colours`` (sizes..., channels), and let the RTL compute all of them.

    ``parameters`` are the unit's (lanes, neurons, stages). Raises ValueError for an unknown
    activation, and ToolError as :func:`~multipede.sim.compiled.compile_model`.
    """
    import torch

    from multipede.golden.inr import psnr
    from multipede.golden.inr_training import reached
    from multipede.golden.quantised_inr import QuantisedInr

    network, coordinates, wanted = fitted(name, picture, colours, training)
    quantised = QuantisedInr.of(network, coordinates, shared=True)
    unit = InrNetwork.of(quantised, **parameters)
    load = unit.load_records(quantised)
    asked = unit.coordinate_records(np.asarray(unit.value.encode(coordinates.double().numpy())))
    tensors = {
        port: torch.from_numpy(np.concatenate([load[port], asked[port]])) for port in unit.inputs
    }
    outputs, _ = unit.reference(**tensors)
    expected = outputs["colours"].numpy()
    model = compile_model(unit)
    loading = model.run(load)
    begin = time.perf_counter()
    run = model.run(asked)
    seconds = time.perf_counter() - begin
    by_golden, by_rtl = (
        psnr(torch.from_numpy(unit.value.decode(codes).astype(np.float32)), wanted)
        for codes in (expected, run["colours"])
    )
    return NetworkRun(
        name,
        picture,
        str(unit),
        unit.parameter_count,
        reached(network, coordinates, wanted),
        by_golden,
        by_rtl,
        np.array_equal(expected, run["colours"]),
        loading.cycles,
        run.cycles,
        len(coordinates),
        seconds,
    )


def networks(
    *,
    names: Sequence[str] = IMAGES[:1],
    activations: Sequence[str] = tuple(a.name for a in ACTIVATIONS),
    size: int = 128,
    training: InrTraining | None = None,
    workers: int | None = None,
) -> Networks:
    """Whole networks in RTL, by default of two layers of 32 units, each image completely.

    Parameters
    ----------
    names, size : of images. activations : by name. training : None for that of the README.
    workers : processes side by side; None for one per processor.

    Raises
    ------
    TypeError, ValueError
        For unknown names and sizes out of range. ToolError if something is missing.
    """
    from multipede.golden.inr import equal_width

    training = InrTraining(hidden=32, layers=2, batch=4096) if training is None else training
    pictures = {name: brought(image, name, size) for name in names}
    jobs = jobs_of(activations, pictures)
    for name, _ in jobs:  # before hours of training
        width = equal_width(activation(name), training.hidden)
        InrNetwork(activation=name, width=width, depth=training.layers)
    rows = in_parallel(
        partial(_work, pictures=pictures, training=training), jobs, workers, what="network"
    )
    title = (
        f"whole networks in RTL, {training.layers} layers of {training.hidden} units (WIRE: of"
        f" about as many parameters), images of {size}x{size}, {steps(training, size * size)}"
    )
    return Networks(title, tuple(rows))


def _work(
    job: tuple[str, str], *, pictures: "dict[str, Tensor]", training: InrTraining
) -> NetworkRun:
    name, picture = job
    return network_run(name, picture, pictures[picture], training)
