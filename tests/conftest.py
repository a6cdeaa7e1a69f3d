"""What all tests share: Ctrl-C as in a terminal, and Liberty files from outside the repository."""

import os
import signal
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data" / "liberty"

# Tests run side by side, one on each core: threads of their own would wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell starts background jobs with Ctrl-C ignored, and every program that we start and interrupt
# would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a test with many cases that take long, `make test` runs a few of all kinds."""
    cases = defaultdict(list)
    for item in items:
        if item.get_closest_marker("few") and not item.get_closest_marker("regress"):
            cases[item.nodeid.partition("[")[0]].append(item)
    for some in cases.values():
        number = some[0].get_closest_marker("few").args[0]
        for item in set(some) - set(few_of(some, number)):
            item.add_marker(pytest.mark.regress)


def few_of(items, number):
    """Each value of each parameter about as often as its others, from the whole of the list."""
    spread = [items[index * len(items) // number] for index in range(min(number, len(items)))]
    left = [*spread, *(item for item in items if item not in spread)]
    values = {item: [(n, repr(v)) for n, v in item.callspec.params.items()] for item in items}
    chosen, used = [], Counter()
    for _ in spread:
        chosen.append(min(left, key=lambda item: sum(used[value] for value in values[item])))
        left.remove(chosen[-1])
        used.update(values[chosen[-1]])
    return chosen


@pytest.fixture(autouse=True)
def no_evidence(monkeypatch, request):
    """What tests find of planted bugs and odd units is no evidence for `multipede list`."""
    if "evidence" not in request.node.keywords:
        monkeypatch.setattr("multipede.cost_model.evidence.keep", lambda findings: None)


@pytest.fixture(scope="session")
def liberty_file() -> Callable[[str], Path]:
    """The path of a Liberty file by name; skips the test where there is none."""

    def find(name: str) -> Path:
        path = Path(os.environ.get("MULTIPEDE_LIBERTY_DIR", _BESIDE)) / name
        if not path.is_file():
            pytest.skip(f"no {path}: set MULTIPEDE_LIBERTY_DIR to a directory with {name}")
        return path

    return find
