"""How wrong multipliers are: statistics of their relative error."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from multipede.golden.formats import Float, Format
from multipede.golden.number_format import require_type
from multipede.golden.spec import Kind, Spec

__all__ = [
    "ErrorStatistics",
    "Operands",
    "error_statistics",
    "multiplier_statistics",
    "rounded_reals",
]

EXHAUSTIVE_PAIRS = 1 << 22
GRID = 1 << 10
CHUNK = 1 << 20
SEED = 1
_EXPONENTS = (0, 1, -1, 2, -2, 3, -3)


@dataclass(frozen=True)
class ErrorStatistics:
    """Of relative errors r = product / exact - 1 over pairs of operands, each as likely as another.

    Attributes
    ----------
    bias : mean of r. mean : mean of abs(r). root_mean_square : of r. maximum : of abs(r).
    normalised_mean : mean absolute error divided by the largest exact product ("NMED").
    pairs : how many. pairing : what they are.
    """

    bias: float
    mean: float
    root_mean_square: float
    maximum: float
    normalised_mean: float
    pairs: int
    pairing: str

    def to_dict(self) -> dict[str, float | int | str]:
        """As JSON can hold it."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(
            (
                f"bias                     {self.bias:+10.4%}",
                f"mean absolute error      {self.mean:10.4%}",
                f"root mean square         {self.root_mean_square:10.4%}",
                f"maximum                  {self.maximum:10.4%}",
                f"mean / largest product   {self.normalised_mean:10.4f}",
                f"relative to the exact product of {self.pairing}: {self.pairs} pairs",
            )
        )


def multiplier_statistics(spec: Spec, *, rounded_operands: bool = False) -> ErrorStatistics:
    """The errors of a multiplier on positive operands.

    Floats take the numbers from 1 to 2, or from a power of two to the next where the formats have
    products of these and not of those; integers all positive codes. All pairs are taken up to 2**22
    of them, else as many at random with a fixed seed.

    With ``rounded_operands`` what is multiplied are real numbers: operands are rounded to their
    formats, to nearest even, and errors are relative to the product of what they were before; by
    midpoint quadrature on a grid of 1024 x 1024 numbers from 1 to 2.

    Raises
    ------
    TypeError
        If ``spec`` is no specification.
    ValueError
        If it is no multiplier, or its formats have no products of normal numbers.
    """
    require_type("spec", spec, Spec)
    if spec.kind is not Kind.MULTIPLIER:
        raise ValueError(f"spec = {spec.unit}: a multiplier is needed")
    ports = [*spec.inputs.items(), *spec.outputs.items()]
    (a_name, a_port), (b_name, b_port), (p_name, p_port) = ports
    formats = a_port.format, b_port.format
    exponent = _exponent(*formats, p_port.format)

    def products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        import torch

        codes = {name: torch.from_numpy(c) for name, c in ((a_name, a), (b_name, b))}
        return p_port.format.decode(spec.reference(**codes)[0][p_name].numpy())

    operands = rounded_reals if rounded_operands else _representable
    return error_statistics(products, *(operands(f, exponent) for f in formats))


@dataclass(frozen=True)
class Operands:
    """What stands on one side of the products: codes (int64) and the numbers that count, float64,
    both of shape (N,)."""

    codes: np.ndarray
    values: np.ndarray
    meaning: str


def error_statistics(
    products: Callable[[np.ndarray, np.ndarray], np.ndarray], a: Operands, b: Operands
) -> ErrorStatistics:
    """Statistics of ``products``, which makes float64 values (T,) of codes (T,) and (T,)."""
    totals = np.zeros(4)
    largest, most, pairs = 0.0, 0.0, 0
    for rows, columns in _pairs(len(a.codes), len(b.codes)):
        exact = a.values[rows] * b.values[columns]
        error = products(a.codes[rows], b.codes[columns]) - exact
        relative = error / exact
        sums = relative, np.abs(relative), relative**2, np.abs(error)
        totals += [term.sum() for term in sums]
        largest = max(largest, np.abs(relative).max())
        most, pairs = max(most, exact.max()), pairs + len(exact)
    bias, mean, square, absolute = totals / pairs
    return ErrorStatistics(
        bias=float(bias),
        mean=float(mean),
        root_mean_square=float(np.sqrt(square)),
        maximum=float(largest),
        normalised_mean=float(absolute / most),
        pairs=pairs,
        pairing=_pairing(a, b, pairs),
    )


def _pairing(a: Operands, b: Operands, pairs: int) -> str:
    """What the pairs are, in words."""
    meaning = a.meaning if a.meaning == b.meaning else f"{a.meaning} and {b.meaning}"
    return meaning if pairs == len(a.codes) * len(b.codes) else f"random {meaning}, seed {SEED}"


def _pairs(rows: int, columns: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Indices of all pairs, or of as many random ones as are thought enough."""
    if rows * columns > EXHAUSTIVE_PAIRS:
        generator = np.random.default_rng(SEED)
        for _ in range(EXHAUSTIVE_PAIRS // CHUNK):
            yield generator.integers(0, rows, CHUNK), generator.integers(0, columns, CHUNK)
        return
    step = max(1, CHUNK // columns)
    for start in range(0, rows, step):
        part = np.arange(start, min(start + step, rows))
        yield np.repeat(part, columns), np.tile(np.arange(columns), len(part))


def _representable(number_format: Format, exponent: int) -> Operands:
    """All positive integers, or the floats from 2**exponent to the next power of two."""
    if isinstance(number_format, Float):
        first = exponent + number_format.bias << number_format.mantissa_bits
        codes = first + np.arange(1 << number_format.mantissa_bits, dtype=np.int64)
        name = f"numbers of {number_format} from {2.0**exponent:g} to {2.0 ** (exponent + 1):g}"
    else:
        codes = np.arange(1, number_format.maximum_code + 1, dtype=np.int64)
        name = f"positive numbers of {number_format}"
    return Operands(codes, number_format.decode(codes), name)


def rounded_reals(number_format: Format, exponent: int = 0) -> Operands:
    """Real numbers from 2**exponent to the next power of two, 1024 midpoints of equal parts, with
    their nearest codes."""
    values = np.ldexp(1 + (np.arange(GRID) + 0.5) / GRID, exponent)
    name = f"real numbers from {2.0**exponent:g} to {2.0 ** (exponent + 1):g}"
    return Operands(np.asarray(number_format.encode(values)), values, name)


def _exponent(a: Format, b: Format, result: Format) -> int:
    """The exponent of operands whose products are normal numbers."""
    for exponent in _EXPONENTS:
        operands = all(_holds(f, exponent, exponent + 1) for f in (a, b))
        if operands and _holds(result, 2 * exponent, 2 * exponent + 2):
            return exponent
    formats = " and ".join(dict.fromkeys(map(str, (a, b, result))))
    raise ValueError(
        f"formats of the unit: {formats} have too narrow a range, no product is sure to be normal"
    )


def _holds(number_format: Format, low: int, high: int) -> bool:
    """Whether floats from 2**low to 2**high are normal, the end included; integers always are."""
    if not isinstance(number_format, Float):
        return True
    return number_format.smallest_normal <= 2.0**low and 2.0**high <= number_format.maximum
