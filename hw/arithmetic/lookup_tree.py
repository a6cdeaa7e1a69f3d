"""Float terms looked up in tables and added up, each sum rounded: in a tree, or into a chain."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from multipede.golden.formats import INT8, Float
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.arithmetic.lookup import Lookup
from multipede.hw.arithmetic.term_tables import quantised_term, sum_of_terms
from multipede.hw.arithmetic.term_words import CodeWord, TermWord
from multipede.hw.hierarchy import shared
from multipede.hw.integer_tile import times
from multipede.hw.style import Style
from multipede.hw.unit import delayed

__all__ = ["LookupTree", "LookupTreePlan"]

Kind = TermWord | CodeWord | Float
"""what a value is: a word of a term, or a code"""


class Step(NamedTuple):
    """An addition: places of both operands among the values so far, and what it is built as."""

    a: int
    b: int
    design: CircuitDesign


class Level(NamedTuple):
    """A round of additions; what is left over as the last of the values so far, or None; register
    ranks."""

    steps: tuple[Step, ...]
    left_over: Kind | None
    ranks: int


@dataclass(frozen=True, kw_only=True)
class LookupTreePlan:
    """What a :class:`LookupTree` computes and how.

    Parameters
    ----------
    tables : number of tables.
    lookup : how an entry is selected.
    words : of tables of floats, for each plane the layout of its terms; of tables of codes, one
        layout, that of the scales.
    planes : planes of a clock.
    quantised : whether tables hold codes.
    accumulator : format of sums.
    chained : whether terms are added to ``acc`` one after the other.
    style : in which adders are built.
    ranks : register ranks, of a tree that has sums or products. They are spread over these, later
        ones first, and the last one holds the total.
    """

    tables: int
    lookup: Lookup
    words: tuple[TermWord | CodeWord, ...]
    planes: int
    quantised: bool
    accumulator: Float
    chained: bool
    style: Style
    ranks: int = 0

    @property
    def lookups(self) -> list[tuple[int, int]]:
        """Table and plane of each lookup."""
        return [(table, plane) for table in range(self.tables) for plane in range(self.planes)]

    @property
    def kinds(self) -> list[Kind]:
        """The terms in order."""
        if self.quantised:
            return [self.accumulator] * self.tables
        return [self.words[plane] for _, plane in self.lookups]

    @property
    def total(self) -> Kind:
        """What the total is."""
        kinds = self.kinds
        return kinds[0] if len(kinds) == 1 and not self.chained else self.accumulator

    @property
    def steps(self) -> int:
        """Rounds of a tree, products among them, that ranks can cut."""
        return int(self.quantised) + (len(self.kinds) - 1).bit_length()

    @cached_property
    def product(self) -> CircuitDesign:
        """A table's term from what is looked up in tables of codes."""
        arguments = (self.words[0], self.planes, self.accumulator)
        return CircuitDesign(quantised_term, arguments, self.style, self._ranks(0))

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The rounds of a tree."""
        kinds, levels = self.kinds, []
        while len(kinds) > 1:
            ranks = self._ranks(int(self.quantised) + len(levels))
            pairs = [(place, place + 1) for place in range(0, len(kinds) - 1, 2)]
            steps = tuple(Step(a, b, self._sum(kinds[a], kinds[b], ranks)) for a, b in pairs)
            left = kinds[-1] if len(kinds) % 2 else None
            levels.append(Level(steps, left, ranks))
            kinds = [self.accumulator] * len(steps) + ([] if left is None else [left])
        return tuple(levels)

    @cached_property
    def chain(self) -> tuple[CircuitDesign, ...]:
        """What adds each term to the accumulator."""
        return tuple(self._sum(self.accumulator, kind, 0) for kind in self.kinds)

    def _sum(self, a: Kind, b: Kind, ranks: int) -> CircuitDesign:
        return CircuitDesign(sum_of_terms, (a, b, self.accumulator), self.style, ranks)

    def _ranks(self, step: int) -> int:
        """Ranks of a step of the tree."""
        return self.ranks * (step + 1) // self.steps - self.ranks * step // self.steps

    def inventory(self) -> Counter:
        """Operators by kind, in bits."""
        count = Counter()
        for _, plane in self.lookups:
            bits = INT8.bits if self.quantised else self.words[plane].bits
            count += self.lookup.inventory(bits)
            count["exclusive_or"] += not self.quantised
        if self.quantised:
            count += times(self.product.plan.inventory(), self.tables)
        if self.chained:
            for design in self.chain:
                count += design.plan.inventory()
            return count
        for level in self.levels:
            for step in level.steps:
                count += step.design.plan.inventory()
            if level.left_over is not None:
                count["register"] += level.ranks * level.left_over.bits
        return count


class LookupTree(wiring.Component):
    """Lookups, their signs, and the sum of the terms.

    Members
    -------
    t0_0_0.. : ``t<t>_<e>_<p>`` is the word of entry e of table t at plane p; of codes ``t<t>_<e>``,
        and ``scale<t>`` the word of their scale.
    select0_0.. : of table and plane, as the plan's lookup gives them. negate0_0.. : whether the
        entry counts negatively. acc : of a chain, what it begins with.
    total : the sum, of a tree without sums the only term.
    """

    def __init__(self, plan: LookupTreePlan):
        self.key = plan
        members = {}
        for table, plane in plan.lookups:
            for entry in range(plan.lookup.entries):
                name = self.entry_pin(table, entry, plane)
                members[name] = In(INT8.bits if plan.quantised else plan.words[plane].bits)
            members[f"select{table}_{plane}"] = In(plan.lookup.select_bits)
            members[f"negate{table}_{plane}"] = In(1)
        if plan.quantised:
            members |= {f"scale{table}": In(plan.words[0].bits) for table in range(plan.tables)}
        if plan.chained:
            members["acc"] = In(plan.accumulator.bits)
        super().__init__(members | {"total": Out(plan.total.bits)})

    def entry_pin(self, table: int, entry: int, plane: int) -> str:
        """The pin of an entry."""
        return f"t{table}_{entry}" + ("" if self.key.quantised else f"_{plane}")

    def duplicate(self) -> "LookupTree":
        """Another component of the same plan."""
        return LookupTree(self.key)

    def elaborate(self, platform) -> Module:
        m = Module()
        self._components: dict[CircuitDesign, CircuitComponent] = {}
        looked_up = {place: self._looked_up(m, *place) for place in self.key.lookups}
        if self.key.quantised:
            terms = self._products(m, platform, looked_up)
        else:
            terms = [self._with_sign(m, *place, word) for place, word in looked_up.items()]
        if self.key.chained:
            total = self.acc
            for number, (design, term) in enumerate(zip(self.key.chain, terms, strict=True)):
                total = self._added(m, platform, design, f"{number}", total, term)
            m.d.comb += self.total.eq(total)
            return m
        for number, level in enumerate(self.key.levels):
            sums = [
                self._added(m, platform, step.design, f"{number}_{n}", terms[step.a], terms[step.b])
                for n, step in enumerate(level.steps)
            ]
            if level.left_over is not None:
                sums.append(delayed(m, terms[-1], level.ranks, name=f"waiting_{number}"))
            terms = sums
        m.d.comb += self.total.eq(terms[0])
        return m

    def _looked_up(self, m: Module, table: int, plane: int) -> Signal:
        """The word or code that a plane selects of a table."""
        entries = range(self.key.lookup.entries)
        words = [getattr(self, self.entry_pin(table, entry, plane)) for entry in entries]
        select = getattr(self, f"select{table}_{plane}")
        return self.key.lookup.selected(m, words, select, name=f"selected{table}_{plane}")

    def _with_sign(self, m: Module, table: int, plane: int, word: Signal) -> Signal:
        """The word with its sign as the weight wants it."""
        term = Signal(len(word), name=f"term{table}_{plane}")
        negate = getattr(self, f"negate{table}_{plane}")
        m.d.comb += term.eq(Cat(word[:-1], word[-1] ^ negate))
        return term

    def _products(
        self, m: Module, platform, looked_up: dict[tuple[int, int], Signal]
    ) -> list[Signal]:
        """The terms of tables of codes."""
        terms = []
        for table in range(self.key.tables):
            term = Signal(self.key.accumulator.bits, name=f"term{table}")
            pins = {"scale": getattr(self, f"scale{table}"), "total": term}
            for plane in range(self.key.planes):
                pins[f"code{plane}"] = looked_up[table, plane]
                pins[f"negate{plane}"] = getattr(self, f"negate{table}_{plane}")
            component = self._component(self.key.product)
            shared(m, platform, "scaled_codes", component, instance=f"scaled_codes_{table}", **pins)
            terms.append(term)
        return terms

    def _added(
        self, m: Module, platform, design: CircuitDesign, name: str, a: Value, b: Value
    ) -> Signal:
        total = Signal(self.key.accumulator.bits, name=f"total_{name}")
        pins = {"a": a, "b": b, "total": total}
        shared(m, platform, "add", self._component(design), instance=f"add_{name}", **pins)
        return total

    def _component(self, design: CircuitDesign) -> CircuitComponent:
        """The one component of a design."""
        if design not in self._components:
            self._components[design] = CircuitComponent(design)
        return self._components[design]
