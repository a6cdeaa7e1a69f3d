"""Activations of implicit neural representations: as training knows them, and as units.

A layer computes f(scale * (W x + b)), where f is what the unit computes: angles count in quarter
turns, so that sin(omega z) is a sine of period 4 of scale 2 omega / pi. In hardware the scale is
part of the weights.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multipede.golden.finer import Finer
from multipede.golden.fixed_function import FixedFunction
from multipede.golden.formats import FixedPoint
from multipede.golden.gabor import Gabor
from multipede.golden.number_format import require_type
from multipede.golden.piecewise_polynomial import PiecewisePolynomial
from multipede.golden.quadinr import QuadINR
from multipede.golden.spec import Spec

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ACTIVATIONS", "Activation", "activation"]

FINER_SHIFT = 4


@dataclass(frozen=True)
class Activation:
    """One activation.

    Attributes
    ----------
    name : as in the experiments. source : where it is from.
    function : of the scaled outputs of the layer's linear maps, to the result.
    scales : of each linear map; as many as the unit has arguments.
    unit : from the formats of the arguments and the result to the specification.
    periodic : of each argument whether it may be taken modulo 4.
    bounds : of each argument the magnitude beyond which the result is 0 to 16 bits; None if there
        is none.
    siren : whether weights are initialised as SIREN's, for the frequency ``omega``; else as
        torch.nn.Linear does.
    learning_rate : of Adam, chosen on an image that the experiments do not use (``multipede
        reproduce quadinr tuning``), as were the scales of Gauss and sinc; others are published,
        QuadINR's being SIREN's.
    """

    name: str
    source: str
    function: "Callable[..., Tensor]"
    scales: tuple[float, ...]
    unit: Callable[..., Spec]
    periodic: tuple[bool, ...]
    bounds: tuple[float | None, ...]
    siren: bool
    learning_rate: float

    @property
    def arguments(self) -> int:
        """Linear maps of a layer."""
        return len(self.scales)

    @property
    def omega(self) -> float:
        """The frequency in radians: what the first scale makes of it."""
        return self.scales[0] * math.pi / 2


def quarter_turns(omega: float) -> float:
    """The scale of a frequency in radians."""
    return 2 * omega / math.pi


def parabolas(u: "Tensor") -> "Tensor":
    """QuadINR's phi: t (2 - abs(t)) with t = u modulo 4, from -2 to 2."""
    t = u - 4 * (u / 4).round()
    return t * (2 - t.abs())


def sines(u: "Tensor") -> "Tensor":
    """sin(pi u / 2)."""
    return (u * (math.pi / 2)).sin()


def growing_sines(u: "Tensor") -> "Tensor":
    """FINER: the sine of u + u abs(u) / 2**FINER_SHIFT, whose growth has no gradient."""
    growth = 1 + u.detach().abs() / (1 << FINER_SHIFT)
    return sines(u * growth)


def bells(u: "Tensor") -> "Tensor":
    """exp(-u**2), of at least 10**-34: numbers below 10**-38 take processors ten times as long."""
    return (-(u**2).clamp(max=80)).exp()


def wavelets(u: "Tensor", v: "Tensor") -> "Tensor":
    """WIRE's real form: cos(pi u / 2) exp(-v**2)."""
    return (u * (math.pi / 2)).cos() * bells(v)


def sincs(u: "Tensor") -> "Tensor":
    """sin(pi u / 2) / (pi u / 2)."""
    return (u / 2).sinc()


def _polynomial(function: str) -> Callable[[FixedPoint, FixedPoint], FixedFunction]:
    return lambda x, result: PiecewisePolynomial(function=function, x=x, result=result)


ACTIVATIONS = (
    Activation(
        "QuadINR",
        "QuadINR (arXiv 2508.14374); initialised as SIREN",
        parabolas,
        (quarter_turns(30),),
        lambda x, result: QuadINR(x=x, result=result),
        periodic=(True,),
        bounds=(None,),
        siren=True,
        learning_rate=4e-3,
    ),
    Activation(
        "SIREN",
        "SIREN (NeurIPS 2020), omega 30",
        sines,
        (quarter_turns(30),),
        _polynomial("sine"),
        periodic=(True,),
        bounds=(None,),
        siren=True,
        learning_rate=4e-3,
    ),
    Activation(
        "FINER",
        "FINER (CVPR 2024), omega 25.1 in place of 30",
        growing_sines,
        (float(1 << FINER_SHIFT),),
        lambda x, result: Finer(x=x, result=result, shift=FINER_SHIFT),
        periodic=(False,),
        bounds=(None,),
        siren=True,
        learning_rate=4e-3,
    ),
    Activation(
        "Gauss",
        "Gaussian activations (ECCV 2022), scale 15 between those of public code",
        bells,
        (15.0,),
        _polynomial("gauss"),
        periodic=(False,),
        bounds=(4.0,),
        siren=False,
        learning_rate=4e-3,
    ),
    Activation(
        "WIRE",
        "WIRE (CVPR 2023), the real form",
        wavelets,
        (quarter_turns(10), 10.0),
        lambda u, v, result: Gabor(u=u, v=v, result=result),
        periodic=(True, False),
        bounds=(None, 4.0),
        siren=False,
        learning_rate=2e-2,
    ),
    Activation(
        "sinc",
        "sinc activations, initialised as SIREN",
        sincs,
        (quarter_turns(40),),
        _polynomial("sinc"),
        periodic=(False,),
        bounds=(None,),
        siren=True,
        learning_rate=4e-3,
    ),
)


def activation(name: str) -> Activation:
    """The activation of this name; ValueError lists what there is."""
    require_type("activation", name, str)
    for candidate in ACTIVATIONS:
        if candidate.name.lower() == name.lower():
            return candidate
    known = ", ".join(candidate.name for candidate in ACTIVATIONS)
    raise ValueError(f"activation = {name!r}: allowed are {known}")
