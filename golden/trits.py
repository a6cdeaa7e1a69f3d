"""Ternary weights in base 3: three of them in five bits, looked up in tables of 13 sums.

Trits t0, t1, t2 of -1, 0 and 1 make v = t0 + 3 t1 + 9 t2, from -13 to 13. Their code is the
magnitude of v in four bits, the index, below a bit that is 1 where v is negative, the sign. The sum
t0 a0 + t1 a1 + t2 a2 is then 0 for index 0, else the table's entry number index - 1, negated where
the sign is 1: of the 27 combinations one is zero, and the others are 13 pairs. Codes 14 to 16 and
from 30 on are none.

This takes 5/3 bits of storage for a weight instead of the 2 of two bit planes, and one lookup for
three weights instead of two for four. Source of the scheme: the kernel TL2 of Wang et al., 1-bit AI
Infra, arXiv 2410.16144; the order of the codes is ours.
"""

from typing import TYPE_CHECKING

from multipede.golden.arrays import exact_integers, integers, refuse, require_tensor

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TRITS", "TRIT_ENTRIES", "look_up_trits", "pack_trits", "trit_tables", "unpack_trits"]

TRITS = 3
"""trits of a code"""
TRIT_ENTRIES = 13
"""entries of a table"""
_SIGN = 16


def pack_trits(trits: "Tensor") -> "Tensor":
    """Codes int64 [..., K / 3], 5 bits each, of integer trits [..., K].

    Raises TypeError unless it is a tensor of integers, ValueError for others than -1, 0 and 1,
    naming the first, and for a last axis that is no multiple of 3.
    """
    import torch

    _require_trits("trits", trits)
    values = integers(trits, "trits")
    refuse((values < -1) | (values > 1), values, "trits", "allowed are -1, 0 and 1")
    v = (trits.long().unflatten(-1, (-1, TRITS)) * torch.tensor([1, 3, 9])).sum(-1)
    return v.abs() | torch.where(v < 0, _SIGN, 0)


def unpack_trits(codes: "Tensor") -> "Tensor":
    """Trits int64 [..., K] of codes [..., K / 3].

    Raises TypeError unless it is a tensor of integers, ValueError for codes that are none, naming
    the first, and for a single one without an axis.
    """
    import torch

    index, negative = _parted(codes)
    if not codes.dim():
        raise ValueError("codes have shape (): [..., K / 3] is needed")
    rest, trits = index, []
    for _ in range(TRITS):
        trit = (rest + 1) % 3 - 1
        trits.append(trit)
        rest = (rest - trit) // 3
    return torch.where(negative[..., None], -1, 1).mul(torch.stack(trits, dim=-1)).flatten(-2)


def trit_tables(activations: "Tensor") -> "Tensor":
    """The sums for v = 1 to 13 of integer activations [..., K], exactly: int64 [..., K / 3, 13].

    Raises TypeError unless it is a tensor of integers, ValueError beyond +-2**53, naming the first,
    and for a last axis that is no multiple of 3.
    """
    import torch

    _require_trits("activations", activations)
    exact_integers(activations, "activations")
    trits = unpack_trits(torch.arange(1, TRIT_ENTRIES + 1)).unflatten(-1, (-1, TRITS))
    return activations.long().unflatten(-1, (-1, TRITS)) @ trits.T


def look_up_trits(tables: "Tensor", codes: "Tensor") -> "Tensor":
    """Dot products of weights with activations, looked up: int64 [..., N].

    Parameters
    ----------
    tables : of the activations, integers [..., T, 13], whose largest magnitude is less than
        2**63 / T, so that sums are exact.
    codes : of the weights, [N, T].

    Raises TypeError or ValueError for other tables, and for codes that are none or whose T is
    another.
    """
    import torch

    require_tensor("tables", tables)
    if tables.dim() < 2 or tables.shape[-1] != TRIT_ENTRIES:
        raise ValueError(
            f"tables have shape {tuple(tables.shape)}: [..., T, {TRIT_ENTRIES}] is needed"
        )
    entries = integers(tables, "tables")
    largest = max(abs(int(entries.min(initial=0))), int(entries.max(initial=0)))
    if tables.shape[-2] * largest >= 1 << 63:
        raise ValueError(
            f"tables reach {largest}: less than 2**63 / {tables.shape[-2]} is needed for exact sums"
        )
    index, negative = _parted(codes)
    if index.dim() != 2 or index.shape[1] != tables.shape[-2]:
        raise ValueError(
            f"codes have shape {tuple(index.shape)}: [N, {tables.shape[-2]}] is needed"
        )
    whole = torch.nn.functional.pad(tables.long(), (1, 0))  # entry 0 of index 0
    found = whole[..., torch.arange(index.shape[1]), index]
    return torch.where(negative, -found, found).sum(-1)


def _parted(codes: "Tensor") -> "tuple[Tensor, Tensor]":
    """Index and sign of codes."""
    require_tensor("codes", codes)
    values = integers(codes, "codes")
    index, negative = codes.long() & (_SIGN - 1), codes.long() >= _SIGN
    bad = (values < 0) | (values >= 2 * _SIGN)
    bad |= ((index > TRIT_ENTRIES) | ((index == 0) & negative)).numpy()
    refuse(bad, values, "codes", "allowed are 0 to 13 and 17 to 29")
    return index, negative


def _require_trits(name: str, values: object) -> None:
    require_tensor(name, values)
    if values.dim() == 0 or values.shape[-1] % TRITS:
        raise ValueError(
            f"{name} have shape {tuple(values.shape)}: the last axis must be a multiple of {TRITS}"
        )
