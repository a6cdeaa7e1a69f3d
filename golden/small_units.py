"""A small unit of every name in the catalogue: everything can be done to it in minutes."""

from multipede.golden.catalogue import unit
from multipede.golden.fixed_function import FixedFunction
from multipede.golden.formats import FixedPoint
from multipede.golden.spec import Spec
from multipede.golden.stallable import Stallable
from multipede.golden.tile import Tile

__all__ = ["small_unit"]

_FUNCTION_BITS = 10


def small_unit(name: str) -> Spec:
    """The unit with its default parameters, but tiles of one row, two columns and two lanes, or as
    few as they take, and functions between numbers of ten bits.

    TypeError, ValueError as of :func:`~multipede.golden.catalogue.unit`.
    """
    kind = unit(name)
    if issubclass(kind, Stallable):
        return kind(inside=small_unit("mixpe"))
    if issubclass(kind, FixedFunction):
        wide = kind()
        return kind(**{name: _narrow(getattr(wide, name)) for name in (*kind.arguments, "result")})
    if not issubclass(kind, Tile):
        return kind()
    return kind(rows=1, columns=2, lanes=max(2, kind().least_lanes))


def _narrow(number_format: FixedPoint) -> FixedPoint:
    """Of ten bits, with as many before the point."""
    lost = number_format.bits - _FUNCTION_BITS
    return FixedPoint(_FUNCTION_BITS, number_format.fraction_bits - lost, number_format.signed)
