"""Which files a unit is made of: all that are loaded to build it and to compute its reference."""

import subprocess
import sys

import pytest

from multipede.golden.catalogue import UNITS
from multipede.golden.import_closure import imported_files
from multipede.golden.small_units import small_unit

ROOMS = ("golden", "hw")
LOADED = """
import sys
import torch
from multipede.golden.small_units import small_unit
from multipede.hw import Style, build
from multipede.hw.hierarchy import to_rtlil
before = set(sys.modules)
spec = small_unit({name!r})
records = {{n: torch.zeros((1, *port.array_shape)).long() for n, port in spec.inputs.items()}}
spec.reference(**records)
spec.results_by_record(**records)
for style in Style:
    to_rtlil(build(spec, style=style), "top")
for name in sorted(set(sys.modules) - before):
    print(name)
"""


def files_of(spec) -> list[str]:
    modules = [type(spec).__module__, type(spec).hardware_module]
    inner = type(spec.computation)
    return imported_files([*modules, inner.__module__, inner.hardware_module], rooms=ROOMS)


@pytest.mark.parametrize("name", UNITS)
def test_what_is_loaded_counts(name):
    """In a process that builds the unit and nothing else."""
    script = LOADED.format(name=name)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = [module.split(".")[1:] for module in done.stdout.split() if "multipede." in module]
    files = {f"{'/'.join(parts)}.py" for parts in loaded if parts[0] in ROOMS and parts[1:]}
    assert len(files) >= 5
    packages = {"hw/arithmetic.py"}
    assert files - packages <= set(files_of(small_unit(name)))


def test_other_units_do_not_count():
    files = files_of(small_unit("mixpe"))
    assert {"golden/mixpe.py", "golden/mixed_tile.py", "hw/mixpe.py"} <= set(files)
    assert {"hw/arithmetic/bitheap.py", "hw/arithmetic/adders.v"} <= set(files)
    assert not {"golden/float_adder.py", "hw/multiplier_tile.py"} & set(files)
    assert all(file.partition("/")[0] in ROOMS for file in files)
    assert files == sorted(set(files))


def test_what_is_no_module_counts_for_nothing():
    assert imported_files(["multipede.golden.nothing", "json"], rooms=ROOMS) == []
