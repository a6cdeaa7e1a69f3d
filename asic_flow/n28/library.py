"""The n28 library in a corner: as Liberty text, as a file, and read."""

from functools import cache as once
from pathlib import Path

from multipede.asic_flow.liberty.library import Library, parse_liberty
from multipede.asic_flow.n28.corner import Corner
from multipede.asic_flow.n28.liberty_text import liberty_text
from multipede.asic_flow.n28.model import CornerModel
from multipede.toolchain import write_atomically

__all__ = ["n28_liberty", "n28_library", "write_n28"]


def n28_library(corner: Corner = Corner.TT_0P90V_25C) -> Library:
    """As :func:`~multipede.asic_flow.liberty.library.read_liberty` reads it from a file.

    Its source is named like ``n28_tt_0p90v_25c.lib``. TypeError for anything but a corner.
    """
    return _library(_checked(corner))


def n28_liberty(corner: Corner = Corner.TT_0P90V_25C) -> str:
    """The library as a Liberty file's text, the same every time. TypeError as above."""
    return _text(_checked(corner))


def write_n28(path: Path, corner: Corner = Corner.TT_0P90V_25C) -> None:
    """Write the Liberty file, whole or not at all.

    Raises
    ------
    TypeError
        For anything but a corner.
    OSError
        If the file cannot be written.
    """
    write_atomically(Path(path), n28_liberty(corner))


def _checked(corner: Corner) -> Corner:
    if not isinstance(corner, Corner):
        raise TypeError(
            f"corner = {corner!r}: one of {', '.join(map(repr, Corner))} of n28 is needed"
        )
    return corner


@once
def _text(corner: Corner) -> str:
    return liberty_text(CornerModel(corner))


@once
def _library(corner: Corner) -> Library:
    return parse_liberty(_text(corner), f"n28_{corner.key}.lib", "um2")
