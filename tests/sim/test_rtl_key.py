"""What the key of a unit's RTL tells apart, and that nothing is stored under another's key."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import multipede
from multipede.golden.mixpe import MixPE
from multipede.sim import verilog
from multipede.sim.verilog import code_key
from tests.sim.slow_unit import SlowSpec

SESSION = """
import sys
from pathlib import Path
import multipede as mp
from multipede.golden.source_files import SourceChangedError
from multipede.sim.verilog import rtl_key, rtlil_of

SPEC = mp.IntegerMultiplier(a=mp.INT3, b=mp.INT4)

def edit(name, old, new):
    path = Path(mp.__file__).parent / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))

def plant():
    edit("hw/arithmetic/products.py", "negative=format_.signed and bit == format_.bits - 1",
         "negative=False")

def refused(spec=SPEC, style=mp.Style.WORD):
    try:
        rtlil_of(spec, style)
    except SourceChangedError as error:
        print("refused:", error)
"""
TWINS = """
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar
from amaranth.hdl import Module
from multipede.golden.formats import INT4, Integer
from multipede.golden.spec import Kind, Port, Spec
from multipede.hw.unit import Unit, UnitPlan
from basis import Basis

@dataclass(frozen=True, kw_only=True)
class Base(Basis, Spec):
    unit: ClassVar[str] = "twin"
    title: ClassVar[str] = "y = FACTOR x"
    kind: ClassVar[Kind] = Kind.PART
    source: ClassVar[str] = "tests"
    inputs = property(lambda self: {"x": Port(INT4)})
    outputs = property(lambda self: {"y": Port(Integer(6))})
    operations = property(lambda self: {"product": 1})
    latency = property(lambda self: 0)

    def reference(self, state=None, **inputs):
        return {"y": inputs["x"] * self.FACTOR}, None

class Twice(Base):
    FACTOR = 2

class Thrice(Base):
    FACTOR = 3

class Plan(UnitPlan):
    def inventory(self):
        return Counter()

class Product(Unit):
    planning = Plan

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.payload.y.eq(self.i.payload.x * self.spec.FACTOR)
        m.d.comb += self.o.valid.eq(self.i.valid)
        return m

class TwiceUnit(Product):
    specification = Twice

class ThriceUnit(Product):
    specification = Thrice
"""


@pytest.fixture
def session(tmp_path):
    """Runs code in a process with a copy of Multipede and a cache of its own."""
    place = tmp_path / "code"
    original = Path(multipede.__file__).parent
    shutil.copytree(original, place / "multipede", ignore=shutil.ignore_patterns("__pycache__"))
    (place / "basis.py").write_text("class Basis:\n    OFFSET = 0\n")
    (place / "twins.py").write_text(TWINS)
    environment = {
        "PYTHONPATH": str(place),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MULTIPEDE_CACHE": str(tmp_path / "cache"),
    }

    def run(code: str, *, cache: str = "cache") -> str:
        done = subprocess.run(
            [sys.executable, "-c", SESSION + code],
            env=os.environ | environment | {"MULTIPEDE_CACHE": str(tmp_path / cache)},
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize(
    "code",
    [
        "mp.build(SPEC); plant(); refused()",
        "plant(); refused()",
        "rtlil_of(SPEC, mp.Style.WORD); plant(); import importlib;"
        "importlib.reload(sys.modules['multipede.hw.arithmetic.products']);"
        "refused(style=mp.Style.CELLS)",
    ],
    ids=["loaded before the edit", "loaded after it", "reloaded"],
)
def test_other_code_than_the_keys_is_refused(session, tmp_path, code):
    assert "products.py was changed while this process was running" in session(code)
    whole = [path for path in (tmp_path / "cache/rtlil").glob("[!.]*") if path.is_dir()]
    assert len(whole) == code.count("rtlil_of")
    # What is stored is right: the fresh process finds nothing that the other left.
    edited = session("print(rtlil_of(SPEC, mp.Style.WORD))")
    assert edited == session("print(rtlil_of(SPEC, mp.Style.WORD))", cache="empty")


def test_a_session_goes_on_with_the_code_that_it_has_loaded(session):
    before = session("print(rtlil_of(SPEC, mp.Style.CELLS))", cache="other")
    code = "rtlil_of(SPEC, mp.Style.WORD); plant(); print(rtlil_of(SPEC, mp.Style.CELLS))"
    assert session(code) == before
    assert session("print(rtlil_of(SPEC, mp.Style.CELLS))") != before


def test_adders_that_changed_are_refused(session):
    code = """
rtlil_of(SPEC, mp.Style.WORD)
edit("hw/arithmetic/adders.v", "assign carry = a | b;", "assign carry = a & b;")
refused(style=mp.Style.CELLS)
"""
    assert "adders.v was changed while this process was running" in session(code)


def test_the_command_line_says_what_changed(session):
    code = """
from multipede import cli
mp.build(SPEC)
plant()
print(cli.main(["verify", "integer_multiplier", "--json"]))
"""
    printed = session(code)
    assert "products.py was changed while this process was running" in printed
    assert "internal error" not in printed
    assert printed.endswith("\n3\n")


def test_specifications_of_one_name_are_told_apart(session):
    code = "import twins; print(rtlil_of(twins.{}(), mp.Style.WORD))"
    twice, thrice = (session(code.format(name)) for name in ("Twice", "Thrice"))
    assert twice != thrice
    assert thrice == session(code.format("Thrice"), cache="other")


def test_a_plug_in_that_changed_is_refused(session):
    code = """
import twins
path = Path(twins.__file__)
path.write_text(path.read_text().replace("FACTOR = 2", "FACTOR = 5"))
refused(twins.Twice())
"""
    assert "twins.py was changed while this process was running" in session(code)


def test_code_of_base_classes_counts(session, tmp_path):
    code = "import twins; print(rtl_key(twins.Twice(), mp.Style.WORD))"
    first = session(code)
    assert session(code) == first
    (tmp_path / "code/basis.py").write_text("class Basis:\n    OFFSET = 1\n")
    assert session(code) != first


def test_a_unit_typed_into_an_interpreter_is_refused(session):
    code = """
class Typed(mp.IntegerMultiplier):
    pass

try:
    rtl_key(Typed(), mp.Style.WORD)
except ValueError as error:
    print(error)
"""
    assert session(code) == (
        "__main__ has no source file: define the unit in a module of its own\n"
    )


def test_what_is_remembered_of_a_unit_does_not_hang_on_other_units(monkeypatch):
    """Of a plug-in's unit, which may import anything of ours, it does."""
    parts = []
    monkeypatch.setattr(verilog, "source_digest", lambda module, *of: parts.append(of) or "digest")
    code_key(MixPE())
    assert "golden/mixpe.py" in parts[0]
    assert "golden/float_adder.py" not in parts[0]
    parts.clear()
    code_key(SlowSpec())
    assert ("golden", "hw") in parts


def test_what_is_remembered_hangs_on_the_specification_and_the_code(monkeypatch):
    known = code_key(MixPE())
    assert code_key(MixPE()) == known
    assert code_key(MixPE(rows=3)) != known
    monkeypatch.setattr(verilog, "source_digest", lambda module, *of: "other code")
    assert code_key(MixPE()) != known
