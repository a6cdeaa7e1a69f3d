"""A measured figure beside the figure that it must reach."""

from dataclasses import dataclass

__all__ = ["Target"]


@dataclass(frozen=True)
class Target:
    """``value`` must be at most (or, with ``at_least``, at least) ``limit``."""

    name: str
    value: float
    limit: float
    unit: str
    method: str
    at_least: bool = False

    @property
    def reached(self) -> bool:
        """Whether the figure is on the right side of its limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        relation = ">=" if self.at_least else "<="
        state = "reached" if self.reached else "MISSED"
        figure = f"{self.value:.4g} {self.unit}"
        return f"{state:8} {self.name:58} {figure:>18}  {relation} {self.limit:g}  ({self.method})"
