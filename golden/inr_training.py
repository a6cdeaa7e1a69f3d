"""Fitting a network to colours at coordinates, with a file to go on from."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from multipede.golden.inr import MAXIMUM_HIDDEN, MAXIMUM_LAYERS, Inr, psnr
from multipede.golden.inr_activations import Activation
from multipede.golden.number_format import require_range, require_type

__all__ = ["InrTraining", "fit_inr", "reached"]


@dataclass(frozen=True, kw_only=True)
class InrTraining:
    """How a network is fitted: Adam, its rate falling by half a cosine to a tenth.

    Parameters
    ----------
    iterations : steps. batch : coordinates of a step, None for all.
    learning_rate : None for the activation's own. seed : of weights and batches.
    hidden, layers : of the network, as of :class:`~multipede.golden.inr.Inr`.
    every : steps between two states in the file to go on from.
    """

    iterations: int = 1000
    batch: int | None = None
    learning_rate: float | None = None
    seed: int = 1
    hidden: int = 64
    layers: int = 3
    every: int = 200

    def __post_init__(self):
        require_range("iterations", self.iterations, 1, 10**7)
        require_range("hidden", self.hidden, 1, MAXIMUM_HIDDEN)
        require_range("layers", self.layers, 1, MAXIMUM_LAYERS)
        require_range("every", self.every, 1, 10**7)
        require_range("seed", self.seed, 0, 2**31 - 1)
        if self.batch is not None:
            require_range("batch", self.batch, 1, 2**31 - 1)
        if self.learning_rate is not None:
            require_type("learning_rate", self.learning_rate, float)
            if not 0 < self.learning_rate < 1:
                raise ValueError(f"learning_rate = {self.learning_rate}: more than 0, less than 1")


def fit_inr(
    activation: Activation,
    coordinates: Tensor,
    colours: Tensor,
    training: InrTraining | None = None,
    *,
    checkpoint: Path | None = None,
    label: str = "",
) -> Inr:
    """A network fitted to ``colours`` (n, outputs) at ``coordinates`` (n, inputs).

    With ``checkpoint`` its state is written there now and then, by a rename; a run with the same
    arguments goes on from it, to the same result, and one whose run had ended starts nothing. A
    progress bar on a terminal.

    Raises
    ------
    TypeError, ValueError
        For shapes that do not go together, and a checkpoint that is none or of other arguments.
    """
    training = InrTraining() if training is None else training
    if coordinates.dim() != 2 or colours.dim() != 2 or len(coordinates) != len(colours):
        raise ValueError(
            f"coordinates {tuple(coordinates.shape)} and colours {tuple(colours.shape)}:"
            " (n, inputs) and (n, outputs) are needed"
        )
    if not len(coordinates):
        raise ValueError("coordinates is empty: at least one is needed")
    run = _Run(activation, coordinates, colours, training)
    if checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint)
    steps = range(run.done, training.iterations)
    bar = tqdm(steps, desc=label or activation.name, unit="step", leave=False, disable=None)
    for step in bar:
        run.step()
        last = step + 1 == training.iterations
        if checkpoint is not None and (last or (step + 1) % training.every == 0):
            run.save(checkpoint)
    return run.network


class _Run:
    """A network, its optimiser and how far they are."""

    def __init__(
        self, activation: Activation, coordinates: Tensor, colours: Tensor, training: InrTraining
    ):
        self._coordinates, self._colours, self._training = coordinates, colours, training
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            self.network = Inr(
                activation,
                inputs=coordinates.shape[1],
                hidden=training.hidden,
                layers=training.layers,
                outputs=colours.shape[1],
            ).to(coordinates.device)
        self._generator = torch.Generator().manual_seed(training.seed)
        rate = training.learning_rate or activation.learning_rate
        self._optimiser = torch.optim.Adam(self.network.parameters(), lr=rate)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
            self._optimiser, training.iterations, eta_min=rate / 10
        )
        self.done = 0

    @property
    def _identity(self) -> str:
        """Of everything that decides the result."""
        activation = self.network.activation
        digest = hashlib.sha256(repr((activation.name, activation.scales)).encode())
        digest.update(repr((self._training, activation.learning_rate)).encode())
        for tensor in (self._coordinates, self._colours):
            digest.update(repr(tensor.shape).encode() + tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    def step(self) -> None:
        """One step of the optimiser."""
        coordinates, colours, batch = self._coordinates, self._colours, self._training.batch
        if batch is not None and batch < len(coordinates):
            chosen = torch.randint(len(coordinates), (batch,), generator=self._generator)
            coordinates, colours = coordinates[chosen], colours[chosen]
        self._optimiser.zero_grad(set_to_none=True)
        loss = ((self.network(coordinates) - colours) ** 2).mean()
        loss.backward()
        self._optimiser.step()
        self._schedule.step()
        self.done += 1

    def save(self, path: Path) -> None:
        """Everything that the next step needs."""
        state = {
            "identity": self._identity,
            "done": self.done,
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "generator": self._generator.get_state(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            torch.save(state, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def restore(self, path: Path) -> None:
        """Go on from there."""
        state = _loaded(path)
        if state.get("identity") != self._identity:
            raise ValueError(
                f"checkpoint = {path}: it is of another network, other colours or another training"
            )
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._generator.set_state(state["generator"])
        self.done = state["done"]


def _loaded(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, weights_only=True)
    except Exception as error:  # torch raises whatever the file makes it meet
        raise ValueError(f"checkpoint = {path}: it cannot be read: {error}") from None
    if not isinstance(state, dict):
        raise ValueError(f"checkpoint = {path}: it is no state of a training")
    return state


def reached(network: Inr, coordinates: Tensor, colours: Tensor) -> float:
    """The network's PSNR in dB."""
    with torch.no_grad():
        return psnr(network(coordinates), colours)
