"""Tables of signed sums as short integers, with one scale per table.

Of a table U of activations a, with q_max the largest integer of the format::

    scale = (|a[0]| + ... + |a[K-1]|) / q_max
    entry = clamp(rne(U / scale), -q_max, q_max)      U is about scale entry

in float64, each operation rounded once. Since no sum is larger than that of all magnitudes, each
entry is off by at most scale / 2, and a sum of b lookups for weights of b bits by at most
(2**b - 1) scale / 2. A table of zeros has scale 0 and entries 0.

Source: the rule of T-MAC, Wei et al., arXiv 2407.00088, which takes the largest scale of several
tables for all of them; LUT Tensor Core (Mo et al., arXiv 2408.06003, section 3.1.3) has one each.
"""

from typing import TYPE_CHECKING

from multipede.golden.formats import Integer
from multipede.golden.lookup_table import (
    MAXIMUM_TABLE_INPUTS,
    MINIMUM_TABLE_INPUTS,
)
from multipede.golden.number_format import require_range, require_type

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["require_table_format", "scaled_tables"]


def require_table_format(name: str, number_format: object) -> None:
    """TypeError or ValueError unless it is a signed integer format of 2 to 16 bits."""
    require_type(name, number_format, Integer)
    if not number_format.signed or not 2 <= number_format.bits <= 16:
        raise ValueError(f"{name} = {number_format}: int2 to int16 are needed")


def scaled_tables(
    values: "Tensor", table_inputs: int, number_format: Integer
) -> "tuple[Tensor, Tensor]":
    """Entries and scales of the tables of activations.

    Parameters
    ----------
    values : [..., lanes], finite, integers below 2**53 or floats, as what they stand for.
    table_inputs : lanes of a table, 2 to 6, which divides ``lanes``.
    number_format : of the entries, int2 to int16.

    Returns
    -------
    entries : int64 [..., tables, 2**(K-1)], in the order of
        :func:`~multipede.golden.lookup_table.signed_sums`.
    scales : float64 [..., tables].

    Raises TypeError or ValueError for other arguments, naming them.
    """
    import torch

    require_range("table_inputs", table_inputs, MINIMUM_TABLE_INPUTS, MAXIMUM_TABLE_INPUTS)
    require_table_format("number_format", number_format)
    if values.shape[-1] % table_inputs:
        raise ValueError(
            f"table_inputs = {table_inputs}: they must divide the {values.shape[-1]} lanes"
        )
    lanes = values.double().unflatten(-1, (-1, table_inputs))
    highest = number_format.maximum
    scales = _in_order(lanes.abs(), [0] * table_inputs) / highest
    divisors = torch.where(scales == 0, torch.ones_like(scales), scales)
    sums = torch.stack(
        [
            _in_order(lanes, [index >> k & 1 for k in range(table_inputs)])
            for index in range(1 << (table_inputs - 1))
        ],
        dim=-1,
    )
    entries = torch.round(sums / divisors[..., None]).clamp(-highest, highest)
    return entries.long(), scales


def _in_order(lanes: "Tensor", negative: list[int]) -> "Tensor":
    """The sum over the last axis, the first lane first, those marked negative subtracted."""
    total = lanes[..., 0] * 0
    for lane, minus in zip(lanes.unbind(-1), negative, strict=True):
        total = total - lane if minus else total + lane
    return total
