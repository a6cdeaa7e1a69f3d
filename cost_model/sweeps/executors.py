"""Where points are answered: processes of this machine, a Dask cluster, or any other executor."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from multipede.cost_model.sweeps.bounded import die_with_parent
from multipede.golden.number_format import require_range, require_type
from multipede.toolchain import ToolError

__all__ = ["Pool", "cluster", "local", "pool_of"]

_ANSWERS_WITHIN = 10.0
"""s for a scheduler"""
_LONGEST_GREETING = 1 << 20
"""bytes"""


class Pool:
    """An executor, and how another one is made when it breaks.

    Attributes
    ----------
    executor : the present one. workers : about how many points it answers at once.
    """

    def __init__(self, make: Callable[[], Executor] | None, executor: Executor, workers: int):
        self._make, self.executor, self.workers = make, executor, workers

    def renew(self) -> bool:
        """Another executor instead of a broken one; False if that is not for us to make."""
        if self._make is None:
            return False
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self._make()
        return True


@contextmanager
def local(workers: int | None = None) -> Iterator[Pool]:
    """Processes of this machine, by default one for each processor. TypeError, ValueError for a
    number out of range."""
    workers = (os.cpu_count() or 1) if workers is None else workers
    require_range("workers", workers, 1, 1024)

    def make() -> Executor:
        return ProcessPoolExecutor(workers, initializer=_begin)

    pool = Pool(make, make(), workers)
    try:
        yield pool
    except BaseException:
        # What is under way is not waited for; its programs end with it.
        _kill(pool.executor)
        raise
    finally:
        pool.executor.shutdown(wait=False, cancel_futures=True)


def _kill(executor: Executor) -> None:
    """The processes of an executor, which Python 3.14 has a method for."""
    for process in list((getattr(executor, "_processes", None) or {}).values()):
        process.kill()


def _begin() -> None:
    """In a worker: it ends with the sweep, however that ends, and has one thread, as workers are
    side by side already; torch may be loaded by then, or never."""
    die_with_parent()
    os.environ["OMP_NUM_THREADS"] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@contextmanager
def cluster(scheduler: str) -> Iterator[Pool]:
    """The workers of a Dask scheduler.

    Parameters
    ----------
    scheduler : its address, as in ``tcp://10.0.0.7:8786``.

    Raises
    ------
    TypeError, ValueError
        If it is no address, or no scheduler answers there.
    ToolError
        If Dask is missing.
    """
    require_type("scheduler", scheduler, str)
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise ToolError("a cluster needs Dask. Get it: pip install 'multipede[cluster]'") from None
    try:
        _require_greeting(scheduler)
        client = Client(scheduler, timeout=_ANSWERS_WITHIN)
    except (OSError, ValueError) as error:
        why = " ".join(str(error).split())
        raise ValueError(
            f"scheduler = {scheduler!r}: no Dask scheduler answers there: {why}"
        ) from None
    with client, _of_client(client) as pool:
        yield pool


def _require_greeting(scheduler: str) -> None:
    """OSError, ValueError unless a process of Dask listens at a TCP address: it speaks first, and
    begins with the length of what it says. Dask's client waits for others without end."""
    from distributed.comm.addressing import get_address_host_port, parse_address

    scheme, _ = parse_address(scheduler)
    if scheme != "tcp":
        return
    with socket.create_connection(get_address_host_port(scheduler), _ANSWERS_WITHIN) as found:
        found.settimeout(_ANSWERS_WITHIN)
        length = int.from_bytes(found.recv(8, socket.MSG_WAITALL), "little")
    if not 0 < length < _LONGEST_GREETING:
        raise ValueError("another program listens")


@contextmanager
def _of_client(client: Any) -> Iterator[Pool]:
    threads = sum(client.nthreads().values())
    # What is under way on a worker that dies is done by another.
    with client.get_executor(pure=False) as executor:
        yield Pool(None, executor, max(1, threads))


@contextmanager
def pool_of(executor: Any, workers: int | None) -> Iterator[Pool]:
    """The pool that is meant: by default of this machine, else of an executor of any kind, of a
    Dask client, or of the scheduler with an address; others than addresses stay open.

    Raises TypeError for another kind, and as :func:`local` and :func:`cluster`.
    """
    if executor is None:
        with local(workers) as pool:
            yield pool
    elif isinstance(executor, str):
        with cluster(executor) as pool:
            yield pool
    elif isinstance(executor, Executor):
        yield Pool(None, executor, workers or getattr(executor, "_max_workers", 1))
    elif hasattr(executor, "get_executor"):
        with _of_client(executor) as pool:
            yield pool
    else:
        raise TypeError(
            "executor must be a concurrent.futures.Executor, a Dask client or a scheduler's"
            f" address, not {executor!r}"
        )
