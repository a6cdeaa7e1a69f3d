"""The record of a cost: complete or refused, and the same after a round trip."""

import json
import math

import pytest

from multipede.toolchain.cost import Cost, CostMethod

FIELDS = {
    "quantity": "area",
    "value": 12.5,
    "unit": "NAND2",
    "target": "gates",
    "method": CostMethod.SYNTHESISED,
    "source": "a table",
    "tools": {"yosys": "0.70"},
    "style": "cells",
    "rtlil_digest": "ab",
    "relative_error": 0.1,
}


def test_json_round_trip():
    cost = Cost(**FIELDS)
    assert Cost.from_dict(json.loads(json.dumps(cost.to_dict()))) == cost
    assert cost.to_dict()["method"] == "synthesised"


def test_says_value_unit_method_and_source():
    assert str(Cost(**FIELDS)) == "area 12.5 NAND2 (synthesised; a table)"


def test_notebooks_show_value_unit_error_and_source():
    shown = Cost(**FIELDS | {"source": "a < b & c"})._repr_html_()
    for told in ("area", ">12.5<", "NAND2", "± 10 %", "gates", "synthesised: a &lt; b &amp; c"):
        assert told in shown, told


def test_is_hashable_and_keeps_no_reference():
    tools = {"yosys": "0.70"}
    cost = Cost(**FIELDS | {"tools": tools})
    tools["abc"] = "1"
    assert hash(cost) == hash(Cost(**FIELDS))
    assert cost.tools == {"yosys": "0.70"}


@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
def test_a_value_that_is_no_cost(value):
    with pytest.raises(ValueError, match=f"area = {value}: a finite value from 0 is needed"):
        Cost(**FIELDS | {"value": value})


@pytest.mark.parametrize("name", ["quantity", "unit", "target", "source"])
def test_nothing_without_its_name_unit_target_and_source(name):
    with pytest.raises(ValueError, match=f"{name} of a cost must not be empty"):
        Cost(**FIELDS | {name: ""})


def test_the_method_is_one_of_five():
    with pytest.raises(TypeError, match="method must be a CostMethod, not 'guessed'"):
        Cost(**FIELDS | {"method": "guessed"})
    assert len(CostMethod) == 5
