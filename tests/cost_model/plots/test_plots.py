"""Pictures show what the tables hold, with names and units on their axes."""

import pandas
import pytest

from multipede.cost_model.plots.breakdown import breakdown, breakdown_plot
from multipede.cost_model.plots.picture import Picture
from multipede.cost_model.plots.roofline import roofline
from multipede.cost_model.plots.sweeps import heat_map, pareto_plot
from multipede.cost_model.targets import synthesize
from multipede.cost_model.workload import products_of
from multipede.cost_model.workloads.array import Array, Memory
from multipede.golden.lmul import LMul
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile


@pytest.fixture
def found():
    table = pandas.DataFrame(
        {
            "rows": [1, 1, 2, 2, 2],
            "lanes": [4, 8, 4, 8, 8],
            "weight": ["int4", "int4", "int8", "int8", "int4"],
            "n28.area": [10.0, 20.0, 30.0, 70.0, 60.0],
            "n28.multiply_per_second": [1e9, 4e9, 2e9, 9e9, None],
            "n28.area.error_bar": [0.1] * 5,
        }
    )
    table.attrs["units"] = {"n28.area": "um2", "n28.multiply_per_second": "1/s"}
    return table


SHAPE = {"rows": 2, "columns": 2, "lanes": 2, "group": 8}
AREA, RATE = "n28.area", "n28.multiply_per_second"


class TestPareto:
    def test_points_and_their_front(self, found):
        (axes,) = pareto_plot(found, AREA, RATE, maximise=[RATE]).figure.axes
        assert axes.get_xlabel() == "n28.area, um2"
        assert axes.get_ylabel() == "n28.multiply per second, 1/s"
        lines = {line.get_label(): line for line in axes.get_lines()}
        # 30 um2 at 2e9 is worse than 20 um2 at 4e9 in both.
        assert lines["front"].get_xdata().tolist() == [10.0, 20.0, 70.0]
        (points,) = axes.containers
        assert points.lines[0].get_xdata().tolist() == [10.0, 20.0, 30.0, 70.0]
        assert points.has_xerr
        assert not points.has_yerr
        left, right = points.lines[2][0].get_segments()[0][:, 0]
        assert (left, right) == pytest.approx((9.0, 11.0))

    def test_a_colour_for_each_value(self, found):
        picture = pareto_plot(found, AREA, RATE, maximise=[RATE], colour="weight")
        (axes,) = picture.figure.axes
        legend = [text.get_text() for text in axes.get_legend().get_texts()]
        assert sorted(legend) == ["front", "int4", "int8"]

    @pytest.mark.parametrize(
        ("options", "error", "said"),
        [
            ({"x": "n28.beauty"}, ValueError, "x = 'n28.beauty': columns are rows, lanes"),
            ({"x": "weight"}, ValueError, "x = 'weight': the column has no numbers"),
            ({"maximise": ["rows"]}, ValueError, "of n28.area and n28.multiply_per_second only"),
            ({"colour": "taste"}, ValueError, "colour = 'taste'"),
            ({"found": [1]}, TypeError, "found"),
        ],
    )
    def test_bad_input(self, found, options, error, said):
        with pytest.raises(error, match=said):
            pareto_plot(**{"found": found, "x": AREA, "y": RATE, **options})

    def test_nothing_to_show(self, found):
        with pytest.raises(ValueError, match="no point has both"):
            pareto_plot(found.iloc[4:], AREA, RATE)

    def test_too_many_colours(self, found):
        many = pandas.concat([found.iloc[:1]] * 11, ignore_index=True).assign(rows=range(11))
        with pytest.raises(ValueError, match="11 values are more than 10 colours"):
            pareto_plot(many, AREA, RATE, colour="rows")


def test_a_heat_map_shows_the_least(found):
    axes, bar = heat_map(found, "rows", "lanes", AREA).figure.axes
    # Of 2 rows and 8 lanes there are 70 and 60 um2.
    assert sorted(text.get_text() for text in axes.texts) == ["10", "20", "30", "60"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("rows", "lanes")
    assert bar.get_ylabel() == "n28.area, um2"
    with pytest.raises(ValueError, match=r"no point has n28\.area"):
        heat_map(found.assign(**{AREA: float("nan")}), "rows", "lanes", AREA)
    with pytest.raises(ValueError, match="y = 'depth'"):
        heat_map(found, "rows", "depth", AREA)


class TestBreakdown:
    def test_parts_are_the_whole(self):
        unit = synthesize(MixPE(**SHAPE), "n28")
        parts = breakdown(unit)
        assert sum(parts.values()) == pytest.approx(unit.total)
        wanted = {"dot product", "correction", "activation sum", "outside of parts"}
        assert set(parts) == wanted
        assert list(parts.values()) == sorted(parts.values(), reverse=True)
        assert breakdown(synthesize(LMul(), "n28")).keys() == {"outside of parts", "sum"}

    def test_bars_on_each_other(self):
        units = {
            "mixpe": synthesize(MixPE(**SHAPE), "n28"),
            "int8": synthesize(MultiplierTile(**SHAPE), "n28"),
        }
        (axes,) = breakdown_plot(units).figure.axes
        assert axes.get_ylabel() == "area per operation, um2"
        top = max(bar.get_y() + bar.get_height() for bar in axes.patches)
        assert top == pytest.approx(max(unit.total / 8 for unit in units.values()))

    def test_bad_input(self):
        with pytest.raises(ValueError, match="found is empty"):
            breakdown_plot({})
        with pytest.raises(TypeError, match="found"):
            breakdown("mixpe")
        small = LMul(stages=0)
        with pytest.raises(ValueError, match=r"areas in NAND2, um2 cannot stand beside"):
            breakdown_plot({"a": synthesize(small, "gates"), "b": synthesize(small, "n28")})


def test_a_roofline():
    """No product is above the roof."""
    array = Array(
        rows=8, columns=8, lanes=8, clock_period=2.0, energy=1.0, area=1.0, weight_bits=4,
        activation_bits=8, memory=Memory(bits_per_clock=64),
    )  # fmt: skip
    products = products_of("vit-b", "prefill", 64)
    (axes,) = roofline(array.cost(products)).figure.axes
    roof, *points = axes.get_lines()
    peak = 2 * 8**3 / 2.0
    assert roof.get_ydata()[-1] == peak
    assert len(points) == len(products)
    for point in points:
        ((intensity,), (rate,)) = point.get_data()
        assert 0 < rate <= min(peak, intensity * 64 / 8 / 2.0) * 1.0001
    with pytest.raises(TypeError, match="cost"):
        roofline(array)


class TestPictures:
    def test_files(self, found, tmp_path):
        picture = heat_map(found, "rows", "lanes", AREA)
        for ending, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
            picture.save(tmp_path / f"a{ending}")
            assert (tmp_path / f"a{ending}").read_bytes().startswith(start)
        with pytest.raises(ValueError, match=r"ends in \.png, \.svg, \.pdf"):
            picture.save(tmp_path / "a.bmp")

    def test_notebooks_show_them(self, found):
        picture = heat_map(found, "rows", "lanes", AREA)
        assert isinstance(picture, Picture)
        assert picture._repr_png_().startswith(b"\x89PNG")
        assert "<svg" in picture.svg()
