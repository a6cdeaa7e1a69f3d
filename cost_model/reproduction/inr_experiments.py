"""What experiments with networks share: pictures, and trainings kept in the cache."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multipede.golden.inr_activations import Activation, activation
from multipede.golden.inr_training import InrTraining
from multipede.toolchain import ToolError
from multipede.toolchain.cache import subdirectory

if TYPE_CHECKING:
    from torch import Tensor

    from multipede.golden.inr import Inr

__all__ = ["brought", "fitted", "jobs_of", "steps"]


def fitted(
    name: str, picture: str, colours: "Tensor", training: InrTraining
) -> "tuple[Inr, Tensor, Tensor]":
    """A network of the activation ``name`` fitted to ``colours`` (sizes..., channels).

    Its width is that at which it has about as many parameters as others. Networks are kept in the
    cache, and a training that was broken off goes on from there. Returns the network, and the
    coordinates (n, dimensions) and colours (n, channels) it was fitted to. ValueError for an
    unknown activation.
    """
    from multipede.golden.inr import equal_width, grid
    from multipede.golden.inr_training import fit_inr

    chosen = activation(name)
    coordinates, wanted = grid(*colours.shape[:-1]), colours.reshape(-1, colours.shape[-1])
    training = replace(training, hidden=equal_width(chosen, training.hidden))
    checkpoint = _checkpoint(chosen, picture, wanted, training)
    label = f"{name}, {picture}"
    network = fit_inr(chosen, coordinates, wanted, training, checkpoint=checkpoint, label=label)
    return network, coordinates, wanted


def jobs_of(activations: Sequence[str], pictures: Sequence[str]) -> list[tuple[str, str]]:
    """Every activation, by its own name, with every picture.

    Raises ValueError for an unknown activation, and if there are none of either.
    """
    for given, what in ((pictures, "names"), (activations, "activations")):
        if not given:
            raise ValueError(f"{what} is empty: at least one is needed")
    known = [activation(name).name for name in activations]
    return [(name, picture) for name in known for picture in pictures]


def steps(training: InrTraining, pixels: int) -> str:
    """How long networks are trained, in words."""
    batch = pixels if training.batch is None else min(training.batch, pixels)
    return f"{training.iterations:,} steps of {batch:,} pixels"


def _checkpoint(chosen: Activation, picture: str, colours: "Tensor", training: InrTraining) -> Path:
    """Where the network's state is kept."""
    identity = (chosen.name, chosen.scales, chosen.learning_rate, picture, training)
    digest = hashlib.sha256(repr(identity).encode() + colours.numpy().tobytes()).hexdigest()
    return subdirectory("inr") / f"{digest}.pt"


def brought(make: "Callable[..., Tensor]", *arguments: Any) -> "Tensor":
    """An image or a video. ToolError without the package that has the images."""
    try:
        return make(*arguments)
    except ModuleNotFoundError as error:
        raise ToolError(str(error)) from None
