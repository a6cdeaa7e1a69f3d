"""Streams cut into segments that are worked on side by side, each in the order of its records."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class Segments:
    """The segments of a stream; each ends with a record whose entry in ``ends`` is 1.

    The last one is unfinished, and may be empty.

    Attributes
    ----------
    ended : int64, the records that end a segment.
    count : number of segments, the unfinished one included.
    """

    def __init__(self, ends: "Tensor"):
        import torch

        self.ended = ends.nonzero()[:, 0]
        self.count = len(self.ended) + 1
        self._starts = torch.cat([torch.zeros(1, dtype=torch.int64), self.ended + 1])
        self._stops = torch.cat([self.ended + 1, torch.tensor([len(ends)])])

    def steps(self) -> "Iterator[tuple[Tensor, Tensor]]":
        """First the segments that have a first record, and these records; then the second; ..."""
        lengths = self._stops - self._starts
        for step in range(int(lengths.max())):
            running = (lengths > step).nonzero()[:, 0]
            yield running, self._starts[running] + step
