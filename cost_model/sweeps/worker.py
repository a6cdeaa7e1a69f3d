"""What a worker does, in whichever process and on whichever machine: answer for points."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from multipede.cost_model.sweeps.bounded import bounded
from multipede.cost_model.sweeps.question import Answer, Question
from multipede.golden.catalogue import spec_from_dict
from multipede.golden.number_format import require_range
from multipede.golden.spec import Spec
from multipede.toolchain.cost import Cost

__all__ = ["Limits", "answers_for", "was_limited"]

_LIMITED = re.compile(r"not done within (?P<seconds>\S+) s|over (?P<megabytes>[\d,]+) MB")
"""what is told of points that took too much"""


@dataclass(frozen=True)
class Limits:
    """What one point may take.

    Parameters
    ----------
    seconds : after which it is given up, 1 to 1,000,000.
    megabytes : of memory of each of its processes, 256 to 16,777,216; None for no limit.

    Raises
    ------
    TypeError, ValueError
        For others.
    """

    seconds: int = 1800
    megabytes: int | None = 16_384

    def __post_init__(self) -> None:
        require_range("seconds", self.seconds, 1, 1_000_000)
        if self.megabytes is not None:
            require_range("megabytes", self.megabytes, 256, 1 << 24)


def answers_for(
    points: Sequence[Mapping[str, Any]], question: Question, keys: Sequence[str], limits: Limits
) -> list[Answer]:
    """The answers for points, as :meth:`Spec.to_dict` has them; what goes wrong is their error.

    ``keys`` are what who asks has for them: another one here means that the code is another. Points
    of questions that are asked at once share one process, as long as none of them goes wrong there.
    """
    given = list(zip(map(spec_from_dict, points), keys, strict=True))
    within = vars(limits)
    if len(given) > 1:
        try:
            return bounded(
                lambda: [
                    _answer(spec, key, question, limits, partial(question.costs, spec))
                    for spec, key in given
                ],
                **within,
            )
        except Exception:
            pass  # Which of them it was shows when each has a process of its own.
    return [
        _answer(
            spec, key, question, limits, partial(bounded, partial(question.costs, spec), **within)
        )
        for spec, key in given
    ]


def _answer(
    spec: Spec, key: str, question: Question, limits: Limits, costs: Callable[[], Sequence[Cost]]
) -> Answer:
    """The answer for a point whose costs are measured by a call."""
    started = time.monotonic()
    found: Sequence[Cost] = ()
    error = ""
    lasts = True
    try:
        if question.key(spec) != key:
            lasts = False
            raise RuntimeError("this worker has another version of Multipede, or other tools")
        found = costs()
    except MemoryError:
        error = "out of memory" if limits.megabytes is None else f"over {limits.megabytes:,} MB"
    except Exception as failure:
        error = str(failure) or type(failure).__name__
    answer = question.answer(spec, costs=found, error=error, seconds=time.monotonic() - started)
    # Who asked finds it under the key that it asked with.
    return replace(answer, key=key, lasts=lasts)


def was_limited(error: str, limits: Limits) -> bool:
    """Whether an error is that of a limit, and the limit is a larger one now."""
    match = _LIMITED.fullmatch(error)
    if match is None:
        return False
    if match["seconds"]:
        return float(match["seconds"]) < limits.seconds
    return limits.megabytes is None or int(match["megabytes"].replace(",", "")) < limits.megabytes
