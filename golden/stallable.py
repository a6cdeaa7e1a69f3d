"""A unit whose results may be left waiting: what stands around units that cannot be stopped."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from multipede.golden.mixpe import MixPE
from multipede.golden.number_format import require_type
from multipede.golden.spec import Kind, Port, Spec

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Stallable(Spec):
    """The same records and results, with ``ready`` on both sides.

    The unit inside goes on while results wait: they are stored, and a record is taken only if
    there is room for its result, too. Nothing is lost, repeated or reordered. Without stalls, pace
    and latency are those of the unit inside.

    Parameters
    ----------
    inside : the specification of a unit whose results must be taken at once.

    Raises
    ------
    TypeError
        If it is no specification.
    ValueError
        If the unit waits for its results to be taken as it is.
    """

    unit: ClassVar[str] = "stallable"
    title: ClassVar[str] = "a unit whose results may wait"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = "credits for records in flight, as in flow control between chips"

    inside: Spec = field(default_factory=MixPE)

    def __post_init__(self):
        require_type("inside", self.inside, Spec)
        if self.inside.stallable:
            raise ValueError(f"inside = {self.inside.unit}: its results may wait as it is")

    @property
    def computation(self) -> Spec:
        """The unit inside."""
        return self.inside.computation

    @property
    def parts(self) -> tuple[Spec, ...]:
        """The unit inside."""
        return (self.inside,)

    @property
    def depth(self) -> int:
        """Records that are under way or wait as results, at the most: as many as a full pace
        needs."""
        return self.inside.latency + 1

    @property
    def inputs(self) -> Mapping[str, Port]:
        """Those of the unit inside."""
        return self.inside.inputs

    @property
    def outputs(self) -> Mapping[str, Port]:
        """Those of the unit inside."""
        return self.inside.outputs

    @property
    def operations(self) -> Mapping[str, int]:
        """Those of the unit inside."""
        return self.inside.operations

    @property
    def latency(self) -> int:
        """That of the unit inside, where nothing waits."""
        return self.inside.latency

    @property
    def initiation_interval(self) -> int:
        """That of the unit inside, where nothing waits."""
        return self.inside.initiation_interval

    @property
    def always_ready(self) -> bool:
        """False: a record may have to wait for room."""
        return False

    @property
    def stallable(self) -> bool:
        """True."""
        return True

    @property
    def keeps_pace(self) -> bool:
        """As the unit inside."""
        return self.inside.keeps_pace

    def record_clocks(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """As of the unit inside."""
        return self.inside.record_clocks(inputs)

    def maximum_results(self, records: int) -> int:
        """As of the unit inside."""
        return self.inside.maximum_results(records)

    def reference(self, state: Any = None, **inputs: "Tensor") -> "tuple[dict[str, Tensor], Any]":
        """That of the unit inside: waiting changes no values."""
        return self.inside.reference(state, **inputs)

    def results_by_record(self, state: Any = None, **inputs: "Tensor") -> "Tensor":
        """That of the unit inside."""
        return self.inside.results_by_record(state, **inputs)

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray] | None:
        """Those of the unit inside."""
        return self.inside.related_records(generator, count)

    def ended(self, records: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """As of the unit inside."""
        return self.inside.ended(records)

    def to_dict(self) -> dict[str, Any]:
        """The description of the unit inside stands among the parameters."""
        return {"unit": self.unit, "parameters": {"inside": self.inside.to_dict()}}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Self:
        """From the name of a unit, which then has its default parameters, or a description."""
        from multipede.golden.catalogue import spec_from_dict, unit

        values = dict(parameters)
        inside = values.get("inside")
        if isinstance(inside, str):
            values["inside"] = unit(inside)()
        elif isinstance(inside, Mapping):
            values["inside"] = spec_from_dict(dict(inside))
        return super().from_parameters(values)

    def __str__(self) -> str:
        return f"{self.unit}({self.inside})"
