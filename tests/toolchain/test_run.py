"""Running outside programs: what comes back, what is kept, what is said, and what is left over."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from multipede.toolchain import Job, ToolError, ToolFailure, ToolTimeout, find, run, run_all
from multipede.toolchain.error_line import first_error_line

pytestmark = pytest.mark.usefixtures("private_cache")

# A child, a grandchild, and one that has left the process group and the session.
FAMILY = """\
sleep 300 &
echo $! > started
setsid sleep 300 &
echo $! >> started
sh -c 'sleep 300 & wait' &
echo $! >> started
sleep 0.1
mv started family
wait
"""


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", textwrap.dedent(code))


def members(marker: str) -> list[int]:
    """Processes that carry this word in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def wait_until(condition, seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class TestWhatComesBack:
    def test_output_and_status(self) -> None:
        done = run(("sh", "-c"), ["echo out; echo err >&2"])
        assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 0)

    def test_a_tool_with_its_environment(self, tmp_path: Path) -> None:
        script = tmp_path / "script.ys"
        script.write_text("log hello from yosys")
        assert "\nhello from yosys\n" in run(find("yosys"), ["-s", script]).stdout

    def test_time(self) -> None:
        assert 0.2 <= run(("sleep", "0.2")).seconds < 5

    def test_peak_memory_is_the_tools_and_not_ours(self) -> None:
        ours = bytearray(b"x") * (300 << 20)
        small = run(("true",)).peak_memory_bytes
        large = run(python("x = bytearray(b'x') * (80 << 20)")).peak_memory_bytes
        assert small < 40 << 20
        assert 80 << 20 < large < 160 << 20
        del ours

    def test_peak_memory_of_a_grandchild_counts(self) -> None:
        inner = f"{sys.executable} -c \"x = bytearray(b'x') * (80 << 20)\""
        assert run(("sh", "-c", f"{inner}; true")).peak_memory_bytes > 80 << 20

    @pytest.mark.parametrize("given", ["ä\n" * 100_000, b"\xff\x00" * 100_000, ""])
    def test_input(self, given: str | bytes) -> None:
        raw = given.encode() if isinstance(given, str) else given
        assert run(("wc", "-c"), input=given).stdout.split()[0] == str(len(raw))

    def test_without_input_it_reads_nothing(self) -> None:
        assert run(("cat",), timeout=10).stdout == ""

    def test_much_output_on_both_sides_does_not_block(self) -> None:
        code = "import sys\nfor f in (sys.stdout, sys.stderr): f.write('x' * 2_000_000)"
        done = run(python(code), timeout=30)
        assert (len(done.stdout), len(done.stderr)) == (2_000_000, 2_000_000)

    def test_bytes_that_are_no_text(self) -> None:
        assert run(("printf", r"a\377b")).stdout == "a�b"

    def test_environment(self) -> None:
        assert run(("sh", "-c", "echo $WORD"), environment={"WORD": "hello"}).stdout == "hello\n"

    def test_arguments_may_be_paths(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("content")
        assert run(("cat",), [tmp_path / "a"]).stdout == "content"

    def test_a_wanted_status_is_no_failure(self) -> None:
        assert run(("sh", "-c", "exit 3"), check=False).returncode == 3


class TestWhatIsKept:
    def test_the_log(self, private_cache: Path) -> None:
        done = run(("sh", "-c"), ["echo said; echo complained >&2"])
        assert done.log_path.parent == private_cache / "logs"
        text = done.log_path.read_text()
        for part in ("sh -c 'echo said", "exit status 0", "MiB", "said\n", "complained\n"):
            assert part in text
        assert list(done.log_path.parent.iterdir()) == [done.log_path]

    def test_a_log_of_ones_own(self, tmp_path: Path) -> None:
        assert run(("true",), log=tmp_path / "own.log").log_path == tmp_path / "own.log"
        assert (tmp_path / "own.log").is_file()

    def test_logs_have_distinct_names(self) -> None:
        assert len({run(("true",)).log_path for _ in range(3)}) == 3

    def test_its_directory_is_in_the_cache_and_goes(self, private_cache: Path) -> None:
        where = Path(run(("pwd",)).stdout.strip())
        assert where.parent == private_cache / "work"
        assert not where.exists()

    def test_a_directory_of_ones_own_stays(self, tmp_path: Path) -> None:
        run(("touch", "made"), directory=tmp_path)
        assert (tmp_path / "made").is_file()


class TestFailures:
    def test_the_message(self) -> None:
        with pytest.raises(ToolFailure) as caught:
            run(("sh", "-c", "echo working; echo 'x.v:3: error: bad thing' >&2; exit 3"))
        failure = caught.value
        assert str(failure) == (
            f"sh failed with exit status 3: x.v:3: error: bad thing (log: {failure.log_path})"
        )
        assert (failure.tool, failure.returncode) == ("sh", 3)
        assert failure.error_line == "x.v:3: error: bad thing"
        assert failure.stdout == "working\n"
        assert "working" in failure.log_path.read_text()

    def test_a_signal(self) -> None:
        with pytest.raises(ToolFailure, match=r"^sh was ended by SIGSEGV: it wrote nothing"):
            run(("sh", "-c", "kill -SEGV $$"))

    def test_the_memory_limit(self) -> None:
        with pytest.raises(ToolFailure, match=r"MemoryError \(memory limit 300 MiB\) \(log: "):
            run(python("x = bytearray(1 << 30)"), memory_limit=300 << 20)

    def test_no_such_program(self) -> None:
        with pytest.raises(ToolError) as caught:
            run(("no-such-program",))
        expected = "no-such-program could not be started: there is no such program"
        assert str(caught.value) == expected

    def test_not_a_program(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(ToolError, match="file could not be started: Permission denied"):
            run((str(tmp_path / "file"),))

    def test_no_such_directory(self, tmp_path: Path) -> None:
        with pytest.raises(ToolError, match=r"true could not be started: .*No such file.*nowhere"):
            run(("true",), directory=tmp_path / "nowhere")

    def test_a_cache_that_cannot_be_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("MULTIPEDE_CACHE", str(tmp_path / "file" / "c"))
        with pytest.raises(ToolError) as caught:
            run(("true",))
        assert str(caught.value) == (
            f"{tmp_path}/file/c/logs cannot be written (Not a directory): "
            "set MULTIPEDE_CACHE to a directory that can"
        )

    def test_a_failure_can_be_sent_between_processes(self) -> None:
        with pytest.raises(ToolFailure) as caught:
            run(("sh", "-c", "exit 3"))
        copy = pickle.loads(pickle.dumps(caught.value))
        assert type(copy) is ToolFailure
        assert (str(copy), copy.returncode) == (str(caught.value), 3)
        assert copy.log_path == caught.value.log_path

    @pytest.mark.parametrize(
        ("stdout", "stderr", "line"),
        [
            ("", "%Warning-X: a\n%Error: t.v:1:9: bad\n%Error: Exiting", "%Error: t.v:1:9: bad"),
            ("log\na.v:1: ERROR: syntax error\nrest", "", "a.v:1: ERROR: syntax error"),
            ("", "In file included\nx.cpp:2: error: y\nx.cpp:3: error: z", "x.cpp:2: error: y"),
            ("", "x.o: in f:\nx.cpp:(.text+0x9): undefined reference to `g'\ncollect2: error: ld",
             "x.cpp:(.text+0x9): undefined reference to `g'"),
            ("ABC: ** cmd error: no\n", "ERROR: Can't open ABC output", "ABC: ** cmd error: no"),
            ("", "b.v:2: syntax error\nI give up.", "b.v:2: syntax error"),
            ("", "Traceback (most recent call last):\n  File\nKeyError: 3\n", "KeyError: 3"),
            ("[9] %Fatal: b.v:9: sum is 70\n%Error: b.v:9: $stop", "",
             "[9] %Fatal: b.v:9: sum is 70"),
            ("0 errors\nlast", "", "last"),
            ("", "", "it wrote nothing"),
        ],
    )  # fmt: skip
    def test_the_line_that_matters(self, stdout: str, stderr: str, line: str) -> None:
        assert first_error_line(stdout, stderr) == line


class TestNothingIsLeftBehind:
    @pytest.fixture
    def marker(self) -> str:
        return f"MARK_{os.urandom(8).hex()}"

    def test_after_a_timeout(self, marker: str, tmp_path: Path, private_cache: Path) -> None:
        start = time.monotonic()
        with pytest.raises(ToolTimeout) as caught:
            run(("sh", "-c", FAMILY), timeout=0.6, environment={"M": marker}, directory=tmp_path)
        assert time.monotonic() - start < 8
        assert len((tmp_path / "family").read_text().split()) == 3
        assert members(marker) == []
        assert str(caught.value) == (
            f"sh was killed after 0.6 s, its time limit (log: {caught.value.log_path})"
        )
        assert [path.suffix for path in (private_cache / "logs").iterdir()] == [".log"]

    def test_one_that_ends_in_time_is_not_killed(self) -> None:
        assert run(("sleep", "0.1"), timeout=30).returncode == 0

    def test_one_that_ignores_signals(self, marker: str) -> None:
        with pytest.raises(ToolTimeout):
            run(
                ("sh", "-c", "trap '' TERM INT HUP; while :; do sleep 0.1; done"),
                timeout=0.3,
                environment={"M": marker},
            )
        assert members(marker) == []

    def test_what_a_tool_leaves_in_the_background(self, marker: str) -> None:
        start = time.monotonic()
        run(("sh", "-c", "sleep 300 & exit 0"), environment={"M": marker})
        assert time.monotonic() - start < 8
        assert wait_until(lambda: members(marker) == [])

    @pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
    def test_after_our_own_end(
        self, name: str, marker: str, tmp_path: Path, private_cache: Path
    ) -> None:
        code = (
            "import sys; from pathlib import Path; from multipede.toolchain import run\n"
            f"run(('sh', '-c', {FAMILY!r}), directory=Path({str(tmp_path)!r}))"
        )
        owner = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "M": marker},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert wait_until(lambda: (tmp_path / "family").is_file() and len(members(marker)) > 4)
        owner.send_signal(getattr(signal, name))
        _, stderr = owner.communicate(timeout=20)
        assert wait_until(lambda: members(marker) == [])
        if name == "SIGINT":
            assert "KeyboardInterrupt" in stderr
            assert list((private_cache / "logs").iterdir()) == []

    def test_no_descriptors_leak(self) -> None:
        run(("true",))
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            run(("true",))
            with pytest.raises(ToolError):
                run(("no-such-program",))
            with pytest.raises(ToolTimeout):
                run(("sleep", "9"), timeout=0.05)
        assert len(os.listdir("/proc/self/fd")) == before


class TestSeveralAtOnce:
    def test_results_come_in_order(self) -> None:
        jobs = [Job(("sh", "-c", f"sleep {t}; echo {t}")) for t in ("0.3", "0.1", "0.2")]
        assert [done.stdout.strip() for done in run_all(jobs, workers=3)] == ["0.3", "0.1", "0.2"]

    def test_they_run_at_once_but_not_more_than_allowed(self, tmp_path: Path) -> None:
        code = "touch $$.on; ls *.on | wc -l; sleep 0.3; rm $$.on"
        jobs = [Job(("sh", "-c", code), directory=tmp_path) for _ in range(6)]
        assert max(int(done.stdout) for done in run_all(jobs, workers=3)) in (2, 3)
        assert all(int(done.stdout) == 1 for done in run_all(jobs[:2], workers=1))

    def test_a_failure_ends_the_others(self) -> None:
        start = time.monotonic()
        jobs = [Job(("sleep", "60")), Job(("sh", "-c", "exit 4")), Job(("sleep", "60"))]
        with pytest.raises(ToolFailure, match="exit status 4"):
            run_all(jobs, workers=3)
        assert time.monotonic() - start < 10

    def test_a_time_limit_of_one(self) -> None:
        jobs = [Job(("sleep", "60"), timeout=0.2), Job(("sleep", "60"))]
        with pytest.raises(ToolTimeout):
            run_all(jobs, workers=2)

    def test_none(self) -> None:
        assert run_all([]) == []
