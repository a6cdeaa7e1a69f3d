"""The families that calibrations are made of."""

import pytest

from multipede.cost_model.prediction.families import FAMILIES, family_points, read_families
from multipede.cost_model.sweeps.space import Space
from multipede.golden.catalogue import unit_names
from multipede.golden.lmul import LMul

WITHOUT = {"stallable", "inr_network"}
"""which are made of other units, and are told as units that were never seen"""


def test_they_hold_all_units():
    held = {space.unit for spaces in read_families().values() for space in spaces}
    assert held == set(unit_names()) - WITHOUT


@pytest.mark.parametrize("family", sorted(path.stem for path in FAMILIES.glob("*.toml")))
def test_spaces_have_points(family):
    for space in read_families()[family]:
        found = space.sample(4, 1)
        assert 1 <= len(found) <= 4
        assert {spec.unit for spec in found} == {space.unit}


def test_points_are_random_ones_and_the_defaults():
    space = Space("lmul", {"format": ["e4m3", "e5m2", "fp16", "bf16"], "stages": [0, 1, 2]})
    found = family_points([space, space], 5, 1)
    assert len(found) == len({spec.fingerprint for spec in found})
    assert LMul() in found
    assert found == family_points([space, space], 5, 1)
    small = Space("lmul", {"format": ["e4m3"]}, ["format.bits < 9"])
    assert LMul() not in family_points([small], 5, 1)


def test_bad_families(tmp_path):
    with pytest.raises(ValueError, match=r"files FAMILY\.toml with design spaces are needed"):
        read_families(tmp_path)
    for name in ("one", "other"):
        (tmp_path / f"{name}.toml").write_text("[[space]]\nunit = 'lmul'")
    with pytest.raises(ValueError, match="lmul is in one and in other"):
        read_families(tmp_path)
    (tmp_path / "other.toml").write_text("[[space]]\nunit = 'nothing'")
    with pytest.raises(ValueError, match=r"other\.toml"):
        read_families(tmp_path)
