"""Conditions over the parameters of a specification: arithmetic, and nothing that could do harm.

Files of design spaces come from anywhere, so that a condition may compare and compute, but calls
nothing save ``min`` and ``max``: a method of what a parameter leads to could write files.
"""

import ast
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from numbers import Number
from typing import Any

from simpleeval import EvalWithCompoundTypes, InvalidExpression

from multipede.golden.formats import Format
from multipede.golden.spec import Spec

__all__ = ["is_met", "names_of", "parsed"]

_FUNCTIONS = {"min": min, "max": max}
_ALLOWED = (
    *(ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.IfExp),
    *(ast.Name, ast.Attribute, ast.Constant, ast.Tuple, ast.List, ast.Call),
    *(ast.boolop, ast.unaryop, ast.operator, ast.cmpop, ast.expr_context, ast.Expr),
)
_VALUES = (Number, str, Enum, Format, Spec, type(None))
"""what an attribute may lead to"""


class _Evaluator(EvalWithCompoundTypes):
    """Attributes lead to plain values, formats and specifications only."""

    def _eval_attribute(self, node: ast.Attribute) -> Any:
        value = super()._eval_attribute(node)
        if not isinstance(value, _VALUES):
            raise InvalidExpression(f"{ast.unparse(node)} is no number, text or format")
        return value


@lru_cache(256)
def parsed(condition: str) -> ast.AST:
    """The expression, for :func:`is_met`. ValueError if it is none, or has more than arithmetic,
    comparisons, ``min`` and ``max``."""
    try:
        tree = EvalWithCompoundTypes.parse(condition)
    except (InvalidExpression, SyntaxError, ValueError) as error:
        raise ValueError(f"condition {condition!r} is no expression: {error}") from None
    for node in ast.walk(tree):
        called = isinstance(node, ast.Call)
        named = called and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS
        if not isinstance(node, _ALLOWED) or (called and (not named or node.keywords)):
            raise ValueError(
                f"condition {condition!r}: {ast.unparse(node)} is not allowed: a condition has"
                f" arithmetic, comparisons, and, or, not, {', '.join(_FUNCTIONS)}"
            )
    return tree


def names_of(condition: str) -> set[str]:
    """Names that an expression has values of. Raises as :func:`parsed`."""
    tree = parsed(condition)
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - set(_FUNCTIONS)


def is_met(condition: str, names: Mapping[str, Any]) -> bool:
    """Whether a condition is true of these values. Raises as the expression does."""
    evaluator = _Evaluator(names=dict(names), functions=dict(_FUNCTIONS))
    return bool(evaluator.eval(condition, previously_parsed=parsed(condition)))
