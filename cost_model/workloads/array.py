"""An array of equal tiles with its buffers and memory, and what products take on it.

The tiles stand in a grid. All of a row of the grid take the same activations, all of a column the
same weights, so that the grid works like one large tile. Results stay in the accumulators until
their sums are complete. While the tiles compute, the next operands come from memory: a product
takes as long as the slower of both. Activations and results stay on the chip between products where
they fit; keys and values go to memory and come from it. Of operands that do not fit, one is kept in
parts, and the other one comes again for each of these. Where a buffer does not hold what one row or
column of the grid takes for whole sums, the rest of that comes again for each block of results.
"""

import math
from dataclasses import dataclass

from multipede.cost_model.workloads.transformers import Product
from multipede.golden.number_format import require_range, require_type

__all__ = ["Array", "Cost", "Memory", "Work", "sram_energy"]


def _require_more(name: str, value: float, *, zero: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not (0 < value < math.inf or (zero and value == 0)):
        raise ValueError(f"{name} = {value}: {'0 or ' if zero else ''}more than 0 is needed")


def sram_energy(size: int) -> float:
    """pJ for a bit of a memory of so many bytes at 28 nm and 0.9 V.

    Derived: 10 pJ for 64 bits of 8 kB at 45 nm and 0.9 V (Horowitz, ISSCC 2014), times 0.51 from 45
    to 28 nm (Stillmaker and Baas, Integration 58, 2017, between 32 and 20 nm), growing with the
    square root of the size, as 20 pJ of 32 kB and 100 pJ of 1 MB in the same table do about.
    """
    return 10 / 64 * 0.51 * math.sqrt(size / 8192)


@dataclass(frozen=True)
class Memory:
    """Buffers and memory around an array.

    Parameters
    ----------
    weight_buffer, activation_buffer : bytes.
    double : whether half of each holds what comes next, so that the array need not wait for it.
    bits_per_clock : from and to memory, in both directions together.
    dram_energy : pJ for a bit; by default as BitMoD's simulator has it, 1,200 pJ for 64.
    sram_energy : likewise, of both buffers; by default of each by its size, see
        :func:`sram_energy`.

    Raises
    ------
    TypeError, ValueError
        For what is not more than 0; energies may be 0.
    """

    weight_buffer: int = 131_072
    activation_buffer: int = 262_144
    bits_per_clock: float = 256.0
    dram_energy: float = 18.75
    sram_energy: float | None = None
    double: bool = True

    def __post_init__(self) -> None:
        for name in ("weight_buffer", "activation_buffer"):
            require_range(name, getattr(self, name), 1, 1 << 40)
        _require_more("bits_per_clock", self.bits_per_clock, zero=False)
        _require_more("dram_energy", self.dram_energy, zero=True)
        if self.sram_energy is not None:
            _require_more("sram_energy", self.sram_energy, zero=True)
        require_type("double", self.double, bool)

    @property
    def buffer_energies(self) -> tuple[float, float]:
        """pJ for a bit of the weight buffer and of the activation buffer."""
        if self.sram_energy is not None:
            return self.sram_energy, self.sram_energy
        return sram_energy(self.weight_buffer), sram_energy(self.activation_buffer)

    @property
    def weight_room(self) -> float:
        """Bits of weights that are kept."""
        return 8 * self.weight_buffer / (1 + self.double)

    @property
    def activation_room(self) -> float:
        """Bits of activations that are kept."""
        return 8 * self.activation_buffer / (1 + self.double)


@dataclass(frozen=True)
class Array:
    """What computes.

    Parameters
    ----------
    rows, columns, lanes : of all tiles together, see the module.
    interval : clocks for a record of weights. cache_interval : of keys and values, if they have
        more bits than weights and take several passes.
    weight_bits : of a weight, with its share of scales and zero points. activation_bits,
        cache_bits, result_bits : of an activation, of a key or value, and of any other result.
    fill : clocks from the last record of a product to its last result.
    energy : pJ of the whole array for one clock of work. area : um2 of it. clock_period : ns.
    idle_energy : pJ for one clock without work: leakage and what of the clock is not gated.
    memory : around it.

    Raises
    ------
    TypeError, ValueError
        For numbers out of range.
    """

    rows: int
    columns: int
    lanes: int
    clock_period: float
    energy: float
    area: float
    weight_bits: float
    activation_bits: int
    memory: Memory = Memory()
    cache_bits: int = 16
    result_bits: int = 16
    interval: int = 1
    cache_interval: int = 1
    fill: int = 0
    idle_energy: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rows", "columns", "lanes", "interval", "cache_interval"):
            require_range(name, getattr(self, name), 1, 1 << 20)
        for name in ("activation_bits", "cache_bits", "result_bits"):
            require_range(name, getattr(self, name), 1, 64)
        require_range("fill", self.fill, 0, 1 << 20)
        for name in ("clock_period", "area", "weight_bits"):
            _require_more(name, getattr(self, name), zero=False)
        for name in ("energy", "idle_energy"):
            _require_more(name, getattr(self, name), zero=True)
        # Keys and values of more bits than weights come in passes.
        weights = self.columns * self.lanes * self.weight_bits
        activations = self.rows * self.lanes * self.activation_bits
        self._require_room("weight_buffer", self.memory.weight_room, weights)
        self._require_room("activation_buffer", self.memory.activation_room, activations)

    def _require_room(self, name: str, room: float, bits: float) -> None:
        """ValueError for a buffer that does not hold what the array takes in one clock."""
        if room < bits:
            half = " half of it is" if self.memory.double else " it is"
            raise ValueError(
                f"{name} = {getattr(self.memory, name)} bytes:{half} to hold the"
                f" {math.ceil(bits):,} bits that the array takes at once"
            )

    def work(self, product: Product) -> "Work":
        """What a product takes."""
        interval = self.interval if product.weights else self.cache_interval
        records = math.ceil(product.k / self.lanes)
        blocks = math.ceil(product.m / self.rows) * math.ceil(product.n / self.columns)
        busy = product.count * blocks * records * interval
        b_bits = self.weight_bits if product.weights else self.cache_bits
        activations = self.rows * self.lanes * self.activation_bits
        others = self.columns * self.lanes * b_bits
        results = self._results(product)
        a_moved, b_moved, results_moved = self._moved(product, b_bits)
        moved = product.count * (a_moved + b_moved + results_moved)
        return Work(
            product,
            compute=busy + self.fill,
            memory=math.ceil(moved / self.memory.bits_per_clock),
            dram_bits=moved,
            # Operands are written to the buffers each time that they come and read for each
            # record; results are written once, and read again if they go to memory.
            weight_buffer_bits=busy / interval * others + product.count * b_moved,
            activation_buffer_bits=busy / interval * activations
            + product.count * (a_moved + results + results_moved),
            busy=busy,
        )

    def cost(self, products: list[Product]) -> "Cost":
        """What products in turn take."""
        return Cost(self, tuple(map(self.work, products)))

    def _results(self, product: Product) -> int:
        """Bits of the results of one product."""
        return product.m * product.n * (self.cache_bits if product.cached else self.result_bits)

    def _moved(self, product: Product, b_bits: float) -> tuple[float, float, float]:
        """Bits of A and B from memory and of results to it, for one product: the operand that is
        kept comes once as far as it fits, the other one again for each part of it; whichever way
        moves less."""
        a = product.m * product.k * self.activation_bits
        b = product.k * product.n * b_bits
        results = self._results(product)
        # What fits stays on the chip between products: activations, results, and scores.
        room = self.memory.activation_room
        if product.from_chip or a <= room:
            a = 0.0
        if product.on_chip or (results <= room and not product.cached):
            results = 0.0
        m, n, weight_room = product.m, product.n, self.memory.weight_room
        rows, share = _kept(min(m, self.rows), product.k * self.activation_bits, room)
        again = math.ceil(n / self.columns)
        by_rows = (a * (share + (1 - share) * again), b * math.ceil(m / rows))
        columns, share = _kept(min(n, self.columns), product.k * b_bits, weight_room)
        again = math.ceil(m / self.rows)
        by_columns = (a * math.ceil(n / columns), b * (share + (1 - share) * again))
        return (*min(by_rows, by_columns, key=sum), results)


def _kept(least: int, bits: float, room: float) -> tuple[int, float]:
    """How many rows or columns of so many bits are kept at once, as the grid takes at least some;
    and the share of these for which there is room."""
    most = int(room // bits)
    return (most, 1.0) if most >= least else (least, room / (least * bits))


@dataclass(frozen=True)
class Work:
    """What the products of one shape take.

    Attributes
    ----------
    product : they. compute, memory : clocks of each. busy : clocks in which the array works.
    dram_bits : from and to memory. weight_buffer_bits, activation_buffer_bits : written and read;
        keys and values are in the weight buffer, results in the other one.
    """

    product: Product
    compute: int
    memory: int
    dram_bits: float
    weight_buffer_bits: float
    activation_buffer_bits: float
    busy: int

    @property
    def cycles(self) -> int:
        """The longer of both."""
        return max(self.compute, self.memory)


@dataclass(frozen=True)
class Cost:
    """What products take on an array.

    Attributes
    ----------
    array : it. works : of each product.
    """

    array: Array
    works: tuple[Work, ...]

    @property
    def cycles(self) -> int:
        """Clocks, one product behind the other."""
        return sum(work.cycles for work in self.works)

    @property
    def seconds(self) -> float:
        """The same as time."""
        return self.cycles * self.array.clock_period * 1e-9

    @property
    def multiplications(self) -> int:
        """Of all products."""
        return sum(work.product.multiplications for work in self.works)

    @property
    def utilisation(self) -> float:
        """Multiplications over those that the array could make in the time."""
        array = self.array
        most = self.cycles * array.rows * array.columns * array.lanes / array.interval
        return self.multiplications / most

    @property
    def energies(self) -> dict[str, float]:
        """J of the array, its idle clocks, the buffers and the memory."""
        array, memory = self.array, self.array.memory
        busy = sum(work.busy for work in self.works)
        return {
            "array": 1e-12 * busy * array.energy,
            "idle": 1e-12 * (self.cycles - busy) * array.idle_energy,
            "buffers": 1e-12 * self._buffer_energy,
            "memory": 1e-12 * self.dram_bits * memory.dram_energy,
        }

    @property
    def _buffer_energy(self) -> float:
        """pJ."""
        weights, activations = self.array.memory.buffer_energies
        return sum(
            work.weight_buffer_bits * weights + work.activation_buffer_bits * activations
            for work in self.works
        )

    @property
    def energy(self) -> float:
        """J of all of it."""
        return sum(self.energies.values())

    @property
    def dram_bits(self) -> float:
        """From and to memory."""
        return sum(work.dram_bits for work in self.works)

    @property
    def sram_bits(self) -> float:
        """To and from the buffers."""
        return sum(work.weight_buffer_bits + work.activation_buffer_bits for work in self.works)
