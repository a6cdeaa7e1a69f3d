"""The corners of the n28 library."""

from enum import Enum

__all__ = ["Corner"]


class Corner(Enum):
    """Process, supply voltage (V) and temperature (degrees Celsius)."""

    TT_0P90V_25C = ("TT", 0.90, 25.0)
    """typical: the default"""
    SS_0P81V_125C = ("SS", 0.81, 125.0)
    """slow, 10 % below the supply, hot: to sign off a clock"""
    SS_0P90V_M40C = ("SS", 0.90, -40.0)
    """slow, cold: the corner of published work in 28HPC+ (SSG)"""
    FF_0P99V_0C = ("FF", 0.99, 0.0)
    """fast, 10 % above the supply"""

    @property
    def process(self) -> str:
        """``"TT"``, ``"SS"`` or ``"FF"``."""
        return self.value[0]

    @property
    def voltage(self) -> float:
        """V."""
        return self.value[1]

    @property
    def temperature(self) -> float:
        """Degrees Celsius."""
        return self.value[2]

    @property
    def key(self) -> str:
        """As file names and the table of constants have it, such as ``"tt_0p90v_25c"``."""
        return self.name.lower()

    def __str__(self) -> str:
        return f"{self.process}, {self.voltage:.2f} V, {self.temperature:g} C"
