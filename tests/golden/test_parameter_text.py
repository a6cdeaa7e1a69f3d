"""What `show` says of parameters: read from docstrings, complete, the nearest class first."""

from dataclasses import dataclass, fields

import pytest

from multipede.golden.catalogue import unit, unit_names
from multipede.golden.mixpe import MixPE
from multipede.golden.multiplier_tile import MultiplierTile
from multipede.golden.parameter_text import parameter_texts


@pytest.mark.parametrize("name", unit_names())
def test_every_parameter_of_every_unit_is_explained(name):
    texts = parameter_texts(unit(name))
    assert list(texts) == [field.name for field in fields(unit(name))]
    assert [p for p, text in texts.items() if not text or text.startswith(" (")] == []
    assert not any("---" in text or "Raises" in text for text in texts.values())


def test_the_nearest_class_speaks_and_bases_fill_in():
    mixpe, multiplier = parameter_texts(MixPE), parameter_texts(MultiplierTile)
    assert mixpe["weight"] == "integer format of 1 to 8 bits, signed or unsigned."
    assert multiplier["weight"] == multiplier["activation"]
    assert multiplier["weight"].startswith("integer formats of 1 to 16 bits")
    rows = multiplier["partial_products"]
    assert "one for two bits of the weight" in rows
    assert rows.endswith("(baugh-wooley, booth, inferred)")
    assert mixpe["accumulation"].endswith("(exact, aligned)")
    assert mixpe["group"] == multiplier["group"] != ""


def test_other_sections_and_missing_texts():
    @dataclass
    class Bare:
        width: int = 1
        depth: int = 2

    Bare.__doc__ = """Title.

    Parameters
    ----------
    width : of it,
        in bits.

    Raises
    ------
    depth : no parameter, but an error.
    """
    assert parameter_texts(Bare) == {"width": "of it, in bits.", "depth": ""}
