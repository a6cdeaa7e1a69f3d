"""The syntax of Liberty: what is read, and what is said of broken texts."""

import pytest

from multipede.asic_flow.liberty.syntax import parse_group

TEXT = """
library ("small one") { /* a { in a comment */
  time_unit : "1ns"; // and one to the line's end
  no_semicolon : 12
  capacitive_load_unit (1, ff);
  voltage : VDD + 0.5 ;
  define (x, cell, float) ;
  fanout_length (1, 2.5); fanout_length (2, 5.5);
  lu_table_template (T) {
    variable_1 : input_net_transition;
    index_1 ("0.1, 0.2 0.3");
  }
  cell (A) { area : 1.5; pin (Y) { values ("1, 2", \\
      "3, 4"); } }
  cell ("B") { }
}
"""


def test_attributes_and_groups():
    group = parse_group(TEXT)
    assert (group.kind, group.arguments) == ("library", ("small one",))
    assert group.text("time_unit") == "1ns"
    assert group.number("no_semicolon") == 12
    assert group.attributes["capacitive_load_unit"] == (("1", "ff"),)
    assert group.text("voltage") == "VDD + 0.5"
    assert group.attributes["fanout_length"] == (("1", "2.5"), ("2", "5.5"))
    assert [cell.arguments[0] for cell in group.of("cell")] == ["A", "B"]
    (template,) = group.of("lu_table_template")
    assert template.numbers("index_1") == [0.1, 0.2, 0.3]
    assert group.of("cell")[0].of("pin")[0].numbers("values") == [1, 2, 3, 4]


def test_what_is_not_there():
    group = parse_group(TEXT)
    assert group.text("nothing") == ""
    assert group.text("nothing", "usual") == "usual"
    assert group.number("nothing") is None
    assert group.numbers("nothing") == []
    assert group.of("nothing") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("library (a) {", "it ends where a name is needed"),
        ("library (a {", "where an argument or \\) is needed"),
        ("library { }", "line 1: '{' where \\( is needed"),
        ("library (a) { x : 1; } y", "line 1: 'y' where the end is needed"),
        ('library (a) {\n x : "open; }', "line 2: a text without its closing quotation mark"),
        ("library (a) { : 1; }", "line 1: ':' where a name is needed"),
    ],
)
def test_broken_texts_are_refused_with_their_line(text, message):
    with pytest.raises(ValueError, match=message):
        parse_group(text)


def test_what_is_no_number_is_refused():
    group = parse_group(TEXT)
    with pytest.raises(ValueError, match="time_unit = '1ns' in library \\(small one\\): a number"):
        group.number("time_unit")
    with pytest.raises(ValueError, match="voltage in library \\(small one\\): numbers are needed"):
        group.numbers("voltage")
