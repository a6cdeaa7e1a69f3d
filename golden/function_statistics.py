"""How far the results of function units are from the functions, in units in the last place."""

from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np

from multipede.golden.exact_arithmetic import unpack
from multipede.golden.fixed_function import FixedFunction
from multipede.golden.formats import FixedPoint
from multipede.golden.number_format import require_type
from multipede.golden.rounded_operation import RoundedOperation
from multipede.golden.spec import Kind, Spec

__all__ = ["FunctionStatistics", "function_statistics"]

RECORDS = 1 << 12
SEED = 1


@dataclass(frozen=True)
class FunctionStatistics:
    """Of errors e = result - f, in units in the result's last place, over arguments of which each
    is as likely as another.

    Attributes
    ----------
    bias : mean of e. mean : mean of abs(e). root_mean_square : of e. maximum : of abs(e).
    nearest : share of the results that no other number is nearer to f than.
    beyond : share of the arguments at which f is beyond the range of the result, which wraps or
        saturates; they are left out. records : how many others. arguments : what they are.
    """

    bias: float
    mean: float
    root_mean_square: float
    maximum: float
    nearest: float
    beyond: float
    records: int
    arguments: str

    def to_dict(self) -> dict[str, float | int | str]:
        """As JSON can hold it."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"bias                     {self.bias:+9.4f}  units in the last place",
            f"mean absolute error      {self.mean:9.4f}",
            f"root mean square         {self.root_mean_square:9.4f}",
            f"maximum                  {self.maximum:9.4f}",
            f"nearest                  {self.nearest:9.2%}  of the results",
        ]
        if self.beyond:
            lines.append(f"beyond the range         {self.beyond:9.2%}  of the arguments, left out")
        return "\n".join([*lines, f"over {self.arguments}: {self.records}"])


def function_statistics(spec: Spec) -> FunctionStatistics:
    """The errors of a function unit in fixed point, against some 50 bits of the function.

    Of all arguments, or if there are more than 4,096 of as many at random with a fixed seed.

    Raises
    ------
    TypeError
        If ``spec`` is no specification.
    ValueError
        If it is no function in fixed point, or one of a Python function, of which only its tables
        are known.
    """
    require_type("spec", spec, Spec)
    result = getattr(spec, "result", None)
    arguments = [port.format for port in spec.inputs.values()]
    fixed = all(isinstance(f, FixedPoint) for f in (*arguments, result))
    if spec.kind is not Kind.FUNCTION or not fixed:
        raise ValueError(f"spec = {spec.unit}: a function in fixed point is needed")
    codes, meaning = _codes(arguments)
    exact = _exact(spec, codes) * np.longdouble(2) ** result.fraction_bits
    found = _results(spec, codes)
    # f may exceed the range by a unit, as a sine's 1 does, and is its end then.
    low, high = result.minimum_code, result.maximum_code
    inside = (exact > low - 1) & (exact <= high + 1)
    exact = exact[inside].clip(-high if result.signed else low, high)
    error = (found[inside] - exact).astype(np.float64)
    if not len(error):
        raise ValueError(f"result = {result}: no result of {spec.unit} is within its range")
    return FunctionStatistics(
        bias=float(error.mean()),
        mean=float(np.abs(error).mean()),
        root_mean_square=float(np.sqrt((error**2).mean())),
        maximum=float(np.abs(error).max()),
        nearest=float((np.abs(error) <= 0.5).mean()),
        beyond=float(1 - inside.mean()),
        records=len(error),
        arguments=meaning,
    )


def _codes(arguments: list[FixedPoint]) -> tuple[list[np.ndarray], str]:
    """Codes of each argument, and what they are."""
    names = " and ".join(dict.fromkeys(map(str, arguments)))
    if sum(f.bits for f in arguments) <= RECORDS.bit_length() - 1:
        grid = np.meshgrid(*(f.codes() for f in arguments), indexing="ij")
        return [axis.reshape(-1) for axis in grid], f"all arguments of {names}"
    generator = np.random.default_rng(SEED)
    codes = [generator.integers(f.minimum_code, f.maximum_code + 1, RECORDS) for f in arguments]
    return codes, f"random arguments of {names}, seed {SEED}"


def _exact(spec: Spec, codes: list[np.ndarray]) -> np.ndarray:
    """f, as longdouble."""
    arguments = [port.format for port in spec.inputs.values()]
    if isinstance(spec, RoundedOperation):
        numbers = spec.exactly(*map(unpack, arguments, codes))
        magnitude = numbers.head.astype(np.longdouble) + np.ldexp(
            numbers.tail.astype(np.longdouble), -64
        )
        magnitude = np.where(numbers.zero, 0, np.ldexp(magnitude, numbers.exponent * ~numbers.zero))
        return np.where(numbers.negative, -magnitude, magnitude)
    assert isinstance(spec, FixedFunction)
    values = [
        spec.exactly(
            *(
                Fraction(code, 1 << f.fraction_bits)
                for code, f in zip(record, arguments, strict=True)
            )
        )
        for record in zip(*(array.tolist() for array in codes), strict=True)
    ]
    return np.array([np.longdouble(str(value)) for value in values])


def _results(spec: Spec, codes: list[np.ndarray]) -> np.ndarray:
    import torch

    inputs = dict(zip(spec.inputs, map(torch.from_numpy, codes), strict=True))
    (name,) = spec.outputs
    return spec.reference(**inputs)[0][name].numpy()
