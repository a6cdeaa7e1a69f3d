"""The question that needs no synthesis: what a model tells of every point of a design space."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from multipede.cost_model.predict import predict
from multipede.cost_model.prediction.calibration import calibration_file, read_calibration
from multipede.cost_model.sweeps.question import PREDICTED, Question
from multipede.golden.source_files import OWN, require_unchanged, source_digest
from multipede.golden.spec import Spec
from multipede.toolchain import key
from multipede.toolchain.cost import Cost

__all__ = ["Predicted"]

_SOURCES = (
    *("golden", "hw", "cost_model/predict.py", "cost_model/prediction"),
    "cost_model/sweeps/predicted.py",
)


@dataclass(frozen=True)
class Predicted(Question):
    """What is predicted of a point, see :func:`~multipede.cost_model.predict.predict`.

    Parameters
    ----------
    target : that the package has a calibration for.
    calibration : the file of another one, which is for another target.
    """

    calibration: Path | None = None

    at_once: ClassVar[int] = 64

    def __post_init__(self) -> None:
        if self.calibration is None:
            calibration_file(self.target)

    @property
    def options(self) -> dict[str, Any]:
        return {PREDICTED: _content(self._file)}

    @property
    def _file(self) -> Path:
        return calibration_file(self.target) if self.calibration is None else self.calibration

    def key(self, spec: Spec) -> str:
        kinds = _kinds(spec)
        return key(spec.fingerprint, self.target, json.dumps(self.options), _made_by(kinds))

    def costs(self, spec: Spec) -> Sequence[Cost]:
        """Of the figures, and how many measures of the unit are outside of the calibration."""
        found = predict(spec, calibration=read_calibration(self._file))
        outside = replace(
            found.costs[0],
            quantity="outside",
            value=len(found.outside),
            unit="measures",
            relative_error=None,
        )
        return [*found.costs, outside]


def _content(file: Path) -> str:
    """Digest of a file, which may be written anew between two sweeps."""
    state = file.stat()
    return _digest(file, state.st_mtime_ns, state.st_size)


@cache
def _digest(file: Path, *state: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _kinds(spec: Spec) -> tuple[type[Spec], ...]:
    """Of a specification and its parts."""
    return (type(spec), *(kind for part in spec.parts for kind in _kinds(part)))


@cache
def _made_by(kinds: tuple[type[Spec], ...]) -> str:
    """The code that predicts units of these kinds, that of plug-ins included; once in a process,
    as it is asked for thousands of times."""
    modules = [module for kind in kinds for module in (kind.__module__, kind.hardware_module)]
    packages = {module.partition(".")[0] for module in modules}
    digests = [source_digest(package) for package in sorted(packages - {OWN})]
    require_unchanged()
    return key(source_digest(OWN, *_SOURCES), *digests)
