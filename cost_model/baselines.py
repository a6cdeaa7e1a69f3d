"""Which units a tile is measured against, so that a ratio shows the idea and nothing else."""

from dataclasses import fields

from multipede.golden.formats import INT8, Integer
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts

__all__ = ["baselines", "equal_accumulator"]

_SHARED = ("activation", "group", "rows", "columns", "lanes", "accumulator", "output", "stages")


def baselines(spec: IntegerTile) -> dict[str, IntegerTile]:
    """The tile and its baselines by label, the tile first.

    They are tiles of multipliers, Baugh-Wooley and Booth, of the same shape, group, activation,
    accumulator (exact, if the tile's is) and stages, on the same bit heaps: with INT8 weights
    without a zero point, and with the tile's own weights and zero point.

    Raises TypeError for a specification that is no integer tile.
    """
    if not isinstance(spec, IntegerTile):
        raise TypeError(f"there are baselines for integer tiles only, not for {spec}")
    found = {_label(spec): spec}
    for weight, zero_point in ((INT8, False), (spec.weight, spec.zero_point)):
        for partial_products in PartialProducts:
            other = MultiplierTile(
                weight=weight,
                zero_point=zero_point,
                partial_products=partial_products,
                **{name: getattr(spec, name) for name in _SHARED},
            )
            if other != spec:
                found[_label(other)] = other
    return found


def equal_accumulator(specs: dict[str, IntegerTile]) -> dict[str, IntegerTile]:
    """The same tiles with one accumulator that is wide enough for all, INT32 or wider."""
    widest = max(
        spec.exact_accumulator.bits + (not spec.exact_accumulator.signed) for spec in specs.values()
    )
    accumulator = Integer(max(32, widest))
    return {
        label: type(spec)(
            **{f.name: getattr(spec, f.name) for f in fields(spec)} | {"accumulator": accumulator}
        )
        for label, spec in specs.items()
    }


def _label(spec: IntegerTile) -> str:
    zero_point = ", zero point" if spec.zero_point else ""
    formats = f"{spec.weight} x {spec.activation}"
    rows = f", {spec.partial_products.value}" if isinstance(spec, MultiplierTile) else ""
    return f"{spec.unit} {formats}{rows}{zero_point}"
