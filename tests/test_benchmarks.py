"""Targets are missed when the figure is on the wrong side, and the run then fails."""

from types import SimpleNamespace

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.target import Target


@pytest.mark.parametrize(
    ("value", "at_least", "reached"),
    [(2.0, False, True), (2.1, False, False), (2.0, True, True), (1.9, True, False)],
)
def test_target(value, at_least, reached):
    target = Target("a figure", value, 2.0, "s", "by hand", at_least)
    assert target.reached is reached
    assert ("MISSED" in str(target)) is not reached


@pytest.mark.parametrize(("value", "status"), [(1.0, 0), (3.0, 1)])
def test_a_missed_target_fails_the_run(monkeypatch, capsys, value, status):
    page = SimpleNamespace(measure=lambda: [Target("a figure", value, 2.0, "s", "by hand")])
    for name in (
        "lmul_product",
        "simulation",
        "cocotb_speed",
        "build",
        "lookup_tile",
        "matrix_reference",
        "nangate45",
        "float_area",
        "sweeps",
    ):
        monkeypatch.setattr(benchmarks, name, page)
    assert benchmarks.main() == status
    assert "a figure" in capsys.readouterr().out
