"""Errors with a factor that was fitted to others, by hand."""

import pytest

from multipede.cost_model.leave_one_out import scale_errors


def test_three_figures_by_hand():
    """Published over ours: 1, 2 and 4. The others' geometric means: sqrt 8, 2 and sqrt 2."""
    errors = scale_errors([3.0, 10.0, 28.0], [3.0, 5.0, 7.0])
    assert errors.plain == pytest.approx([0.0, -0.5, -0.75])
    assert errors.factor == pytest.approx(2.0)
    assert errors.fitted == pytest.approx([1.0, 0.0, -0.5])
    assert errors.left_out == pytest.approx([8**0.5 - 1, 0.0, 2**0.5 / 4 - 1])
    assert errors.medians == pytest.approx(
        {"plain": 0.5, "fitted": 0.5, "left_out": 1 - 2**0.5 / 4}
    )
    assert errors.to_dict()["medians"] == errors.medians


def test_a_common_factor_is_found_and_leaves_no_error():
    errors = scale_errors([2.0, 4.0, 6.0, 16.0], [1.0, 2.0, 3.0, 8.0])
    assert errors.factor == pytest.approx(2.0)
    assert errors.left_out == pytest.approx([0.0] * 4)
    assert errors.medians["plain"] == pytest.approx(0.5)


def test_another_unit_changes_the_factor_alone():
    published, ours = [120.0, 500.0, 130.0, 460.0], [121.0, 416.0, 151.0, 399.0]
    one, other = scale_errors(published, ours), scale_errors(published, [3 * x for x in ours])
    assert other.factor == pytest.approx(one.factor / 3)
    assert other.left_out == pytest.approx(one.left_out)


@pytest.mark.parametrize(
    ("published", "ours"), [([1.0], [1.0]), ([1.0, 2.0], [1.0]), ([1.0, 0.0], [1.0, 1.0])]
)
def test_wrong_figures_are_refused(published, ours):
    with pytest.raises(ValueError, match="published"):
        scale_errors(published, ours)
