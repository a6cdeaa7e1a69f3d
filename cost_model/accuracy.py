"""How far a quantised result is from the exact one, in the usual measures."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Accuracy", "measure_accuracy"]


@dataclass(frozen=True)
class Accuracy:
    """Error y - r of a result y against a reference r, over all elements.

    Attributes
    ----------
    relative_rms_error : RMS of the error by RMS of the reference; 0 for no error, infinite if
        only the reference is zero.
    sqnr_db : signal to quantisation noise, -20 log10(relative_rms_error), in dB; infinite for no
        error.
    cosine : of the angle between y and r; 1 if both are zero, 0 if one is.
    maximum_error : largest magnitude of the error, in the unit of r.
    reference_rms : RMS of the reference, in its unit.
    """

    relative_rms_error: float
    sqnr_db: float
    cosine: float
    maximum_error: float
    reference_rms: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; infinities become None."""
        return {name: value if math.isfinite(value) else None for name, value in vars(self).items()}

    def __str__(self) -> str:
        return (
            f"relative RMS error {self.relative_rms_error:.4g}, SQNR {self.sqnr_db:.2f} dB,"
            f" cosine {self.cosine:.6f}, largest error {self.maximum_error:.4g}"
            f" (reference RMS {self.reference_rms:.4g})"
        )


def measure_accuracy(result: "Tensor", reference: "Tensor") -> Accuracy:
    """Accuracy of ``result``, both of one shape with at least one element; summed in float64.

    Raises ValueError for unequal shapes, for no elements and for values that are not finite.
    """
    y, r = result.double(), reference.double()
    if y.shape != r.shape or not y.numel():
        raise ValueError(f"shapes {tuple(y.shape)} and {tuple(r.shape)}: equal, not empty")
    error = y - r
    if not math.isfinite(float(error.abs().sum())):
        raise ValueError("values that are not finite have no accuracy")
    noise, signal, norm = float(error.norm()), float(r.norm()), float(y.norm())
    relative = noise / signal if signal else math.inf if noise else 0.0
    both = norm * signal
    return Accuracy(
        relative_rms_error=relative,
        sqnr_db=-20 * math.log10(relative) if relative else math.inf,
        cosine=float((y * r).sum()) / both if both else float(norm == signal),
        maximum_error=float(error.abs().max()),
        reference_rms=signal / math.sqrt(r.numel()),
    )
