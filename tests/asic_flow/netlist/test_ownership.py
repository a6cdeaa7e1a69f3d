"""Which submodule cells belong to: by their own names, those of nets, and those of readers."""

from multipede.asic_flow.netlist.ownership import owner_of_cells
from tests.asic_flow.hand_netlists import hand_netlist, number_of


def named(netlist: dict, names: dict[str, list[str]]) -> dict:
    """The netlist with these names of nets alone: ``hdlname`` -> nets."""
    netlist["netnames"] = {
        way.replace(" ", "."): {
            "bits": [number_of(netlist, net) for net in nets],
            "hide_name": 0,
            "attributes": {"hdlname": way} if " " in way else {},
        }
        for way, nets in names.items()
    }
    return netlist


CELLS = {
    "deep.one.adder": ("INV", {"A": "a", "Y": "b"}),
    "g1": ("INV", {"A": "b", "Y": "c"}),
    "g2": ("INV", {"A": "c", "Y": "d"}),
    "g3": ("INV", {"A": "d", "Y": "e"}),
    "g4": ("INV", {"A": "e", "Y": "y"}),
    "g5": ("INV", {"A": "a", "Y": "z"}),
}


def test_names_of_cells_nets_and_readers():
    made = hand_netlist("a", "y", CELLS)
    made["cells"]["deep.one.adder"]["attributes"] = {"hdlname": "deep one adder"}
    # c is named in two places, in one of which b is named, too; d has no name; z nothing reads.
    names = {"top": ["a", "y"], "deep one b": ["b"], "deep one c": ["c"], "mul.in.c": ["c"]}
    names |= {"mul stage x": ["e"], "mul c": ["c"]}
    assert owner_of_cells(named(made, names)) == {
        "deep.one.adder": "deep.one",
        "g1": "deep.one",
        "g2": "mul.stage",
        "g3": "mul.stage",
        "g4": "",
        "g5": "",
    }


def test_the_deepest_of_several_and_the_most_of_several_readers():
    cells = {
        "s": ("INV", {"A": "a", "Y": "n"}),
        "1": ("INV", {"A": "n", "Y": "p"}),
        "2": ("INV", {"A": "n", "Y": "q"}),
        "3": ("INV", {"A": "n", "Y": "r"}),
    }
    made = hand_netlist("a", "p", cells)
    names = {"top": ["a", "p"], "x p": ["p"], "x y p": ["p"], "b q": ["q"], "b r": ["r"]}
    assert owner_of_cells(named(made, names)) == {"s": "b", "1": "x.y", "2": "b", "3": "b"}


def test_names_alone_tell_places_behind_verilog():
    """There attributes are lost, and names that tools made look like others, but for their $."""
    cells = {
        "mul.bits[1].adder": ("INV", {"A": "a", "Y": "n"}),
        "$abc$7$gate": ("INV", {"A": "n", "Y": "m"}),
        "$abc$8$gate": ("INV", {"A": "m", "Y": "y"}),
    }
    made = hand_netlist("a", "y", cells)
    for cell in made["cells"].values():
        cell["hide_name"] = 0
    numbers = {net: number_of(made, net) for net in "anmy"}
    names = {"a": "a", "y": "y", "sum.carry": "m", "$abc$7$x": "n"}
    made["netnames"] = {
        name: {"bits": [numbers[net]], "hide_name": 0, "attributes": {}}
        for name, net in names.items()
    }
    assert owner_of_cells(made) == {
        "mul.bits[1].adder": "mul.bits[1]",
        "$abc$7$gate": "sum",
        "$abc$8$gate": "",
    }


def test_names_that_tools_made_do_not_count():
    made = hand_netlist("a", "y", {"1": ("INV", {"A": "a", "Y": "y"})})
    made["netnames"] = {"$abc$1.x": {"bits": [3], "hide_name": 1, "attributes": {}}}
    assert owner_of_cells(made) == {"1": ""}
