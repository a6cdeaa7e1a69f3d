"""Answers for many points: those that the store has from there, the others by workers."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass

from tqdm import tqdm

from multipede.cost_model.sweeps.executors import Pool
from multipede.cost_model.sweeps.question import Answer, Question
from multipede.cost_model.sweeps.store import Store
from multipede.cost_model.sweeps.worker import Limits, answer_for
from multipede.golden.spec import Spec

__all__ = ["campaign"]

_IN_HAND = 2
"""points handed out for each worker, so that none waits for the next"""
_LIVES = 3
"""workers that a point may bring down before it is told as failed"""


@dataclass
class _Job:
    spec: Spec
    question: Question
    key: str
    broke: int = 0

    def failed(self, error: str) -> Answer:
        """The answer for a point that no worker answered for."""
        return self.question.answer(self.spec, error=error)


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
    limits : on each point. retry : whether what failed before is tried again.

    Raises
    ------
    StoreError
        If an answer cannot be kept; no more are asked for then.
    """
    asked = [_Job(spec, question, question.key(spec)) for spec, question in jobs]
    known = {} if store is None else store.answers(job.key for job in asked)
    if retry:
        known = {key: answer for key, answer in known.items() if not answer.error}
    unknown = {job.key: job for job in asked if job.key not in known}
    bar = tqdm(total=len(unknown), unit="point", desc="sweep", leave=False, disable=None)
    with bar:
        for answer in _answers(pool, list(unknown.values()), limits or Limits()):
            if store is not None:
                store.add(answer)
            known[answer.key] = answer
            bar.update()
    return [known[job.key] for job in asked]


def _answers(pool: Pool, jobs: Sequence[_Job], limits: Limits) -> Iterator[Answer]:
    """In the order in which they come."""
    waiting, running = deque(jobs), dict[Future, _Job]()
    while waiting or running:
        try:
            _hand_out(pool, waiting, running, limits)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                answer = _told(future, running[future])
                del running[future]
                yield answer
        except BrokenExecutor as error:
            # Of all that were in hand, any may be to blame.
            lost = list(running.values())
            running.clear()
            if not pool.renew():
                raise
            for job in lost:
                job.broke += 1
                if job.broke < _LIVES:
                    waiting.append(job)
                else:
                    yield job.failed(f"it brought down {_LIVES} workers: {error}")


def _hand_out(
    pool: Pool, waiting: deque[_Job], running: dict[Future, _Job], limits: Limits
) -> None:
    """As many as the workers should have in hand; what was there when one died, alone, so that it
    shows who is to blame."""
    while waiting and len(running) < _IN_HAND * pool.workers:
        suspect = waiting[0].broke or any(job.broke for job in running.values())
        if running and suspect:
            return
        job = waiting[0]
        arguments = (job.spec.to_dict(), job.question, job.key, limits)
        running[pool.executor.submit(answer_for, *arguments)] = job
        waiting.popleft()


def _told(future: Future, job: _Job) -> Answer:
    try:
        return future.result()
    except BrokenExecutor:
        raise
    except Exception as error:
        return job.failed(f"its worker failed: {error}")
