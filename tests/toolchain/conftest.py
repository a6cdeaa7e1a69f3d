"""What the tests of this room share: a cache of their own, and tools that are not what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from multipede.toolchain import find

FakeTool = Callable[[str, str], Path]


@pytest.fixture
def private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache that only this test uses."""
    path = tmp_path / "cache"
    monkeypatch.setenv("MULTIPEDE_CACHE", str(path))
    return path


@pytest.fixture
def fake_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTool:
    """Makes shell scripts that stand on a PATH that holds nothing else."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.delenv("CXX", raising=False)

    def make(name: str, body: str) -> Path:
        path = directory / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def no_wheels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python in which no tool's wheel is installed."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


@pytest.fixture(autouse=True)
def forget_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test searches anew."""
    module = __import__("sys").modules[find.__module__]
    monkeypatch.setattr(module, "_found", {})
