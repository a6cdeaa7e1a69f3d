"""LUT Tensor Core's claims beside our figures: what is compared, and that figures add up."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from multipede import cli
from multipede.asic_flow import Constraints
from multipede.cost_model.reproduction import effective_area, lut_tensor_core
from multipede.cost_model.reproduction.effective_area import (
    EffectiveArea,
    SharedPart,
    effective_areas,
)
from multipede.cost_model.reproduction.lookup_rivals import RivalTable, rival_units, rivals, widths
from multipede.cost_model.reproduction.lut_tensor_core import (
    SHAPES,
    ablation,
    ablation_steps,
    shapes,
    step_unit,
)
from multipede.cost_model.reproduction.reproduction import Reproduction
from multipede.cost_model.targets import synthesize
from multipede.golden.bit_serial_tile import BitSerialTile
from multipede.golden.formats import FP16, INT8
from multipede.golden.lut_tensor_core import LutTensorCore, Tables
from multipede.golden.table_precompute import TablePrecompute

SMALL = {"rows": 1, "columns": 2, "lanes": 4, "group": 4}


def test_published_figures_are_those_of_table_2():
    steps = ablation_steps()
    first = steps[0].published_area
    ratios = [round(first / step.published_area, 3) for step in steps]
    assert ratios == [1.0, 1.317, 1.351, 1.440]
    assert [step.published_power for step in steps] == [23.39, 17.98, 17.37, 16.22]


def test_steps_are_the_paper_s():
    """From whole tables, by halved and folded ones, to tables from outside."""
    specs = [step_unit(step, (2, 64, 4)) for step in ablation_steps()]
    last, part = specs.pop()
    found = [(s.reinterpreted, s.folded, s.tables) for s in (*specs, last)]
    inside, outside = Tables.INTERNAL, Tables.EXTERNAL
    assert found == [
        (False, False, inside),
        (True, False, inside),
        (True, True, inside),
        (True, True, outside),
    ]
    assert [s.entries for s in (*specs, last)] == [16, 8, 8, 8]
    assert {s.result for s in (*specs, last)} == {last.result}
    assert isinstance(part.spec, TablePrecompute)
    assert part.sharing == 2048 // 64
    assert part.spec.outputs["t"] == last.inputs["t"]


@pytest.mark.regress
@pytest.mark.parametrize(
    ("activation", "bits", "shape", "period", "rivals_of_lookups"),
    [
        (INT8, (1, 2), (2, 16, 4), 2.0, ["multipliers"]),
        (FP16, (1, 2, 4), (1, 4, 4), 4.0, ["multipliers of floats", "weights dequantised first"]),
    ],
)
def test_lookups_are_smaller_where_the_paper_says_so(
    activation, bits, shape, period, rivals_of_lookups
):
    page = widths(
        constraints=Constraints(clock_period=period),
        weight_bits=bits,
        activation=activation,
        shape=shape,
    )
    for found in page.pages.values():
        areas = {row.label: row for row in found.rows}
        lookups = areas["lookups, all planes, tables from outside"]
        for label in rivals_of_lookups:
            assert lookups.holds_clock
            assert lookups.per_operation < areas[label].per_operation


@pytest.fixture
def made_up_areas(monkeypatch):
    """Of tiles, by columns: 64 take least and miss the clock; more is more of it."""

    def areas(units, target, *, constraints, with_power=False):
        rows = []
        for label, unit in units.items():
            columns = (unit[0] if isinstance(unit, tuple) else unit).columns
            area = {64: 1.0, 32: 2.0, 128: 3.0}[columns]
            rows.append(EffectiveArea(label, {}, 1, 1, area=area, holds_clock=columns != 64))
        return rows

    monkeypatch.setattr(lut_tensor_core, "effective_areas", areas)


def test_the_smallest_shape_is_one_that_holds_the_clock(made_up_areas):
    asked = {"constraints": Constraints(clock_period=1.5)}
    page = ablation(candidates=((1, 128, 4), (2, 64, 4), (4, 32, 4)), **asked)
    assert all("(M4N32K4)" in row.label for row in page.rows)
    assert "clock period 1.5 ns" in page.notes
    page = ablation(candidates=((2, 64, 4),), **asked)  # where none holds it, one that does not
    assert all("(M2N64K4)" in row.label and not row.holds_clock for row in page.rows)


def test_shapes_are_tried_with_tables_inside_and_from_outside(made_up_areas):
    page = shapes(constraints=Constraints(clock_period=2.0), candidates=((4, 32, 4), (1, 128, 4)))
    plain = ["M2N64K4", "M4N32K4", "M1N128K4"]
    outside = [f"{name}, tables from outside" for name in plain]
    assert [row.label for row in page.rows] == [*plain, *outside]


def test_power_and_energy_count_shares(monkeypatch):
    def synthesised(spec, target, **_):
        small = isinstance(spec, TablePrecompute)
        area, delay = (64.0, 500.0) if small else (100.0, 900.0)
        return SimpleNamespace(
            total=area, area_unit="um2", delay=delay, holds_clock=True, method="made up", costs=[]
        )

    def used(spec, target, **_):
        total, energy = (8.0, 16.0) if isinstance(spec, TablePrecompute) else (20.0, 40.0)
        return SimpleNamespace(
            power=SimpleNamespace(total=total, energy_per_record=energy), costs=[]
        )

    monkeypatch.setattr(effective_area, "synthesize", synthesised)
    monkeypatch.setattr(effective_area, "power", used)
    tile = LutTensorCore(tables=Tables.EXTERNAL, **SMALL)
    shared = SharedPart(TablePrecompute(rows=1), 8)
    (row,) = effective_areas({"tile": (tile, shared)}, with_power=True)
    assert row.shared_area == 64 / 8
    assert row.power == 20 + 8 / 8
    assert row.energy == (40 + 16 / 8) / 8


def test_a_shared_part_that_misses_the_clock_is_an_error(monkeypatch):
    def synthesised(spec, target, **_):
        holds = not isinstance(spec, TablePrecompute)
        return SimpleNamespace(
            total=1.0, area_unit="um2", delay=1234.0, holds_clock=holds, method="", costs=[]
        )

    monkeypatch.setattr(effective_area, "synthesize", synthesised)
    tile = LutTensorCore(tables=Tables.EXTERNAL, **SMALL)
    (row,) = effective_areas({"tile": (tile, SharedPart(TablePrecompute(rows=1), 8))})
    assert row.area is None
    assert "table_precompute misses the clock: 1,234 ps" in row.error


def test_a_wrong_target_is_told_at_once():
    with pytest.raises(ValueError, match="target = 'nope'"):
        rivals("nope", constraints=None, shape=(1, 1, 4))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: rival_units(2, INT8, (2, 16)), TypeError, r"shape = \(2, 16\): rows, columns"),
        (lambda: rival_units(2, INT8, None), TypeError, "shape = None"),
        (lambda: rival_units(2, INT8, (2, 16, 4.0)), TypeError, "shape"),
        (lambda: rival_units(2, "int8", (1, 1, 4)), TypeError, "activation"),
        (lambda: widths(constraints=None, weight_bits=2), TypeError, "weight_bits = 2: a sequence"),
        (lambda: ablation(constraints=None, candidates=[(2, 64)]), TypeError, "candidates"),
        (
            lambda: shapes(constraints=None, candidates=[(2, 64, 4)], table_inputs=3),
            ValueError,
            "table_inputs = 3",
        ),
    ],
)
def test_wrong_parameters_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_every_shape_has_512_multiply_accumulates():
    assert {rows * columns * lanes for rows, columns, lanes in SHAPES} == {512}
    assert len(set(SHAPES)) == len(SHAPES) >= 8


def test_areas_count_clocks_and_shares():
    serial = BitSerialTile(planes_per_cycle=1, **SMALL)
    part = SharedPart(TablePrecompute(rows=1), 8)
    tile = LutTensorCore(tables=Tables.EXTERNAL, **SMALL)
    alone, shared = effective_areas({"serial": serial, "tile": (tile, part)}, "gates")
    assert alone.area == synthesize(serial, "gates").total
    assert alone.initiation_interval == 4
    assert alone.operations == 8
    assert alone.per_operation == pytest.approx(alone.area * 4 / 8)
    assert shared.shared_area == pytest.approx(synthesize(part.spec, "gates").total / 8)
    assert shared.per_operation == pytest.approx((shared.area + shared.shared_area) / 8)
    twice = replace(alone, area=2 * alone.area)
    page = Reproduction("areas", (alone, twice), {}, ())
    assert page.ratio(twice) == pytest.approx(0.5)
    assert "0.500x" in str(page)


def test_a_unit_without_figures_is_a_row_with_its_error():
    constraints = Constraints(clock_period=1.0)  # NAND2 equivalents have no delays
    (row,) = effective_areas({"tile": LutTensorCore(**SMALL)}, "gates", constraints=constraints)
    assert row.area is None
    assert "no delays" in row.error
    assert "tile failed" in str(Reproduction("areas", (row, row), {}, ()))


def test_rivals_have_one_shape_and_accumulator():
    asked = {"constraints": None, "weight_bits": 2, "shape": (1, 1, 4)}
    found = rivals("gates", **asked)
    assert not found.errors
    assert len(found.rows) == 6
    for row in found.rows:
        parameters = row.parameters["parameters"]
        assert (parameters["rows"], parameters["columns"], parameters["lanes"]) == (1, 1, 4)
        assert parameters["accumulator"] == "int32"
        assert row.per_operation > 0
    clocks = {row.label: row.initiation_interval for row in found.rows}
    assert clocks["lookups, bit-serial"] == 2
    assert clocks["lookups, all planes"] == 1


def test_float_rivals_have_one_accumulator_and_as_many_ranks():
    units = rival_units(1, FP16, (1, 2, 4))
    tiles = [unit[0] if isinstance(unit, tuple) else unit for unit in units.values()]
    assert [type(tile).__name__ for tile in tiles] == [
        "FloatMultiplierTile",
        "DequantiseFirstTile",
        *["FloatLutTensorCore"] * 3,
        "BitSerialTile",
        "LutTensorCore",
    ]
    assert {tile.accumulator.name for tile in tiles[:-2]} == {"fp32"}
    assert {tile.stages for tile in tiles} == {4}
    assert not any("z" in tile.inputs for tile in tiles)
    shared = units["lookups, all planes, tables from outside"][1]
    assert shared.spec.stages == 3  # so that it holds the tile's clock
    assert len(rival_units(2, FP16, (1, 2, 4))) == 8


def test_table_inputs_are_those_that_are_asked_for():
    for activation in (INT8, FP16):
        units = rival_units(2, activation, (1, 2, 6), table_inputs=3)
        tiles = [unit[0] if isinstance(unit, tuple) else unit for unit in units.values()]
        found = {tile.table_inputs for tile in tiles if hasattr(tile, "table_inputs")}
        assert found == {3}
    (tile, part) = step_unit(ablation_steps()[-1], (2, 64, 4), table_inputs=2)
    assert tile.table_inputs == part.spec.table_inputs == 2


def test_widths_mark_the_smallest_that_holds_the_clock():
    def row(label, area, holds=True):
        return EffectiveArea(label, {}, 1, 1, area=area, holds_clock=holds)

    pages = {
        1: Reproduction("t", (row("a", 4.0), row("b", 3.0)), {}, ()),
        2: Reproduction("t", (row("a", 8.0), row("b", 7.0, holds=False)), {}, ()),
    }
    lines = str(RivalTable("areas", pages)).splitlines()
    assert lines[3].split() == ["a", "4.0", "8.0*"]
    assert lines[4].split() == ["b", "3.0*", "7.0!"]


def test_widths_are_rivals_of_each_width():
    asked = {"constraints": None, "shape": (1, 1, 2)}
    with pytest.raises(ValueError, match="lanes"):
        widths("gates", weight_bits=(1,), **asked)  # a table takes four activations
    asked["shape"] = (1, 1, 4)
    found = widths("gates", weight_bits=(2,), **asked)
    assert found.pages[2].rows == rivals("gates", weight_bits=2, **asked).rows
    assert found.title.startswith("NAND2 per multiply-accumulate, int8 activations, M1N1K4")
    with pytest.raises(ValueError, match="weight_bits is empty"):
        widths("gates", weight_bits=(), **asked)


@pytest.mark.regress
def test_the_ablation_goes_the_paper_s_way():
    """Each step is smaller than the one before, at one clock."""
    page = ablation(constraints=Constraints(clock_period=2.0), candidates=((2, 64, 4),))
    assert not page.errors
    assert all(row.holds_clock and row.power for row in page.rows)
    intensities = [page.ratio(row) for row in page.rows]
    assert intensities == sorted(intensities)
    assert intensities[1] > 1.2
    assert page.published_ratio(page.rows[-1]) == pytest.approx(1.440, abs=5e-4)


@pytest.mark.parametrize("experiment", [ablation, shapes])
def test_shapes_of_other_sizes_are_refused(experiment):
    with pytest.raises(
        ValueError, match=r"\(2, 2, 4\): rows times columns times lanes must be 512"
    ):
        experiment("gates", constraints=None, candidates=((2, 2, 4),))
    with pytest.raises(ValueError, match="candidates is empty"):
        experiment("gates", constraints=None, candidates=())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["ablation", "--shape", "2x64"], "rows, columns and lanes are needed"),
        (
            ["shapes", "--weight-bits", "2"],
            "--weight-bits has a meaning for rivals and widths only",
        ),
        (["rivals", "--weight-bits", "9"], "weight_bits = 9"),
        (["rivals", "--shape", "1x2x4", "--shape", "2x2x4"], "--shape: one is needed, not 2"),
        (["rivals", "--activation", "nonsense"], "unknown format"),
        (["ablation", "--clock-period", "-1"], "clock_period = -1"),
        (["ablation", "--target", "ecp5"], "--target ecp5: delays are needed"),
        (["rivals", "--target", "gates"], "--target gates: delays are needed"),
        (["widths", "--weight-bits", "0"], "weight_bits = 0"),
        (["rivals", "--weight-bits", "1", "--weight-bits", "2"], "--weight-bits: one is needed"),
    ],
)
def test_wrong_words_are_told_in_one_line(words, message, capsys):
    assert cli.main(["reproduce", "lut_tensor_core", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.regress
def test_the_command_prints_one_document(capsys):
    words = ["rivals", "--shape", "1x1x4", "--weight-bits", "1", "--clock-period", "3", "--json"]
    assert cli.main(["reproduce", "lut_tensor_core", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    labels = [row["label"] for row in document["rows"]]
    assert labels[0] == "multipliers"
    assert "lookups, all planes" in labels
    assert all(row["holds_clock"] for row in document["rows"])
    assert INT8.name in document["title"]
