"""Which synthesis scripts a search may try."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from multipede.asic_flow.mapping.map_to_cells import Recipe, Script

__all__ = ["SPACE", "RecipeSpace"]

_STEPS = (
    "balance",
    "rewrite",
    "rewrite -z",
    "refactor",
    "refactor -z",
    "resub -K 6",
    "resub -K 8 -N 2",
    "resub -K 12 -N 2",
    "dc2",
    "drw",
    "drf",
    "drwsat",
    "orchestrate",
    "dch",
    "if -g -K 6",
    "&get -n; &b; &put",
    "&get -n; &dc2; &put",
    "&get -n; &syn2; &put",
    "&get -n; &dch -f; &put",
    # On networks of look-up tables only: on cells mfs2 crashes ABC.
    "if -K 6 -a; mfs2 -a -e; strash",
    "if -K 5; mfs2; strash",
    "logic; sop; fx; strash",
)
_CHOICES = ("", "dch", "dch -f", "&get -n; &synch2; &put")
_MAPPERS = (
    "map -a -B 0.9",
    "map -a -B 0.5",
    "map -a",
    "map -B 0.9",
    "map -B 0.5",
    "map",
    "amap",
    "amap -m",
    "amap -i",
    "&get -n; &nf; &put",
    "&get -n; &nf -p; &put",
)


@dataclass(frozen=True)
class RecipeSpace:
    """Scripts of the form: begin; up to ``length`` steps; choices; mapper; order.

    Parameters
    ----------
    steps : commands of ABC that make a network smaller or shorter.
    length : how many of them at most, 1 or more.
    choices : commands that collect alternatives for the mapper; ``""`` for none.
    mappers : commands that make cells of it.
    """

    steps: Sequence[str] = _STEPS
    length: int = 8
    choices: Sequence[str] = _CHOICES
    mappers: Sequence[str] = _MAPPERS
    _places: Mapping[str, Sequence[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"length = {self.length}: 1 or more is needed")
        for name in ("steps", "choices", "mappers"):
            if not getattr(self, name):
                raise ValueError(f"{name}: at least one command is needed")
        places = {f"step {number}": ("", *self.steps) for number in range(1, self.length + 1)}
        places |= {"choices": tuple(self.choices), "mapper": tuple(self.mappers)}
        object.__setattr__(self, "_places", MappingProxyType(places))

    @property
    def places(self) -> Mapping[str, Sequence[str]]:
        """What may stand in each place of a script; ``""`` for nothing."""
        return self._places

    def script(self, point: Mapping[str, str], name: str = "found") -> Script:
        """The script with these commands in its places. ValueError for others than allowed."""
        if list(point) != list(self.places):
            raise ValueError(f"point has {', '.join(point)}: needed are {', '.join(self.places)}")
        for place, command in point.items():
            if command not in self.places[place]:
                raise ValueError(f"{place} = {command!r}: allowed are {self.places[place]}")
        return Script(name, "; ".join(self._commands(list(point.values()))))

    def _commands(self, chosen: Sequence[str]) -> Iterator[str]:
        *steps, choices, mapper = chosen
        yield "strash; ifraig; scorr"
        yield from filter(None, steps)
        yield "strash"
        yield from filter(None, (choices, mapper))
        yield "topo"

    def point(self, steps: Sequence[str], choices: str, mapper: str) -> dict[str, str]:
        """The point of a script of up to ``length`` steps."""
        padded = [*steps, *[""] * (self.length - len(steps))]
        return dict(zip(self.places, [*padded, choices, mapper], strict=True))

    @property
    def default(self) -> dict[str, str] | None:
        """The point of the default recipe for area, if it is one."""
        if {"dc2"} <= set(self.steps) and "dch" in self.choices:
            point = self.point(["dc2"], "dch", "map -a -B 0.9")
            if point["mapper"] in self.mappers and self.script(point).value == Recipe.AREA.value:
                return point
        return None


SPACE = RecipeSpace()
"""What is searched by default: ABC's quick steps, and its mappers for cells. Left out are steps
that end by the clock, so that results would not repeat (``&deepsyn``), that crash (``mfs2`` on
cells), that make arithmetic larger (``&syn3``, ``&syn4``) or that take many seconds (``mfs3``)."""
