"""What stands in ``ports.json``: where everything is on a unit's pins, for other programs."""

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from multipede.golden.spec import Port, Spec
from multipede.hw import Style
from multipede.toolchain import find
from multipede.toolchain.find import format_version

if TYPE_CHECKING:
    from multipede.hw.axi4_stream import Axi4StreamLayout

__all__ = ["VerilogPort", "port_map", "verilog_ports"]

SCHEMA = 1
_PORT = re.compile(r"^  (input|output) (?:reg )?(?:\[(\d+):0\] )?(\w+)(?: = [^,]*)?,?$", re.M)

VerilogPort = dict[str, Any]
"""name, direction and width of a port of the top module"""


def verilog_ports(verilog: str) -> list[VerilogPort]:
    """The ports of the first module of this Verilog, which must be one of ours."""
    header = verilog[verilog.index("\nmodule ") :].split(");", 1)[0]
    return [
        {"name": name, "direction": direction, "width": int(high or 0) + 1}
        for direction, high, name in _PORT.findall(header)
    ]


def port_map(
    spec: Spec,
    *,
    name: str,
    style: Style,
    ports: list[VerilogPort],
    files: Mapping[str, Any],
    bus: "Axi4StreamLayout | None" = None,
) -> dict[str, Any]:
    """The content of ``ports.json``: plain values only, the same in every process."""
    pins = {port["name"] for port in ports}
    clock = {"port": "clk", "edge": "rising"} if "clk" in pins else None
    # One clock empties a unit of all that it has taken, and so does any longer reset.
    reset = {"port": "rst", "active": "high", "synchronous": True, "clocks": 1}
    description = {
        "schema": SCHEMA,
        "name": name,
        "unit": spec.unit,
        "title": spec.title,
        "source": spec.source,
        "specification": spec.to_dict(),
        "fingerprint": spec.fingerprint,
        "style": style.value,
        "tools": _tool_versions(),
        "files": dict(files),
        "clock": clock,
        "reset": reset if "rst" in pins else None,
        "ports": ports,
        "input": _stream("i", spec.inputs, pins),
        "output": _stream("o", spec.outputs, pins),
        "latency": spec.latency,
        # A unit that may hold records back may give results later than that.
        "latency_is": "exact" if spec.always_ready else "least",
        "initiation_interval": spec.initiation_interval,
        "always_ready": spec.always_ready,
        "stallable": spec.stallable,
        "operations": dict(spec.operations),
    }
    if bus is not None:
        description["bus"] = _bus(bus, name)
    return description


def _bus(layout: "Axi4StreamLayout", name: str) -> dict[str, Any]:
    """Where records stand in the beats of the wrapper ``<name>_axi4_stream``."""
    return {
        "protocol": "axi4-stream",
        "module": f"{name}_axi4_stream",
        "clock": "aclk",
        "reset": {"port": "aresetn", "active": "low", "synchronous": True},
        "input": _beats(layout, "s_axis", layout.inputs),
        "output": _beats(layout, "m_axis", layout.outputs),
        "tkeep": "bytes left out of a record count as 0; results have all bytes",
        "tlast": (
            "of a record comes back with its result"
            if layout.passes_ends
            else "is the port last of records; a record that it cuts short is filled up with zeros"
        ),
    }


def _beats(layout: "Axi4StreamLayout", prefix: str, ports: Mapping[str, Port]) -> dict[str, Any]:
    """Bits are counted from the lowest of a record's first beat."""
    operands, offset = {}, 0
    for name, port in ports.items():
        operands[name] = _operand(port, offset)
        offset += port.bits
    return {
        "prefix": prefix,
        "tdata_bits": layout.width(ports),
        "beats": layout.beats(ports),
        "bytes": layout.width(ports) * layout.beats(ports) // 8,
        "operands": operands,
    }


def _tool_versions() -> dict[str, str]:
    yosys = find("yosys")
    return {
        "multipede": version("multipede"),
        "amaranth": version("amaranth"),
        "yosys": format_version("yosys", yosys.version),
    }


def _stream(prefix: str, ports: Mapping[str, Port], pins: set[str]) -> dict[str, Any]:
    """A record passes with a rising edge while ``valid`` and ``ready``, if there is one, are 1."""
    operands, offset = {}, 0
    for name, port in ports.items():
        operands[name] = {"meaning": port.meaning} | _operand(port, offset)
        offset += port.bits
    ready = f"{prefix}_ready"
    return {
        "valid": f"{prefix}_valid",
        "ready": ready if ready in pins else None,
        "payload": f"{prefix}_payload",
        "width": offset,
        "operands": operands,
    }


def _operand(port: Port, offset: int) -> dict[str, Any]:
    """Element [i, j] begins at bit ``base`` + i * ``strides``[0] + j * ``strides``[1]."""
    strides, stride = [], port.format.bits
    for length in reversed(port.shape):
        strides.insert(0, stride)
        stride *= length
    return {
        "base": offset,
        "bits": port.bits,
        "element_bits": port.format.bits,
        "shape": list(port.shape),
        "strides": strides,
        "order": "row-major, first element in the least significant bits",
        "format": {"name": port.format.name} | port.format.to_dict(),
    }
