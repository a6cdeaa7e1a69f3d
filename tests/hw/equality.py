"""RTL compared with golden, in as many styles as a test can afford."""

from collections.abc import Sequence

import pytest

from multipede.golden.spec import Spec
from multipede.hw import Style
from multipede.sim.verify import verify

DAILY = 3
"""Specifications that every run compares: together in every style."""


def in_turn(specs: Sequence[Spec]) -> pytest.MarkDecorator:
    """Parameters ``spec`` and ``styles``: the first in two styles, others in one each, in turn;
    those beyond ``DAILY`` in long runs only.

    That saves time; longer tests compare all of them in every style.
    """
    each = tuple(Style)
    styles = [each[:2], *((each[(index + 1) % len(each)],) for index in range(1, len(specs)))]
    cases = [
        pytest.param(*case, marks=pytest.mark.regress if index >= DAILY else (), id=str(case[0]))
        for index, case in enumerate(zip(specs, styles, strict=True))
    ]
    return pytest.mark.parametrize(("spec", "styles"), cases)


def check_equal(spec: Spec, styles: Sequence[Style] = tuple(Style), *, records: int) -> None:
    """Verification passes, and did so in every style with at least so many records."""
    report = verify(spec, styles=styles, records=records)
    report.raise_on_failure()
    assert {check.style for check in report.checks} == {style.value for style in styles}
    assert report.records >= len(styles) * records
