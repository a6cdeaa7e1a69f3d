"""Many points: answered once, resumed, and whatever a point does, the others are answered."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil
import pytest
from distributed import Client

from multipede.cost_model.sweeps import campaign as campaign_module
from multipede.cost_model.sweeps.campaign import campaign as campaign_of
from multipede.cost_model.sweeps.executors import cluster, local, pool_of
from multipede.cost_model.sweeps.question import Question
from multipede.cost_model.sweeps.store import Store
from multipede.cost_model.sweeps.worker import Limits, was_limited
from multipede.toolchain import ToolError
from tests.cost_model.sweeps.scripted import Deadly, Scripted, asked, points

LIMITS = Limits(seconds=60, megabytes=4096)


def campaign(jobs, *, workers=None, executor=None, **options):
    """With workers for it alone."""
    with pool_of(executor, workers) as pool:
        return campaign_of(jobs, pool=pool, **options)


@contextmanager
def dask_cluster(number):
    """The address of a scheduler, and its workers."""
    # Workers find these tests, as those of users find their units.
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    start = partial(subprocess.Popen, env=environment, stderr=subprocess.PIPE, text=True)
    dask = [sys.executable, "-m", "dask"]
    scheduler = start([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"])
    workers = []
    try:
        address = None
        while address is None:
            found = re.search(r"tcp://127\.0\.0\.1:\d+", scheduler.stderr.readline())
            address = found and found[0]
        for _ in range(number):
            alone = ["--nthreads", "1", "--no-nanny", "--no-dashboard"]
            workers.append(start([*dask, "worker", address, *alone]))
        with Client(address) as client:
            client.wait_for_workers(number, timeout=60)
        yield address, workers
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.communicate()


def sweeping(path, log, *, points, workers, **question):
    """Another process with a sweep of scripted points."""
    program = (
        "import sys\n"
        "from multipede.cost_model.sweeps.campaign import campaign\n"
        "from multipede.cost_model.sweeps.executors import local\n"
        "from multipede.cost_model.sweeps.store import Store\n"
        "from tests.cost_model.sweeps.scripted import Scripted, points\n"
        f"question = Scripted(log=sys.argv[2], **{question!r})\n"
        f"with Store(sys.argv[1]) as store, local({workers}) as pool:\n"
        f"    jobs = [(spec, question) for spec in points({points})]\n"
        "    campaign(jobs, store=store, pool=pool)\n"
    )
    command = [sys.executable, "-c", program, str(path), str(log)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def kill_when(log, number, process):
    """As soon as so many points were begun."""
    deadline = time.monotonic() + 60
    while len(asked(log)) < number and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    path.touch()
    return path


def values(answers):
    return [one.costs[0].value if one.costs else None for one in answers]


class TestAnswers:
    def test_in_the_order_of_the_points(self, log):
        question = Scripted(log=str(log))
        found = campaign([(spec, question) for spec in points(7)], workers=2, limits=LIMITS)
        assert values(found) == [2, 3, 4, 5, 6, 7, 8]
        assert [one.spec for one in found] == [spec.to_dict() for spec in points(7)]

    def test_once_each(self, log):
        question = Scripted(log=str(log))
        found = campaign([(spec, question) for spec in points(3) * 2], workers=2, limits=LIMITS)
        assert values(found) == [2, 3, 4, 2, 3, 4]
        assert asked(log) == [2, 3, 4]

    def test_of_real_synthesis(self):
        found = campaign(
            [(spec, Question(target)) for spec in points(2) for target in ("gates", "ice40")],
            workers=2,
        )
        assert [one.target for one in found] == ["gates", "ice40"] * 2
        by_quantity = [{cost.quantity: cost.value for cost in one.costs} for one in found]
        assert 0 < by_quantity[0]["area"] < by_quantity[2]["area"]
        assert 0 < by_quantity[1]["lut"] < by_quantity[3]["lut"]


class TestStore:
    def test_nothing_is_asked_twice(self, log, tmp_path):
        question = Scripted(log=str(log))
        with Store(tmp_path / "r.sqlite") as store:
            for number in (3, 5, 5):
                jobs = [(spec, question) for spec in points(number)]
                found = campaign(jobs, store=store, workers=2, limits=LIMITS)
                assert values(found) == list(range(2, 2 + number))
        assert asked(log) == [2, 3, 4, 5, 6]

    def test_failures_are_kept_and_tried_again_on_demand(self, log, tmp_path):
        broken, mended = Scripted(log=str(log), fails=(3,)), Scripted(log=str(log))
        assert broken.key(points(1)[0]) == mended.key(points(1)[0])
        with Store(tmp_path / "r.sqlite") as store:
            given = {"store": store, "workers": 1, "limits": LIMITS}
            first = campaign([(spec, broken) for spec in points(2)], **given)
            assert [one.error for one in first] == ["", "no tool for 3"]
            again = campaign([(spec, mended) for spec in points(2)], **given)
            assert again == first
            retried = campaign([(spec, mended) for spec in points(2)], retry=True, **given)
            assert values(retried) == [2, 3]
            assert store.all()[0].error == store.all()[1].error == ""
        assert asked(log) == [2, 3, 3]

    def test_a_killed_sweep_goes_on_where_it_was(self, log, tmp_path):
        """At most what was in flight is asked for again."""
        path = tmp_path / "r.sqlite"
        with sweeping(path, log, points=30, workers=2, pause=0.1) as sweep:
            deadline = time.monotonic() + 60
            while len(asked(log)) < 6 and time.monotonic() < deadline:
                time.sleep(0.02)
            family = psutil.Process(sweep.pid).children(recursive=True)
            sweep.kill()
        # Nobody of it is left.
        assert len(family) >= 2
        assert psutil.wait_procs(family, timeout=10)[1] == []
        before = asked(log)
        assert 6 <= len(before) < 30
        with Store(path) as store:
            kept = len(store.all())
            assert len(before) - 4 <= kept <= len(before)
            jobs = [(spec, Scripted(log=str(log))) for spec in points(30)]
            assert values(campaign(jobs, store=store, workers=2)) == list(range(2, 32))
        assert len(asked(log)) == len(before) + 30 - kept

    def test_what_a_smaller_limit_stopped_is_tried_again(self, log, tmp_path):
        slow = Scripted(log=str(log), hangs=(2,))
        quick = Scripted(log=str(log))
        with Store(tmp_path / "r.sqlite") as store:
            (spec,) = points(1)
            given = {"store": store, "workers": 1}
            (first,) = campaign([(spec, slow)], limits=Limits(seconds=1), **given)
            assert first.error == "not done within 1 s"
            assert campaign([(spec, quick)], limits=Limits(seconds=1), **given) == [first]
            (second,) = campaign([(spec, quick)], limits=Limits(seconds=2), **given)
            assert second.error == ""
        assert asked(log) == [2, 2]

    def test_an_interrupt_waits_for_nobody(self, log, tmp_path):
        """Points that would take long are given up, with all of their processes; what was answered
        is kept."""
        path = tmp_path / "r.sqlite"
        with sweeping(path, log, points=9, workers=1, hangs=(5,)) as sweep:
            deadline = time.monotonic() + 60
            while 5 not in asked(log) and time.monotonic() < deadline:
                time.sleep(0.02)
            family = psutil.Process(sweep.pid).children(recursive=True)
            sweep.send_signal(signal.SIGINT)
            try:
                assert "KeyboardInterrupt" in sweep.communicate(timeout=20)[1]
            finally:
                sweep.kill()
        assert len(family) >= 2
        assert psutil.wait_procs(family, timeout=10)[1] == []
        with Store(path) as store:
            assert values(store.all()) == [2, 3, 4]


def test_limits_that_are_larger_now():
    assert was_limited("not done within 5 s", Limits(seconds=6))
    assert not was_limited("not done within 5 s", Limits(seconds=5))
    assert was_limited("over 1,024 MB", Limits(megabytes=1025))
    assert was_limited("over 1,024 MB", Limits(megabytes=None))
    assert not was_limited("over 1,024 MB", Limits(megabytes=1024))
    assert not was_limited("it crashed over 5 MB", Limits())


class TestWhatGoesWrong:
    def test_points_that_fail_hang_or_crash(self, log):
        question = Scripted(log=str(log), fails=(3,), hangs=(4,), crashes=(5,))
        limits = Limits(seconds=1, megabytes=4096)
        found = campaign([(spec, question) for spec in points(6)], workers=2, limits=limits)
        assert [one.error for one in found] == [
            "",
            "no tool for 3",
            "not done within 1 s",
            "its process ended with signal SIGKILL",
            "",
            "",
        ]
        assert values(found) == [2, None, None, None, 6, 7]

    def test_a_point_that_kills_workers_is_told_apart(self, log):
        """Those that were in hand beside it are answered."""
        question = Deadly(log=str(log), kills=(3,), caller=os.getpid())
        found = campaign([(spec, question) for spec in points(8)], workers=2, limits=LIMITS)
        assert values(found) == [2, None, 4, 5, 6, 7, 8, 9]
        assert "it brought down 3 workers" in found[1].error

    @pytest.mark.parametrize("number", [6, 7, 13])
    def test_points_of_one_process(self, log, number, monkeypatch):
        """Several are asked at once, until one goes wrong in a way that the process does not
        outlive: then each has its own."""
        monkeypatch.setattr(Scripted, "at_once", 6)
        question = Scripted(log=str(log), fails=(3,), crashes=(5,))
        found = campaign([(spec, question) for spec in points(number)], workers=2, limits=LIMITS)
        assert found[1].error == "no tool for 3"
        assert "SIGKILL" in found[3].error
        wanted = [None if bits in (3, 5) else bits for bits in range(2, 2 + number)]
        assert values(found) == wanted
        # Those of the first batch up to the one that crashed were asked twice.
        assert asked(log) == sorted([2, 3, 4, 5, *range(2, 2 + number)])

    def test_a_point_of_several_that_kills_workers(self, log, monkeypatch):
        monkeypatch.setattr(Deadly, "at_once", 4)
        question = Deadly(log=str(log), kills=(3,), caller=os.getpid())
        found = campaign([(spec, question) for spec in points(8)], workers=2, limits=LIMITS)
        assert values(found) == [2, None, 4, 5, 6, 7, 8, 9]
        assert "it brought down 3 workers" in found[1].error

    def test_a_worker_of_another_version(self, log, monkeypatch, tmp_path):
        """Its keys are others."""
        question = Scripted(log=str(log))
        right = campaign_module._Job

        def wrong(spec, question, key):
            return right(spec, question, "0" + key[1:])

        monkeypatch.setattr(campaign_module, "_Job", wrong)
        with Store(tmp_path / "r.sqlite") as store:
            jobs = [(points(1)[0], question)]
            (found,) = campaign(jobs, workers=1, limits=LIMITS, store=store)
            assert "another version of Multipede" in found.error
            assert store.all() == []  # which the point cannot help
        assert asked(log) == []

    def test_workers_that_fail_are_not_the_points_fault(self, log, tmp_path):
        class Failing(ThreadPoolExecutor):
            def submit(self, *args):
                return super().submit(int, "no number")

        with Store(tmp_path / "r.sqlite") as store, Failing(1) as executor:
            jobs = [(spec, Scripted(log=str(log))) for spec in points(2)]
            found = campaign(jobs, executor=executor, store=store, limits=LIMITS)
            assert [one.error.partition(": ")[0] for one in found] == ["its worker failed"] * 2
            assert store.all() == []

    def test_an_error_that_says_nothing_is_told_by_its_kind(self, log):
        class Silent(ThreadPoolExecutor):
            def submit(self, *args):
                return super().submit(next, iter(()))

        with Silent(1) as executor:
            jobs = [(points(1)[0], Scripted(log=str(log)))]
            (found,) = campaign(jobs, executor=executor, limits=LIMITS)
        assert found.error == "its worker failed: StopIteration"

    def test_an_executor_that_is_shut_down(self, log):
        executor = ThreadPoolExecutor(1)
        executor.shutdown()
        with pytest.raises(ToolError, match=r"who answers for points is gone .*shutdown"):
            campaign([(points(1)[0], Scripted(log=str(log)))], executor=executor, limits=LIMITS)


class TestExecutors:
    def test_one_of_threads(self, log):
        with ThreadPoolExecutor(2) as threads:
            jobs = [(spec, Scripted(log=str(log))) for spec in points(4)]
            assert values(campaign(jobs, executor=threads, limits=LIMITS)) == [2, 3, 4, 5]
            assert threads.submit(int, 3).result() == 3

    def test_a_dask_cluster_that_loses_a_worker(self, log):
        """A real scheduler and two workers on loopback; one is killed in the middle."""
        with dask_cluster(2) as (address, workers):
            question = Scripted(log=str(log), pause=0.2)
            jobs = [(spec, question) for spec in points(24)]
            killer = threading.Thread(target=kill_when, args=(log, 6, workers[0]))
            killer.start()
            found = campaign(jobs, executor=address, limits=LIMITS)
            killer.join()
            assert workers[0].poll() is not None
            assert workers[1].poll() is None
        assert values(found) == list(range(2, 26))
        # What the killed one had in hand was done again, and nothing else.
        assert len(asked(log)) <= 24 + 2

    def test_a_scheduler_that_is_killed(self, log, tmp_path):
        """What was answered is kept, what was in flight is no failure, and another one goes on."""
        jobs = [(spec, Scripted(log=str(log), pause=0.2)) for spec in points(12)]
        with Store(tmp_path / "r.sqlite") as store:
            with dask_cluster(1) as (address, _):
                # No handle of it is at hand but its port.
                port = int(address.rpartition(":")[2])
                (scheduler,) = {
                    psutil.Process(one.pid)
                    for one in psutil.net_connections("tcp")
                    if one.status == psutil.CONN_LISTEN and one.laddr.port == port
                }
                killer = threading.Thread(target=kill_when, args=(log, 4, scheduler))
                killer.start()
                with pytest.raises(ToolError, match="who answers for points is gone"):
                    campaign(jobs, executor=address, limits=LIMITS, store=store)
                killer.join()
            kept = store.all()
            assert 2 <= len(kept) < 12
            assert not any(one.error for one in kept)
            found = campaign(jobs, workers=1, limits=LIMITS, store=store)
            assert values(found) == list(range(2, 14))

    @pytest.mark.parametrize(
        ("executor", "error", "said"),
        [
            (3, TypeError, "executor must be a concurrent.futures.Executor"),
            ("127.0.0.1", ValueError, "no Dask scheduler answers there"),
            ("tcp://127.0.0.1:9", ValueError, "no Dask scheduler answers there"),
            ("nowhere://x", ValueError, "no Dask scheduler answers there"),
        ],
    )
    def test_bad_ones(self, executor, error, said, monkeypatch):
        monkeypatch.setattr("multipede.cost_model.sweeps.executors._ANSWERS_WITHIN", 1.0)
        with pytest.raises(error, match=said), pool_of(executor, None):
            pass

    @pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
    def test_another_program(self, greeting, monkeypatch):
        """That says nothing, as a web server does, or something else than Dask would."""
        monkeypatch.setattr("multipede.cost_model.sweeps.executors._ANSWERS_WITHIN", 1.0)
        with socket.create_server(("127.0.0.1", 0)) as server:

            def answer():
                connection, _ = server.accept()
                connection.sendall(greeting)
                with suppress(ConnectionResetError):
                    connection.recv(1)  # until the other side goes
                connection.close()

            listener = threading.Thread(target=answer)
            listener.start()
            address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
            with (
                pytest.raises(ValueError, match="no Dask scheduler answers there"),
                cluster(address),
            ):
                pass
            listener.join(10)
            assert not listener.is_alive()

    def test_bad_numbers(self):
        with pytest.raises(ValueError, match="workers = 0"), local(0):
            pass
        with pytest.raises(TypeError, match="scheduler"), cluster(4):
            pass
        with pytest.raises(ValueError, match="seconds = 0"):
            Limits(seconds=0)
        with pytest.raises(ValueError, match="megabytes = 10"):
            Limits(megabytes=10)
