"""Checks of two parameters that several ways of verification have."""

from numbers import Real

__all__ = ["require_budget", "require_target"]

LONGEST = 10**6


def require_budget(budget: object) -> None:
    """TypeError, ValueError unless it is a number of seconds that a proof may take."""
    if isinstance(budget, bool) or not isinstance(budget, Real):
        raise TypeError(f"budget must be a number of seconds, not {budget!r}")
    if not 0 < budget <= LONGEST:
        raise ValueError(
            f"budget = {budget}: it must be a positive number of seconds, at most {LONGEST}"
        )


def require_target(target: object) -> None:
    """TypeError, ValueError unless it is a share that can be reached."""
    if isinstance(target, bool) or not isinstance(target, Real):
        raise TypeError(f"target must be a share of 1, not {target!r}")
    if not 0 < target <= 1:
        raise ValueError(f"target = {target}: 0 < target <= 1 is needed")
