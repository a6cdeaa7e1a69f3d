"""The table of gate sizes: its figures, its Liberty file, its models."""

import re
from fractions import Fraction

import pytest

from multipede.asic_flow.liberty.boolean import truth_table
from multipede.asic_flow.liberty.gate_table import (
    cell_models,
    gate_library,
    gate_table,
    table_liberty,
    table_text,
)
from multipede.asic_flow.liberty.library import Library, parse_liberty, read_liberty


def differing(table, library: Library) -> list[str]:
    """Cells of the table whose size or function is not that of the cell that they name."""
    nand2 = library.cells["NAND2_X1"].area
    found = []
    for cell in table.values():
        named = library.cells[re.search(r"(\w+_X1)", cell.source)[1]]
        same_size = named.area / nand2 == cell.size
        same_kind = cell.register == named.sequential
        if not (same_size and same_kind and (cell.register or same_functions(cell, named))):
            found.append(cell.name)
    return found


def same_functions(cell, named) -> bool:
    mine = [truth_table(function, cell.inputs) for function in cell.outputs.values()]
    # Pins are named otherwise there; in alphabetical order they correspond.
    inputs = sorted(name for name, pin in named.pins.items() if not pin.output)
    theirs = [truth_table(pin.function, inputs) for pin in named.pins.values() if pin.output]
    return sorted(mine) == sorted(theirs)


class TestSizes:
    def test_are_those_of_nangate45(self, liberty_file):
        library = read_liberty(liberty_file("nangate45_typ.lib.gz"))
        assert differing(gate_table(), library) == []

    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ("NAND3,4/3", "NAND3,1"),
            ("FULL_ADDER,16/3", "FULL_ADDER,5"),
            ("DFF,17/3", "DFF,6"),
            ("NOR2,1,Y=!(A|B)", "NOR2,1,Y=!(A&B)"),
        ],
    )
    def test_a_wrong_entry_is_found(self, liberty_file, right, wrong):
        library = read_liberty(liberty_file("nangate45_typ.lib.gz"))
        assert right in table_text()
        table = gate_table(table_text().replace(right, wrong))
        assert differing(table, library) == [right.split(",")[0]]

    def test_sources_count_the_sites_that_make_the_size(self):
        for cell in gate_table().values():
            sites = int(re.search(r": (\d+) sites", cell.source)[1])
            assert cell.size == Fraction(sites, 3)

    @pytest.mark.parametrize("line", ["NAND2,one,Y=A,source", "NAND2,1,Y,source", "NAND2"])
    def test_a_line_that_cannot_be_read_is_named(self, line):
        with pytest.raises(ValueError, match=r"gate_equivalents.csv, line 2: "):
            gate_table(f"cell,nand2_equivalents,function,source\n{line}\n")


class TestLiberty:
    def test_holds_every_cell_with_its_size(self):
        library = gate_library()
        assert library.unit == "NAND2"
        for cell in gate_table().values():
            assert float(library.cells[cell.name].area) == pytest.approx(float(cell.size))
            assert library.cells[cell.name].sequential is cell.register

    def test_is_read_back_as_it_was_written(self):
        library = parse_liberty(table_liberty(gate_table()), "table", "NAND2")
        assert library.cells.keys() == gate_table().keys()
        for name, cell in gate_table().items():
            functions = [pin.function for pin in library.cells[name].pins.values() if pin.output]
            assert cell.register or functions == list(cell.outputs.values())


def test_models_have_every_cell():
    assert re.findall(r"^module (\w+)", cell_models(), re.MULTILINE) == list(gate_table())
