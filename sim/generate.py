"""Everything that a user's project needs of a unit, written into a directory."""

import errno
import json
import os
import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.hw.axi4_stream import Axi4StreamLayout
from multipede.sim.bench import bench_verilog, cocotb_tests
from multipede.sim.fusesoc import adders_core, unit_core
from multipede.sim.keywords import KEYWORDS
from multipede.sim.port_map import port_map, verilog_ports
from multipede.sim.vectors import Vectors, golden_vectors
from multipede.sim.verilog import adder_modules, axi4_stream_verilog, unit_verilog

__all__ = ["Bus", "generate"]

ADDERS = "multipede_adders"
MAXIMUM_NAME = 128
MAXIMUM_VECTORS = 1_000_000


class Bus(Enum):
    """What a unit can be put on."""

    AXI4_STREAM = "axi4-stream"

    def __repr__(self) -> str:
        return f"Bus.{self.name}"


def generate(
    spec: Spec,
    directory: str | os.PathLike[str],
    *,
    style: Style = Style.WORD,
    name: str | None = None,
    vectors: int = 1000,
    seed: int = 1,
    cocotb: bool = False,
    bus: Bus | None = None,
    data_bits: int | None = None,
) -> list[Path]:
    """Write the unit's Verilog, its description and a bench, and return the paths.

    ``<name>.v``
        The unit in Verilog-2005, all modules but the adders of the cells styles.
    ``multipede_adders.v``, ``multipede_adders.core``
        These adders, the same for all units, so that several fit into one project.
    ``ports.json``
        Ports, place of each operand in the payload, formats, latency, versions.
    ``<name>.core``
        For FuseSoC, with the targets default, sim and lint.
    ``<name>_tb.v``, ``<name>_inputs.hex``, ``<name>_outputs.hex``
        A bench that checks itself against golden vectors, in Verilator and Icarus Verilog,
        without Python; its header says how to run it.
    ``test_<name>.py``
        With ``cocotb``: tests for pytest that run the Verilog in this directory under cocotb.
    ``<name>_axi4_stream.v``
        With ``bus``: the unit between two AXI4-Stream ports, complete but for the adders;
        ``ports.json`` says where operands stand in the beats.

    The files depend on the arguments and on the tools' versions alone. All are made before the
    first is put in its place.

    Parameters
    ----------
    spec : the unit.
    directory : where to write; made if it is not there.
    style : of the Verilog.
    name : of the top module and the files, and beginning of the other modules' names; by default
        the unit's.
    vectors : records that the bench sends, at least 1.
    seed : of these records and of the bench's pauses.
    cocotb : whether to write tests for pytest and cocotb, too.
    bus : a bus to put the unit on, too.
    data_bits : width of that bus, see :class:`~multipede.hw.axi4_stream.Axi4StreamLayout`.

    Raises
    ------
    TypeError, ValueError
        For arguments that are none of the above, a name that is no Verilog identifier or is a
        keyword, and vectors that give no result.
    OSError
        If the directory cannot be written; what was in it is unchanged.
    ToolError
        If Yosys is missing or fails.
    """
    if not isinstance(spec, Spec):
        raise TypeError(f"spec must be a specification, not {spec!r}")
    require_type("style", style, Style)
    require_range("vectors", vectors, 1, MAXIMUM_VECTORS)
    require_range("seed", seed, 0, 2**63)
    require_type("cocotb", cocotb, bool)
    name = _checked_name(spec.computation.unit if name is None else name)
    place = Path(directory)
    _require_directory(place)
    layout = _bus_layout(spec, bus, data_bits)
    files = _contents(spec, style, name, vectors, seed, layout)
    if cocotb:
        files[f"test_{name}.py"] = cocotb_tests(spec, name=name, records=vectors, seed=seed)
    place.mkdir(parents=True, exist_ok=True)
    _write_together(place, files)
    return [place / file for file in files]


def _checked_name(name: str) -> str:
    require_type("name", name, str)
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(
            f"name = {name!r}: a Verilog identifier is needed, of letters, digits and _,"
            " not beginning with a digit"
        )
    if len(name) > MAXIMUM_NAME:
        raise ValueError(f"name = {name!r}: at most {MAXIMUM_NAME} characters")
    if name in KEYWORDS:
        raise ValueError(f"name = {name!r}: it is a keyword of Verilog or SystemVerilog")
    if name == ADDERS or f"module {name} " in _adders():
        raise ValueError(f"name = {name!r}: that is one of Multipede's adders")
    return name


def _bus_layout(spec: Spec, bus: Bus | None, data_bits: int | None) -> Axi4StreamLayout | None:
    if bus is None:
        if data_bits is not None:
            raise ValueError(f"data_bits = {data_bits}: only with a bus")
        return None
    require_type("bus", bus, Bus)
    return Axi4StreamLayout(spec, data_bits)


def _require_matching_results(
    spec: Spec, vectors: Vectors, layout: Axi4StreamLayout | None
) -> None:
    """Ends of packets are counted beside the unit: each record must give one result."""
    if layout is None or not layout.passes_ends:
        return
    if vectors.results != vectors.records or not vectors.one_result_each:
        raise ValueError(
            f"bus: of {vectors.records} records {spec.unit} makes {vectors.results} results;"
            " units without 'last' must give one for each"
        )


def _contents(
    spec: Spec,
    style: Style,
    name: str,
    count: int,
    seed: int,
    layout: Axi4StreamLayout | None,
) -> dict[str, str]:
    """All files by name."""
    vectors = golden_vectors(spec, count, seed=seed)
    _require_matching_results(spec, vectors, layout)
    verilog = unit_verilog(spec, style, name=name)
    wrapper, bus = {}, None
    if layout is not None:
        bus = f"{name}_axi4_stream"
        wrapper = {f"{bus}.v": axi4_stream_verilog(layout, style, name=bus)}
    adders = {}
    if adder_modules(verilog):
        adders = {f"{ADDERS}.v": _adders(), f"{ADDERS}.core": adders_core([f"{ADDERS}.v"])}
    rtl = [f"{name}.v", *(file for file in adders if file.endswith(".v"))]
    bench = [f"{name}_tb.v", f"{name}_inputs.hex", f"{name}_outputs.hex"]
    ports = verilog_ports(verilog)
    kinds = {"rtl": rtl, "bench": bench} | ({"bus": list(wrapper)} if wrapper else {})
    description = port_map(spec, name=name, style=style, ports=ports, files=kinds, bus=layout)
    bench_text = bench_verilog(
        spec,
        vectors,
        name=name,
        pins=[port["name"] for port in ports],
        files=[*rtl, bench[0]],
        style=style,
        seed=seed,
    )
    return {
        f"{name}.v": verilog,
        **wrapper,
        **adders,
        "ports.json": json.dumps(description, indent=2) + "\n",
        f"{name}.core": unit_core(spec, name=name, bus=bus, with_adders=bool(adders)),
        **dict(zip(bench, (bench_text, vectors.inputs, vectors.outputs), strict=True)),
    }


def _adders() -> str:
    from multipede.hw.arithmetic.adders import adders_verilog

    return adders_verilog()


def _require_directory(place: Path) -> None:
    """Refuse a place that is, or lies in, something else than a directory."""
    for path in (place, *place.parents):
        if path.is_dir():
            return
        if path.exists() or path.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def _write_together(directory: Path, files: Mapping[str, str]) -> None:
    """Write all files beside their places, and only then put them there, one by one."""
    places = {name: Path(os.path.realpath(directory / name)) for name in files}
    for name, target in places.items():
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(directory / name))
    suffix = f"{os.getpid()}.{os.urandom(4).hex()}"
    temporary = {name: place.with_name(f".{place.name}.{suffix}") for name, place in places.items()}
    try:
        for name, text in files.items():
            _write_new(temporary[name], text, directory / name)
        for name, place in places.items():
            os.replace(temporary[name], place)
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)


def _write_new(path: Path, text: str, shown: Path) -> None:
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        # Name the file that was asked for, not the temporary one.
        raise type(error)(error.errno, error.strerror, str(shown)) from error
