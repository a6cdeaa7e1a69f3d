"""Independent jobs in several processes, with one progress bar."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from tqdm import tqdm

from multipede.golden.number_format import require_range

__all__ = ["in_parallel"]


def in_parallel(
    work: Callable[[Any], Any], jobs: Sequence[Any], workers: int | None, *, what: str
) -> list[Any]:
    """What ``work`` makes of each job, in their order; in this process if there is but one worker.

    Parameters
    ----------
    work : what processes can be handed, as the jobs must be. workers : how many processes; None for
        one per processor. what : a job, for the progress bar.

    Raises
    ------
    TypeError, ValueError
        For a number of workers out of range. What ``work`` raises ends it, without further jobs.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers
    require_range("workers", workers, 1, 1024)
    bar = {"total": len(jobs), "unit": what, "leave": False, "disable": None}
    if workers == 1:
        return [work(job) for job in tqdm(jobs, **bar)]
    import torch

    # One thread each: processes are side by side already.
    threads = {"initializer": torch.set_num_threads, "initargs": (1,)}
    with ProcessPoolExecutor(min(workers, len(jobs)), **threads) as pool:
        try:
            return list(tqdm(pool.map(work, jobs), **bar))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
