"""n28, a predictive 28 nm standard-cell library, made in the open.

Published figures of 28 nm set its scale: the site, capacitance, speed and energy of each corner.
How cells compare with each other, their widths in sites and their delays, is that of Nangate45's.

``cells.csv`` holds its cells and ``constants.toml`` every other number with its source; the Liberty
file of a corner is generated from them.

Edges rise and fall alike. What a clock cycle costs in a register comes from other sources in each
corner (``constants.toml``), so powers are to be compared within one.

Left out: flip-flops with an enable and an asynchronous reset, because Yosys' ``dfflibmap`` maps
nothing onto them (it makes them of others and gates); tie cells, because
without a layout constants need none; cells for scan.
"""

from multipede.asic_flow.n28.corner import Corner
from multipede.asic_flow.n28.library import n28_liberty, n28_library, write_n28

__all__ = ["Corner", "n28_liberty", "n28_library", "write_n28"]
