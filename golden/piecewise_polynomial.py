"""Any smooth function of one variable, faithfully, from tables and polynomials."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Self

import mpmath
import numpy as np

from multipede.golden.faithful_task import FaithfulTask
from multipede.golden.fixed_function import FixedFunction
from multipede.golden.formats import FixedPoint
from multipede.golden.function_folds import Fold
from multipede.golden.number_format import require_range, require_type
from multipede.golden.polynomial_design import PolynomialDesign
from multipede.golden.polynomial_search import Segmentation, design_polynomial
from multipede.golden.real_functions import RealFunction, parse_function

__all__ = ["PiecewisePolynomial"]

MAXIMUM_DEGREE = 3
NARROW = FixedPoint(12, 8)


@dataclass(frozen=True, kw_only=True)
class PiecewisePolynomial(FixedFunction):
    """y = f(x), faithfully; see :class:`~multipede.golden.fixed_function.FixedFunction`.

    Tables, their widths and those of the arithmetic behind them are found when they are first
    asked for (``design``), as small as an estimate of their gates can tell, and tried at every
    code.

    Parameters
    ----------
    function : a name (gelu, silu, tanh, sigmoid, softplus, exp, exp2, log2, reciprocal, rsqrt, sin,
        sine, gauss, ...: :data:`~multipede.golden.real_functions.NAMED`), or an expression in x
        such as "exp(-x) * cos(3 * x)".
    x, result : fixed point of at most 24 bits.
    degree : of the polynomials, 0 (a table of results) to 3.
    interval : "low:high", the arguments that count, from low to less than high; those beyond are
        taken as the nearest that does. None for all that ``x`` holds.
    fold : which symmetry is used; None for whichever makes the unit smallest.
    segmentation : how the domain is cut; None for whichever makes the unit smallest.
    tables : None, or the design as text, as :meth:`of_callable` makes it; ``function`` is only a
        name then.
    stages : register ranks between input and output, 0 to 12.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter, the value and what is allowed. That a function is not finite, does
        not fit ``result`` or cannot be reached is said when ``design`` is first asked for.
    """

    unit: ClassVar[str] = "piecewise_polynomial"
    title: ClassVar[str] = "any smooth function of one variable, by tables and polynomials"
    source: ClassVar[str] = (
        "faithful piecewise polynomials as of FloPoCo's FixFunctionByPiecewisePoly; errors shared"
        " and searched by trying every code"
    )

    function: str = "gelu"
    x: FixedPoint = NARROW
    result: FixedPoint = NARROW
    degree: int = 2
    interval: str | None = None
    fold: Fold | None = None
    segmentation: Segmentation | None = None
    tables: str | None = None
    stages: int = 2

    def __post_init__(self):
        super().__post_init__()
        require_type("function", self.function, str)
        require_range("degree", self.degree, 0, MAXIMUM_DEGREE)
        for name, kind in (("fold", Fold), ("segmentation", Segmentation), ("tables", str)):
            if getattr(self, name) is not None:
                require_type(name, getattr(self, name), kind)
        if self.interval is not None:
            require_type("interval", self.interval, str)
        first, last = self.codes
        if first > last:
            raise ValueError(f"interval = {self.interval!r}: {self.x} has no number in it")
        if self.tables is None:
            parse_function(self.function)
        elif (design := PolynomialDesign.from_text(self.tables)).bits > self.x.bits:
            raise ValueError(f"tables: of {design.bits} address bits, and x = {self.x}")

    @classmethod
    def of_callable(cls, function: Callable[[mpmath.mpf], Any], **parameters: Any) -> Self:
        """The unit of a Python function, which takes and gives a real number of mpmath.

        It is asked for its values now, and what is left of it are its tables: they are the unit's
        identity. ``parameters`` as above; ``function`` among them is the name in listings.

        Raises TypeError for what cannot be called, ValueError as ``design``.
        """
        if not callable(function):
            raise TypeError(f"function must be callable, not {type(function).__name__}")
        name = parameters.pop("function", getattr(function, "__name__", "function"))
        open_spec = cls(function="x", **parameters)
        design = _designed(RealFunction(name, function), open_spec)
        return cls(function=name, tables=design.to_text(), **parameters)

    @property
    def codes(self) -> tuple[int, int]:
        """The lowest and the highest code of x that count."""
        least, most = self.x.minimum_code, self.x.maximum_code
        if self.interval is None:
            return least, most
        low, high = _ends(self.interval)
        scale = 1 << self.x.fraction_bits
        return max(least, -(-low * scale // 1)), min(most, -(-high * scale // 1) - 1)

    @cached_property
    def design(self) -> PolynomialDesign:
        """Tables and widths. Raises ValueError; see the class."""
        if self.tables is not None:
            return PolynomialDesign.from_text(self.tables)
        return _named_design(self)

    def exactly(self, x: Fraction) -> mpmath.mpf:
        """f of the number next to x that counts. ValueError for a unit of a Python function, which
        is not kept."""
        if self.tables is not None:
            raise ValueError(f"tables: of {self.function} nothing else is known")
        first, last = self.codes
        scale = 1 << self.x.fraction_bits
        nearest = min(max(x, Fraction(first, scale)), Fraction(last, scale))
        return parse_function(self.function)(nearest)

    def results(self, x: np.ndarray) -> np.ndarray:
        """The polynomials' values."""
        places = self.result.fraction_bits - self.x.fraction_bits
        return self.design.results(np.clip(x, *self.codes), places)

    def related_records(
        self, generator: np.random.Generator, count: int
    ) -> Mapping[str, np.ndarray]:
        """Arguments at the ends of segments and beside them."""
        design = self.design
        first = np.concatenate(
            [
                region.first + (np.arange(region.segments) << region.segment_bits)
                for region in design.regions
            ]
        )
        address = generator.choice(first, count) + generator.integers(-2, 3, count)
        turns = generator.integers(-4, 4, count) << design.bits
        codes = np.where(generator.random(count) < 0.5, address, ~address) + turns
        return {"x": np.asarray(self.x.from_bits(codes & ((1 << self.x.bits) - 1)))}


def _ends(interval: str) -> tuple[Fraction, Fraction]:
    try:
        low, high = map(Fraction, interval.split(":"))
    except (ValueError, ZeroDivisionError):
        raise ValueError(
            f"interval = {interval!r}: two numbers are needed, as in -8:8 or 1/3:2"
        ) from None
    return low, high


@lru_cache(maxsize=64)
def _named_design(spec: PiecewisePolynomial) -> PolynomialDesign:
    return _designed(parse_function(spec.function), spec)


def _designed(function: RealFunction, spec: PiecewisePolynomial) -> PolynomialDesign:
    task = FaithfulTask(function, spec.x, spec.result, spec.codes)
    return design_polynomial(
        task, degree=spec.degree, fold=spec.fold, segmentation=spec.segmentation
    )
