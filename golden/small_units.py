"""A small unit of every name in the catalogue: everything can be done to it in minutes."""

from multipede.golden.catalogue import unit
from multipede.golden.fixed_function import FixedFunction
from multipede.golden.formats import FixedPoint
from multipede.golden.inr_network import InrNetwork
from multipede.golden.spec import Spec
from multipede.golden.stallable import Stallable
from multipede.golden.tile import Tile

__all__ = ["small_unit"]

_FUNCTION_BITS = 10
_NETWORK = {
    "first_weight": FixedPoint(6, 2),
    "weight": FixedPoint(6, 4),
    "argument": FixedPoint(10, 8),
    "value": FixedPoint(8, 6),
}


def small_unit(name: str) -> Spec:
    """The unit with its default parameters, but tiles of one row, two columns and two lanes, or as
    few as they take, functions between numbers of ten bits, and networks of one layer of four.

    TypeError, ValueError as of :func:`~multipede.golden.catalogue.unit`.
    """
    kind = unit(name)
    if issubclass(kind, Stallable):
        return kind(inside=small_unit("mixpe"))
    if issubclass(kind, FixedFunction):
        wide = kind()
        return kind(**{name: _narrow(getattr(wide, name)) for name in (*kind.arguments, "result")})
    if issubclass(kind, InrNetwork):
        return kind(width=4, depth=1, lanes=2, **_NETWORK)
    if not issubclass(kind, Tile):
        return kind()
    return kind(rows=1, columns=2, lanes=max(2, kind().least_lanes))


def _narrow(number_format: FixedPoint) -> FixedPoint:
    """Of ten bits, with as many before the point."""
    lost = number_format.bits - _FUNCTION_BITS
    return FixedPoint(_FUNCTION_BITS, number_format.fraction_bits - lost, number_format.signed)
