"""What a worker does, in whichever process and on whichever machine: answer for one point."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from multipede.cost_model.sweeps.bounded import bounded
from multipede.cost_model.sweeps.question import Answer, Question
from multipede.golden.catalogue import spec_from_dict
from multipede.golden.number_format import require_range

__all__ = ["Limits", "answer_for"]


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


def answer_for(point: Mapping[str, Any], question: Question, key: str, limits: Limits) -> Answer:
    """The answer for a point, as :meth:`Spec.to_dict` has it; what goes wrong is its error.

    ``key`` is what who asks has for it: another one here means that the code is another.
    """
    started = time.monotonic()
    spec, costs, error = spec_from_dict(point), (), ""
    try:
        if question.key(spec) != key:
            raise RuntimeError("this worker has another version of Multipede, or other tools")
        asked = {"seconds": limits.seconds, "megabytes": limits.megabytes}
        costs = bounded(lambda: question.costs(spec), **asked)
    except MemoryError:
        error = "out of memory" if limits.megabytes is None else f"over {limits.megabytes:,} MB"
    except Exception as failure:
        error = str(failure) or type(failure).__name__
    answer = question.answer(spec, costs=costs, error=error, seconds=time.monotonic() - started)
    # Who asked finds it under the key that it asked with.
    return replace(answer, key=key)
