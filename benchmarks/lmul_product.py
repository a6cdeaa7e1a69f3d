"""Products by adding codes on tensors, beside eager torch that makes all of them at once.

Both give every product its bits, whatever the operands: zeros and subnormal numbers flushed,
overflow infinite. The sums of the eager one are in an order of torch's own.
"""

import resource
import statistics
import time
from collections.abc import Callable, Iterator

import torch

from benchmarks.target import Target
from multipede.golden.float_tile import SumOrder
from multipede.golden.formats import BF16
from multipede.golden.lmul_matmul import lmul_matmul, rounded
from multipede.golden.lmul_tile import LMulTile

__all__ = ["measure"]

SIZE = 512
RUNS = 5
_BIAS = 127 << 23
_OFFSET = 8 << 16
_SMALLEST = 1 << 23
_INFINITY = 0xFF << 23
_SIGN = -(1 << 31)


def measure() -> Iterator[Target]:
    """All targets of this page."""
    generator = torch.Generator().manual_seed(9)
    x, w = (rounded(torch.randn(SIZE, SIZE, generator=generator), BF16) for _ in "xw")
    tile = LMulTile(order=SumOrder.SEQUENTIAL)
    before = _peak()
    y = lmul_matmul(x, w, tile)
    grown = _peak() - before
    # Once each in turn, so that what else the machine does meets both.
    pairs = [
        (_seconds(lambda: lmul_matmul(x, w, tile)), _seconds(lambda: _eager(x, w)))
        for _ in range(RUNS)
    ]
    error = float((y - _eager(x, w)).abs().max() / y.abs().max())
    if error > 1e-5:
        raise AssertionError(f"the two differ by {error:.2g}: they do not do the same")
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    shape = f"[{SIZE}, {SIZE}] x [{SIZE}, {SIZE}]"
    method = (
        f"{ours:.3g} s and {theirs:.3g} s, medians of {RUNS};"
        f" {torch.get_num_threads()} threads, sums in order of k"
    )
    name = f"lmul_matmul {shape}, beside broadcast and sum"
    yield Target(name, theirs / ours, 20, "x", method, at_least=True)
    yield Target(f"lmul_matmul {shape}, peak memory", grown, 64, "MB", "growth of the process")


def _eager(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """Elementwise products of finite BF16 numbers, all at once, and their sums."""
    a, b = x.view(torch.int32)[:, :, None], w.view(torch.int32)[None, :, :]
    sign = (a ^ b) & _SIGN
    magnitudes = a & ~_SIGN, b & ~_SIGN
    # Half of everything, so that no sum leaves 32 bits.
    total = (magnitudes[0] >> 1) + (magnitudes[1] >> 1) + ((_OFFSET - _BIAS) >> 1)
    small = (magnitudes[0] < _SMALLEST) | (magnitudes[1] < _SMALLEST) | (total < _SMALLEST >> 1)
    total = torch.where(total >= _INFINITY >> 1, _INFINITY >> 1, total)
    product = torch.where(small, 0, total << 1) | sign
    return product.view(torch.float32).sum(dim=1)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _peak() -> float:
    """Of the process' memory, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
