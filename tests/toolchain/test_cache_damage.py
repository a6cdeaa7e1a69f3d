"""Damage in the cache is noticed and mended, and a result is on the disk before it is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from multipede.toolchain import cached

pytestmark = pytest.mark.usefixtures("private_cache")


def truncate(place: Path) -> None:
    (place / "inner/data").write_text("0" * 50)


def empty(place: Path) -> None:
    (place / "inner/data").write_text("")


def alter(place: Path) -> None:
    (place / "inner/data").write_text("0" * 99 + "1")


def lose(place: Path) -> None:
    (place / "inner/data").unlink()


def turn_into_a_file(place: Path) -> None:
    shutil.rmtree(place)
    place.touch()


def bend_the_link(place: Path) -> None:
    (place / "link").unlink()
    (place / "link").symlink_to("elsewhere")


def garble(content: str):
    return lambda place: (place / ".manifest").write_text(content)


DAMAGES = (truncate, empty, alter, lose, turn_into_a_file, bend_the_link, shutil.rmtree)
GARBLED = tuple(map(garble, ["", "7", "[1]", '["x"]', '{"inner": "x"}', "{", '{"a\\u0000": "x"}']))


def build(place: Path) -> None:
    (place / "inner").mkdir()
    (place / "inner/data").write_text("0" * 100)
    (place / "link").symlink_to("inner")


@pytest.mark.parametrize("damage", [*DAMAGES, *GARBLED])
def test_damage_is_noticed_and_mended(private_cache: Path, damage) -> None:
    place = cached("kind", "k", build)
    assert cached("kind", "k", lambda _: pytest.fail("built again")) == place
    damage(place)
    assert cached("kind", "k", build) == place
    assert (place / "inner/data").read_text() == "0" * 100
    assert list((private_cache / "kind").iterdir()) == [place]
    assert cached("kind", "k", lambda _: pytest.fail("built again")) == place


def test_damage_is_mended_once_by_many(tmp_path: Path) -> None:
    truncate(cached("kind", "k", build))
    code = f"""
import time
from multipede.toolchain import cached
def build(place):
    open({str(tmp_path / "count")!r}, "a").write("x")
    time.sleep(0.3)
    (place / "file").write_text("whole")
print((cached("kind", "k", build) / "file").read_text())
"""
    command = [sys.executable, "-c", code]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [other.communicate(timeout=30)[0] for other in others] == ["whole\n"] * 3
    assert (tmp_path / "count").read_text() == "x"


def test_what_another_program_adds_does_no_harm() -> None:
    place = cached("kind", "k", build)
    (place / "added").touch()
    assert cached("kind", "k", lambda _: pytest.fail("built again")) == place


def test_everything_is_on_the_disk_before_it_is_there(
    private_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: dict[str, bool] = {}
    sync = os.fsync

    def watched(descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        synced[path.partition("/kind")[2]] = (private_cache / "kind/k").exists()
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    cached("kind", "k", build)
    inside = f"/.k.{os.getpid()}"
    before = [name for name, published in synced.items() if not published]
    parts = ("", "/.manifest", "/inner", "/inner/data")
    assert set(before) >= {inside + part for part in parts}
    assert synced[""] is True
