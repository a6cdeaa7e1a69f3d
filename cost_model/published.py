"""Published areas with their conditions, read from a table and checked."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any

from multipede.asic_flow.n28.corner import Corner

__all__ = ["Origin", "Point", "PointKind", "WrapperRegister", "published_points", "read_points"]


class PointKind(Enum):
    """What is done with a published figure."""

    BLOCK = "block"
    """synthesised again"""
    SUM = "sum"
    """of blocks"""
    LISTED = "listed"
    """not synthesised again"""


class WrapperRegister(Enum):
    """What the registers around a block can do."""

    RESET = "reset"
    ENABLE_AND_RESET = "enable and reset"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A publication, and the conditions of its figures.

    Attributes
    ----------
    source, technology, corner, tool : in words; "not stated" for what it leaves out.
    n28 : the corner of n28 that comes closest, None if the corner is not stated.
    clock : ns, None if it is not stated.
    nand2 : um2 of NAND2_X1 in the library that these figures are compared with; None for figures of
        28 nm. library : its name.
    """

    source: str
    technology: str
    corner: str
    tool: str
    n28: Corner | None = None
    clock: float | None = None
    nand2: float | None = None
    library: str = ""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A published figure.

    Attributes
    ----------
    number : in the project's list of points. name, contains : what it is.
    area, with_registers : um2; the latter with the registers of the authors' wrapper. power : mW.
    unit, parameters : our unit that it is synthesised as; adder_bits : of a bare adder instead.
    behind : whether the wrapper has registers behind the block, too. register : their kind.
    released : whether the authors' RTL has defects that our unit does not: then both are
        synthesised. mends : what is mended. mend_clock : ns that both hold.
    blocks : names of the points that it is the sum of.
    reason : why it is not synthesised again.
    note : what explains a difference.
    """

    number: int
    name: str
    kind: PointKind
    origin: Origin
    contains: str
    area: float
    with_registers: float | None = None
    power: float | None = None
    unit: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    adder_bits: int | None = None
    behind: bool = False
    register: WrapperRegister | None = None
    released: bool = False
    mends: str = ""
    mend_clock: float | None = None
    blocks: tuple[str, ...] = ()
    reason: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        needed = {
            PointKind.BLOCK: self.unit is not None or self.adder_bits is not None,
            PointKind.SUM: bool(self.blocks),
            PointKind.LISTED: bool(self.reason),
        }
        if not needed[self.kind]:
            raise ValueError(
                f"{self.name}: a block has a unit or adder_bits, a sum has blocks, what is listed a"
                " reason"
            )
        if not self.area > 0:
            raise ValueError(f"{self.name}: area = {self.area}: more than 0 um2 is needed")
        if self.released and not (self.mends and self.mend_clock):
            raise ValueError(f"{self.name}: of a released block, mends and mend_clock are needed")


@cache
def published_points() -> tuple[Point, ...]:
    """All points of ``published_28nm.toml``, in its order."""
    return read_points(files(__package__).joinpath("published_28nm.toml").read_text())


def read_points(text: str) -> tuple[Point, ...]:
    """The points of such a table.

    Raises ValueError naming the entry for a field that is unknown or missing, an unknown origin,
    kind, corner or block, and for a name that is there twice.
    """
    document = tomllib.loads(text)
    origins = {name: _origin(name, values) for name, values in document["origin"].items()}
    points = tuple(_point(values, origins) for values in document["point"])
    names = [point.name for point in points]
    for point in points:
        if names.count(point.name) > 1:
            raise ValueError(f"{point.name}: is there twice")
        for block in point.blocks:
            if block not in names:
                raise ValueError(f"{point.name}: there is no block {block!r}")
    return points


def _origin(name: str, values: Mapping[str, Any]) -> Origin:
    values = dict(values)
    if "n28" in values:
        known = Corner.__members__
        if values["n28"] not in known:
            raise ValueError(f"{name}: n28 = {values['n28']!r}: allowed are {', '.join(known)}")
        values["n28"] = known[values["n28"]]
    return _made(Origin, name, values)


def _point(values: Mapping[str, Any], origins: Mapping[str, Origin]) -> Point:
    values = dict(values)
    name = values.get("name", "a point without name")
    if values.get("origin") not in origins:
        raise ValueError(
            f"{name}: origin = {values.get('origin')!r}: known are {', '.join(origins)}"
        )
    values["origin"] = origins[values["origin"]]
    values["kind"] = _member(PointKind, name, values.get("kind"))
    if "register" in values:
        values["register"] = _member(WrapperRegister, name, values["register"])
    values["blocks"] = tuple(values.get("blocks", ()))
    return _made(Point, name, values)


def _member(kind: type[Enum], name: str, value: Any) -> Enum:
    known = [member.value for member in kind]
    if value not in known:
        raise ValueError(f"{name}: {value!r}: allowed are {', '.join(known)}")
    return kind(value)


def _made(kind: type, name: str, values: Mapping[str, Any]) -> Any:
    unknown = set(values) - {each.name for each in fields(kind)}
    if unknown:
        raise ValueError(f"{name}: there is no field {', '.join(sorted(unknown))}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from None
