"""Symmetries of functions on fixed-point arguments: which part of the domain stands for all.

A fold takes the code of x to an address k of fewer bits. Where a part is mirrored, abs(x) = -x is
the inverse of x and a unit more: the inverse is the address, and the unit a ``carry`` into what
depends on k, so that no adder is needed in front and even the lowest code, whose magnitude has a
bit more than all others, has an address.
"""

from enum import Enum
from typing import NamedTuple

import numpy as np

__all__ = ["Fold", "Folded", "fold_codes"]


class Fold(Enum):
    """Which symmetry is used.

    ======  ====================================================================================
    NONE    none
    EVEN    f(-x) = f(x)
    ODD     f(-x) = -f(x), modulo the range of the result: sigmoid(-x) = 1 - sigmoid(x)
    RELU    f(x) = max(x, 0) + d(abs(x)), as of GELU, SiLU and softplus
    SINE    f(-x) = f(x + P/2) = -f(x) and f(P/2 - x) = f(x), with P a power of two of codes
    COSINE  f(-x) = f(x), f(x + P/2) = f(P/2 - x) = -f(x), likewise
    ======  ====================================================================================
    """

    NONE = "none"
    EVEN = "even"
    ODD = "odd"
    RELU = "relu"
    SINE = "sine"
    COSINE = "cosine"

    def __repr__(self) -> str:
        return f"Fold.{self.name}"

    @property
    def mirrors(self) -> bool:
        """Whether a carry occurs."""
        return self is not Fold.NONE

    @property
    def periodic(self) -> bool:
        """Whether bits above the period have no meaning."""
        return self in (Fold.SINE, Fold.COSINE)


class Folded(NamedTuple):
    """Codes folded: addresses, carries, whether the result is negated, and what is added to it, in
    units of x; int64 arrays."""

    address: np.ndarray
    carry: np.ndarray
    negative: np.ndarray
    added: np.ndarray


def fold_codes(
    fold: Fold,
    codes: np.ndarray,
    bits: int,
    *,
    signed: bool,
    adds: bool = False,
    centred: bool = False,
) -> Folded:
    """Codes (int64) folded to addresses of ``bits`` bits.

    Without a fold the address is the lowest bits, in the order of the codes: of ``signed`` ones
    the highest bit is inverted. What ``adds`` has an adder for the carry after all, that stays at
    the highest address. ``centred`` codes stand for half a unit more than they say, so that the
    inverse is the mirror image and there is no carry.
    """
    folded = _folded(fold, codes, bits, signed)
    if centred:
        return folded._replace(carry=np.zeros_like(codes))
    if not adds:
        return folded
    address = np.minimum(folded.address + folded.carry, (1 << bits) - 1)
    return folded._replace(address=address, carry=np.zeros_like(codes))


def _folded(fold: Fold, codes: np.ndarray, bits: int, signed: bool) -> Folded:
    nothing = np.zeros_like(codes)
    ones = (1 << bits) - 1
    if fold is Fold.NONE:
        offset = 1 << (bits - 1) if signed and bits else 0
        return Folded((codes + offset) & ones, nothing, nothing, nothing)
    if fold.periodic:
        mirrored, negative = codes >> bits & 1, codes >> (bits + 1) & 1
        address = (codes & ones) ^ (-mirrored & ones)
        if fold is Fold.COSINE:
            negative = negative ^ mirrored
        return Folded(address, mirrored, negative, nothing)
    mirrored = (codes < 0).astype(np.int64)
    address = (codes ^ -mirrored) & ones
    negative = mirrored if fold is Fold.ODD else nothing
    added = np.maximum(codes, 0) if fold is Fold.RELU else nothing
    return Folded(address, mirrored, negative, added)
