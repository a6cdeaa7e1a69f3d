"""The bit-serial tile: an addition for each lane and weight bit, a baseline of table lookup."""

from dataclasses import dataclass
from typing import ClassVar

from multipede.golden.formats import Integer
from multipede.golden.serial_tile import SerialTile


@dataclass(frozen=True, kw_only=True)
class BitSerialTile(SerialTile):
    """Tile that adds the activations whose weight bit is 1, plane by plane.

    Each plane of the weights gates the activations, whose sum joins the accumulator at the
    plane's place; the highest plane of signed weights is subtracted. With ``planes_per_cycle`` of
    4 and ``run_time_bits``, weights of 8 bits take two clocks and those of 4 bits one: the modes
    W4 and W8 of a shift-and-add tile.

    Parameters not named here are those of :class:`SerialTile`.

    Parameters
    ----------
    weight : integer format of 1 to 8 bits, signed or unsigned.
    activation : signed integer format of 2 to 16 bits, or signed float of at most 16 bits.

    Raises TypeError or ValueError, naming the parameter, for anything else.
    """

    unit: ClassVar[str] = "bit_serial_tile"
    title: ClassVar[str] = "tile that adds once for each weight bit, bit-serial, a baseline"
    source: ClassVar[str] = (
        "Judd et al., Stripes: Bit-Serial Deep Neural Network Computing, MICRO 2016; the ADD unit"
        " of Mo et al., LUT Tensor Core, arXiv 2408.06003, section 4"
    )
    weight_bits: ClassVar[tuple[int, int]] = (1, 8)
    activation_bits: ClassVar[tuple[int, int]] = (2, 16)

    planes_per_cycle: int | None = 1

    def __post_init__(self):
        super().__post_init__()
        if isinstance(self.activation, Integer) and not self.activation.signed:
            raise ValueError(f"activation = {self.activation}: {self.unit} takes int2 to int16")
