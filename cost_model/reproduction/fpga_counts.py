"""What a unit takes of families of FPGAs, as experiments tell it."""

from collections.abc import Mapping, Sequence

from multipede.fpga import resources
from multipede.golden.spec import Spec

__all__ = ["columns", "counts", "heading"]


def counts(spec: Spec, families: Sequence[str]) -> dict[str, dict[str, int]]:
    """Family -> LUT, FF and DSP. Raises as :func:`~multipede.fpga.resources.resources`."""
    taken = {family: resources(spec, family) for family in families}
    return {family: {"lut": t.lut, "ff": t.ff, "dsp": t.dsp} for family, t in taken.items()}


def heading(families: Sequence[str]) -> str:
    """Above :func:`columns`."""
    return "".join(f"{f'{family} LUT':>11}{'FF':>6}{'DSP':>5}" for family in families)


def columns(taken: Mapping[str, Mapping[str, int]], families: Sequence[str]) -> str:
    """A row's counts."""
    chosen = map(taken.__getitem__, families)
    return "".join(f"{each['lut']:11,}{each['ff']:6,}{each['dsp']:5}" for each in chosen)
