"""Builds a simulation for cocotb, or runs one: a program of its own, so that it can be stopped.

``python -m multipede.sim.cocotb_run build|run FILE``, where FILE holds the arguments as JSON.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from cocotb_tools.runner import Icarus, Runner, Verilator

TESTS = "multipede.sim.cocotb_tests"


class _PortsOnly(Verilator):
    """Verilator with nothing visible but what the control file names: the pins.

    By default every signal is, which keeps Verilator from optimising.
    """

    def _build_command(self) -> list[list[str]]:
        build, make = super()._build_command()
        return [[word for word in build if word != "--public-flat-rw"], make]


def _runner(simulator: str) -> Runner:
    return _PortsOnly() if simulator == "verilator" else Icarus()


def build(
    *,
    simulator: str,
    sources: Sequence[str],
    top: str,
    pins: Sequence[str],
    directory: str,
    waves: bool,
    options: Sequence[str] = (),
) -> None:
    """Compile the sources in ``directory``; ``options`` are Verilator's."""
    listed, arguments = [Path(source) for source in sources], []
    if simulator == "verilator":
        visible = Path(directory) / "pins.vlt"
        lines = [f'public_flat_rw -module "{top}" -var "{pin}"' for pin in pins]
        visible.write_text("\n".join(["`verilator_config", *lines, ""]))
        listed.append(visible)
        arguments = ["-Wno-fatal", "--no-timing", "-O3", *options]
    _runner(simulator).build(
        sources=listed,
        hdl_toplevel=top,
        build_args=arguments,
        build_dir=directory,
        timescale=("1ns", "1ps"),
        waves=waves,
        always=True,
    )


def simulate(
    *,
    simulator: str,
    top: str,
    build: str,
    directory: str,
    cases: Sequence[str],
    waves: bool,
    module: str = TESTS,
) -> None:
    """Run the cases of a module of tests in ``directory``."""
    _runner(simulator).test(
        test_module=module,
        hdl_toplevel=top,
        hdl_toplevel_lang="verilog",
        test_filter=rf"\.({'|'.join(cases)})$",
        build_dir=build,
        test_dir=directory,
        results_xml=str(Path(directory) / "results.xml"),
        timescale=("1ns", "1ps"),
        plusargs=[f"+dumpfile_path={Path(directory) / 'dump.fst'}"] if waves else [],
        waves=waves,
    )


if __name__ == "__main__":
    actions = {"build": build, "run": simulate}
    actions[sys.argv[1]](**json.loads(Path(sys.argv[2]).read_text()))
