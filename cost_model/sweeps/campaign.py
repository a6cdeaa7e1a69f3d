"""Answers for many points: those that the store has from there, the others by workers."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from dataclasses import dataclass, replace

from tqdm import tqdm

from multipede.cost_model.sweeps.executors import Pool
from multipede.cost_model.sweeps.question import Answer, Question
from multipede.cost_model.sweeps.store import Store
from multipede.cost_model.sweeps.worker import Limits, answers_for, was_limited
from multipede.golden.spec import Spec
from multipede.toolchain import ToolError

__all__ = ["campaign"]

_IN_HAND = 2
"""points handed out for each worker, so that none waits for the next"""
_KILLED = "KilledWorker"
"""what Dask raises of a task under which several workers died"""
_LIVES = 3
"""workers that a point may bring down before it is told as failed"""


@dataclass(frozen=True)
class _Job:
    spec: Spec
    question: Question
    key: str


@dataclass
class _Batch:
    """Jobs of one question that a worker is given together."""

    jobs: Sequence[_Job]
    broke: int = 0

    @property
    def question(self) -> Question:
        return self.jobs[0].question

    def submit(self, executor: Executor, limits: Limits) -> Future:
        """Hand it out."""
        points = [job.spec.to_dict() for job in self.jobs]
        keys = [job.key for job in self.jobs]
        return executor.submit(answers_for, points, self.question, keys, limits)

    def failed(self, error: str, *, lasts: bool = True) -> list[Answer]:
        """The answers for points that no worker answered for; whether these are to blame."""
        answers = [self.question.answer(job.spec, error=error) for job in self.jobs]
        return [replace(answer, lasts=lasts) for answer in answers]

    def broken_up(self) -> list["_Batch"]:
        """After a worker died of one of them: each alone."""
        return [_Batch([job], self.broke + 1) for job in self.jobs]


def campaign(
    jobs: Iterable[tuple[Spec, Question]],
    *,
    pool: Pool,
    store: Store | None = None,
    limits: Limits | None = None,
    retry: bool = False,
) -> list[Answer]:
    """Answer questions about points; each answer goes to the store as soon as it is there.

    A progress bar on a terminal.

    Parameters
    ----------
    jobs : a point and a question each. An answer is given once, however often it is asked for.
    pool : who answers. store : which is asked first.
    limits : on each point; what a smaller one stopped is tried again. retry : whether all that
        failed before is.

    Raises
    ------
    StoreError
        If an answer cannot be kept; no more are asked for then.
    ToolError
        If who answers is gone, as a scheduler that was stopped. What it did not answer is asked
        for again another time.
    """
    asked = [_Job(spec, question, question.key(spec)) for spec, question in jobs]
    limits = limits or Limits()
    known = {} if store is None else store.answers(job.key for job in asked)
    known = {
        key: answer
        for key, answer in known.items()
        if not answer.error or not (retry or was_limited(answer.error, limits))
    }
    unknown = {job.key: job for job in asked if job.key not in known}
    bar = tqdm(total=len(unknown), unit="point", desc="sweep", leave=False, disable=None)
    with bar:
        for answers in _answers(pool, _batches(unknown.values()), limits):
            if store is not None:
                store.add_all(answer for answer in answers if answer.lasts)
            known |= {answer.key: answer for answer in answers}
            bar.update(len(answers))
    return [known[job.key] for job in asked]


def _batches(jobs: Iterable[_Job]) -> Iterator[_Batch]:
    """As large as their questions like them."""
    by_question: dict[Question, list[_Job]] = {}
    for job in jobs:
        by_question.setdefault(job.question, []).append(job)
    for question, mine in by_question.items():
        for start in range(0, len(mine), question.at_once):
            yield _Batch(mine[start : start + question.at_once])


def _answers(pool: Pool, batches: Iterable[_Batch], limits: Limits) -> Iterator[list[Answer]]:
    """In the order in which they come."""
    waiting, running = deque(batches), dict[Future, _Batch]()
    while waiting or running:
        try:
            _hand_out(pool, waiting, running, limits)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                answers = _told(future, running[future])
                batch = running.pop(future)
                if answers is None:
                    waiting.extend(batch.broken_up())
                else:
                    yield answers
        except BrokenExecutor as error:
            # Of all that were in hand, any may be to blame.
            lost = list(running.values())
            running.clear()
            if not pool.renew():
                raise
            for batch in (alone for each in lost for alone in each.broken_up()):
                if batch.broke < _LIVES:
                    waiting.append(batch)
                else:
                    yield batch.failed(f"it brought down {_LIVES} workers: {error}")


def _hand_out(
    pool: Pool, waiting: deque[_Batch], running: dict[Future, _Batch], limits: Limits
) -> None:
    """As many as the workers should have in hand; what was there when one died, alone, so that it
    shows who is to blame."""
    while waiting and len(running) < _IN_HAND * pool.workers:
        suspect = waiting[0].broke or any(batch.broke for batch in running.values())
        if running and suspect:
            return
        try:
            running[waiting[0].submit(pool.executor, limits)] = waiting[0]
        except BrokenExecutor:
            raise
        except Exception as error:
            raise _gone(error) from error
        waiting.popleft()


def _told(future: Future, batch: _Batch) -> list[Answer] | None:
    """None if one of several points killed its workers, and each is to be asked for alone."""
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except CancelledError as error:
        raise _gone(error) from error
    except Exception as error:
        killed = type(error).__name__ == _KILLED
        if killed and len(batch.jobs) > 1:
            return None
        return batch.failed(f"its worker failed: {_why(error)}", lasts=killed)


def _gone(error: Exception) -> ToolError:
    return ToolError(f"who answers for points is gone ({_why(error)}): what was answered is kept")


def _why(error: Exception) -> str:
    """On one line; the kind of an error that says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
