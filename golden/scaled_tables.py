"""Tables of signed sums as short integers, with one scale per table.

Of a table U of activations a, with q_max the largest integer of the format::

    scale = (|a[0]| + ... + |a[K-1]|) / q_max
    entry = clamp(rne(U / scale), -q_max, q_max)      U is about scale entry

in float64, each operation rounded once. Since no sum is larger than that of all magnitudes, each
entry is off by at most scale / 2, and a sum of b lookups for weights of b bits by at most
(2**b - 1) scale / 2. A table of zeros has scale 0 and entries 0.

These bounds hold up to float64's rounding, and for scales of at least 2**-1022. Smaller ones have
few bits: entries are clamped since sums may be more than q_max of them, and a scale may become 0.

Source: the rule of T-MAC, Wei et al., arXiv 2407.00088, which takes the largest scale of several
tables for all of them; LUT Tensor Core (Mo et al., arXiv 2408.06003, section 3.1.3) has one each.
"""

from typing import TYPE_CHECKING

import numpy as np

from multipede.golden.arrays import exact_floats, refuse, require_tensor
from multipede.golden.formats import Integer
from multipede.golden.lookup_table import in_tables
from multipede.golden.number_format import require_type

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
    values : [..., lanes], integers of at most 2**53 in magnitude or floats, as what they stand for;
        finite, and so are sums of a table's magnitudes in float64.
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

    require_table_format("number_format", number_format)
    require_tensor("values", values)
    numbers = exact_floats(values, "values")
    refuse(~np.isfinite(numbers), numbers, "values", "finite numbers are needed")
    lanes = in_tables(values.double(), table_inputs, "values")
    highest = number_format.maximum
    magnitudes = _in_order(lanes.abs(), [0] * table_inputs)  # no partial sum of an entry is larger
    found = magnitudes.cpu().numpy()
    refuse(~np.isfinite(found), found, "magnitudes of table", "their sum must be a float64")
    scales = magnitudes / highest
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
