"""The MX formats by name, and values that try the edges of every scale."""

import numpy as np

from multipede.golden.blocks import MXFP4, MXFP6_E2M3, MXFP6_E3M2, MXFP8_E4M3, MXFP8_E5M2, MXINT8

SEED = 20251122
MX = {
    "mxfp8_e4m3": MXFP8_E4M3,
    "mxfp8_e5m2": MXFP8_E5M2,
    "mxfp6_e2m3": MXFP6_E2M3,
    "mxfp6_e3m2": MXFP6_E3M2,
    "mxfp4": MXFP4,
    "mxint8": MXINT8,
}


def sample(random_blocks: int, block_size: int = 32) -> np.ndarray:
    """FP32 values in blocks of very different magnitude, and 36 blocks more whose amax is a
    power of two, an element maximum, a boundary of EVEN, or next to one."""
    rng = np.random.default_rng(SEED)
    shape = (random_blocks + 36, block_size)
    values = rng.normal(size=shape) * 2.0 ** rng.integers(-30, 30, (shape[0], 1))
    tops = np.array([1, 448, 57344, 7.5, 28, 6, 127 / 64, 1.5, 1.75, 1.9375, 1.875, 1.984375])
    tops = np.concatenate([tops, np.nextafter(tops, 0, dtype=np.float32), tops * (1 + 2.0**-23)])
    for block, top in enumerate(tops):
        values[block] = np.clip(values[block], -top / 2, top / 2)
        values[block, block % block_size] = -top
    return values.astype(np.float32).astype(np.float64)
