"""Real images, and a short video made of one by motion and zoom. scikit-image brings the images."""

import math
from functools import cache
from importlib import import_module

import numpy as np
import torch
from torch import Tensor

from multipede.golden.number_format import require_range, require_type

__all__ = ["IMAGES", "TUNING_IMAGE", "image", "video"]

IMAGES = ("astronaut", "chelsea", "coffee", "rocket")
TUNING_IMAGE = "hubble_deep_field"
"""on which rates and scales were chosen, and nothing is judged"""


def image(name: str, size: int) -> Tensor:
    """The middle square of an image, (size, size, 3) colours from -1 to 1, float32.

    Raises TypeError or ValueError for an unknown name and a size beyond 8 to 1024,
    ModuleNotFoundError if scikit-image is missing.
    """
    require_range("size", size, 8, 1024)
    square = _square(name)
    return _resized(square, (0.0, 0.0), len(square), size)


def video(name: str, frames: int, size: int) -> Tensor:
    """A window on an image that moves on an arc and zooms in: (frames, size, size, 3), as
    :func:`image`.

    Raises as there; ValueError for frames beyond 2 to 256.
    """
    require_range("frames", frames, 2, 256)
    require_range("size", size, 8, 1024)
    square = _square(name)
    found = []
    for frame in range(frames):
        time = frame / (frames - 1)
        window = len(square) * (0.75 - 0.25 * time)
        room = (len(square) - window) / 2
        down = room * (1 - 0.5 * math.cos(math.pi * time))
        right = room * (1 + 0.5 * math.sin(math.pi * (time - 0.5)))
        found.append(_resized(square, (down, right), window, size))
    return torch.stack(found)


@cache
def _square(name: str) -> np.ndarray:
    """The middle square, float64 from 0 to 1."""
    require_type("image", name, str)
    if name not in (*IMAGES, TUNING_IMAGE):
        raise ValueError(f"image = {name!r}: allowed are {', '.join((*IMAGES, TUNING_IMAGE))}")
    try:
        data = import_module("skimage.data")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "images need scikit-image: pip install 'multipede[images]'"
        ) from None
    whole = getattr(data, name)()[..., :3] / 255.0
    side = min(whole.shape[:2])
    down, right = ((length - side) // 2 for length in whole.shape[:2])
    return whole[down : down + side, right : right + side]


def _resized(square: np.ndarray, corner: tuple[float, float], window: float, size: int) -> Tensor:
    """A square window of the picture in so many pixels, smoothed as its scale asks for."""
    transform = import_module("skimage.transform")
    filters = import_module("skimage.filters")
    scale = window / size
    if scale > 1:
        square = filters.gaussian(square, (scale - 1) / 2, channel_axis=-1)
    places = transform.AffineTransform(
        scale=(scale, scale),
        translation=(corner[1] + (scale - 1) / 2, corner[0] + (scale - 1) / 2),
    )
    pixels = transform.warp(square, places, output_shape=(size, size), order=1, mode="edge")
    return torch.from_numpy((2 * pixels - 1).astype(np.float32))
