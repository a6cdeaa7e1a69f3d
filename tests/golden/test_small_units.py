"""Every unit of the catalogue has a small one."""

import pytest

from multipede.golden.catalogue import unit, unit_names
from multipede.golden.fixed_function import FixedFunction
from multipede.golden.inr_network import InrNetwork
from multipede.golden.small_units import small_unit
from multipede.golden.stallable import Stallable
from multipede.golden.tile import Tile


@pytest.mark.parametrize("name", unit_names())
def test_it_is_one_of_the_unit_and_small(name):
    spec = small_unit(name)
    assert type(spec) is unit(name)
    core = spec.computation
    if isinstance(core, Tile):
        assert (core.rows, core.columns, core.lanes) == (1, 2, max(2, core.least_lanes))
    elif isinstance(core, FixedFunction):
        whole = unit(name)()
        for port, wide in ((p, getattr(whole, p)) for p in (*core.arguments, "result")):
            assert getattr(core, port).bits == 10
            assert getattr(core, port).minimum == wide.minimum
    elif isinstance(core, InrNetwork):
        assert (core.width, core.depth, core.lanes) == (4, 1, 2)
    else:
        assert spec == unit(name)()
    assert isinstance(spec, Stallable) == (name == "stallable")


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="there is no unit 'mixpee'"):
        small_unit("mixpee")
