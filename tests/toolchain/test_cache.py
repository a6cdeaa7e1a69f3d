"""The cache: what it is keyed by, and that a result that is there is whole."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from multipede.golden.source_files import SourceChangedError
from multipede.toolchain import ToolError, cache, cached, key, manifest, write_atomically

pytestmark = pytest.mark.usefixtures("private_cache")


def start(code: str) -> subprocess.Popen[str]:
    """Another process with the same cache."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )


def wait_for(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.01)


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def put(content: str):
    return lambda place: (place / "file").write_text(content)


class TestKey:
    def test_is_stable(self) -> None:
        one = (1).to_bytes(8, "little")
        expected = hashlib.sha256(b"s" + one + b"a" + b"b" + one + b"b").hexdigest()
        assert key("a", b"b") == expected

    @pytest.mark.parametrize(
        "other",
        [("ab", ""), ("", "ab"), (b"a", "b"), ("a", b"b"), ("a",), ("b", "a"), ("a", "b", "")],
    )
    def test_where_parts_begin_and_what_they_are_counts(self, other: tuple[str, ...]) -> None:
        assert key("a", "b") != key(*other)

    def test_a_path_counts_with_its_content(self, tmp_path: Path) -> None:
        one, two = tmp_path / "one", tmp_path / "two"
        one.write_text("x")
        two.write_text("x")
        assert key(one) == key(two)
        two.write_text("y")
        assert key(one) != key(two)

    def test_a_directory_counts_with_names_and_contents(self, tmp_path: Path) -> None:
        for name in ("one", "two", "three"):
            (tmp_path / name / "sub").mkdir(parents=True)
            (tmp_path / name / "sub" / "f").write_text("x")
        (tmp_path / "three/sub/f").rename(tmp_path / "three/sub/g")
        assert key(tmp_path / "one") == key(tmp_path / "two")
        assert key(tmp_path / "one") != key(tmp_path / "three")

    def test_other_types_are_refused(self) -> None:
        with pytest.raises(TypeError, match="a part of a key is a str, bytes or Path, not int: 3"):
            key(3)  # type: ignore[arg-type]

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            key(tmp_path / "nothing")


class TestCached:
    def test_builds_once(self, private_cache: Path) -> None:
        place = cached("kind", "k1", put("first"))
        assert place == private_cache / "kind" / "k1"
        assert cached("kind", "k1", lambda _: pytest.fail("built again")) == place
        assert (place / "file").read_text() == "first"

    def test_kinds_and_keys_are_apart(self) -> None:
        places = [cached(kind, k, put(kind + k)) for kind in ("a", "b") for k in ("1", "2")]
        assert [(place / "file").read_text() for place in places] == ["a1", "a2", "b1", "b2"]

    def test_a_failed_build_leaves_nothing(self, private_cache: Path) -> None:
        def fail(place: Path) -> None:
            (place / "half").touch()
            raise ValueError("no")

        with pytest.raises(ValueError, match=r"^no$"):
            cached("kind", "k", fail)
        assert list((private_cache / "kind").iterdir()) == []
        assert (cached("kind", "k", put("good")) / "file").read_text() == "good"

    def test_the_result_does_not_appear_before_it_is_whole(self, private_cache: Path) -> None:
        def build(place: Path) -> None:
            assert not (private_cache / "kind" / "k").exists()
            assert place.parent == private_cache / "kind"
            (place / "file").touch()

        assert names(cached("kind", "k", build)) == [".manifest", "file"]

    def test_parallel_builders_build_once(self, tmp_path: Path) -> None:
        code = f"""
            import os, time
            from multipede.toolchain import cached
            def build(place):
                open({str(tmp_path / "count")!r}, "a").write("x")
                for i in range(20):
                    (place / str(i)).write_text("y")
                    time.sleep(0.01)
            print(len(list(cached("kind", "k", build).glob("[0-9]*"))))
        """
        others = [start(code) for _ in range(4)]
        assert [other.communicate(timeout=30)[0].strip() for other in others] == ["20"] * 4
        assert (tmp_path / "count").read_text() == "x"

    def test_threads_build_once_too(self) -> None:
        from concurrent.futures import ThreadPoolExecutor

        built = []

        def build(place: Path) -> None:
            built.append(place)
            time.sleep(0.1)

        with ThreadPoolExecutor(4) as pool:
            places = list(pool.map(lambda _: cached("kind", "k", build), range(4)))
        assert (len(set(places)), len(built)) == (1, 1)

    def test_a_killed_builder_leaves_no_result_and_no_lock(
        self, tmp_path: Path, private_cache: Path
    ) -> None:
        other = start(f"""
            import time
            from pathlib import Path
            from multipede.toolchain import cached
            def build(place):
                (place / "half").touch()
                Path({str(tmp_path / "ready")!r}).touch()
                time.sleep(60)
            cached("kind", "k", build)
        """)
        wait_for(tmp_path / "ready")
        assert not (private_cache / "kind" / "k").exists()
        other.kill()
        other.wait()
        assert len(list((private_cache / "kind").iterdir())) == 1
        place = cached("kind", "k", put("whole"))
        assert names(place) == [".manifest", "file"]
        assert list((private_cache / "kind").iterdir()) == [place]

    def test_one_that_waits_takes_over_from_a_killed_one(self, tmp_path: Path) -> None:
        code = f"""
            import time
            from pathlib import Path
            from multipede.toolchain import cached
            first = not Path({str(tmp_path / "ready")!r}).exists()
            def build(place):
                Path({str(tmp_path / "ready")!r}).touch()
                time.sleep(60 if first else 0)
                (place / "file").write_text("second")
            cached("kind", "k", build)
        """
        first = start(code)
        wait_for(tmp_path / "ready")
        second = start(code)
        time.sleep(0.3)
        assert second.poll() is None
        first.kill()
        assert second.wait(timeout=20) == 0
        first.wait()

    def test_without_locks_a_result_is_still_whole(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def none(*_: object) -> None:
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr("fcntl.flock", none)

        def build(place: Path) -> None:
            (place / "file").write_text("mine")
            other = place.with_name("k")
            other.mkdir()
            (other / "file").write_text("theirs")
            manifest.seal(other)

        assert (cached("kind", "k", build) / "file").read_text() == "theirs"

    @pytest.mark.parametrize("held", [True, False])
    def test_leavings_are_swept_under_a_lock_only(
        self, private_cache: Path, monkeypatch: pytest.MonkeyPatch, held: bool
    ) -> None:
        """Without a lock they may be another's who is at work."""
        monkeypatch.setattr(cache, "_lock", lambda _: held)
        other = private_cache / "kind" / ".k.1"
        other.mkdir(parents=True)
        cached("kind", "k", put("x"))
        assert other.exists() is not held

    def test_code_that_changed_while_it_ran_is_not_kept(
        self, private_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse() -> None:
            raise SourceChangedError("x.py was changed")

        monkeypatch.setattr(cache, "require_unchanged", refuse)
        with pytest.raises(SourceChangedError):
            cached("kind", "k", put("x"))
        assert list((private_cache / "kind").iterdir()) == []

    def test_a_cache_that_cannot_be_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("MULTIPEDE_CACHE", str(tmp_path / "file"))
        with pytest.raises(ToolError) as caught:
            cached("kind", "k", put("x"))
        assert str(caught.value) == (
            f"{tmp_path}/file/kind cannot be written (File exists): "
            "set MULTIPEDE_CACHE to a directory that can"
        )

    def test_a_read_only_cache(self, private_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        place = cached("kind", "k", put("x"))

        def refuse(self: Path, *_: object, **__: object) -> None:
            raise OSError(errno.EROFS, "Read-only file system", str(self))

        monkeypatch.setattr(Path, "mkdir", refuse)
        monkeypatch.setattr(os, "utime", refuse)
        assert cached("kind", "k", put("y")) == place
        with pytest.raises(ToolError) as caught:
            cached("kind", "k2", put("x"))
        assert str(caught.value) == (
            f"{private_cache}/kind cannot be written (Read-only file system): "
            "set MULTIPEDE_CACHE to a directory that can"
        )

    def test_a_full_disk(self, private_cache: Path) -> None:
        def fill(place: Path) -> None:
            (place / "half").touch()
            raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.raises(ToolError) as caught:
            cached("kind", "k", fill)
        assert str(caught.value) == (
            f"the disk of {private_cache}/kind is full: free space there, run "
            "'multipede doctor --clear-cache', or set MULTIPEDE_CACHE to a directory on another "
            "disk"
        )
        assert list((private_cache / "kind").iterdir()) == []

    def test_the_builders_own_errors_stay_what_they_are(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            cached("kind", "k", lambda _: (tmp_path / "nothing").read_text())


class TestDirectory:
    def test_is_in_the_home_directory_otherwise(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("MULTIPEDE_CACHE")
        monkeypatch.setenv("HOME", "/somewhere")
        assert cache.directory() == Path("/somewhere/.cache/multipede")

    def test_may_be_relative_or_begin_with_a_tilde(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MULTIPEDE_CACHE", "here")
        assert cache.directory() == Path.cwd() / "here"
        monkeypatch.setenv("HOME", "/somewhere")
        monkeypatch.setenv("MULTIPEDE_CACHE", "~/here")
        assert cache.directory() == Path("/somewhere/here")


class TestClearing:
    def test_clear(self, private_cache: Path) -> None:
        cached("kind", "k", put("x" * 1000))
        assert cache.size() > 1000
        assert cache.clear() > 1000
        assert list(private_cache.iterdir()) == []
        assert (cached("kind", "k", put("y")) / "file").read_text() == "y"

    def test_size_passes_over_what_vanishes_meanwhile(
        self, private_cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cached("kind", "k", put("x" * 1000))
        vanishing = private_cache / "kind/.other.1"
        vanishing.mkdir()
        whole, scandir = cache.size(), os.scandir

        def scan(path: str) -> os.ScandirIterator[str]:
            if Path(path) == vanishing:  # its builder has just published it
                vanishing.rmdir()
            return scandir(path)

        monkeypatch.setattr(os, "scandir", scan)
        assert cache.size() == whole > 1000
        assert not vanishing.exists()

    def test_clear_twice(self) -> None:
        assert cache.clear() == 0

    def test_a_directory_with_other_things_is_not_cleared(self, private_cache: Path) -> None:
        private_cache.mkdir()
        (private_cache / "thesis.tex").touch()
        cached("kind", "k", put("x"))
        with pytest.raises(ToolError, match="is not cleared: it held other files before"):
            cache.clear()
        assert (private_cache / "thesis.tex").exists()

    def test_prune_keeps_what_was_used(self, private_cache: Path) -> None:
        old, used = (cached("kind", name, put("x" * 100)) for name in ("old", "used"))
        for place in (old, used):
            os.utime(place, (0, 0))
        cached("kind", "used", put("never"))
        assert cache.prune(days=1) >= 100
        assert (old.exists(), used.exists()) == (False, True)

    def test_findings_are_never_pruned(self, private_cache: Path) -> None:
        finding = cache.subdirectory("evidence") / "unit.json"
        finding.write_text("{}")
        os.utime(finding, (0, 0))
        cache.prune(days=1)
        assert finding.exists()

    def test_pruning_comes_by_itself_once_a_day(self, private_cache: Path) -> None:
        old = cached("kind", "old", put("x"))
        os.utime(old, (0, 0))
        cached("kind", "k1", put("x"))
        assert old.exists()
        os.utime(private_cache / ".pruned", (0, 0))
        cached("kind", "k2", put("x"))
        assert not old.exists()


class TestWriteAtomically:
    def test_text_and_bytes(self, tmp_path: Path) -> None:
        write_atomically(tmp_path / "a", "ä\n")
        write_atomically(tmp_path / "b", b"\xff")
        assert (tmp_path / "a").read_bytes() == "ä\n".encode()
        assert (tmp_path / "b").read_bytes() == b"\xff"
        assert {path.name for path in tmp_path.iterdir()} >= {"a", "b"}

    def test_may_be_read_by_whoever_may_read_new_files(self, tmp_path: Path) -> None:
        (tmp_path / "plain").touch()
        write_atomically(tmp_path / "ours", "x")
        modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "ours")]
        assert modes[0] == modes[1]

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").write_text("old")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        write_atomically(tmp_path / "link", "new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_text() == "new"

    def test_a_failure_leaves_the_old_content(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place = tmp_path / "d"
        place.mkdir()
        (place / "a").write_text("old")

        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left") as caught:
            write_atomically(place / "a", "new")
        assert caught.value.filename == str(place / "a")
        assert [path.read_text() for path in place.iterdir()] == ["old"]

    def test_into_a_directory_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError) as caught:
            write_atomically(tmp_path / "no" / "a", "x")
        assert caught.value.filename == str(tmp_path / "no" / "a")

    def test_a_reader_never_sees_half_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        write_atomically(path, "0" * 300_000)
        other = start(f"""
            from pathlib import Path
            from multipede.toolchain import write_atomically
            for i in range(60):
                write_atomically(Path({str(path)!r}), str(i % 10) * 300_000)
        """)
        seen = 0
        while other.poll() is None:
            text = path.read_text()
            assert len(text) == 300_000
            assert set(text) == {text[0]}
            seen += 1
        assert other.returncode == 0
        assert seen > 0
