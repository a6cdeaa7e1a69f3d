"""Which files a unit is made of: all that are loaded to build it and to compute its reference."""

import subprocess
import sys

from multipede.golden.catalogue import UNITS
from multipede.golden.import_closure import imported_files
from multipede.golden.small_units import small_unit

ROOMS = ("golden", "hw")
# Each unit in a process of its own, which has torch and amaranth already: that saves time.
LOADED = """
import os
import sys
import amaranth.back.rtlil
import torch
for name in sys.argv[1:]:
    sys.stdout.flush()
    if os.fork():
        assert os.wait()[1] == 0
        continue
    from multipede.golden.small_units import small_unit
    from multipede.hw import Style, build
    from multipede.hw.hierarchy import to_rtlil
    before = set(sys.modules)
    spec = small_unit(name)
    records = {n: torch.zeros((1, *port.array_shape)).long() for n, port in spec.inputs.items()}
    spec.reference(**records)
    spec.results_by_record(**records)
    to_rtlil(build(spec, style=Style.CELLS_PREFIX), "top")
    print(name, *sorted(set(sys.modules) - before))
    break
"""


def files_of(spec) -> list[str]:
    specs = [spec, *spec.parts]
    modules = [m for s in specs for m in (type(s).__module__, type(s).hardware_module)]
    return imported_files(modules, rooms=ROOMS)


def test_what_is_loaded_counts():
    """In a process that builds the unit and nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *UNITS], capture_output=True, text=True, check=True
    )
    seen = []
    for line in done.stdout.splitlines():
        name, *modules = line.split()
        parts = [module.split(".")[1:] for module in modules if module.startswith("multipede.")]
        files = {f"{'/'.join(p)}.py" for p in parts if p[0] in ROOMS and p[1:]}
        assert len(files) >= 5, name
        packages = {"hw/arithmetic.py"}
        assert files - packages <= set(files_of(small_unit(name))), name
        seen.append(name)
    assert seen == list(UNITS)


def test_other_units_do_not_count():
    files = files_of(small_unit("mixpe"))
    assert {"golden/mixpe.py", "golden/mixed_tile.py", "hw/mixpe.py"} <= set(files)
    assert {"hw/arithmetic/bitheap.py", "hw/arithmetic/adders.v"} <= set(files)
    assert not {"golden/float_adder.py", "hw/multiplier_tile.py"} & set(files)
    assert all(file.partition("/")[0] in ROOMS for file in files)
    assert files == sorted(set(files))


def test_what_is_no_module_counts_for_nothing():
    assert imported_files(["multipede.golden.nothing", "json"], rooms=ROOMS) == []
