"""What is asked of every point of a design space, and the answer for one."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

from multipede.asic_flow import Constraints
from multipede.cost_model.targets import (
    cell_library,
    power,
    require_options,
    require_target,
    synthesize,
)
from multipede.fpga.devices import DEVICES
from multipede.golden.number_format import require_range, require_type
from multipede.golden.source_files import OWN, source_digest
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.verilog import rtl_key
from multipede.toolchain import find, key
from multipede.toolchain.cost import Cost

__all__ = ["PREDICTED", "Answer", "Question", "described"]

PREDICTED = "predicted"
"""the option of questions whose answers are predictions"""

_SOURCES = ("sim", "asic_flow", "fpga", "toolchain", "cost_model/targets.py")
"""what answers come from besides the unit's own code, a plug-in's included"""


@dataclass(frozen=True)
class Question:
    """What is measured of a point.

    Parameters
    ----------
    target : one of :data:`~multipede.cost_model.targets.TARGETS`.
    constraints : as of :func:`~multipede.cost_model.targets.synthesize`. liberty : likewise.
    energy : whether power is simulated too, on cells that have energies.
    records : of the workload.

    Raises
    ------
    TypeError, ValueError
        For an unknown target and what it does not take.
    """

    target: str
    constraints: Constraints | None = None
    liberty: Path | None = None
    energy: bool = False
    records: int = 1000

    at_once: ClassVar[int] = 1
    """points that a worker is given together, more where each takes no time"""

    def __post_init__(self) -> None:
        require_target(self.target)
        require_type("energy", self.energy, bool)
        require_range("records", self.records, 1, 1_000_000)
        given = {"constraints": self.constraints, "liberty": self.liberty}
        require_options([self.target], given | {"dsp": None})
        if self.energy and self.target in (*DEVICES, "gates") and self.liberty is None:
            raise ValueError(f"energy on {self.target}: cells with energies are needed, as of n28")

    @property
    def options(self) -> dict[str, Any]:
        """All but the target, as JSON can hold it; the Liberty file by its content."""
        library = cell_library(self.target, self.liberty)
        content = None
        if isinstance(library, Path):
            content = hashlib.sha256(library.read_bytes()).hexdigest()
        return {
            "constraints": None if self.constraints is None else vars(self.constraints),
            "liberty": content,
            "energy": self.energy,
            "records": self.records if self.energy else None,
        }

    def key(self, spec: Spec) -> str:
        """Of the answer for a point: equal keys have equal answers."""
        options = json.dumps(self.options, sort_keys=True)
        return key(rtl_key(spec, Style.WORD), self.target, options, *_made_by())

    def costs(self, spec: Spec) -> list[Cost]:
        """Measure a point. Raises as :func:`~multipede.cost_model.targets.synthesize` and
        :func:`~multipede.cost_model.targets.power`."""
        given = {"constraints": self.constraints, "liberty": self.liberty}
        found = synthesize(spec, self.target, **given).costs
        if self.energy:
            found += power(spec, self.target, records=self.records, **given).costs
        return found

    def answer(
        self, spec: Spec, *, costs: Sequence[Cost] = (), error: str = "", seconds: float = 0.0
    ) -> "Answer":
        """What became of a point; the error on one line."""
        return Answer(
            key=self.key(spec),
            spec=spec.to_dict(),
            fingerprint=spec.fingerprint,
            target=self.target,
            options=self.options,
            costs=tuple(costs),
            error=" ".join(error.split()),
            seconds=seconds,
        )


@cache
def _made_by() -> tuple[str, str]:
    """The tool and the sources that answers come from."""
    return find("yosys").identity, source_digest(OWN, *_SOURCES)


@dataclass(frozen=True)
class Answer:
    """What is known of a point.

    Attributes
    ----------
    key : as of :meth:`Question.key`. spec : the point, as of :meth:`Spec.to_dict`.
    fingerprint : of the specification. target, options : of the question.
    costs : figures. error : why there are none; empty else. seconds : that it took.
    lasts : whether it is one of the point; else it was its worker that failed, and the point is
        asked for again another time.
    """

    key: str
    spec: Mapping[str, Any]
    fingerprint: str
    target: str
    options: Mapping[str, Any]
    costs: tuple[Cost, ...]
    error: str
    seconds: float
    lasts: bool = True

    @property
    def point(self) -> str:
        """The specification as text; of units, too, that there are no more."""
        return described(self.spec)

    @cached_property
    def asked(self) -> str:
        """The options as text: answers for one point and target with equal ones are to the same
        question, whatever code gave them."""
        return json.dumps(self.options, sort_keys=True)


def described(value: Any) -> Any:
    """A specification's description as text, and a parameter's value as it is."""
    if not isinstance(value, Mapping):
        return value
    parameters = value["parameters"].items()
    each = ", ".join(f"{name}={described(parameter)}" for name, parameter in parameters)
    return f"{value['unit']}({each})"
