"""The benches that come with a unit's Verilog: ``bench.v`` and a file of tests, filled in."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from multipede.golden.spec import Port, Spec
from multipede.hw import Style
from multipede.sim.vectors import Vectors

__all__ = ["bench_verilog", "cocotb_tests"]


def bench_verilog(
    spec: Spec,
    vectors: Vectors,
    *,
    name: str,
    pins: Sequence[str],
    files: Sequence[str],
    style: Style,
    seed: int,
) -> str:
    """A bench in Verilog-2005 for a module ``name`` with these ``pins``.

    It reads ``<name>_inputs.hex`` and ``<name>_outputs.hex``; ``files`` are all Verilog sources,
    for the commands in its header.
    """
    values = {
        "NAME": name,
        "FILES": " ".join(files),
        "STALLING": ", with an output that is\n// not always taken" if spec.stallable else "",
        "FINGERPRINT": spec.fingerprint,
        "STYLE": style.value,
        "SEED": seed,
        "RECORDS": vectors.records,
        "RESULTS": vectors.results,
        "INPUT_BITS": sum(port.bits for port in spec.inputs.values()),
        "OUTPUT_BITS": sum(port.bits for port in spec.outputs.values()),
        "LATENCY": spec.latency,
        "LATENCY_IS_FIXED": int(spec.always_ready and vectors.one_result_each),
        "STALLS": int(spec.stallable),
        "PATIENCE": 200 + 4 * spec.latency + 40 * spec.initiation_interval,
        "READY": "" if not spec.always_ready else "  assign i_ready = 1'b1;\n",
        "PINS": ",\n".join(f"    .{pin}({pin})" for pin in pins),
        "COMPARISONS": "\n".join(_comparisons(spec)),
        "LFSR": f"{(seed * 0x9E3779B1 + 1) & 0xFFFFFFFF or 1:08x}",
    }
    return _filled("bench.v", values)


def cocotb_tests(spec: Spec, *, name: str, records: int, seed: int) -> str:
    """Tests for pytest that run the module ``name`` under cocotb, as many records in each."""
    values = {"NAME": name, "SPEC": _wrapped(str(spec)), "RECORDS": records, "SEED": seed}
    return _filled("cocotb_test.py.template", values)


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, 98, break_long_words=False))


def _filled(template: str, values: Mapping[str, Any]) -> str:
    """A file of this directory with values for its ``@NAMES@``."""
    text = Path(__file__).with_name(template).read_text()
    return re.sub(r"@(\w+)@", lambda found: str(values[found[1]]), text)


def _comparisons(spec: Spec) -> Iterator[str]:
    """Statements that write the first element that differs."""
    offset = 0
    for name, port in spec.outputs.items():
        bits = port.format.bits
        part = f"[{offset} + {bits} * element +: {bits}]"
        index, arguments = _index(port)
        yield (
            f"          for (element = 0; element < {port.elements}; element = element + 1)\n"
            f"            if (!named && o_payload{part} !== expected{part}) begin\n"
            "              named = 1'b1;\n"
            f'              $write("{name}{index} expected %h, got %h"{arguments},\n'
            f"                     expected{part}, o_payload{part});\n"
            "            end"
        )
        offset += port.bits


def _index(port: Port) -> tuple[str, str]:
    """Format and arguments that write the index of the flat ``element``."""
    arguments, stride = [], port.elements
    for length in port.shape:
        stride //= length
        arguments.append(f", element / {stride} % {length}")
    return "[%0d]" * len(port.shape), "".join(arguments)
