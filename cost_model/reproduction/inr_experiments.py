"""What experiments with networks share: pictures, trainings kept in the cache, work in parallel."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from multipede.golden.inr_activations import Activation, activation
from multipede.golden.inr_training import InrTraining
from multipede.golden.number_format import require_range
from multipede.toolchain import ToolError
from multipede.toolchain.cache import subdirectory

if TYPE_CHECKING:
    from torch import Tensor

    from multipede.golden.inr import Inr

__all__ = ["brought", "fitted", "in_parallel", "steps"]


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


def in_parallel(work: Any, jobs: Sequence[Any], workers: int | None) -> list[Any]:
    """Results in order; in this process if there is but one worker."""
    workers = (os.cpu_count() or 1) if workers is None else workers
    require_range("workers", workers, 1, 1024)
    bar = {"desc": "networks", "total": len(jobs), "unit": "network", "disable": None}
    if workers == 1:
        return [work(job) for job in tqdm(jobs, **bar)]
    import torch

    # One thread each: processes are side by side already.
    threads = {"initializer": torch.set_num_threads, "initargs": (1,)}
    with ProcessPoolExecutor(min(workers, len(jobs)), **threads) as pool:
        return list(tqdm(pool.map(work, jobs), **bar))
