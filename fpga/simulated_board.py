"""A board that is simulated: the RTL of a shell, compiled, behind a pseudo-terminal."""

import contextlib
import ctypes
import os
import select
import tempfile
import threading
from pathlib import Path
from typing import Self

from multipede.fpga.shell import Shell
from multipede.golden.source_files import OWN, source_digest
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.verilog import rtl_key
from multipede.toolchain import cached, find, key
from multipede.toolchain.compiler import compiler_key
from multipede.toolchain.verilator import compile_shared, verilate
from multipede.toolchain.yosys import run_yosys

__all__ = ["SimulatedBoard", "SimulatedLine", "compile_shell", "shell_verilog"]

DIVISOR = 4
"""Clocks of a bit, as few as may be: the board has the more time for bytes the more there are."""
BAUD_RATE = 1_000_000
_QUIET, _MOST_CLOCKS = 64, 10_000_000
_ANSWER = 1 << 20


class SimulatedLine:
    """The RTL of a shell, driven byte by byte.

    Parameters
    ----------
    library : what :func:`compile_shell` made. Each line has a board of its own.
    """

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.board_create.restype = ctypes.c_void_p
        self._library.board_run.restype = ctypes.c_int64
        self._library.board_run.argtypes = [
            *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_char_p),
            *(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64),
        ]
        self._library.board_destroy.argtypes = [ctypes.c_void_p]
        self._board = self._library.board_create()

    @classmethod
    def of(
        cls, spec: Spec, *, records: int | None = None, style: Style = Style.WORD
    ) -> "SimulatedLine":
        """The line to a unit's shell, which is compiled once and cached.

        Parameters are those of :class:`~multipede.fpga.shell.Shell`.

        Raises
        ------
        TypeError, ValueError
            As the shell.
        ToolError
            If Verilator, the compiler or Yosys is missing or fails.
        """
        return cls(_compiled(spec, records, style))

    def __del__(self) -> None:
        if getattr(self, "_board", None):
            self._library.board_destroy(self._board)

    def exchange(self, sent: bytes) -> bytes:
        """What comes back for these bytes, until the board has nothing more to do."""
        answer = ctypes.create_string_buffer(_ANSWER)
        count = self._library.board_run(
            self._board, sent, len(sent), answer, _ANSWER, _QUIET, _MOST_CLOCKS
        )
        return answer.raw[:count]


class SimulatedBoard:
    """A simulated line behind a port that any program can open. To be used in a ``with``.

    Parameters
    ----------
    spec, records, style : see :meth:`SimulatedLine.of`, whose errors this raises.

    Attributes
    ----------
    port : path of the port; it stays the same when the line is cut and mended.
    """

    def __init__(
        self, spec: Spec, *, records: int | None = None, style: Style = Style.WORD
    ) -> None:
        self._line = SimulatedLine.of(spec, records=records, style=style)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._spec = spec, records, style
        self.cut_after: int | None = None
        """bytes to the host after which the line is cut, once"""
        self.silent_after: int | None = None
        """bytes to the host after which nothing comes any more"""
        self.away = 0.0
        """seconds for which a line is not there after it is cut"""
        self.delays: list[float] = []
        """seconds by which the next answers come late, one each"""
        self.bytes_per_second: int | None = None
        """that the line takes; all at once by default"""
        self.damage = 0
        """one of so many bytes arrives damaged, on either side; 0 for none"""
        self.damaged = 0
        """how many did"""
        self._passed = 0

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="multipede-board-")
        self.port = str(Path(self._directory.name) / "tty")
        self._open()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._close()
        self._directory.cleanup()

    def _open(self) -> None:
        # The other side is held open, too: a host may come and go.
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        import tty

        tty.setraw(self._slave)
        os.symlink(os.ttyname(self._slave), self.port)

    def _close(self) -> None:
        os.unlink(self.port)
        os.close(self._slave)
        os.close(self._master)

    def restart(self, *, cut: bool = True, spec: Spec | None = None) -> None:
        """As after a loss of power: all is lost that the board knew, and the port for a moment if
        the line is ``cut``, too; with a ``spec``, the board is another one then."""
        there, records, style = self._spec
        spec = spec or there
        self._line = SimulatedLine.of(spec, records=records, style=style)
        self.cut_after = 0 if cut else None

    def _serve(self) -> None:
        while not self._stop.is_set():
            readable, _, _ = select.select([self._master], [], [], 0.02)
            if readable:
                with contextlib.suppress(BlockingIOError):
                    sent = self._passing(os.read(self._master, 4096))
                    if self.bytes_per_second is not None:
                        self._stop.wait(len(sent) / self.bytes_per_second)
                    self._give(self._passing(self._line.exchange(sent)))

    def _passing(self, content: bytes) -> bytes:
        """What arrives of it."""
        if not self.damage:
            return content
        places = [n for n in range(len(content)) if (self._passed + n) % self.damage == 0]
        self._passed += len(content)
        self.damaged += len(places)
        arrives = bytearray(content)
        for place in places:
            arrives[place] ^= 0x10
        return bytes(arrives)

    def _give(self, answer: bytes) -> None:
        if answer and self.delays:
            self._stop.wait(self.delays.pop(0))
        if self.silent_after is not None:
            answer = answer[: self.silent_after]
            self.silent_after -= len(answer)
        if self.cut_after is not None and len(answer) > self.cut_after:
            answer, self.cut_after = answer[: self.cut_after], None
            self._write(answer)
            self._close()
            self._stop.wait(self.away)
            self._open()
            return
        if self.cut_after is not None:
            self.cut_after -= len(answer)
        self._write(answer)

    def _write(self, answer: bytes) -> None:
        while answer and not self._stop.is_set():
            _, writable, _ = select.select([], [self._master], [], 1.0)
            if not writable:
                return  # nobody reads: lost, as on a line
            answer = answer[os.write(self._master, answer) :]


def _compiled(spec: Spec, records: int | None, style: Style) -> Path:
    """The library. Cached by the unit, the shell's code and the tools."""
    code = source_digest(OWN, "fpga/shell", "fpga/simulated_board.cpp", "fpga/simulated_board.py")
    identity = key(
        rtl_key(spec, style),
        code,
        repr(records),
        *(find(name).identity for name in ("verilator", "yosys")),
        compiler_key(find("c++")),
    )

    def build(place: Path) -> None:
        compile_shell(shell_verilog(spec, records=records, style=style), place / "board.so")

    return cached("simulated-board", identity, build) / "board.so"


def shell_verilog(
    spec: Spec, *, records: int | None = None, style: Style = Style.WORD, divisor: int = DIVISOR
) -> str:
    """The shell around a unit in Verilog, module ``board``, a bit lasting ``divisor`` clocks."""
    from amaranth.back import rtlil

    clock = divisor * BAUD_RATE
    shell = Shell(spec, clock=clock, baud_rate=BAUD_RATE, records=records, style=style)
    done = run_yosys(
        "read_rtlil board.il\nproc\nmemory_collect\nwrite_verilog -noattr board.v",
        files={"board.il": rtlil.convert(shell, name="board")},
        outputs=["board.v"],
    )
    return done.outputs["board.v"]


def compile_shell(verilog: str, library: Path) -> None:
    """Compile what :func:`shell_verilog` gave. Raises ToolError if a tool is missing or fails."""
    with tempfile.TemporaryDirectory(dir=library.parent) as work:
        directory = Path(work)
        verilate({"board.v": verilog}, top="board", prefix="Vboard", directory=directory)
        source = directory / "simulated_board.cpp"
        text = Path(__file__).with_suffix(".cpp").read_text()
        source.write_text(f"#define DIVISOR {DIVISOR}\n{text}")
        compile_shared(directory, "Vboard", [source], library)
