"""A bitstream onto a board, by openFPGALoader where that is installed."""

from multipede.fpga.boards import board as board_of
from multipede.fpga.build import Build
from multipede.toolchain import find, run

__all__ = ["load"]


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
    if built.files is None or not target.fpga.is_routed:
        raise ValueError(f"{target.title}: there is no bitstream to load")
    if not target.loader:
        raise ValueError(f"{target.title}: openFPGALoader does not know it")
    tool = find("openFPGALoader")
    run(tool, ["-b", target.loader, str(built.files.resolve())], timeout=300)
    return f"loaded by openFPGALoader {'.'.join(map(str, tool.version))}"
