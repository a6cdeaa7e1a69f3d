"""Tables of signed sums, from which a dot product with one bit of each weight is looked up.

Weights of K lanes (``table_inputs``) with the bits -1 and +1 give 2**K sums of which half are the
negatives of the others, so that 2**(K-1) are kept::

    U[f] = a[K-1] + sum over k < K-1 of (-a[k] if bit k of f else a[k])

Bits W of the lanes, 1 for +1, are **folded** once and for all: f has bit k = W[k] ^ W[K-1]. Their
sum is U[f] if W[K-1] is 1, else -U[f]. (Mo et al., LUT Tensor Core, arXiv 2408.06003, equations 4
to 6; what is kept there is the other half, -U[f], which needs a bit more: with all activations at
their minimum its largest entry is K times 2**(bits-1), here the smallest is.)

Tables of bits 0 and 1 are whole: F[i] = sum of a[k] where bit k of i is 1, 2**K entries.
"""

from typing import TYPE_CHECKING

import numpy as np

from multipede.golden.arrays import (
    INTEGERS,
    ArrayLike,
    exact_integers,
    is_tensor,
    require_tensor,
    to_numpy,
)
from multipede.golden.formats import Integer
from multipede.golden.number_format import require_range

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "MAXIMUM_TABLE_INPUTS",
    "entry_format",
    "fold",
    "require_table_inputs",
    "signed_sums",
    "subset_sums",
]

MINIMUM_TABLE_INPUTS = 2
MAXIMUM_TABLE_INPUTS = 6


def require_table_inputs(table_inputs: int, lanes: int) -> None:
    """TypeError or ValueError unless tables of 2 to 6 inputs make up all lanes."""
    require_range("table_inputs", table_inputs, MINIMUM_TABLE_INPUTS, MAXIMUM_TABLE_INPUTS)
    if lanes % table_inputs:
        raise ValueError(
            f"lanes = {lanes}: they must be a multiple of table_inputs = {table_inputs}"
        )


def entry_format(low: int, high: int, table_inputs: int, *, signed_sums: bool) -> Integer:
    """The narrowest format of a table's entries of activations from ``low`` to ``high``."""
    others = table_inputs - 1
    if not signed_sums:
        return Integer.spanning(min(0, table_inputs * low), table_inputs * high)
    largest = max(-low, high)
    return Integer.spanning(low - others * largest, high + others * largest)


def in_tables(values: ArrayLike, table_inputs: int, name: str) -> ArrayLike:
    """Values (..., lanes), a tensor or an array, as (..., tables, K).

    Raises TypeError for others, ValueError if K is not 2 to 6 or does not divide the last axis.
    """
    require_range("table_inputs", table_inputs, MINIMUM_TABLE_INPUTS, MAXIMUM_TABLE_INPUTS)
    if not is_tensor(values) and not isinstance(values, np.ndarray):
        raise TypeError(f"{name} must be an array or tensor, not {type(values).__name__}")
    if not len(values.shape):
        raise ValueError(f"{name} has shape (): (..., lanes) is needed")
    *outer, lanes = values.shape
    if lanes % table_inputs:
        raise ValueError(f"table_inputs = {table_inputs}: they must divide the {lanes} lanes")
    return values.reshape(*outer, lanes // table_inputs, table_inputs)


def fold(codes: "Tensor", table_inputs: int) -> "Tensor":
    """Weights (..., lanes) with every lane but the last of each table exclusive-ored with that.

    It folds the bits of all planes at once, works for codes of any integer format, and undoes
    itself. Tensors and arrays alike.

    Raises TypeError unless they are integers, ValueError if lanes do not make up tables.
    """
    tables = in_tables(codes, table_inputs, "codes")
    to_numpy(codes, "codes", INTEGERS)
    folded = tables ^ tables[..., -1:]
    folded[..., -1] = tables[..., -1]
    return folded.reshape(codes.shape)


def signed_sums(activations: "Tensor", table_inputs: int) -> "Tensor":
    """U of activations (..., lanes), exactly: int64 (..., tables, 2**(K-1)).

    Raises TypeError unless it is a tensor of integers, ValueError beyond +-2**53, naming the first,
    and if lanes do not make up tables.
    """
    import torch

    tables = _exact_tables(activations, table_inputs)
    index = torch.arange(1 << (table_inputs - 1))
    sums = tables[..., -1:].expand(*tables.shape[:-1], len(index)).clone()
    for k in range(table_inputs - 1):
        sums += tables[..., k : k + 1] * (1 - 2 * (index >> k & 1))
    return sums


def subset_sums(activations: "Tensor", table_inputs: int) -> "Tensor":
    """F of activations (..., lanes), exactly: int64 (..., tables, 2**K).

    Raises TypeError unless it is a tensor of integers, ValueError beyond +-2**53, naming the first,
    and if lanes do not make up tables.
    """
    import torch

    tables = _exact_tables(activations, table_inputs)
    index = torch.arange(1 << table_inputs)
    sums = torch.zeros(*tables.shape[:-1], len(index), dtype=torch.int64)
    for k in range(table_inputs):
        sums += tables[..., k : k + 1] * (index >> k & 1)
    return sums


def _exact_tables(activations: "Tensor", table_inputs: int) -> "Tensor":
    """Activations as int64 (..., tables, K), small enough that no sum overflows."""
    require_tensor("activations", activations)
    exact_integers(activations, "activations")
    return in_tables(activations.long(), table_inputs, "activations")
