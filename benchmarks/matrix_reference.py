"""Time of the exact reference of a layer."""

import time
from collections.abc import Iterator

import torch

from benchmarks.target import Target
from multipede.golden.formats import INT8, UINT4
from multipede.golden.matrix_product import group_sums
from multipede.golden.quantisation import quantise_activations, quantise_weights

__all__ = ["measure"]


def measure() -> Iterator[Target]:
    """All targets of this page."""
    generator = torch.Generator().manual_seed(9)
    a = quantise_activations(torch.randn(4096, 4096, generator=generator), format=INT8)
    w = quantise_weights(torch.randn(64, 4096, generator=generator), format=UINT4, group=128)
    began = time.perf_counter()
    sums = group_sums(a, w)
    seconds = time.perf_counter() - began
    method = f"{sums.numel():,} group sums of 128; {torch.get_num_threads()} threads"
    yield Target("exact reference of [4096, 4096] x [4096, 64], W4A8", seconds, 10, "s", method)
