"""Real functions of one variable by name or as an expression, evaluated by mpmath."""

import ast
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache

import mpmath

from multipede.golden.number_format import require_type

__all__ = ["FUNCTIONS", "NAMED", "RealFunction", "parse_function"]

QUOTED = 60
"""letters of an expression that errors show"""

PRECISION = 128
"""bits that mpmath computes with; units in the last place of results are 2**-24 at the least"""

NAMED = {
    "cosine": "cos(pi * x / 2)",
    "elu": "x if x > 0 else expm1(x)",
    "exp": "exp(x)",
    "exp2": "2 ** x",
    "gauss": "exp(-x ** 2)",
    "gelu": "x * (1 + erf(x / sqrt(2))) / 2",
    "log": "log(x)",
    "log2": "log(x) / log(2)",
    "mish": "x * tanh(log1p(exp(x)))",
    "reciprocal": "1 / x",
    "rsqrt": "1 / sqrt(x)",
    "sigmoid": "1 / (1 + exp(-x))",
    "silu": "x / (1 + exp(-x))",
    "sin": "sin(x)",
    "cos": "cos(x)",
    "sinc": "sinc(pi * x / 2)",
    "sine": "sin(pi * x / 2)",
    "softplus": "log1p(exp(x))",
    "sqrt": "sqrt(x)",
    "tanh": "tanh(x)",
}
"""name -> expression. ``sine``, ``cosine`` and ``sinc`` count x in quarter turns: the period of the
former two is 4."""

LARGEST_ARGUMENT = 64
"""power of two up to which functions are asked for"""

FUNCTIONS: Mapping[str, Callable] = {
    name: getattr(mpmath, name)
    for name in (
        *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cos", "cosh", "erf", "erfc"),
        *("exp", "expm1", "log", "log1p", "sin", "sinc", "sinh", "sqrt", "tan", "tanh"),
    )
}
"""what an expression may call"""

CONSTANTS = {"e": mpmath.e, "pi": mpmath.pi}

_OPERATORS: Mapping[type, Callable] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: _power(a, b),
    ast.USub: lambda a: -a,
    ast.UAdd: lambda a: a,
}

_COMPARISONS: Mapping[type, Callable] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}

_Evaluator = Callable[[mpmath.mpf], object]


class RealFunction:
    """A function by its name or expression ``text``.

    Attributes
    ----------
    text : as it was given.
    """

    def __init__(self, text: str, evaluate: _Evaluator):
        self.text = text
        self._evaluate = evaluate

    def __call__(self, x: Fraction) -> mpmath.mpf:
        """f(x) with PRECISION bits.

        Raises ValueError where it is not a finite real number.
        """
        with mpmath.workprec(PRECISION):
            try:
                value = self._evaluate(mpmath.mpf(x.numerator) / x.denominator)
            except (ZeroDivisionError, ValueError, OverflowError):
                value = mpmath.nan
            if not isinstance(value, int | float | mpmath.mpf | mpmath.mpc):
                raise TypeError(
                    f"function {self.text} must give real numbers, not"
                    f" {type(value).__name__}: at x = {float(x):g}"
                )
            if isinstance(value, mpmath.mpc) and value.imag == 0:
                value = value.real
            if isinstance(value, mpmath.mpc) or not mpmath.isfinite(value):
                raise ValueError(
                    f"function = {_cut(self.text)}: it is not finite at x = {float(x):g}"
                )
            return mpmath.mpf(value)


def _cut(text: str) -> str:
    """As an error quotes it."""
    return repr(text) if len(text) <= QUOTED else f"{text[:QUOTED]!r}..."


@lru_cache(maxsize=256)
def parse_function(text: str) -> RealFunction:
    """The function of this name, or that of an expression in ``x``.

    An expression has numbers, pi, e, + - * / **, ``a if x > b else c`` and calls of FUNCTIONS.
    Raises TypeError for anything but str, ValueError for an expression that is not one.
    """
    require_type("function", text, str)
    try:
        tree = ast.parse(NAMED.get(text, text).strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        tree = None
    lone = tree is not None and isinstance(tree.body, ast.Name)
    if tree is None or (lone and tree.body.id not in ("x", *CONSTANTS)):
        raise ValueError(
            f"function = {_cut(text)}: neither an expression in x nor one of"
            f" {', '.join(sorted(NAMED))}"
        )
    try:
        with mpmath.workprec(PRECISION):
            return RealFunction(text, _evaluator(tree.body, text))
    except RecursionError:
        raise ValueError(f"function = {_cut(text)}: it is nested too deeply") from None


def _evaluator(node: ast.AST, text: str) -> _Evaluator:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            constant = mpmath.mpf(node.value) if isinstance(node.value, int) else _decimal(node)
            return lambda x: constant
        case ast.Name(id="x"):
            return lambda x: x
        case ast.Name(id=name) if name in CONSTANTS:
            return lambda x: +CONSTANTS[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            first, second = _evaluator(left, text), _evaluator(right, text)
            operate = _OPERATORS[type(op)]
            return lambda x: operate(first(x), second(x))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            inner, operate = _evaluator(operand, text), _OPERATORS[type(op)]
            return lambda x: operate(inner(x))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            inner, function = _evaluator(argument, text), FUNCTIONS[name]
            return lambda x: function(_moderate(inner(x)))
        case ast.IfExp(test=ast.Compare(left=left, ops=[op], comparators=[right])) if (
            type(op) in _COMPARISONS
        ):
            first, second = _evaluator(left, text), _evaluator(right, text)
            yes, no = _evaluator(node.body, text), _evaluator(node.orelse, text)
            compare = _COMPARISONS[type(op)]
            return lambda x: yes(x) if compare(first(x), second(x)) else no(x)
    raise ValueError(
        f"function = {_cut(text)}: {_cut(ast.unparse(node))} is none of x, numbers, pi, e,"
        f" + - * / **, a if x > b else c, and calls of {', '.join(FUNCTIONS)} with one argument"
    )


def _moderate(value: mpmath.mpf) -> mpmath.mpf:
    """The argument of a function. OverflowError if it is so large that mpmath would never end."""
    if mpmath.isfinite(value) and value != 0 and mpmath.mag(value) > LARGEST_ARGUMENT:
        raise OverflowError
    return value


def _power(base: mpmath.mpf, exponent: mpmath.mpf) -> mpmath.mpf:
    """base ** exponent. OverflowError if that has an exponent of many digits itself."""
    both = (mpmath.isfinite(base) and base != 0) and mpmath.isfinite(exponent)
    if both and abs(exponent) * abs(mpmath.mag(base)) > 1 << LARGEST_ARGUMENT:
        raise OverflowError
    return base**exponent


def _decimal(node: ast.Constant) -> mpmath.mpf:
    """The decimal number that was written, rather than the float64 next to it."""
    return mpmath.mpf(repr(node.value))
