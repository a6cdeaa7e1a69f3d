"""What the two stateless steps of BitMoD's processing element have in common."""

from dataclasses import dataclass
from typing import ClassVar

from multipede.golden.bitmod_formats import require_lanes
from multipede.golden.number_format import require_range
from multipede.golden.rounded_operation import MAXIMUM_STAGES
from multipede.golden.spec import Kind, Spec

__all__ = ["BitModStep"]


@dataclass(frozen=True, kw_only=True)
class BitModStep(Spec):
    """Lanes side by side, and register ranks behind them.

    Parameters
    ----------
    lanes : products side by side, 1 to 16.
    stages : register ranks between input and output, 0 to 12; the last one is the output's.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed.
    """

    kind: ClassVar[Kind] = Kind.PART

    lanes: int = 4
    stages: int = 1

    def __post_init__(self):
        require_lanes(self.lanes)
        require_range("stages", self.stages, 0, MAXIMUM_STAGES)

    @property
    def latency(self) -> int:
        """As many clocks as there are register ranks."""
        return self.stages
