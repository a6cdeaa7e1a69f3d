"""The phase-locked loops of FPGAs: which frequencies they make of a board's oscillator, and how."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["PLLS", "Dividers", "Pll"]


@dataclass(frozen=True)
class Dividers:
    """How a frequency is made.

    Attributes
    ----------
    reference : of the oscillator, before the phase detector. feedback : before its other side.
    output : behind the loop's own oscillator. frequency, vco : of the output and of that, Hz.
    """

    reference: int
    feedback: int
    output: int
    frequency: Fraction
    vco: Fraction


@dataclass(frozen=True)
class Pll:
    """The loop of a family.

    Attributes
    ----------
    references, feedbacks, outputs : what its dividers can be.
    behind_output : whether the feedback comes from behind the output's divider, else from before.
    detector, vco, frequency : the lowest and the highest that is allowed at the phase detector, of
        the loop's oscillator and of its output, Hz.
    """

    references: Sequence[int]
    feedbacks: Sequence[int]
    outputs: Sequence[int]
    behind_output: bool
    detector: tuple[float, float]
    vco: tuple[float, float]
    frequency: tuple[float, float]

    def ways(self, oscillator: float) -> Iterator[Dividers]:
        """All that it makes of an oscillator of so many Hz."""
        for reference in self.references:
            compared = Fraction(oscillator) / reference
            if not _within(compared, self.detector):
                continue
            for feedback in self.feedbacks:
                for output in self.outputs:
                    multiplied = compared * feedback
                    vco = multiplied * output if self.behind_output else multiplied
                    if _within(vco, self.vco) and _within(vco / output, self.frequency):
                        yield Dividers(reference, feedback, output, vco / output, vco)

    def dividers(self, oscillator: float, frequency: float) -> Dividers:
        """The way to make a frequency, to a millionth: the phase detector as fast as can be, the
        loop's oscillator in the middle of its range. ValueError names the nearest frequencies."""
        asked = Fraction(frequency)
        ways = list(self.ways(oscillator))
        middle = sum(self.vco) / 2
        fitting = [way for way in ways if abs(way.frequency - asked) <= asked / 10**6]
        if fitting:
            return min(fitting, key=lambda way: (way.reference, abs(way.vco - middle)))
        made = {Fraction(oscillator), *(way.frequency for way in ways)}
        below = max((each for each in made if each < asked), default=None)
        above = min((each for each in made if each > asked), default=None)
        near = [f"{float(each) / 1e6:.9g}" for each in (below, above) if each is not None]
        raise ValueError(
            f"frequency = {frequency / 1e6:g} MHz: the PLL cannot make it of the"
            f" {oscillator / 1e6:g} MHz of the oscillator; the nearest that there are:"
            f" {' and '.join(near)} MHz"
        )


def _within(value: Fraction, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


PLLS = {
    # Lattice FPGA-TN-02200, sysCLOCK PLL/DLL of ECP5, and FPGA-DS-02012. One of its outputs is the
    # feedback, another the clock.
    "ecp5": Pll(
        references=range(1, 129),
        feedbacks=range(1, 129),
        outputs=range(1, 129),
        behind_output=False,
        detector=(10e6, 400e6),
        vco=(400e6, 800e6),
        frequency=(10e6, 400e6),
    ),
    # Lattice FPGA-TN-02052, sysCLOCK PLL of iCE40.
    "ice40": Pll(
        references=range(1, 17),
        feedbacks=range(1, 129),
        outputs=[2**power for power in range(1, 7)],
        behind_output=False,
        detector=(10e6, 133e6),
        vco=(533e6, 1066e6),
        frequency=(16e6, 275e6),
    ),
    # Gowin UG286 and, for GW1NR-9 C6/I5, DS117.
    "gowin": Pll(
        references=range(1, 65),
        feedbacks=range(1, 65),
        outputs=[2, 4, 8, *range(16, 129, 16)],
        behind_output=True,
        detector=(3e6, 400e6),
        vco=(400e6, 1200e6),
        frequency=(3.125e6, 600e6),
    ),
}
"""By family; bounds are recalled of the documents named, but for Gowin's, which are apicula's too.
Those of Xilinx are not here, as no tool of ours could check them."""
