"""A small unit of every name in the catalogue: everything can be done to it in minutes."""

from multipede.golden.catalogue import unit
from multipede.golden.spec import Spec
from multipede.golden.stallable import Stallable
from multipede.golden.tile import Tile

__all__ = ["small_unit"]


def small_unit(name: str) -> Spec:
    """The unit with its default parameters, but tiles of one row, two columns and two lanes.

    TypeError, ValueError as of :func:`~multipede.golden.catalogue.unit`.
    """
    kind = unit(name)
    if issubclass(kind, Stallable):
        return kind(inside=small_unit("mixpe"))
    return kind(rows=1, columns=2, lanes=2) if issubclass(kind, Tile) else kind()
