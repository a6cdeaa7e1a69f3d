"""Comparisons: the right baselines, ratios to the first, plain rows."""

import json
from dataclasses import replace

import pytest

from multipede.asic_flow import Constraints
from multipede.cost_model import comparison
from multipede.cost_model.baselines import baselines, equal_accumulator
from multipede.cost_model.comparison import compare, compare_with_baselines
from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.codebook import BINARY, ODD2, ODD4
from multipede.golden.compensated_lmul import CompensatedLMul
from multipede.golden.dequantise_first_tile import DequantiseFirstTile
from multipede.golden.exact_lmul_tile import ExactLMulTile
from multipede.golden.float_multiplier import FloatMultiplier
from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import (
    BF16,
    E2M1,
    E4M3,
    FP16,
    INT1,
    INT2,
    INT3,
    INT4,
    INT5,
    INT8,
    UINT2,
    UINT3,
    UINT4,
    Integer,
)
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.integer_tile import TileOutput
from multipede.golden.lmul import LMul
from multipede.golden.lmul_tile import LMulTile
from multipede.golden.logarithmic_factors import Correction
from multipede.golden.logarithmic_policies import Preset, SumUnderflow
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.golden.mitchell import Mitchell
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile, PartialProducts
from multipede.toolchain import ToolError, ToolFailure

DEQUANTISED = {"output": TileOutput.DEQUANTISED}
SMALL = MixPE(weight=UINT3, activation=INT5, group=4, rows=1, columns=1, lanes=2)


ROWS = (PartialProducts.BAUGH_WOOLEY, PartialProducts.BOOTH)


class TestBaselines:
    def test_are_multipliers_with_both_kinds_of_rows(self):
        found = list(baselines(MixPE()).values())
        assert found[0] == MixPE()
        assert [(s.weight, s.zero_point, s.partial_products) for s in found[1:]] == [
            (weight, zero_point, rows)
            for weight, zero_point in ((INT8, False), (UINT4, True))
            for rows in ROWS
        ]

    def test_share_all_that_is_not_the_idea(self):
        spec = MixPE(activation=INT5, group=48, rows=2, columns=3, lanes=6, stages=3)
        for other in baselines(spec).values():
            for name in ("activation", "group", "rows", "columns", "lanes", "stages", "output"):
                assert getattr(other, name) == getattr(spec, name)
            assert other.operations == spec.operations

    def test_share_the_dequantisers(self):
        spec = MixPE(output=TileOutput.DEQUANTISED, scale=BF16, dequantiser_stages=3)
        for other in baselines(spec).values():
            assert (other.scale, other.dequantiser_stages) == (BF16, 3)

    def test_of_float_activations_are_float_tiles(self):
        spec = MixPE(activation=FP16, weight=UINT3, lanes=4, stages=3, scale=BF16, **DEQUANTISED)
        first, *others = baselines(spec).items()
        shape = {"rows": 4, "columns": 4, "lanes": 4, "stages": 3}
        assert first == ("mixpe uint3 x fp16, zero point, dequantised", spec)
        assert dict(others) == {
            "float_multiplier_tile fp16 x fp16, sequential": FloatMultiplierTile(
                order=SumOrder.SEQUENTIAL, **shape
            ),
            "float_multiplier_tile fp16 x fp16, tree": FloatMultiplierTile(**shape),
            "dequantise_first_tile uint3 x fp16, tree, zero point": DequantiseFirstTile(
                weight=UINT3, scale=BF16, **shape
            ),
        }
        assert {tuple(s.operations.items()) for s in baselines(spec).values()} == {
            (("multiply_accumulate", 64),)
        }

    @pytest.mark.parametrize(
        ("activation", "dequantised"), [(BF16, BF16), (E4M3, E4M3), (E2M1, FP16)]
    )
    def test_factors_have_the_activations_format_if_it_has_nan(self, activation, dequantised):
        *floats, first = list(baselines(MixPE(activation=activation, **DEQUANTISED)).values())[1:]
        assert {(tile.weight, tile.activation) for tile in floats} == {(activation, activation)}
        assert (first.activation, first.dequantised) == (activation, dequantised)

    def test_integer_scales_become_fp16(self):
        spec = MixPE(activation=FP16, scale=INT8, **DEQUANTISED)
        assert list(baselines(spec).values())[-1].scale == FP16

    def test_of_float_activations_need_the_same_output(self):
        with pytest.raises(ValueError, match=r"output = group: with activation = fp16 there are"):
            baselines(MixPE(activation=FP16))

    def test_of_multipliers_that_add_codes(self):
        spec = Mitchell(format=E4M3, preset=Preset.AXCORE, underflow=SumUnderflow.WRAP, stages=2)
        shared = {"preset": Preset.AXCORE, "underflow": SumUnderflow.WRAP, "stages": 2}
        assert baselines(spec) == {
            "mitchell e4m3": spec,
            "float_multiplier e4m3": FloatMultiplier(a=E4M3, b=E4M3, result=E4M3, stages=2),
            "lmul e4m3": LMul(format=E4M3, **shared),
            "compensated_lmul e4m3": CompensatedLMul(format=E4M3, **shared),
        }

    def test_of_tiles_that_add_codes(self):
        shape = {"rows": 1, "columns": 3, "lanes": 5, "stages": 2, "weight": E4M3}
        spec = LMulTile(offset=1, order=SumOrder.SEQUENTIAL, accumulator=BF16, **shape)
        first, exact, *others = baselines(spec).items()
        assert first == ("lmul_tile e4m3 x bf16, sequential, correction offset", spec)
        assert exact[1] == FloatMultiplierTile(
            order=SumOrder.SEQUENTIAL, accumulator=BF16, activation=BF16, **shape
        )
        assert [other for _, other in others] == [
            replace(spec, correction=which, offset=None)
            for which in (Correction.NONE, Correction.TABLE)
        ]

    def test_of_exact_sums_are_rounded_ones(self):
        spec = ExactLMulTile(offset=1, lanes=2, terms=8)
        first, exact, *others = baselines(spec).values()
        assert (first, exact) == (
            spec,
            FloatMultiplierTile(weight=E4M3, activation=E4M3, lanes=2),
        )
        assert [(o.unit, o.correction, o.offset, o.lanes) for o in others] == [
            ("lmul_tile", Correction.OFFSET, 1, 2),
            ("lmul_tile", Correction.NONE, None, 2),
            ("lmul_tile", Correction.TABLE, None, 2),
        ]

    def test_of_lookups_have_the_same_weights(self):
        spec = LutTensorCore(activation=INT5, group=48, rows=1, columns=3, accumulator=Integer(20))
        first, *others = baselines(spec).items()
        assert first == ("lut_tensor_core uint2 x int5, zero point", spec)
        shared = {
            "weight": UINT2,
            "activation": INT5,
            "group": 48,
            "zero_point": True,
            "rows": 1,
            "columns": 3,
            "lanes": 4,
            "accumulator": Integer(20),
        }
        assert dict(others) == {
            "multiplier_tile uint2 x int5, baugh-wooley, zero point": MultiplierTile(**shared),
            "multiplier_tile uint2 x int5, booth, zero point": MultiplierTile(
                partial_products=PartialProducts.BOOTH, **shared
            ),
            "bit_serial_tile uint2 x int5, zero point": BitSerialTile(
                planes_per_cycle=None, **shared
            ),
            "mixpe uint2 x int5, zero point": MixPE(**shared),
        }

    @pytest.mark.parametrize(("weight", "integer"), [(BINARY, INT1), (ODD2, INT2), (ODD4, INT4)])
    def test_of_odd_weights_take_integers_of_as_many_bits(self, weight, integer):
        spec = LutTensorCore(weight=weight, zero_point=False, stages=2, **DEQUANTISED)
        _, *others = baselines(spec).values()
        assert [other.unit for other in others] == [
            *["multiplier_tile"] * 2,
            *["bit_serial_tile", "mixpe"],
        ]
        for other in others:
            assert (other.weight, other.zero_point, other.stages) == (integer, False, 2)
            assert other.initiation_interval == spec.initiation_interval == 1
            assert other.is_dequantised
        equal = equal_accumulator(baselines(spec)).values()
        assert {other.result for other in equal} == {Integer(32)}

    def test_of_serial_lookups_take_planes_as_they_do(self):
        spec = LutTensorCore(weight=INT3, zero_point=False, activation=INT2, planes_per_cycle=1)
        found = list(baselines(spec))
        # MixPE takes activations of 4 bits and more.
        assert found == [
            "lut_tensor_core int3 x int2, 3 clocks a record",
            "multiplier_tile int3 x int2, baugh-wooley",
            "multiplier_tile int3 x int2, booth",
            "bit_serial_tile int3 x int2, 3 clocks a record",
        ]

    def test_of_lookups_say_that_tables_are_elsewhere(self):
        first, *_ = baselines(LutTensorCore(tables=Tables.EXTERNAL))
        assert first == "lut_tensor_core uint2 x int8, zero point, external tables"

    def test_of_lookups_with_floats(self):
        spec = LutTensorCore(weight=ODD4, zero_point=False, activation=BF16, guard=4, **DEQUANTISED)
        _, *floats, first, serial, mixpe = baselines(spec).values()
        assert [type(tile) for tile in floats] == [FloatMultiplierTile] * 2
        assert (first.unit, first.weight, first.zero_point) == (
            "dequantise_first_tile",
            INT4,
            False,
        )
        for other in (serial, mixpe):
            assert (other.weight, other.activation, other.guard) == (INT4, BF16, 4)
        assert [type(serial), type(mixpe)] == [BitSerialTile, MixPE]
        with pytest.raises(ValueError, match="output = group: with activation = bf16"):
            baselines(LutTensorCore(activation=BF16))

    def test_equal_accumulators_are_equal_and_hold_every_result(self):
        for spec in (MixPE(), MultiplierTile(group=1024, lanes=256)):
            found = equal_accumulator(baselines(spec))
            assert len({other.result for other in found.values()}) == 1
            assert next(iter(found.values())).result.bits >= 32

    def test_a_baseline_is_not_its_own(self):
        found = list(baselines(MultiplierTile()).values())
        assert [spec.partial_products for spec in found] == list(ROWS)

    def test_another_unit_has_none(self):
        with pytest.raises(
            TypeError, match="no baselines for integer_multiplier, only for bit_ser"
        ):
            baselines(IntegerMultiplier())


@pytest.fixture
def booth_fails(monkeypatch) -> None:
    """Yosys fails on the Booth tiles, on ECP5."""

    def failing(spec, target, **options):
        if target == "ecp5" and spec.partial_products is PartialProducts.BOOTH:
            raise ToolFailure("yosys failed:\nERROR: Assert")
        return original(spec, target, **options)

    original = comparison.synthesize
    monkeypatch.setattr(comparison, "synthesize", failing)


SMALL_TILES = {
    rows.value: MultiplierTile(
        weight=UINT3, group=4, rows=1, columns=1, lanes=2, partial_products=rows
    )
    for rows in ROWS
}
TARGETS = ("gates", "ecp5")


class TestCompare:
    def test_ratios_are_to_the_first(self):
        specs = {"small": SMALL, "large": MixPE(group=4, rows=1, columns=1, lanes=4)}
        first, second = compare(specs, targets=("gates",)).rows
        assert first["gates_ratio"] == 1
        assert second["gates_ratio"] == pytest.approx(second["gates"] / 2 / first["gates"])
        assert first["gates_per_operation"] == pytest.approx(first["gates"] / 2)
        assert first["gates_unit"] == "NAND2"

    def test_what_takes_several_clocks_costs_as_often(self):
        shape = {"weight": UINT3, "group": 4, "rows": 1, "columns": 1, "lanes": 2}
        specs = {"at once": BitSerialTile(planes_per_cycle=3, **shape)}
        specs["in turn"] = BitSerialTile(planes_per_cycle=1, **shape)
        found = compare(specs, targets=("gates",))
        whole, serial = found.rows
        assert (whole["clocks"], serial["clocks"]) == (1, 3)
        assert whole["gates"] > serial["gates"]
        assert serial["gates_per_operation"] == pytest.approx(serial["gates"] * 3 / 2)
        assert serial["gates_ratio"] == pytest.approx(3 * serial["gates"] / whole["gates"])
        assert "per op: times a record's clocks" in str(found)

    def test_rows_are_json_and_the_table_has_units_and_methods(self):
        found = compare([SMALL], targets=("gates", "ecp5"))
        assert json.loads(json.dumps(found.to_dict()))["rows"] == found.rows
        text = str(found)
        for expected in ("gates, NAND2", "ecp5, LUT4", "per op", "ratio", *found.methods.values()):
            assert expected in text

    @pytest.mark.regress
    def test_ratios_start_anew_in_each_group(self):
        found = compare_with_baselines(SMALL, targets=("gates",))
        assert len(found.rows) == 10
        for group in {row["group"] for row in found.rows}:
            rows = [row for row in found.rows if row["group"] == group]
            assert rows[0]["unit"] == "mixpe"
            assert rows[0]["gates_ratio"] == 1

    def test_lookups_stand_beside_their_baselines(self):
        spec = LutTensorCore(weight=ODD2, zero_point=False, group=4, rows=1, columns=1)
        found = compare_with_baselines(spec, targets=("gates",), accumulators=("exact",))
        units = ["lut_tensor_core", *["multiplier_tile"] * 2, "bit_serial_tile", "mixpe"]
        assert [row["unit"] for row in found.rows] == units
        assert not found.errors
        assert all(row["gates"] > 0 for row in found.rows)

    @pytest.mark.regress
    def test_float_tiles_stand_beside_each_other(self):
        spec = MixPE(activation=E4M3, group=4, rows=1, columns=1, lanes=2, **DEQUANTISED)
        found = compare_with_baselines(spec, targets=("ecp5",))
        units = ["mixpe", *["float_multiplier_tile"] * 2, "dequantise_first_tile"]
        assert [row["unit"] for row in found.rows] == units
        assert not found.errors
        assert all(row["ecp5"] > 0 for row in found.rows)
        with pytest.raises(ValueError, match=r"accumulators = .*: allowed are exact$"):
            compare_with_baselines(spec, accumulators=("equal",))

    def test_a_failure_is_a_row_with_its_error(self, booth_fails):
        found = compare(SMALL_TILES, targets=TARGETS)
        held, failed = found.rows
        assert (held["ecp5_error"], failed["ecp5_error"]) == (None, "yosys failed: ERROR: Assert")
        assert [failed[f"ecp5{name}"] for name in ("", "_ratio", "_costs")] == [None, None, []]
        assert failed["gates_ratio"] == pytest.approx(failed["gates"] / held["gates"])
        assert found.errors == ["booth on ecp5 failed: yosys failed: ERROR: Assert"]
        assert found.errors[0] in str(found)
        line = next(line for line in str(found).splitlines() if line.startswith("booth"))
        assert line.endswith("failed")
        assert json.loads(json.dumps(found.to_dict()))["rows"] == found.rows

    def test_there_is_no_ratio_to_a_failure(self, booth_fails):
        found = compare(dict(reversed(SMALL_TILES.items())), targets=TARGETS)
        failed, held = found.rows
        assert held["ecp5"] > 0
        assert (held["ecp5_ratio"], failed["ecp5_ratio"]) == (None, None)
        assert found.unit("ecp5") == "LUT4"
        assert [line.split()[-1] for line in str(found).splitlines()[1:3]] == ["failed", "-"]

    def test_a_missing_tool_is_no_row(self, monkeypatch):
        def absent(name):
            raise ToolError(f"{name} was not found")

        monkeypatch.setattr(comparison, "find", absent)
        with pytest.raises(ToolError, match="yosys was not found"):
            compare(SMALL_TILES)

    def test_under_a_clock_with_a_library(self, liberty_file):
        nangate45 = liberty_file("nangate45_typ.lib.gz")
        clock = Constraints(clock_period=2.0)
        found = compare([SMALL], targets=("gates",), liberty=nangate45, constraints=clock)
        assert {row["gates_unit"] for row in found.rows} == {"um2"}
        for row in found.rows:
            (delay,) = (c["value"] for c in row["gates_costs"] if c["quantity"] == "delay")
            assert 0 < delay <= 2000
        with pytest.raises(
            ValueError, match=r"clock_period = 2.0: only 'gates' and 'n28' of the targets"
        ):
            compare(SMALL_TILES, targets=("ecp5",), constraints=clock)

    def test_nothing_on_stderr_without_a_terminal(self, capsys):
        compare([SMALL], targets=("gates",))
        assert capsys.readouterr().err == ""

    def test_what_cannot_be_compared(self):
        with pytest.raises(ValueError, match="at least one unit"):
            compare([])
        with pytest.raises(ValueError, match="cannot be compared"):
            compare([SMALL, IntegerMultiplier()])
        with pytest.raises(ValueError, match=r"target = 'n29': allowed are gates, n28, ecp5"):
            compare([SMALL], targets=("n29",))
        with pytest.raises(ValueError, match="allowed are exact and equal"):
            compare_with_baselines(SMALL, accumulators=("wide",))
