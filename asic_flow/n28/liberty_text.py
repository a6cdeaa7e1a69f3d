"""The Liberty file of the n28 library: nonlinear delay tables of a corner's model."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from multipede.asic_flow.liberty.boolean import truth_table
from multipede.asic_flow.n28.cells import CellKind, LibraryCell
from multipede.asic_flow.n28.model import CornerModel

__all__ = ["liberty_text", "timing_sense"]

_SLEWS = (0.004, 0.02, 0.05, 0.1, 0.2, 0.45, 1.0)
"""Of the largest transition."""
_LOADS = (0.01, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0)
"""Of the largest load."""
_CONSTRAINED = (0.004, 0.1, 1.0)
"""Of the largest transition: setup and hold times are linear."""

_COMMENT = """\
/*
 * n28, corner {corner}: a PREDICTIVE 28 nm standard-cell library, made by Multipede.
 *
 * It is no foundry's, and nobody can make a chip with it. Areas are sites of 0.14 x 0.9 um, delays
 * linear in slew and load and alike for both edges, internal energies those at the slews of a
 * fan-out of 4. cells.csv and constants.toml beside its generator say where each number is from.
 * Delays are right to about x/1.4, energies too. Leakage is ASSUMED: do not trust it.
 */"""


def liberty_text(model: CornerModel) -> str:
    """The Liberty file of a corner; the same for the same model, in ps, fF, fJ, nW and V."""
    body = [*_header(model), *_wires(model)]
    for cell in model.cells.values():
        body += _cell(model, cell)
    name = f"n28_{model.corner.key}"
    lines = [_COMMENT.format(corner=model.corner), f"library ({name}) {{", *_indented(body), "}"]
    return "\n".join(lines) + "\n"


def timing_sense(function: str, inputs: Sequence[str], pin: str) -> str:
    """Liberty's word for how a function follows one of its inputs.

    ValueError for a function that cannot be read.
    """
    table = truth_table(function, [pin, *(other for other in inputs if other != pin)])
    pairs = [(table >> i & 1, table >> (i + 1) & 1) for i in range(0, 1 << len(inputs), 2)]
    if all(low <= high for low, high in pairs):
        return "positive_unate"
    return "negative_unate" if all(low >= high for low, high in pairs) else "non_unate"


def _header(model: CornerModel) -> Iterator[str]:
    corner = model.corner
    yield 'comment : "predictive 28 nm, from published figures; leakage assumed";'
    yield "technology (cmos);"
    yield "delay_model : table_lookup;"
    yield 'time_unit : "1ps";'
    yield "capacitive_load_unit (1, ff);"
    yield 'voltage_unit : "1V";'
    yield 'current_unit : "1mA";'
    yield 'pulling_resistance_unit : "1kohm";'
    yield 'leakage_power_unit : "1nW";'
    yield "nom_process : 1.0;"
    yield f"nom_voltage : {corner.voltage:.2f};"
    yield f"nom_temperature : {corner.temperature:.1f};"
    conditions = (
        f"process : 1.0; voltage : {corner.voltage:.2f};"
        f" temperature : {corner.temperature:.1f}; tree_type : balanced_tree;"
    )
    yield f"operating_conditions ({corner.key}) {{ {conditions} }}"
    yield f"default_operating_conditions : {corner.key};"
    for edge in ("rise", "fall"):
        yield f"input_threshold_pct_{edge} : 50.0;"
        yield f"output_threshold_pct_{edge} : 50.0;"
        yield f"slew_lower_threshold_pct_{edge} : 30.0;"
        yield f"slew_upper_threshold_pct_{edge} : 70.0;"
    yield "slew_derate_from_library : 1.0;"
    yield f"default_max_transition : {_number(model.largest_transition)};"
    yield "default_fanout_load : 1.0;"
    for name in ("input_pin_cap", "output_pin_cap", "inout_pin_cap"):
        yield f"default_{name} : 0.0;"
    yield "default_cell_leakage_power : 0.0;"
    yield "default_leakage_power_density : 0.0;"
    yield from _template("delay", "input_net_transition", "total_output_net_capacitance", 7)
    yield from _template("constraint", "constrained_pin_transition", "related_pin_transition", 3)


def _template(name: str, rows: str, columns: str, size: int) -> Iterator[str]:
    index = ", ".join(str(place + 1) for place in range(size))
    yield f"lu_table_template ({name}) {{"
    yield f"  variable_1 : {rows}; variable_2 : {columns};"
    yield f'  index_1 ("{index}"); index_2 ("{index}");'
    yield "}"


def _wires(model: CornerModel) -> Iterator[str]:
    yield 'wire_load ("n28") {'
    yield f"  capacitance : {_number(model.wire_capacitance())};"
    yield "  resistance : 0.0;"
    yield f"  slope : {_number(model.wire_slope())};"
    for fanout, length in enumerate(model.wire_lengths(), 1):
        yield f"  fanout_length ({fanout}, {_number(length)});"
    yield "}"
    yield 'default_wire_load : "n28";'


def _cell(model: CornerModel, cell: LibraryCell) -> Iterator[str]:
    yield f"cell ({cell.name}) {{"
    yield f"  area : {model.area(cell):.3f};"
    yield f'  cell_footprint : "{cell.name.partition("_X")[0]}";'
    yield f"  cell_leakage_power : {_number(model.leakage(cell))};"
    yield from _indented(_state(cell))
    for pin in cell.inputs:
        yield from _indented(_input(model, cell, pin))
    for output in cell.outputs:
        yield from _indented(_output(model, cell, output))
    yield "}"


def _state(cell: LibraryCell) -> Iterator[str]:
    if cell.kind is CellKind.FLIP_FLOP:
        data = f"(E & {cell.data}) | (!E & IQ)" if "E" in cell.inputs else cell.data
        data = f"CN & ({data})" if "CN" in cell.inputs else data
        extra = "".join(
            f' {what} : "!{pin}";'
            for pin, what in (("RN", "clear"), ("SN", "preset"))
            if pin in cell.inputs
        )
        yield f'ff (IQ, IQN) {{ clocked_on : "{cell.clock}"; next_state : "{data}";{extra} }}'
    elif cell.kind is CellKind.LATCH:
        yield f'latch (IQ, IQN) {{ enable : "{_open(cell)}"; data_in : "{cell.data}"; }}'
    elif cell.kind is CellKind.CLOCK_GATE:
        yield "clock_gating_integrated_cell : latch_posedge;"
        yield f'latch (IQ, IQN) {{ enable : "!{cell.clock}"; data_in : "{cell.data}"; }}'


def _open(cell: LibraryCell) -> str:
    """When a latch follows its data."""
    return f"!{cell.clock}" if cell.clock == "GN" else cell.clock


def _input(model: CornerModel, cell: LibraryCell, pin: str) -> Iterator[str]:
    yield f"pin ({pin}) {{"
    yield "  direction : input;"
    yield f"  capacitance : {_number(model.capacitance(cell, pin))};"
    if cell.kind is not CellKind.GATE:
        yield from _indented(_sequential_input(model, cell, pin))
    yield "}"


def _sequential_input(model: CornerModel, cell: LibraryCell, pin: str) -> Iterator[str]:
    gating = cell.kind is CellKind.CLOCK_GATE
    if pin == cell.clock:
        yield "clock_gate_clock_pin : true;" if gating else "clock : true;"
        yield from _power("", "", model.clock_energy(cell) / 2)
        return
    edge = _edge(cell.kind is CellKind.LATCH and cell.clock == "G")
    reset = pin in ("RN", "SN")
    if gating:
        yield "clock_gate_enable_pin : true;"
    kinds = ("recovery", "removal") if reset else ("setup", "hold")
    for kind, time in zip(kinds, (model.setup, model.hold), strict=True):
        slews = np.array(_CONSTRAINED) * model.largest_transition
        table = time(cell, pin, slews[:, None], slews[None, :])
        yield "timing () {"
        yield f'  related_pin : "{cell.clock}"; timing_type : {kind}_{edge};'
        for constrained in ("rise",) if reset else ("rise", "fall"):
            name = f"{constrained}_constraint (constraint)"
            yield from _indented(_table(name, slews, slews, table))
        yield "}"
    if not reset:
        yield from _power("", _closed(cell), model.data_energy(cell))


def _closed(cell: LibraryCell) -> str:
    """When a latch keeps its value, and while the first latch of a flip-flop takes its data."""
    return "GN" if cell.clock == "GN" else f"!{cell.clock}"


def _edge(falling: bool) -> str:
    return "falling" if falling else "rising"


def _output(model: CornerModel, cell: LibraryCell, output: str) -> Iterator[str]:
    yield f"pin ({output}) {{"
    yield "  direction : output;"
    yield f'  function : "{_function(cell, output)}";'
    yield f"  max_capacitance : {_number(model.largest_load(cell, output))};"
    if cell.kind is CellKind.CLOCK_GATE:
        yield "  clock_gate_out_pin : true;"
    sources = [pin for pin, to in cell.parasitics if to == output]
    for pin in [*sources, *(pin for pin in cell.inputs if pin in ("RN", "SN"))]:
        yield from _indented(_arc(model, cell, pin, output))
    yield from _indented(_power(" ".join(sources), "", model.energy(cell, output)))
    yield "}"


def _function(cell: LibraryCell, output: str) -> str:
    if cell.kind is CellKind.CLOCK_GATE:
        return f"{cell.clock} & IQ"
    return cell.functions.get(output, "IQ")


def _arc(model: CornerModel, cell: LibraryCell, pin: str, output: str) -> Iterator[str]:
    slews = np.array(_SLEWS) * model.largest_transition
    loads = np.array(_LOADS) * model.largest_load(cell, output)
    delay = model.delay(cell, pin, output, slews[:, None], loads[None, :])
    slew = model.output_slew(cell, output, slews[:, None], loads[None, :])
    yield "timing () {"
    yield f'  related_pin : "{pin}";'
    yield f"  {_arc_kind(cell, pin, output)}"
    # A clear only lets the output fall, and a preset only lets it rise.
    for edge in {"RN": ("fall",), "SN": ("rise",)}.get(pin, ("rise", "fall")):
        yield from _indented(_table(f"cell_{edge} (delay)", slews, loads, delay))
        yield from _indented(_table(f"{edge}_transition (delay)", slews, loads, slew))
    yield "}"


def _arc_kind(cell: LibraryCell, pin: str, output: str) -> str:
    if pin == "RN":
        return "timing_type : clear; timing_sense : positive_unate;"
    if pin == "SN":
        return "timing_type : preset; timing_sense : negative_unate;"
    if cell.kind is CellKind.GATE:
        sense = timing_sense(cell.functions[output], cell.inputs, pin)
        return f"timing_sense : {sense};"
    if pin != cell.clock or cell.kind is CellKind.CLOCK_GATE:
        return "timing_sense : positive_unate;"
    return f"timing_type : {_edge(cell.clock == 'GN')}_edge; timing_sense : non_unate;"


def _power(related: str, when: str, energy: float) -> Iterator[str]:
    """Energy of either edge, fJ."""
    yield "internal_power () {"
    if related:
        yield f'  related_pin : "{related}";'
    if when:
        yield f'  when : "{when}";'
    for edge in ("rise", "fall"):
        yield f'  {edge}_power (scalar) {{ values ("{_number(energy)}"); }}'
    yield "}"


def _table(name: str, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> Iterator[str]:
    yield f"{name} {{"
    yield f'  index_1 ("{_numbers(rows)}"); index_2 ("{_numbers(columns)}");'
    lines = ", \\\n    ".join(f'"{_numbers(row)}"' for row in values)
    yield f"  values ({lines});"
    yield "}"


def _numbers(values: np.ndarray) -> str:
    return ", ".join(map(_number, values))


def _number(value: float) -> str:
    return f"{value:.7g}"


def _indented(lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
    return (re.sub("^", "  ", line, flags=re.MULTILINE) for line in lines)
