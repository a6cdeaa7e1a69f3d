"""A board tried: the reference's records through it, every result compared."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from multipede.fpga.host import Board
from multipede.golden.number_format import require_range
from multipede.golden.spec import Spec
from multipede.sim.expected import expected_results
from multipede.sim.vectors import golden_records

__all__ = ["Trial", "try_board"]


@dataclass(frozen=True)
class Trial:
    """What a board computed.

    Attributes
    ----------
    spec : the unit. board : where it is, ``simulated`` for one that is none.
    clock : of the design, Hz. port : of the host.
    records, results : how many were sent and compared. wrong : results with a bit that differs.
    seconds : for sending, computing and receiving. counters : the board's own.
    """

    spec: Spec
    board: str
    clock: float
    port: str
    records: int
    results: int
    wrong: int
    seconds: float
    counters: dict[str, int]

    @property
    def passed(self) -> bool:
        """Whether there were results, and all are the reference's."""
        return self.wrong == 0 and self.results > 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "specification": self.spec.to_dict(),
            "board": self.board,
            "clock": self.clock,
            "port": self.port,
            "records": self.records,
            "results": self.results,
            "wrong": self.wrong,
            "passed": self.passed,
            "seconds": self.seconds,
            "counters": self.counters,
        }

    def __str__(self) -> str:
        verdict = "all are the reference's" if self.passed else f"{self.wrong:,} are wrong"
        rate = self.records / self.seconds
        return "\n".join(
            [
                f"{self.spec} on {self.board} at {self.port}, {self.clock / 1e6:g} MHz",
                f"  {self.records:,} records, {self.results:,} results: {verdict}",
                f"  {rate:,.0f} records per second over the line",
                *(f"  {number:12,}  {name}" for name, number in self.counters.items()),
            ]
        )


def try_board(board: Board, *, records: int = 1000, seed: int = 1) -> Trial:
    """Send corners and random records through a board, from a reset on, and compare all results.

    Parameters
    ----------
    board : that :func:`~multipede.fpga.host.connect` gave.
    records, seed : how many, 1 to 10,000,000, and of the random ones, 0 to 2**32 - 1.

    Raises
    ------
    TypeError, ValueError
        For a parameter.
    BoardError
        If the board does not answer.
    """
    require_range("records", records, 1, 10_000_000)
    require_range("seed", seed, 0, 2**32 - 1)
    inputs = golden_records(board.spec, records, seed=seed)
    expected = expected_results(board.spec, inputs).results
    board.reset()
    start = time.perf_counter()
    found = board.run(inputs)
    seconds = time.perf_counter() - start
    count = len(next(iter(expected.values())))
    wrong = _differing(expected, found, count)
    described = board.description
    return Trial(
        spec=board.spec,
        board=described["board"],
        clock=described["clock"],
        port=board.port,
        records=records,
        results=count,
        wrong=wrong,
        seconds=seconds,
        counters=board.counters(),
    )


def _differing(expected, found, count: int) -> int:
    """Results with a difference; all if there are not as many as there should be."""
    if any(found[port].shape != array.shape for port, array in expected.items()):
        return max(1, count)
    differs = np.zeros(count, bool)
    for port, array in expected.items():
        differs |= (found[port] != array).reshape(count, -1).any(axis=1)
    return int(differs.sum())
