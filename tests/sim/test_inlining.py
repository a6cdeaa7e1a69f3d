"""Marks for Verilator: which modules get them, and that they change no bit."""

import re

import torch

from multipede.golden.float_multiplier_tile import FloatMultiplierTile
from multipede.golden.mixpe import MixPE
from multipede.hw import Style
from multipede.sim import inlining
from multipede.sim.compiled import compile_verilog
from multipede.sim.inlining import compile_all_once, compile_once
from multipede.sim.stimulus import random_records
from multipede.sim.verilog import verilog_of

MARK = "/*verilator no_inline_module*/"


def module(name: str, assignments: int, *children: str) -> str:
    lines = [f"module {name}(", "  input a", ");"]
    lines += [f"  assign w{i} = a;" for i in range(assignments)]
    lines += [f"  {child} u{i} (\n    .a(a)\n  );" for i, child in enumerate(children)]
    return "\n".join([*lines, "endmodule", ""])


def marked(verilog: str) -> set[str]:
    return set(re.findall(r"^module (\w+)\([^)]*\); " + re.escape(MARK), verilog, re.MULTILINE))


def test_the_largest_modules_of_a_size_are_marked():
    text = "".join(
        [
            module("top", 10, *["row"] * 6, "tiny"),
            module("row", 10, *["sum"] * 4, "word"),
            module("sum", 200, "inner"),
            module("inner", 80),
            module("word", 60),
            module("tiny", 5),
        ]
    )
    # top and row are too large for a function, inner is part of sum.
    assert marked(compile_once(text, top="top")) == {"sum", "word"}
    assert compile_once(text, top="top").replace(" " + MARK, "") == text
    assert marked(compile_all_once(text, top="top")) == {"row", "sum", "inner", "word", "tiny"}


def test_small_designs_are_left_alone():
    text = module("top", 10, *["sum"] * 4) + module("sum", 200)
    assert compile_once(text, top="top") == text


def test_of_our_tiles_only_large_ones_get_marks():
    assert not marked(compile_once(verilog_of(MixPE(), Style.WORD), top="mixpe"))
    spec = FloatMultiplierTile()
    found = marked(compile_once(verilog_of(spec, Style.WORD), top=spec.unit))
    names = ("accumulate", "add", "add_2", "multiply")  # products are added first, then sums
    assert found == {f"{spec.unit}_{name}" for name in names}


def test_marks_change_no_bit(monkeypatch):
    spec = FloatMultiplierTile(rows=1, columns=2, lanes=2)
    monkeypatch.setattr(inlining, "SMALL_DESIGN", 0)
    verilog = compile_once(verilog_of(spec, Style.WORD), top=spec.unit)
    assert len(marked(verilog)) == 2
    records = random_records(spec, 3000, seed=5)
    found = compile_verilog(verilog, spec).run(records)["y"]
    tensors = {name: torch.from_numpy(array) for name, array in records.items()}
    outputs, _ = spec.reference(**tensors)
    assert len(found) > 100
    assert (found == outputs["y"].numpy()).all()
