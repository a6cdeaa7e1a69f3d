"""The bit-serial tile: RTL equals golden; with all planes at once it is the shift-and-add tile."""

import numpy as np
import pytest

from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.formats import BF16, FP16, INT4, INT8, UINT3, UINT4, UINT8, Integer
from multipede.golden.integer_tile import TileOutput
from multipede.golden.mixpe import MixPE
from multipede.hw import Style, inventory
from multipede.sim.compiled import compile_model
from multipede.sim.verify import verify
from multipede.sim.verilog import rtlil_of
from tests.hw.equality import check_equal, in_turn
from tests.hw.netlist import check_inventory

SMALL = {"rows": 2, "columns": 2, "lanes": 2, "group": 4}
SPECS = [
    BitSerialTile(**SMALL),
    BitSerialTile(**SMALL, weight=INT4, zero_point=False, planes_per_cycle=3),
    BitSerialTile(**SMALL, weight=UINT8, planes_per_cycle=4, run_time_bits=True, stages=3),
    BitSerialTile(**SMALL, weight=UINT3, activation=BF16, planes_per_cycle=2, stages=3),
]
MORE_SPECS = [
    BitSerialTile(
        **SMALL, weight=INT8, activation=FP16, planes_per_cycle=3, run_time_bits=True, stages=3
    ),
    BitSerialTile(**SMALL, planes_per_cycle=2, output=TileOutput.DEQUANTISED),
    BitSerialTile(**SMALL, weight=INT4, stages=4),
]


@in_turn(SPECS)
def test_rtl_equals_reference(spec, styles):
    check_equal(spec, styles, records=2000)


@pytest.mark.regress
@pytest.mark.parametrize("spec", [*SPECS, *MORE_SPECS], ids=str)
def test_rtl_equals_reference_at_length(spec):
    check_equal(spec, records=100_000)


@pytest.mark.regress
@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("signed", [False, True])
def test_every_weight_width(bits, signed):
    for planes in range(1, bits + 1):
        spec = BitSerialTile(
            weight=Integer(bits, signed=signed),
            zero_point=not signed,
            planes_per_cycle=planes,
            **SMALL,
        )
        verify(spec, records=20_000).raise_on_failure()


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("spec", [*SPECS, MORE_SPECS[0]], ids=str)
def test_inventory_equals_the_netlist(spec, style):
    check_inventory(spec, style)


@pytest.mark.parametrize("style", list(Style))
def test_all_planes_at_once_are_shift_and_add(style):
    """Gates, adders and registers are those of MixPE."""
    assert "$mul" not in rtlil_of(BitSerialTile(**SMALL), style)
    parallel = BitSerialTile(**SMALL, weight=UINT4, planes_per_cycle=4)
    assert inventory(parallel, style=style) == inventory(MixPE(weight=UINT4, **SMALL), style=style)


def test_modes_of_4_and_8_bits():
    """Weights of 8 bits in two clocks, of 4 bits in one, from record to record."""
    spec = BitSerialTile(**SMALL, weight=UINT8, planes_per_cycle=4, run_time_bits=True)
    generator = np.random.default_rng(7)
    count = 400
    records = {
        "a": generator.integers(-128, 128, (count, 2, 2)),
        "w": generator.integers(0, 256, (count, 2, 2)),
        "z": np.zeros((count, 2), np.int64),
        "bits": np.where(np.arange(count) // 2 % 2, 7, 3),
        "last": np.zeros(count, np.int64),
    }
    run = compile_model(spec).run(records)
    counted = records["w"] & np.where(records["bits"] == 7, 255, 15)[:, None, None]
    products = np.einsum("trk,tck->trc", records["a"], counted)
    assert (run["d"] == products.reshape(-1, 2, 2, 2).sum(axis=1)).all()
    assert run.cycles == count * 3 // 2 + spec.latency
