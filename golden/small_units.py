"""A small unit of every name in the catalogue: everything can be done to it in minutes."""

from multipede.golden.catalogue import unit
from multipede.golden.spec import Spec
from multipede.golden.stallable import Stallable
from multipede.golden.tile import Tile

__all__ = ["small_unit"]


def small_unit(name: str) -> Spec:
    """The unit with its default parameters, but tiles of one row, two columns and two lanes, or as
    few as they take.

    TypeError, ValueError as of :func:`~multipede.golden.catalogue.unit`.
    """
    kind = unit(name)
    if issubclass(kind, Stallable):
        return kind(inside=small_unit("mixpe"))
    if not issubclass(kind, Tile):
        return kind()
    return kind(rows=1, columns=2, lanes=max(2, kind().least_lanes))
