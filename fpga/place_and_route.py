"""How fast a unit is on a chip: placed and routed with several seeds."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from numbers import Real
from pathlib import Path
from statistics import median
from typing import Any

from tqdm import tqdm

from multipede.fpga.chips import Chip
from multipede.fpga.chips import chip as chip_of
from multipede.fpga.nextpnr import TIMEOUT, Placement, nextpnr_of, place, placed
from multipede.fpga.register_ring import TOP, register_ring_rtlil, ring_registers
from multipede.fpga.resources import mapping_script
from multipede.golden.number_format import require_range, require_type
from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.toolchain import cached, find, key, write_atomically
from multipede.toolchain.run import cores
from multipede.toolchain.yosys import run_yosys

__all__ = [
    "Routing",
    "checked_frequency",
    "checked_seeds",
    "mapped_netlist",
    "place_and_route",
    "route",
    "routed_directory",
]

SEEDS = 5


@dataclass(frozen=True)
class Routing:
    """A unit on a chip, placed and routed with several seeds.

    Attributes
    ----------
    unit : the specification as text. chip : name of the chip. style : of the RTL.
    placements : one for each seed.
    ring : flip-flops among those used that are not the unit's but those around it.
    method : tools and what they were asked for, in words.
    """

    unit: str
    chip: str
    style: str
    placements: tuple[Placement, ...]
    ring: int
    method: str

    @property
    def frequencies(self) -> list[float]:
        """The highest of each seed, MHz, the lowest first."""
        return sorted(placement.frequency for placement in self.placements)

    @property
    def frequency(self) -> float:
        """The median over the seeds, MHz."""
        return median(self.frequencies)

    @property
    def best(self) -> Placement:
        """The fastest placement."""
        return max(self.placements, key=lambda placement: placement.frequency)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it: MHz and ns."""
        return {
            "unit": self.unit,
            "chip": self.chip,
            "style": self.style,
            "frequency": self.frequency,
            "placements": [
                {
                    "seed": placement.seed,
                    "frequency": placement.frequency,
                    "used": dict(placement.used),
                    "path": [vars(step) for step in placement.path],
                }
                for placement in self.placements
            ],
            "ring": self.ring,
            "method": self.method,
        }

    def __str__(self) -> str:
        low, high = self.frequencies[0], self.frequencies[-1]
        best = self.best
        chip = chip_of(self.chip)
        lines = [
            f"{self.unit} on {chip.title}, style {self.style}",
            f"  {self.frequency:8.1f}  MHz, median of {len(self.placements)} seeds, from"
            f" {low:.1f} to {high:.1f}",
            f"  longest path with seed {best.seed}, {best.path_delay:.2f} ns; from when on, ns:",
            *best.path_lines,
            f"  used of the chip, with {self.ring} flip-flops around the unit, and tables that"
            " carries pass through:",
            *(
                f"  {name:8}{number:8,} of {chip.holds[name]:,}"
                for name, number in best.used.items()
            ),
        ]
        return "\n".join([*lines, f"  {self.method}"])


def route(
    spec: Spec,
    chip: str = "ecp5-25f",
    *,
    style: Style = Style.WORD,
    seeds: int | Sequence[int] = SEEDS,
    frequency: float | None = None,
) -> Routing:
    """Place and route a unit between registers; a progress bar on a terminal. Cached.

    Parameters
    ----------
    spec : the unit.
    chip : one of :data:`~multipede.fpga.chips.CHIPS` that has an open tool.
    style : of the RTL.
    seeds : how many, 1 to 100, or which. As placement is a matter of luck, one says little.
    frequency : MHz that the tool aims at; by default the chip's usual one.

    Raises
    ------
    TypeError, ValueError
        For an unknown chip or one without open tools, and for other parameters.
    DoesNotFitError
        If the unit takes more than the chip holds.
    ToolError
        If a tool is missing or fails.
    """
    target = chip_of(chip)
    nextpnr_of(target)
    chosen = checked_seeds(seeds)
    aim = checked_frequency(target, frequency)
    netlist = mapped_netlist(register_ring_rtlil(spec, style), TOP, target)
    placements = place_and_route(
        netlist, target, seeds=chosen, frequency=aim, pins=_any_pins(target)
    )
    tools = [find(name).origin.removeprefix("wheel ") for name in ("yosys", _tool(target))]
    method = f"{', '.join(tools)}, aimed at {aim:g} MHz"
    return Routing(str(spec), chip, style.value, tuple(placements), ring_registers(spec), method)


def checked_frequency(target: Chip, frequency: float | None) -> float:
    """MHz that are asked for, by default the chip's usual. Raises TypeError, ValueError."""
    if frequency is None:
        return target.frequency
    if isinstance(frequency, bool) or not isinstance(frequency, Real):
        raise TypeError(f"frequency must be a number of MHz, not {frequency!r}")
    if not 1 <= frequency <= 1000:
        raise ValueError(f"frequency = {frequency}: allowed are 1 to 1000 MHz")
    return float(frequency)


def _tool(target: Chip) -> str:
    return nextpnr_of(target).tool


def checked_seeds(seeds: int | Sequence[int]) -> list[int]:
    """Which seeds are asked for. Raises TypeError, ValueError."""
    if isinstance(seeds, int) and not isinstance(seeds, bool):
        require_range("seeds", seeds, 1, 100)
        return list(range(1, seeds + 1))
    if isinstance(seeds, str) or not isinstance(seeds, Sequence):
        raise TypeError(f"seeds must be a number or several, not {seeds!r}")
    for seed in seeds:
        require_type("seeds", seed, int)
    if not seeds or min(seeds) < 0:
        raise ValueError(f"seeds = {list(seeds)}: at least one is needed, none below 0")
    return list(dict.fromkeys(seeds))


def _any_pins(target: Chip) -> str:
    """Pins for the ring where the tool will not choose them."""
    ports = ("clk", "rst", "serial_in", "serial_out")
    return "".join(
        f'IO_LOC "{port}" {pin};\n' for port, pin in zip(ports, target.pins, strict=False)
    )


def mapped_netlist(rtlil: str, top: str, target: Chip) -> Path:
    """A file with the netlist of a design on the chip, flat, as nextpnr reads it. Cached."""
    inputs, script = mapping_script(rtlil, top, target.device, dsp=target.has_dsp, flat=True)
    mapping = nextpnr_of(target).mapping
    if mapping:
        inputs = {**inputs, mapping: (files(__package__) / mapping).read_text()}
        script += f"techmap -map {mapping}\n"
    script += "write_json netlist.json\n"
    identity = key(script, *inputs.values(), find("yosys").identity)

    def build(directory: Path) -> None:
        done = run_yosys(script, files=inputs, outputs=["netlist.json"])
        write_atomically(directory / "netlist.json", done.outputs["netlist.json"])

    return cached("fpga-netlist", identity, build) / "netlist.json"


def place_and_route(
    netlist: Path,
    target: Chip,
    *,
    seeds: Sequence[int],
    frequency: float,
    pins: str = "",
    timeout: float = TIMEOUT,
) -> list[Placement]:
    """Placements of a netlist, one for each seed, as many at once as there are cores.

    Raises as :func:`~multipede.fpga.nextpnr.place`.
    """
    asked = {"frequency": frequency, "pins": pins, "timeout": timeout}
    directory = partial(_routed, netlist, target, asked)
    found: list[Placement] = []
    with ThreadPoolExecutor(cores()) as pool:
        runs = pool.map(directory, seeds)
        # disable=None: only where somebody can see it.
        bar = tqdm(runs, total=len(seeds), desc="routing", unit="seed", leave=False, disable=None)
        for seed, place_of in zip(seeds, bar, strict=True):
            found.append(placed(target, place_of, seed))
    return found


def _routed(netlist: Path, target: Chip, asked: Mapping[str, Any], seed: int) -> Path:
    return routed_directory(netlist, target, seed=seed, **asked)


def routed_directory(
    netlist: Path,
    target: Chip,
    *,
    seed: int,
    frequency: float,
    pins: str = "",
    timeout: float = TIMEOUT,
) -> Path:
    """The directory with the routed design and the report of it. Cached."""
    aim = {"seed": seed, "frequency": frequency, "pins": pins}
    tool = find(_tool(target))
    # What takes sites of another is counted from a log, which other families' directories lack.
    asked = (*target.arguments, str(seed), str(frequency), pins, *nextpnr_of(target).sites)
    identity = key(netlist.read_text(), *asked, tool.identity)

    def build(directory: Path) -> None:
        place(target, netlist, directory=directory, timeout=timeout, **aim)

    return cached("fpga-routing", identity, build)
