"""Jobs in several processes: their order, their errors, and one process only."""

import os

import pytest

from multipede.cost_model.parallel_jobs import in_parallel


def squared(job: int) -> tuple[int, int]:
    if job < 0:
        raise ValueError(f"job = {job}: not below 0")
    return job * job, os.getpid()


@pytest.mark.parametrize("workers", [1, 2])
def test_results_are_in_order(workers):
    found = in_parallel(squared, range(9), workers, what="square")
    assert [square for square, _ in found] == [n * n for n in range(9)]
    here = {process == os.getpid() for _, process in found}
    assert here == {workers == 1}


def test_an_error_ends_it():
    with pytest.raises(ValueError, match="job = -1"):
        in_parallel(squared, [1, -1, 2], 2, what="square")


def test_bad_workers():
    with pytest.raises(ValueError, match="workers = 0"):
        in_parallel(squared, [1], 0, what="square")
