"""The dequantising half of a tile: few dequantisers take turns with the results of a group.

Behind the tile of group sums stands a bank that holds one group's results while they are worked
on, ``dequantisers`` of them in a clock, and a ring of the results so far. In each step the bank
moves on, and what comes out of the dequantisers is pushed into the ring, which so turns once for
each group. What enters a group's last clock is taken only if the bank will be free for it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from multipede.golden.formats import FP32, Format
from multipede.golden.integer_tile import IntegerTile
from multipede.hw.arithmetic.circuit_component import CircuitComponent, CircuitDesign
from multipede.hw.arithmetic.dequantise import channel_product, float_step, integer_step
from multipede.hw.hierarchy import shared
from multipede.hw.style import Style
from multipede.hw.unit import Unit, delayed, payload_layout

__all__ = ["DequantisationPlan", "elaborate_dequantised"]


class DequantisationPlan:
    """Sizes and circuits of the dequantising half.

    Parameters
    ----------
    spec : a tile with dequantised output.
    style : how the dequantisers' sums are written out.
    """

    def __init__(self, spec: IntegerTile, style: Style):
        self.spec = spec
        self.style = style
        groups = spec.group_tile.outputs
        self.d: Format = groups["d"].format
        self.has_nan = "nan" in groups
        self.exponent_bits = groups["exponent"].format.bits if "exponent" in groups else 0

    @property
    def steps(self) -> int:
        """Clocks for one group."""
        return self.spec.dequantiser_steps

    @property
    def spacing(self) -> int:
        """Least clocks between two groups: a result must be back before its next turn."""
        return self.spec.group_interval

    @property
    def results(self) -> int:
        """Places for results, of which the last may be unused."""
        return self.steps * self.spec.dequantisers

    @property
    def entry_bits(self) -> int:
        """Bits of a result in the bank."""
        return self.d.bits + self.exponent_bits + self.has_nan

    @property
    def sum_bits(self) -> int:
        """Bits of a result in the ring."""
        if self.spec.second_level:
            return self.spec.channel_sum.bits + self.has_nan
        return FP32.bits

    @cached_property
    def step(self) -> CircuitDesign:
        """A dequantiser."""
        spec = self.spec
        ranks = spec.dequantiser_stages
        if spec.second_level:
            arguments = (self.d, self.has_nan, spec.scale, spec.channel_sum.bits)
            return CircuitDesign(integer_step, arguments, self.style, ranks)
        exponent = None
        if self.exponent_bits:
            exponent = (spec.exponent.maximum, spec.exponent_offset)
        arguments = (self.d, exponent, self.has_nan, spec.scale)
        return CircuitDesign(float_step, arguments, self.style, ranks)

    @cached_property
    def channel(self) -> CircuitDesign | None:
        """What follows a dequantiser with integer scales."""
        spec = self.spec
        if not spec.second_level:
            return None
        arguments = (spec.channel_sum, self.has_nan, spec.channel_scale)
        return CircuitDesign(channel_product, arguments, self.style, 0)

    def inventory(self) -> Counter:
        """Operators besides those of the group sums, in bits; multiplexers are not counted."""
        spec = self.spec
        count = Counter()
        for design in filter(None, (self.step, self.channel)):
            for kind, number in design.plan.inventory().items():
                count[kind] += number * spec.dequantisers
        count["register"] += self._registers()
        return count

    def _registers(self) -> int:
        spec = self.spec
        scales = sum(getattr(spec, name).bits for name in spec.scales) * spec.columns
        bank = self.results * self.entry_bits + scales
        rings = self.results * (self.sum_bits + FP32.bits * spec.second_level)
        position = (spec.records_per_group - 1).bit_length()
        cooldown = (self.spacing - 1).bit_length()
        step = (self.steps - 1).bit_length()
        flags = 3  # running, last, fresh
        channel = spec.channel_scale.bits if spec.second_level else 0
        in_flight = spec.dequantiser_stages * (2 + channel * self.channel_lanes) + 1
        return scales * spec.stages + bank + rings + position + cooldown + step + flags + in_flight

    @property
    def channel_lanes(self) -> int:
        """Channel scales that travel beside the dequantisers' ranks."""
        return self.spec.dequantisers


@dataclass(frozen=True)
class _Group:
    """A group's results as they leave the sums: an entry of the bank each, the scales by name."""

    valid: Value
    entries: list[Value]
    scales: dict[str, list[Value]]
    last: Value


def elaborate_dequantised(unit: Unit, plan: DequantisationPlan, platform) -> Module:
    """The whole unit: the tile of group sums and what follows it."""
    m = Module()
    group = _groups(m, platform, unit, plan)
    _Dequantisers(m, platform, plan, group).drive(unit)
    return m


def _groups(m: Module, platform, unit: Unit, plan: DequantisationPlan) -> _Group:
    spec: IntegerTile = plan.spec
    tile = type(unit)(spec.group_tile, style=unit.style)
    inputs = Cat(unit.i.payload[name] for name in spec.group_tile.inputs)
    results = Signal(payload_layout(spec.group_tile.outputs), name="group_results")
    done = Signal(name="group_done")
    takes = Const(1, 1)
    pins = {"i_payload": inputs, "o_valid": done, "o_payload": results.as_value()}
    if not spec.group_tile.always_ready:
        pins["i_ready"] = takes = Signal(name="group_ready")
    pins["i_valid"] = _offered(m, unit, plan, takes)
    shared(m, platform, "groups", tile, instance="groups", **pins)
    scales = {
        name: [
            delayed(m, unit.i.payload[name][column], spec.stages, name=f"{name}_{column}")
            for column in range(spec.columns)
        ]
        for name in spec.scales
    }
    return _Group(done, _entries(plan, results), scales, results.last)


def _offered(m: Module, unit: Unit, plan: DequantisationPlan, takes: Value) -> Value:
    """Whether the group sums are offered a record now, which they take if ``takes``. One that ends
    a group waits until the bank will be free."""
    spec: IntegerTile = plan.spec
    if plan.spacing == 1:
        m.d.comb += unit.i.ready.eq(takes)
        return unit.i.valid
    ends, taken = Signal(name="ends"), Signal(name="taken")
    offered = Signal(name="offered")
    busy = Signal(range(plan.spacing), name="bank_busy")
    records = spec.records_per_group
    if records == 1:
        m.d.comb += ends.eq(1)
    else:
        position = Signal(range(records))
        m.d.comb += ends.eq(unit.i.payload.last | (position == records - 1))
        with m.If(taken):
            m.d.sync += position.eq(Mux(ends, 0, position + 1))
    m.d.comb += [
        offered.eq(unit.i.valid & (~ends | (busy == 0))),
        unit.i.ready.eq((~ends | (busy == 0)) & takes),
        taken.eq(offered & takes),
    ]
    with m.If(taken & ends):
        m.d.sync += busy.eq(plan.spacing - 1)
    with m.Elif(busy != 0):
        m.d.sync += busy.eq(busy - 1)
    return offered


def _entries(plan: DequantisationPlan, payload) -> list[Value]:
    """The results row by row, each with its row's exponent and NaN flag."""
    entries = []
    for row in range(plan.spec.rows):
        row_wide = [payload.exponent[row]] if plan.exponent_bits else []
        row_wide += [payload.nan[row]] if plan.has_nan else []
        for column in range(plan.spec.columns):
            entries.append(Cat(payload.d[row][column], *row_wide))
    return entries


class _Dequantisers:
    """Bank, dequantisers and ring of one unit."""

    def __init__(self, m: Module, platform, plan: DequantisationPlan, group: _Group):
        self._m, self._platform, self._plan, self._group = m, platform, plan, group
        self._running = Signal(name="running")
        self._step = Signal(range(plan.steps), name="step")
        self._finishes = Signal(name="group_finishes")
        self._last = Signal(name="group_last", reset_less=True)
        self._fresh = Signal(name="fresh", init=1)

    def drive(self, unit: Unit) -> None:
        """Everything up to the unit's output."""
        plan, stages = self._plan, self._plan.spec.dequantiser_stages
        self._control()
        bank = self._bank()
        scales = {name: self._turning_scales(name) for name in plan.spec.scales}
        pushes = [self._running]
        for rank in range(stages):
            pushes.append(delayed(self._m, pushes[-1], 1, name=f"push_{rank}", reset=True))
        ring = self._ring("sum", plan.sum_bits, pushes[-1])
        following = self._following(bank, scales, ring, pushes)
        self._push(ring, following, pushes[-1])
        if plan.spec.second_level:
            y = self._ring("y", FP32.bits, pushes[-1])
            self._push(y, self._channel_products(following, scales), pushes[-1])
            ring = y
        done = self._finishes & self._last
        done = delayed(self._m, done, stages + 1, name="done", reset=True)
        self._m.d.comb += unit.o.valid.eq(done)
        columns = plan.spec.columns
        flat = [word for slot in ring for word in slot]
        for row in range(plan.spec.rows):
            for column in range(columns):
                y = unit.o.payload.y[row][column]
                self._m.d.comb += y.eq(flat[row * columns + column])

    def _control(self) -> None:
        m, plan = self._m, self._plan
        m.d.comb += self._finishes.eq(self._running & (self._step == plan.steps - 1))
        with m.If(self._finishes):
            m.d.sync += [self._running.eq(0), self._fresh.eq(self._last)]
        if plan.steps > 1:
            with m.If(self._running):
                m.d.sync += self._step.eq(Mux(self._finishes, 0, self._step + 1))
        with m.If(self._group.valid):
            m.d.sync += [self._running.eq(1), self._last.eq(self._group.last)]

    def _bank(self) -> list[Value]:
        """The entries whose turn it is."""
        plan, count = self._plan, self._plan.spec.dequantisers
        entries = self._group.entries
        unused = [entries[-1]] * (plan.results - len(entries))
        bank = [
            Signal(plan.entry_bits, name=f"bank_{i}", reset_less=True) for i in range(plan.results)
        ]
        for place, (register, entry) in enumerate(zip(bank, entries + unused, strict=True)):
            with self._m.If(self._group.valid):
                self._m.d.sync += register.eq(entry)
            if place + count < plan.results:
                with self._m.Elif(self._running):
                    self._m.d.sync += register.eq(bank[place + count])
        return bank[:count]

    def _turning_scales(self, name: str) -> list[Value]:
        """The scales of the entries whose turn it is: those of the columns, turned in each step."""
        m, columns, count = self._m, self._plan.spec.columns, self._plan.spec.dequantisers
        registers = [
            Signal.like(value, name=f"{name}_bank_{column}", reset_less=True)
            for column, value in enumerate(self._group.scales[name])
        ]
        for column, register in enumerate(registers):
            with m.If(self._group.valid):
                m.d.sync += register.eq(self._group.scales[name][column])
            if count % columns and self._plan.steps > 1:
                with m.Elif(self._running):
                    m.d.sync += register.eq(registers[(column + count) % columns])
        return [registers[place % columns] for place in range(count)]

    def _ring(self, name: str, width: int, push: Value) -> list[list[Signal]]:
        """Slots of as many words as there are dequantisers; all move down with a push."""
        count = self._plan.spec.dequantisers
        ring = [
            [
                Signal(width, name=f"{name}_{slot * count + i}", reset_less=True)
                for i in range(count)
            ]
            for slot in range(self._plan.steps)
        ]
        for slot, words in enumerate(ring[:-1]):
            with self._m.If(push):
                self._m.d.sync += [
                    w.eq(above) for w, above in zip(words, ring[slot + 1], strict=True)
                ]
        return ring

    def _push(self, ring: list[list[Signal]], words: Sequence[Value], push: Value) -> None:
        with self._m.If(push):
            self._m.d.sync += [w.eq(new) for w, new in zip(ring[-1], words, strict=True)]

    def _following(
        self,
        bank: list[Value],
        scales: dict[str, list[Value]],
        ring: list[list[Signal]],
        pushes: list[Value],
    ) -> list[Value]:
        """What comes out of the dequantisers, as many clocks later as they have ranks."""
        plan = self._plan
        component = CircuitComponent(plan.step)
        results = []
        for place, entry in enumerate(bank):
            so_far = self._so_far([slot[place] for slot in ring], pushes[1:], place)
            next_sum = Signal(plan.sum_bits, name=f"next_sum_{place}")
            pins = {"d": entry[: plan.d.bits], "scale": scales["scale"][place]}
            if plan.exponent_bits:
                pins["exponent"] = entry[plan.d.bits : plan.d.bits + plan.exponent_bits]
            if plan.has_nan:
                pins["nan"] = entry[-1]
            pins |= {"sum": so_far, "next_sum": next_sum}
            name = f"dequantiser_{place}"
            shared(self._m, self._platform, "dequantiser", component, instance=name, **pins)
            results.append(next_sum)
        return results

    def _so_far(self, words: list[Signal], in_flight: list[Value], place: int) -> Value:
        """The sum that the entry belongs to: behind those that are on their way, or 0 at first."""
        m = self._m
        value: Value = words[0]
        for number in range(1, min(len(in_flight), len(words) - 1) + 1):
            more = Signal(name=f"in_flight_{place}_{number}")
            m.d.comb += more.eq(sum(in_flight) >= number)
            value = Mux(more, words[number], value)
        so_far = Signal(len(words[0]), name=f"so_far_{place}")
        m.d.comb += so_far.eq(Mux(self._fresh, 0, value))
        return so_far

    def _channel_products(self, sums: list[Value], scales: dict[str, list[Value]]) -> list[Value]:
        plan = self._plan
        component = CircuitComponent(plan.channel)
        results = []
        for place, value in enumerate(sums):
            stages = plan.spec.dequantiser_stages
            scale = delayed(
                self._m, scales["channel_scale"][place], stages, name=f"channel_scale_{place}"
            )
            y = Signal(FP32.bits, name=f"y_next_{place}")
            pins = {"sum": value, "scale": scale, "y": y}
            name = f"channel_product_{place}"
            shared(self._m, self._platform, "channel_product", component, instance=name, **pins)
            results.append(y)
        return results
