"""The generated half of the C++ harness: which fields a unit's payloads have."""

from collections.abc import Mapping
from pathlib import Path

from multipede.golden.formats import FixedPoint, Integer
from multipede.golden.spec import Port, Spec

__all__ = ["fields_header", "harness_source"]


def harness_source() -> Path:
    """The C++ that is the same for all units."""
    return Path(__file__).with_name("harness.cpp")


def fields_header(
    spec: Spec, *, prefix: str, clock: bool, trace: bool, mutants: bool, held: bool
) -> str:
    """``fields.h`` for the model whose Verilated class is ``prefix``.

    ``mutants`` and ``held`` say whether it has the inputs ``mutant`` and ``change``.
    """
    inputs = sum(port.bits for port in spec.inputs.values())
    outputs = sum(port.bits for port in spec.outputs.values())
    top = inputs % 32
    return "\n".join(
        [
            "#pragma once",
            f'#include "{prefix}.h"',
            f"#define MODEL {prefix}",
            f"#define HAS_CLOCK {int(clock)}",
            f"#define HAS_INPUT_READY {int(not spec.always_ready)}",
            f"#define HAS_OUTPUT_READY {int(spec.stallable)}",
            f"#define TRACE_AVAILABLE {int(trace)}",
            f"#define HAS_MUTANTS {int(mutants)}",
            f"#define HOLDS_INPUTS {int(held)}",
            f"#define INPUT_WORDS {-(-inputs // 32)}",
            f"#define OUTPUT_WORDS {-(-outputs // 32)}",
            f"#define INPUT_TOP_MASK {hex((1 << top) - 1 if top else 0xFFFFFFFF)}u",
            f"#define INPUT_FIELDS {_fields(spec.inputs)}",
            f"#define OUTPUT_FIELDS {_fields(spec.outputs)}",
            "",
        ]
    )


def _fields(ports: Mapping[str, Port]) -> str:
    fields, offset = [], 0
    for port in ports.values():
        number = isinstance(port.format, Integer | FixedPoint)
        signed = "true" if number and port.format.signed else "false"
        fields.append(
            f"Field<{offset}, {port.format.bits}, {port.elements}, {signed}, {port.limbs}>"
        )
        offset += port.bits
    return ", ".join(fields)
