"""Families of units that calibrations are made of: design spaces, a file for each family."""

from pathlib import Path

from multipede.cost_model.sweeps.space import Space, read_spaces
from multipede.golden.spec import Spec

__all__ = ["FAMILIES", "family_points", "read_families"]

FAMILIES = Path(__file__).with_name("families")


def read_families(place: Path = FAMILIES) -> dict[str, list[Space]]:
    """Family -> its spaces, from files ``FAMILY.toml`` as
    :func:`~multipede.cost_model.sweeps.space.read_spaces` reads them.

    ValueError for a directory without any, a file that is none, and a unit in two families.
    """
    files = sorted(Path(place).glob("*.toml"))
    if not files:
        raise ValueError(f"{place}: files FAMILY.toml with design spaces are needed")
    found = {file.stem: read_spaces(file) for file in files}
    homes: dict[str, str] = {}
    for family, spaces in found.items():
        for space in spaces:
            if homes.setdefault(space.unit, family) != family:
                raise ValueError(f"{space.unit} is in {homes[space.unit]} and in {family}")
    return found


def family_points(spaces: list[Space], points: int, seed: int) -> list[Spec]:
    """Of each space so many random points, and that which the unit's defaults make if it meets the
    conditions."""
    specs = [spec for space in spaces for spec in space.sample(points, seed)]
    specs += [space.spec({}) for space in spaces]
    return list({spec.fingerprint: spec for spec in specs if spec is not None}.values())
