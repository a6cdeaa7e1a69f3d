"""The baseline tile: integer multipliers on the same bit heap and the same records."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from multipede.golden.formats import INT8, Integer
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.number_format import require_type


class PartialProducts(Enum):
    """How a multiplier makes the rows that are then added."""

    BAUGH_WOOLEY = "baugh-wooley"
    """one row per bit of the weight"""
    BOOTH = "booth"
    """radix-4 modified Booth: one row per two bits of the weight, recoded to -2..2"""
    INFERRED = "inferred"
    """none: the product is left to synthesis, which has DSP blocks on FPGAs"""


@dataclass(frozen=True, kw_only=True)
class MultiplierTile(IntegerTile):
    """Tile of integer multipliers, INT8 x INT8 by default.

    Parameters not named here are those of :class:`IntegerTile`.

    Parameters
    ----------
    weight, activation : integer formats of 1 to 16 bits, signed or not.
    partial_products : how a product's rows are made: ``baugh-wooley``, one for each bit of the
        weight, or ``booth``, radix 4, one for two bits of the weight; ``inferred`` leaves products
        to synthesis: DSP blocks on FPGAs.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "multiplier_tile"
    title: ClassVar[str] = "tile of integer multipliers, the baseline"
    source: ClassVar[str] = (
        "Baugh and Wooley, IEEE Trans. Computers C-22 (1973);"
        " MacSorley, High-Speed Arithmetic in Binary Computers, Proc. IRE 49 (1961)"
    )
    weight_bits: ClassVar[tuple[int, int]] = (1, 16)
    activation_bits: ClassVar[tuple[int, int]] = (1, 16)

    weight: Integer = INT8
    zero_point: bool = False
    partial_products: PartialProducts = PartialProducts.BAUGH_WOOLEY

    def __post_init__(self):
        super().__post_init__()
        require_type("partial_products", self.partial_products, PartialProducts)
