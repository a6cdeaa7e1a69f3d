"""A small unit of every name in the catalogue."""

from multipede.golden.catalogue import unit
from multipede.golden.spec import Spec
from multipede.golden.tile import Tile


def small_unit(name: str) -> Spec:
    """The unit with its default parameters, but tiles of two columns and two lanes."""
    kind = unit(name)
    return kind(rows=1, columns=2, lanes=2) if issubclass(kind, Tile) else kind()
