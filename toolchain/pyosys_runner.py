"""Runs a Yosys script with the pyosys wheel, in a process of its own.

`python -P pyosys_runner.py -s SCRIPT`, as one calls `yosys -s SCRIPT`. An error inside pyosys ends
the process without an exception.
"""

import os
import sys


def main() -> None:
    # Behind the standard library, so that nothing installed beside pyosys can stand before it.
    sys.path.append(os.environ["MULTIPEDE_PYOSYS"])
    from pyosys import libyosys

    design = libyosys.Design()
    libyosys.run_pass(f"script {sys.argv[2]}", design)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
