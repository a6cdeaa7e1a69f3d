"""The VCU128 (XCVU37P with HBM, the board of the QuadINR paper), which amaranth-boards lacks.

Pins: VCU128 Evaluation Board User Guide, UG1302, as the constraints of several public projects for
the board repeat them. Tried with no hardware.
"""

from amaranth.build import Attrs, Clock, DiffPairs, Pins, Resource
from amaranth.vendor import XilinxPlatform
from amaranth_boards.resources import UARTResource

__all__ = ["VCU128Platform"]


class VCU128Platform(XilinxPlatform):
    """Clock, reset button and the first UART."""

    device = "xcvu37p"
    package = "fsvh2892"
    speed = "2L-e"
    default_clk = "clk100"
    default_rst = "rst"
    resources = [  # noqa: RUF012 - so Amaranth wants it
        Resource(
            "clk100",
            0,
            DiffPairs("BH51", "BJ51", dir="i"),
            Clock(100e6),
            Attrs(IOSTANDARD="DIFF_SSTL12"),
        ),
        Resource("rst", 0, Pins("BM29", dir="i"), Attrs(IOSTANDARD="LVCMOS12")),
        UARTResource(0, rx="BP26", tx="BN26", attrs=Attrs(IOSTANDARD="LVCMOS18")),
    ]
    connectors = []  # noqa: RUF012
