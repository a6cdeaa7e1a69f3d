"""The ring changes nothing of a unit and leaves nothing of it out."""

import pytest

from multipede.fpga.register_ring import TOP, register_ring_rtlil, ring_registers
from multipede.fpga.resources import resources, resources_of_rtlil
from multipede.golden.formats import INT5, UINT3
from multipede.golden.mixpe import MixPE
from multipede.golden.quadinr import QuadINR
from multipede.golden.small_units import small_unit
from multipede.hw import Style

TILE = MixPE(weight=UINT3, activation=INT5, group=8, rows=1, columns=2, lanes=2)


@pytest.mark.few(2)
@pytest.mark.parametrize("style", [Style.WORD, Style.CELLS], ids=lambda style: style.value)
@pytest.mark.parametrize("spec", [TILE, QuadINR(stages=3)], ids=lambda spec: spec.unit)
def test_its_registers_are_beside_the_unit_s(spec, style):
    ring = resources_of_rtlil(register_ring_rtlil(spec, style), top=TOP, device="ecp5")
    alone = resources(spec, style=style)
    assert ring.ff - ring_registers(spec) == alone.ff
    # One exclusive or for each bit that comes out, and nothing else.
    out = 1 + sum(port.bits for port in spec.outputs.values())
    assert ring.lut - alone.lut == out


def test_a_unit_with_ready_on_both_sides():
    spec = small_unit("inr_network")
    ring = resources_of_rtlil(register_ring_rtlil(spec, Style.WORD), top=TOP, device="ecp5")
    into = 2 + sum(port.bits for port in spec.inputs.values())
    out = 2 + sum(port.bits for port in spec.outputs.values())
    assert ring_registers(spec) == into + 2 * out
    assert ring.ff - resources(spec).ff == ring_registers(spec)
