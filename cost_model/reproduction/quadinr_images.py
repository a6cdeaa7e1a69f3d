"""Images and a video out of networks whose activations the RTL computes."""

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from multipede.cost_model.parallel_jobs import in_parallel
from multipede.cost_model.reproduction.inr_experiments import brought, fitted, jobs_of, steps
from multipede.cost_model.reproduction.quadinr_costs import published_quadinr
from multipede.golden.images import IMAGES, TUNING_IMAGE, image, video
from multipede.golden.inr_activations import ACTIVATIONS, activation
from multipede.golden.inr_training import InrTraining
from multipede.sim.compiled import compile_model
from multipede.toolchain import ToolError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Fidelity", "Pictures", "fidelity", "images", "moving_images", "tuning"]

QUADINR = "QuadINR"
RATES = (0.25, 0.5, 1.0, 2.0)
SCALES = (0.5, 1.0, 2.0)
"""multiples of an activation's own that ``tuning`` tries"""


@dataclass(frozen=True)
class Fidelity:
    """One network.

    Attributes
    ----------
    activation, picture : which. parameters : weights and biases.
    float_psnr, quantised_psnr, rtl_psnr : dB, of the network as trained, in fixed point by the
        references, and with all activations from the RTL.
    equal : whether the RTL's colours are the reference's to the bit.
    activations : how many the RTL computed. rtl_seconds : for the whole picture, model compiled.
    arguments : formats of the activations' arguments.
    """

    activation: str
    picture: str
    parameters: int
    float_psnr: float
    quantised_psnr: float
    rtl_psnr: float
    equal: bool
    activations: int
    rtl_seconds: float
    arguments: str


@dataclass(frozen=True)
class Pictures:
    """All networks of an experiment.

    Attributes
    ----------
    title : what was measured. rows : activation by activation. notes : the conditions and claims.
    colours : (activation, picture) -> what the RTL made of it, (..., 3), -1 to 1.
    """

    title: str
    rows: tuple[Fidelity, ...]
    notes: tuple[str, ...]
    colours: "Mapping[tuple[str, str], Tensor]"

    @property
    def errors(self) -> list[str]:
        """Where the RTL and the reference differ."""
        return [
            f"{row.activation}, {row.picture}: RTL and reference differ"
            for row in self.rows
            if not row.equal
        ]

    def gain(self, name: str) -> float:
        """Mean dB that QuadINR's RTL has more than another activation's."""
        by_name = {
            who: [row.rtl_psnr for row in self.rows if row.activation == who]
            for who in (QUADINR, name)
        }
        return sum(by_name[QUADINR]) / len(by_name[QUADINR]) - sum(by_name[name]) / len(
            by_name[name]
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "title": self.title,
            "rows": [asdict(row) for row in self.rows],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        pictures = list(dict.fromkeys(row.picture for row in self.rows))
        head = "".join(f"{picture:>25}" for picture in pictures)
        ways = f"{'float':>11}{'fixed':>7}{'RTL':>7}" * len(pictures)
        lines = [self.title, "", f"{'':9}{'':11}{head}", f"{'PSNR, dB':9}{'parameters':>11}{ways}"]
        names = list(dict.fromkeys(row.activation for row in self.rows))
        for name in names:
            rows = [row for row in self.rows if row.activation == name]
            line = f"{name:9}{rows[0].parameters:11,}"
            for row in rows:
                line += f"{row.float_psnr:11.2f}{row.quantised_psnr:7.2f}{row.rtl_psnr:7.2f}"
            lines.append(line)
        lines.append("")
        others = [name for name in names if name != QUADINR]
        if QUADINR in names and others:
            gains = ", ".join(f"{name} {self.gain(name):+.2f}" for name in others)
            lines.append(f"mean gain of QuadINR in the RTL, dB: {gains}")
        slowest = max(self.rows, key=lambda row: row.rtl_seconds)
        lines.append(
            f"activations in the RTL: {slowest.activations:,} of a picture, in"
            f" {slowest.rtl_seconds:.1f} s at most; equal to the reference's in all"
            f" {len(self.rows)} pictures"
            if not self.errors
            else "RTL and reference differ"
        )
        return "\n".join([*lines, *self.notes, *self.errors])

    def draw(self) -> bytes:
        """The RTL's pictures side by side, as PNG; of a video its middle frame.

        Raises ToolError without matplotlib.
        """
        try:
            from matplotlib.figure import Figure
        except ModuleNotFoundError:
            raise ToolError("pictures need matplotlib: pip install matplotlib") from None
        pictures = list(dict.fromkeys(row.picture for row in self.rows))
        names = list(dict.fromkeys(row.activation for row in self.rows))
        figure = Figure(figsize=(2.2 * len(pictures), 2.4 * len(names)), layout="constrained")
        axes = figure.subplots(len(names), len(pictures), squeeze=False)
        for row in self.rows:
            axis = axes[names.index(row.activation)][pictures.index(row.picture)]
            colours = self.colours[row.activation, row.picture]
            while colours.dim() > 3:
                colours = colours[len(colours) // 2]
            axis.imshow(((colours.clamp(-1, 1) + 1) / 2).numpy())
            axis.set_title(f"{row.activation} {row.rtl_psnr:.2f} dB", fontsize=8)
            axis.axis("off")
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=120)
        return stream.getvalue()


def fidelity(
    name: str,
    picture: str,
    colours: "Tensor",
    training: InrTraining,
    *,
    bits: int = 16,
    weight_bits: int = 12,
) -> "tuple[Fidelity, Tensor]":
    """Fit a network to ``colours`` (sizes..., 3), quantise it, and compute it with the RTL.

    Networks are kept in the cache, and a training that was broken off goes on from there. Returns
    the figures and the RTL's colours. Raises ValueError for an unknown activation, and ToolError
    as :func:`~multipede.sim.compiled.compile_model`.
    """

    from multipede.golden.inr import psnr
    from multipede.golden.inr_training import reached
    from multipede.golden.quantised_inr import QuantisedInr

    network, coordinates, wanted = fitted(name, picture, colours, training)
    quantised = QuantisedInr.of(network, coordinates, bits=bits, weight_bits=weight_bits)
    model = compile_model(quantised.unit)
    by_reference = quantised(coordinates)
    begin = time.perf_counter()
    by_rtl = quantised(coordinates, lambda **codes: model.run(codes)["y"])
    seconds = time.perf_counter() - begin
    row = Fidelity(
        name,
        picture,
        network.parameter_count,
        reached(network, coordinates, wanted),
        psnr(by_reference, wanted),
        psnr(by_rtl, wanted),
        bool((by_rtl == by_reference).all()),
        len(coordinates) * network.last.in_features * training.layers,
        seconds,
        ", ".join(argument.name for argument in quantised.arguments),
    )
    return row, by_rtl.reshape(colours.shape)


def images(
    *,
    names: Sequence[str] = IMAGES,
    activations: Sequence[str] = tuple(a.name for a in ACTIVATIONS),
    size: int = 128,
    training: InrTraining | None = None,
    workers: int | None = None,
) -> Pictures:
    """Every activation on every image: PSNR of the trained network, in fixed point and in RTL.

    Parameters
    ----------
    names, size : of images. activations : by name. training : None for that of the README.
    workers : processes side by side; None for one per processor.

    Raises
    ------
    TypeError, ValueError
        For unknown names and sizes out of range. ToolError if something is missing.
    """
    training = InrTraining(batch=4096) if training is None else training
    pictures = {name: brought(image, name, size) for name in names}
    return _pictures(
        f"images of {size}x{size} by networks of {training.layers} layers of {training.hidden}"
        f" units, {steps(training, size * size)}",
        pictures,
        activations,
        training,
        workers,
    )


def moving_images(
    *,
    name: str = IMAGES[0],
    activations: Sequence[str] = tuple(a.name for a in ACTIVATIONS),
    frames: int = 16,
    size: int = 128,
    training: InrTraining | None = None,
    workers: int | None = None,
) -> Pictures:
    """The same of a video: a window that moves and zooms on an image, as in :func:`images`."""
    training = InrTraining(batch=16384) if training is None else training
    return _pictures(
        f"video of {frames} frames of {size}x{size} by networks of {training.layers} layers of"
        f" {training.hidden} units, {steps(training, frames * size * size)}",
        {f"{name}, moving": brought(video, name, frames, size)},
        activations,
        training,
        workers,
    )


def _pictures(
    title: str,
    pictures: "Mapping[str, Tensor]",
    activations: Sequence[str],
    training: InrTraining,
    workers: int | None,
) -> Pictures:
    jobs = jobs_of(activations, pictures)
    work = partial(_work, pictures=dict(pictures), training=training)
    found = dict(zip(jobs, in_parallel(work, jobs, workers, what="network"), strict=True))
    return Pictures(
        title,
        tuple(row for row, _ in found.values()),
        notes=_notes(training),
        colours={job: colours for job, (_, colours) in found.items()},
    )


def _work(
    job: tuple[str, str], *, pictures: "Mapping[str, Tensor]", training: InrTraining
) -> "tuple[Fidelity, Tensor]":
    name, picture = job
    return fidelity(name, picture, pictures[picture], training)


def tuning(
    *,
    activations: Sequence[str] = tuple(a.name for a in ACTIVATIONS),
    size: int = 64,
    training: InrTraining | None = None,
    workers: int | None = None,
) -> "Tuning":
    """Multiples of each activation's scales and learning rate, on an image of no experiment."""
    training = InrTraining(iterations=500, hidden=32, layers=2) if training is None else training
    known = [activation(name).name for name in activations]
    jobs = [(name, scale, rate) for name in known for scale in SCALES for rate in RATES]
    work = partial(_tuned, colours=brought(image, TUNING_IMAGE, size), training=training)
    found = dict(zip(jobs, in_parallel(work, jobs, workers, what="network"), strict=True))
    return Tuning(size, training, found)


def _tuned(job: tuple[str, float, float], *, colours: "Tensor", training: InrTraining) -> float:

    from multipede.golden.inr import equal_width, grid
    from multipede.golden.inr_training import fit_inr, reached

    name, scale, rate = job
    chosen = activation(name)
    chosen = replace(chosen, scales=tuple(scale * own for own in chosen.scales))
    training = replace(
        training,
        hidden=equal_width(chosen, training.hidden),
        learning_rate=rate * chosen.learning_rate,
    )
    coordinates, wanted = grid(*colours.shape[:-1]), colours.reshape(-1, colours.shape[-1])
    return reached(fit_inr(chosen, coordinates, wanted, training), coordinates, wanted)


@dataclass(frozen=True)
class Tuning:
    """PSNR in dB by activation, multiple of its scales and multiple of its learning rate."""

    size: int
    training: InrTraining
    found: Mapping[tuple[str, float, float], float]

    @property
    def errors(self) -> list[str]:
        """None."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        names = ("activation", "scale", "rate", "psnr")
        return {"rows": [dict(zip(names, (*k, v), strict=True)) for k, v in self.found.items()]}

    def __str__(self) -> str:
        head = "".join(f"{f'rate x{rate:g}':>11}" for rate in RATES)
        lines = [
            f"{TUNING_IMAGE} of {self.size}x{self.size}, {self.training.iterations} steps:"
            " PSNR in dB by multiples of what the experiments use",
            "",
            f"{'':9}{'scale':>7}{head}",
        ]
        for name in dict.fromkeys(job[0] for job in self.found):
            for scale in SCALES:
                values = [self.found[name, scale, rate] for rate in RATES]
                cells = "".join(f"{value:11.2f}" for value in values)
                lines.append(f"{name:9}{f'x{scale:g}':>7}{cells}")
        return "\n".join(lines)


def _notes(training: InrTraining) -> tuple[str, ...]:
    claim = published_quadinr()
    return (
        "float: as trained; fixed: weights of 12 bits, arguments and results of activations of 16,"
        " by the references; RTL: with every activation from the Verilated unit",
        f"networks of WIRE, with two maps a layer, are narrower for about equal parameters; Adam,"
        f" seed {training.seed}; rates, and the scales of Gauss and sinc, chosen on another image"
        " (reproduce quadinr tuning)",
        f"published ({claim['source']}): PSNR up to {claim['psnr_gain']} dB above activations"
        " before it; networks, images and training unknown",
    )
