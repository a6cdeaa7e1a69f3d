"""What products take on an array: by hand, and by the RTL's own clocks."""

import math

import pytest

from multipede.cost_model.workload import TileCosts, array_of
from multipede.cost_model.workloads.array import Array, Memory, sram_energy
from multipede.cost_model.workloads.transformers import Product
from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.formats import UINT4
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.mixpe import MixPE
from multipede.sim.matrix_product import run_matrix_product
from tests.sim.test_matrix_product import operands

COSTS = TileCosts(area=1000.0, energy=2.0, leakage=0.01, clock_period=2.0, source="a test")
LARGE = Memory(weight_buffer=1 << 30, activation_buffer=1 << 30, bits_per_clock=64)
PLAIN = {"clock_period": 1.0, "energy": 3.0, "area": 1.0, "weight_bits": 4, "activation_bits": 8}


class TestByHand:
    ARRAY = Array(rows=2, columns=4, lanes=8, **PLAIN, memory=LARGE, cache_bits=8, fill=3)

    def test_clocks(self):
        """Three blocks of rows by two of columns, each of two records."""
        work = self.ARRAY.work(Product("p", m=5, k=16, n=7))
        assert (work.busy, work.compute) == (12, 15)

    def test_what_comes_once_is_weights(self):
        work = self.ARRAY.work(Product("p", m=5, k=16, n=7, count=10))
        assert work.dram_bits == 10 * 16 * 7 * 4
        assert work.memory == math.ceil(10 * 16 * 7 * 4 / 64)
        assert work.cycles == max(10 * 12 + 3, work.memory)

    def test_buffers_are_read_for_each_record(self):
        work = self.ARRAY.work(Product("p", m=5, k=16, n=7))
        # Twelve records of 4 x 8 weights of 4 bits, and 16 x 7 that are written.
        assert work.weight_buffer_bits == 12 * 4 * 8 * 4 + 16 * 7 * 4
        # Of 2 x 8 activations of 8 bits, and 5 x 7 results of 16. Both stay on the chip.
        assert work.activation_buffer_bits == 12 * 2 * 8 * 8 + 5 * 7 * 16

    def test_several_passes(self):
        array = Array(
            rows=2, columns=4, lanes=8, **PLAIN, memory=LARGE, cache_bits=8, cache_interval=2
        )
        weights = array.work(Product("p", m=2, k=8, n=4))
        cached = array.work(Product("p", m=2, k=8, n=4, weights=False))
        assert (weights.busy, cached.busy) == (1, 2)
        # The records are as many, of wider operands.
        assert cached.weight_buffer_bits == 4 * 8 * 8 + 8 * 4 * 8

    def test_operands_that_do_not_fit_come_again(self):
        """Of 64 x 64 activations of 8 bits a half fits, of as many weights of 4 bits a quarter."""
        memory = Memory(weight_buffer=512, activation_buffer=2048, bits_per_clock=64, double=False)
        array = Array(rows=2, columns=4, lanes=8, **PLAIN, memory=memory, result_bits=8)
        work = array.work(Product("p", m=64, k=64, n=64))
        a, b, results = 64 * 64 * 8, 64 * 64 * 4, 64 * 64 * 8
        assert work.dram_bits == min(a + 2 * b, b + 4 * a) + results
        # Of 32 by 16 blocks 8 records each. Weights are written twice, activations once; results
        # are written, and read as they go to memory.
        records = 32 * 16 * 8
        assert work.weight_buffer_bits == records * 4 * 8 * 4 + 2 * b
        assert work.activation_buffer_bits == records * 2 * 8 * 8 + a + 2 * results
        # And nothing of it where the next operands need half of the room.
        halved = Memory(weight_buffer=1024, activation_buffer=4096, bits_per_clock=64)
        same = Array(rows=2, columns=4, lanes=8, **PLAIN, memory=halved, result_bits=8)
        assert same.work(Product("p", m=64, k=64, n=64)).dram_bits == work.dram_bits

    def test_what_one_row_of_the_grid_takes_and_does_not_fit_comes_again(self):
        """Of 2 x 16 activations of 8 bits three quarters fit, of 4 x 16 weights a half."""
        memory = Memory(weight_buffer=16, activation_buffer=24, bits_per_clock=64, double=False)
        array = Array(rows=2, columns=4, lanes=8, **PLAIN, memory=memory)
        work = array.work(Product("p", m=4, k=16, n=8))
        a, b, results = 4 * 16 * 8, 16 * 8 * 4, 4 * 8 * 16
        by_rows = (3 / 4 + 1 / 4 * 2) * a + 2 * b
        by_columns = 2 * a + (1 / 2 + 1 / 2 * 2) * b
        assert by_rows < by_columns
        assert work.dram_bits == by_rows + results

    def test_larger_buffers_never_move_more(self):
        """From those that hold one record, with which about all comes for each block, on."""
        moved = []
        for size in [32, *range(50, 40_000, 777), 1 << 20]:
            memory = Memory(weight_buffer=size, activation_buffer=size)
            array = Array(rows=2, columns=4, lanes=8, **PLAIN, memory=memory)
            moved.append(array.work(Product("p", m=50, k=100, n=70)).dram_bits)
        assert moved == sorted(moved, reverse=True)
        a, b, results = 50 * 100 * 8, 100 * 70 * 4, 50 * 70 * 16
        streamed = a * math.ceil(70 / 4) + b * math.ceil(50 / 2) + results
        assert 0.9 * streamed < moved[0] < streamed
        assert moved[-1] == b

    def test_activations_that_come_again_are_written_again(self):
        """Of two products, of whose activations of 16 x 8 an eighth fits, of weights a half: four
        of eight columns."""
        memory = Memory(weight_buffer=16, activation_buffer=16, bits_per_clock=64, double=False)
        array = Array(rows=2, columns=4, lanes=8, **PLAIN, memory=memory)
        work = array.work(Product("p", m=16, k=8, n=8, count=2))
        # Weights 8 times and activations once are more than activations twice.
        a, b, results = 16 * 8 * 8, 8 * 8 * 4, 16 * 8 * 16
        assert work.dram_bits == 2 * (2 * a + b + results)
        # Of 8 by 2 blocks one record each.
        assert work.weight_buffer_bits == 2 * (16 * 4 * 8 * 4 + b)
        assert work.activation_buffer_bits == 2 * (16 * 2 * 8 * 8 + 2 * a + 2 * results)

    def test_scores_stay_on_the_chip(self):
        small = Memory(weight_buffer=64, activation_buffer=64, bits_per_clock=64)
        array = Array(rows=2, columns=4, lanes=8, **PLAIN, memory=small, cache_bits=8)
        scores = Product("scores", 64, 8, 64, weights=False, on_chip=True)
        values = Product("values", 64, 64, 8, weights=False, from_chip=True)
        # Queries, or the keys again, whichever is less, and no scores.
        assert array.work(scores).dram_bits == 64 * 8 * 8 + 64 * 8 * 8 * 16
        # Of the values nothing but themselves and the results: an eighth of what the grid takes of
        # them fits, the others come again for each of its 32 rows.
        again = 1 / 8 + 7 / 8 * 32
        assert array.work(values).dram_bits == 64 * 8 * 8 * again + 64 * 8 * 16
        # Nor are scores written again, or read to go away.
        read = 32 * 2 * 8 * 2 * 8 * 8
        assert array.work(values).activation_buffer_bits == read + 2 * 64 * 8 * 16

    def test_keys_and_values_go_to_memory(self):
        """However few, in the bits of the cache; other results stay on the chip."""
        made = Product("key and value", m=5, k=16, n=7, count=2, cached=True)
        other = Product("query", m=5, k=16, n=7, count=2)
        kept, stays = self.ARRAY.work(made), self.ARRAY.work(other)
        assert kept.dram_bits - stays.dram_bits == 2 * 5 * 7 * 8
        # They are written in 8 bits and not in 16, and read to go away.
        read = 12 * 2 * 2 * 8 * 8
        assert kept.activation_buffer_bits == read + 2 * (5 * 7 * 8 + 5 * 7 * 8)
        assert stays.activation_buffer_bits == read + 2 * 5 * 7 * 16

    def test_energy_and_use(self):
        energies = {"dram_energy": 10.0, "sram_energy": 0.5}
        memory = Memory(1 << 30, 1 << 30, bits_per_clock=16, **energies)
        array = Array(rows=2, columns=4, lanes=8, **PLAIN, memory=memory, idle_energy=1.0)
        product = Product("p", m=2, k=80, n=4)
        cost = array.cost([product, product])
        # Ten clocks of work of eighty for the 320 weights of four bits.
        assert cost.cycles == 2 * 80
        assert cost.seconds == pytest.approx(160e-9)
        assert cost.utilisation == pytest.approx(20 / 160)
        moved = 10 * (4 * 8 * 4 + 2 * 8 * 8) + 80 * 4 * 4 + 2 * 4 * 16
        assert cost.sram_bits == 2 * moved
        wanted = {"array": 60e-12, "idle": 140e-12, "buffers": moved * 1e-12}
        assert cost.energies == pytest.approx({**wanted, "memory": 2 * 12800e-12})
        assert cost.energy == pytest.approx(sum(cost.energies.values()))


class TestByTheRtl:
    @pytest.mark.parametrize(
        "tile",
        [
            MixPE(rows=2, columns=3, lanes=4, group=16, stages=3),
            BitSerialTile(weight=UINT4, rows=2, columns=2, lanes=4, group=16),
            LutTensorCore(rows=1, columns=4, lanes=4, group=16),
        ],
        ids=lambda tile: tile.unit,
    )
    def test_clocks_of_a_product(self, tile):
        """Those that the RTL of one tile takes for the same product."""
        a, w = operands(tile, tokens=5, outputs=7, inner=64)
        found = run_matrix_product(tile, a, w, progress=False)
        array = array_of(tile, COSTS, 1)
        assert array.interval == tile.initiation_interval
        told = array.work(Product("p", m=5, k=64, n=7)).compute
        assert abs(found.cycles - told) <= array.interval

    def test_a_wrong_model_would_show(self):
        """The RTL's clocks are not those of one lane more or one row less."""
        tile = MixPE(rows=2, columns=3, lanes=4, group=16)
        a, w = operands(tile, tokens=5, outputs=7, inner=64)
        found = run_matrix_product(tile, a, w, progress=False)
        for rows, lanes in ((1, 4), (2, 8)):
            wrong = Array(rows=rows, columns=3, lanes=lanes, **PLAIN, fill=tile.latency)
            told = wrong.work(Product("p", m=5, k=64, n=7)).compute
            assert abs(found.cycles - told) > 10


class TestArrays:
    def test_of_tiles(self):
        tile = MixPE(rows=2, columns=4, lanes=8, group=128)
        array = array_of(tile, COSTS, 12, cache_bits=8)
        # Twelve tiles, about as many rows as columns.
        assert (array.rows, array.columns, array.lanes) == (10, 8, 8)
        assert array.area == 10_000.0
        assert array.energy == 20.0
        assert array.weight_bits == pytest.approx(4 + (16 + 4) / 128)
        assert array.cache_interval == 2
        assert array.idle_energy == pytest.approx(0.01 * 2.0 * 10)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"tiles": 0}, "tiles = 0: allowed are 1 to 16777216"),
            ({"cache_bits": 0}, "cache_bits = 0: allowed are 1 to 64"),
            ({"cache_bits": 65}, "cache_bits = 65: allowed are 1 to 64"),
        ],
    )
    def test_bad_input(self, changes, said):
        tile = MixPE(rows=2, columns=4, lanes=8, group=128)
        with pytest.raises(ValueError, match=said):
            array_of(tile, COSTS, **{"tiles": 12, **changes})

    def test_energy_of_a_buffer(self):
        """At 8 kB the published one, scaled; with the root of the size."""
        assert sram_energy(8192) == pytest.approx(10 / 64 * 0.51)
        assert sram_energy(131072) == pytest.approx(4 * sram_energy(8192))
        # Of 1 MB the same table has ten times as much.
        assert sram_energy(1 << 20) / sram_energy(8192) == pytest.approx(10, rel=0.15)


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"rows": 0}, ValueError, "rows = 0"),
        ({"lanes": 1.5}, TypeError, "lanes"),
        ({"clock_period": 0}, ValueError, "clock_period = 0: more than 0"),
        ({"energy": -1.0}, ValueError, "energy = -1.0: 0 or more than 0"),
        ({"weight_bits": math.inf}, ValueError, "weight_bits = inf"),
        ({"area": "1"}, TypeError, "area must be a number, not '1'"),
        # 4 columns of 8 weights of 4 bits, 2 rows of 8 activations of 8; twice of each.
        ({"memory": Memory(weight_buffer=31)}, ValueError, "weight_buffer = 31 bytes: half of"),
        ({"memory": Memory(activation_buffer=31)}, ValueError, "the 128 bits that the array takes"),
    ],
)
def test_bad_arrays(changes, error, said):
    with pytest.raises(error, match=said):
        Array(**{"rows": 2, "columns": 4, "lanes": 8, **PLAIN, **changes})


def test_the_smallest_buffers():
    memory = Memory(weight_buffer=32, activation_buffer=32)
    assert Array(rows=2, columns=4, lanes=8, **PLAIN, memory=memory).cost([]).cycles == 0


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"weight_buffer": 0}, ValueError, "weight_buffer = 0"),
        ({"bits_per_clock": 0}, ValueError, "bits_per_clock = 0"),
        ({"sram_energy": -1}, ValueError, "sram_energy = -1"),
        ({"double": 1}, TypeError, "double"),
    ],
)
def test_bad_memories(changes, error, said):
    with pytest.raises(error, match=said):
        Memory(**changes)
