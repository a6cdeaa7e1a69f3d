"""Netlists written by hand, and a library of cells with round figures for them.

Units: time 10 ps, load 2 fF, leakage 1 pW, so energy is 2 fF times (1 V)^2; the supply is 0.9 V.
"""

from functools import cache

from multipede.asic_flow.liberty.library import Library, parse_liberty

HEADER = """
  time_unit : "10ps"; capacitive_load_unit (2, ff); voltage_unit : "1V"; nom_voltage : 0.9;
  leakage_power_unit : "1pW";
  lu_table_template (D) { variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance; index_1 ("0, 10"); index_2 ("0, 10"); }
  power_lut_template (P) { variable_1 : input_transition_time;
    variable_2 : total_output_net_capacitance; index_1 ("0, 10"); index_2 ("0, 10"); }
  power_lut_template (H) { variable_1 : input_transition_time; index_1 ("0, 10"); }
  wire_load ("small") { capacitance : 0.5; fanout_length (1, 2); fanout_length (16, 32); }
"""


def _grid(kind: str, template: str, base: float, slew: float, load: float) -> str:
    rows = [f'"{base + 10 * slew * i}, {base + 10 * slew * i + 10 * load}"' for i in (0, 1)]
    return f"{kind} ({template}) {{ values ({', '.join(rows)}); }}"


def delay(pin: str, rise: float, fall: float, more: str = "", *, load: float = 0) -> str:
    """Delays that only the load changes, by ``load`` times itself; slews are 1 + load rising and
    2 + load falling."""
    tables = [
        _grid("cell_rise", "D", rise, 0, load),
        _grid("cell_fall", "D", fall, 0, load),
        _grid("rise_transition", "D", 1, 0, 1),
        _grid("fall_transition", "D", 2, 0, 1),
    ]
    return f'timing () {{ related_pin : "{pin}"; {more} {" ".join(tables)} }}'


def energy(pin: str, rise: float, fall: float, when: str = "") -> str:
    """Of an output: rise + slew / 2 + load / 4, fall + slew / 2 + load / 4."""
    tables = [_grid("rise_power", "P", rise, 0.5, 0.25), _grid("fall_power", "P", fall, 0.5, 0.25)]
    condition = f'when : "{when}";' if when else ""
    return f'internal_power () {{ related_pin : "{pin}"; {condition} {" ".join(tables)} }}'


def hidden(rise: float, fall: float, when: str = "") -> str:
    """Of an input, whatever its slew."""
    condition = f'when : "{when}";' if when else ""
    tables = [f'rise_power (H) {{ values ("{rise}, {rise}"); }}']
    tables.append(f'fall_power (H) {{ values ("{fall}, {fall}"); }}')
    return f"internal_power () {{ {condition} {' '.join(tables)} }}"


def leak(value: float, when: str) -> str:
    return f'leakage_power () {{ when : "{when}"; value : {value}; }}'


def source(name: str, capacitance: float, more: str = "") -> str:
    return f"pin ({name}) {{ direction : input; capacitance : {capacitance}; {more} }}"


def output(name: str, function: str, more: str) -> str:
    return f'pin ({name}) {{ direction : output; function : "{function}"; {more} }}'


CARRY = "(A B) | (C (A | B))"
ADDER = " ".join(delay(pin, 8, 8) + energy(pin, 4, 4) for pin in "ABC")
LIBRARY = f"""
library (hand) {{ {HEADER}
  cell (INV) {{ area : 1; {leak(6, "A")} {leak(10, "!A")} {source("A", 1)}
    {output("Y", "!A", delay("A", 3, 5) + energy("A", 2, 4))} }}
  cell (BUF) {{ area : 2; {leak(8, "A")} {leak(12, "!A")} {source("A", 1)}
    {output("Y", "A", delay("A", 4, 6) + energy("A", 3, 3))} }}
  cell (SLOW) {{ area : 2; cell_leakage_power : 1; {source("A", 1)}
    {output("Y", "A", delay("A", 20, 20) + energy("A", 3, 3))} }}
  cell (NAND) {{ area : 1; cell_leakage_power : 5; {leak(9, "A B")}
    {source("A", 1)} {source("B", 2)}
    {
    output(
        "Y", "!(A B)", delay("A", 3, 5) + delay("B", 6, 7) + energy("A", 1, 2) + energy("B", 3, 5)
    )
} }}
  cell (XOR) {{ area : 2; {source("A", 1)} {source("B", 1)}
    {
    output(
        "Y",
        "A^B",
        delay("A", 7, 7)
        + delay("B", 7, 7)
        + energy("A", 2, 2, "B")
        + energy("A", 6, 6, "!B")
        + energy("B", 1, 1),
    )
} }}
  cell (AOI) {{ area : 2; {source("A", 1)} {source("B", 1)} {source("C", 1)}
    {output("Y", "!((A B) | C)", delay("C", 3, 5) + energy("C", 4, 4, "A") + energy("C", 10, 10))}
  }}
  cell (FA) {{ area : 5; cell_leakage_power : 20; {source("A", 1)} {source("B", 1)} {source("C", 1)}
    {output("S", "A^B^C", ADDER)} {output("CO", CARRY, ADDER)} }}
  cell (ONE) {{ area : 1; {output("Y", "1", "")} }}
  cell (DFF) {{ area : 4; ff (IQ, IQN) {{ clocked_on : "CK"; next_state : "D"; }}
    {leak(30, "Q")} {leak(40, "!Q")}
    {source("CK", 2, "clock : true;" + hidden(5, 3, "D Q") + hidden(7, 4, "!(D Q)"))}
    {source("D", 1, hidden(1, 2, "!CK"))}
    {output("Q", "IQ", delay("CK", 7, 9, "timing_type : rising_edge;") + energy("CK", 8, 6))} }}
  cell (DFFR) {{ area : 5; ff (IQ, IQN) {{ clocked_on : "CK"; next_state : "D"; clear : "!RN"; }}
    {leak(10, "Q !QN")} {leak(20, "QN")} {source("CK", 2)} {source("D", 1)} {source("RN", 1)}
    {
    output(
        "Q",
        "IQ",
        delay("CK", 7, 9, "timing_type : rising_edge;") + energy("CK", 8, 6) + energy("RN", 20, 30),
    )
}
    {output("QN", "IQN", delay("CK", 7, 9, "timing_type : rising_edge;"))} }}
  cell (DFFRS) {{ area : 6; ff (IQ, IQN) {{ clocked_on : "CK"; next_state : "(D E) | (IQ !E)";
      clear : "!RN"; preset : "S"; clear_preset_var1 : H; clear_preset_var2 : H; }}
    {source("CK", 2)} {source("D", 1)} {source("E", 1)} {source("RN", 1)} {source("S", 1)}
    {output("Q", "IQ", delay("CK", 7, 9, "timing_type : rising_edge;"))}
    {output("QN", "IQN", delay("CK", 7, 9, "timing_type : rising_edge;"))} }}
  cell (TOGGLE) {{ area : 6; ff (IQ, IQN) {{ clocked_on : "CK"; next_state : "D"; clear : "!RN";
      preset : "S"; clear_preset_var1 : T; clear_preset_var2 : T; }}
    {source("CK", 2)} {source("D", 1)} {source("RN", 1)} {source("S", 1)} {output("Q", "IQ", "")} }}
  cell (DFFN) {{ area : 4; ff (IQ, IQN) {{ clocked_on : "!CK"; next_state : "D"; }}
    {source("CK", 1)} {source("D", 1)} {output("Q", "IQ", "")} }}
  cell (LATCH) {{ area : 4; latch (IQ, IQN) {{ enable : "G"; data_in : "D"; }}
    {source("G", 1)} {source("D", 1)} {output("Q", "IQ", "")} }}
  cell (GATED) {{ area : 4; statetable ("CK E", "IQ") {{ table : "L L : - : L"; }}
    {source("CK", 1)} {source("E", 1)} {output("Y", "CK & E", "")} }}
  cell (BUS) {{ area : 1; {source("A", 1)} {source("E", 1)}
    {output("Y", "A", 'three_state : "!E";')} }}
  cell (WIDE) {{ area : 1; {"".join(source(pin, 1) for pin in "ABCDEFG")}
    {output("Y", "A B C D E F G", "")} }}
  cell (MUTE) {{ area : 1; {source("A", 1)} pin (Y) {{ direction : output; }} }}
}}
"""


@cache
def hand_library() -> Library:
    return parse_liberty(LIBRARY, "hand", "um2")


def hand_netlist(inputs: str, outputs: str, cells: dict[str, tuple[str, dict[str, str]]]) -> dict:
    """As :func:`netlist_of`, of the cells above."""
    return netlist_of(hand_library(), inputs, outputs, cells)


def netlist_of(
    library: Library, inputs: str, outputs: str, cells: dict[str, tuple[str, dict[str, str]]]
) -> dict:
    """A module with nets named by single words; 0 and 1 are constants."""
    numbers: dict[str, int | str] = {"0": "0", "1": "1"}

    def bit(name: str) -> int | str:
        return numbers.setdefault(name, len(numbers))

    ports = {name: {"direction": "input", "bits": [bit(name)]} for name in inputs.split()}
    ports |= {name: {"direction": "output", "bits": [bit(name)]} for name in outputs.split()}
    instances = {
        name: {
            "type": kind,
            "connections": {pin: [bit(net)] for pin, net in pins.items()},
            "port_directions": _directions(library, kind),
            "attributes": {},
            "hide_name": 1,
        }
        for name, (kind, pins) in cells.items()
    }
    names = {
        n: {"bits": [b], "hide_name": 0, "attributes": {}}
        for n, b in numbers.items()
        if isinstance(b, int)
    }
    return {"ports": ports, "cells": instances, "netnames": names}


def _directions(library: Library, kind: str) -> dict[str, str]:
    """None of a cell that the library lacks."""
    pins = library.cells[kind].pins.values() if kind in library.cells else ()
    return {pin.name: "output" if pin.output else "input" for pin in pins}


def number_of(netlist: dict, net: str) -> int:
    """The netlist's number of a net."""
    return netlist["netnames"][net]["bits"][0]
