"""The units of a Liberty file, and those that we reckon in: ps, fF, fJ, nW, V."""

import re
from dataclasses import dataclass

from multipede.asic_flow.liberty.syntax import Group

__all__ = ["Units", "units_of"]

_PREFIX = {"a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}
_QUANTITY = re.compile(r"\s*([\d.eE+-]+)\s*([afpnumk]?)([a-z]+)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Units:
    """How many ps, fF, V, nW and kilohms one of the file's units is."""

    time: float
    load: float
    voltage: float
    leakage: float
    resistance: float = 1.0

    @property
    def energy(self) -> float:
        """How many fJ one unit of internal power is: the unit of load times that of voltage
        squared, as the power of a clock with a period of one unit of time."""
        return self.load * self.voltage**2


def units_of(library: Group) -> Units:
    """The units of a library; Liberty's defaults where it names none.

    Raises ValueError for a unit that cannot be read.
    """
    load = library.attributes.get("capacitive_load_unit", (("1", "pf"),))[0]
    return Units(
        time=_quantity("time_unit", library.text("time_unit", "1ns"), "s", 1e-12),
        load=_quantity("capacitive_load_unit", "".join(load), "f", 1e-15),
        voltage=_quantity("voltage_unit", library.text("voltage_unit", "1V"), "v", 1.0),
        leakage=_quantity(
            "leakage_power_unit", library.text("leakage_power_unit", "1nW"), "w", 1e-9
        ),
        resistance=_quantity(
            "pulling_resistance_unit", library.text("pulling_resistance_unit", "1kohm"), "ohm", 1e3
        ),
    )


def _quantity(name: str, text: str, base: str, unit: float) -> float:
    found = _QUANTITY.match(text)
    # Of capacitance the base unit is a prefix, too: 1pf, 1ff.
    if found is not None and found[3].lower() == base:
        try:
            return float(f"{float(found[1]) * (_PREFIX[found[2].lower()] / unit):.12g}")
        except ValueError:
            pass
    raise ValueError(f"{name} = {text!r}: a number and a unit such as 1{'p' + base} are needed")
