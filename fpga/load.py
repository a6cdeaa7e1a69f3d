"""A bitstream onto a board, by openFPGALoader where that is installed."""

from multipede.fpga.boards import board as board_of
from multipede.fpga.build import Build
from multipede.toolchain import find, run
from multipede.toolchain.tool import Tool

__all__ = ["load", "loader_of"]


def loader_of(board: str) -> Tool:
    """The program that loads what is built for a board. ValueError if that makes no bitstream, or
    openFPGALoader does not know the board; ToolError if it is missing."""
    target = board_of(board)
    if not target.fpga.is_routed:
        raise ValueError(f"{target.title}: there is no bitstream to load, as Vivado makes it")
    if not target.loader:
        raise ValueError(f"{target.title}: openFPGALoader does not know it")
    return find("openFPGALoader")


def load(built: Build) -> str:
    """Load a bitstream; gives what was done, in words.

    Raises
    ------
    ValueError
        If there is no bitstream, or openFPGALoader does not know the board.
    ToolError, ToolFailure
        If openFPGALoader is missing, or fails, as without a board.
    """
    target = board_of(built.board)
    tool = loader_of(built.board)
    if built.files is None:
        raise ValueError(f"{target.title}: there is no bitstream to load")
    run(tool, ["-b", target.loader, str(built.files.resolve())], timeout=300)
    return f"loaded by openFPGALoader {'.'.join(map(str, tool.version))}"
