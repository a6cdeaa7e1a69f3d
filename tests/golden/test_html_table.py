"""Tables for notebooks: cells and heads in their order, and nothing of them taken for markup."""

import re
from xml.etree import ElementTree

import pytest

from multipede.golden.catalogue import unit_names
from multipede.golden.html_table import html_table
from multipede.golden.small_units import small_unit


def texts(html: str, tag: str) -> list[str]:
    """Texts of all elements of a kind; fails on markup that is not well formed."""
    return [element.text or "" for element in ElementTree.fromstring(f"<x>{html}</x>").iter(tag)]


def test_heads_cells_caption_and_notes_are_told_in_order():
    html = html_table([("a", 1), ("b", 2)], heads=("name", "number"), caption="c", notes=["n"])
    assert texts(html, "th") == ["name", "number"]
    assert texts(html, "td") == ["a", "1", "b", "2"]
    assert (texts(html, "b"), texts(html, "small")) == (["c"], ["n"])


def test_nothing_is_taken_for_markup():
    evil = "<script>alert('1')</script> & co"
    html = html_table([(evil,)], heads=(evil,), caption=evil, notes=[evil])
    assert "<script" not in html
    for tag in ("td", "th", "b", "small"):
        assert texts(html, tag) == [evil]


def test_numbers_stand_at_the_right_and_floats_have_five_digits():
    html = html_table([(1234567, 1234.56789, True, "7")])
    assert texts(html, "td") == ["1,234,567", "1,234.6", "True", "7"]
    assert re.findall("text-align:(right|left)", html) == ["right", "right", "left", "left"]


@pytest.mark.parametrize("name", unit_names())
def test_specifications_show_their_parameters_and_ports(name):
    spec = small_unit(name)
    cells = texts(spec._repr_html_(), "td")
    for told in (*spec.to_dict()["parameters"], *spec.inputs, *spec.outputs):
        assert told in cells, told
    assert spec.title in texts(spec._repr_html_(), "b")[0]
