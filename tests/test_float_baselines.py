"""The baselines of the floating-point units are right themselves: a wrong unit is easily small."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from benchmarks.float_area import PAIRS
from multipede.golden.formats import FP16, FP32, Float
from multipede.golden.multiplier_tile import PartialProducts
from multipede.golden.rounded_operation import RoundedOperation
from multipede.hw import Style
from multipede.hw.arithmetic.adders import adders_verilog
from multipede.hw.hierarchy import to_rtlil
from multipede.hw.unit import payload_layout
from multipede.sim.verify import verify
from multipede.toolchain.yosys import run_yosys


class Streamed(wiring.Component):
    """A baseline with the streams of the unit that it is compared with."""

    def __init__(self, spec: RoundedOperation, baseline: wiring.Component):
        self.spec, self.baseline = spec, baseline
        super().__init__(
            {
                "i": In(stream.Signature(payload_layout(spec.inputs), always_ready=True)),
                "o": Out(stream.Signature(payload_layout(spec.outputs), always_ready=True)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.baseline = self.baseline
        m.d.comb += self.o.valid.eq(self.i.valid)
        m.d.comb += self.o.payload[self.spec.result_port].eq(self.baseline.result)
        for name in self.spec.inputs:
            m.d.comb += getattr(self.baseline, name).eq(self.i.payload[name])
        return m


def verilog_of_baseline(spec: RoundedOperation, number_format: Float, rows) -> str:
    component = Streamed(spec, PAIRS[type(spec)](number_format, Style.CELLS, rows))
    result = run_yosys(
        "read_rtlil unit.il; proc; write_verilog -noattr unit.v",
        files={"unit.il": to_rtlil(component, spec.unit)},
        outputs=["unit.v"],
    )
    return "/* verilator lint_off WIDTH */\n" + result.outputs["unit.v"] + adders_verilog()


@pytest.mark.few(5)
@pytest.mark.parametrize(
    "number_format",
    [FP16, pytest.param(FP32, marks=pytest.mark.regress), Float(4, 3), Float(3, 2)],
    ids=str,
)
@pytest.mark.parametrize("unit", PAIRS, ids=lambda unit: unit.unit)
def test_baselines_equal_the_reference(unit, number_format):
    formats = dict.fromkeys((*unit.operands, "result"), number_format)
    spec = unit(**formats, stages=0)
    kinds = list(PartialProducts)[: 1 if unit.operation == "add" else 2]
    texts = {rows.value: verilog_of_baseline(spec, number_format, rows) for rows in kinds}
    verify(spec, verilog=texts, records=200_000).raise_on_failure()
