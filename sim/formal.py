"""Formal verification: what can be proved of a unit, within a budget, and what is left out."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from multipede.golden.formats import Float, Integer
from multipede.golden.integer_multiplier import IntegerMultiplier
from multipede.golden.integer_tile import IntegerTile
from multipede.golden.lut_tensor_core import LutTensorCore
from multipede.golden.number_format import require_range, require_type
from multipede.golden.rounded_operation import RoundedOperation
from multipede.golden.second_level_dequantiser import SecondLevelDequantiser
from multipede.golden.serial_tile import SerialTile
from multipede.golden.spec import Spec
from multipede.golden.stallable import Stallable
from multipede.hw import Style
from multipede.hw.style import checked_styles
from multipede.sim.formal_adders import adder_obligations, adder_widths
from multipede.sim.formal_lookups import lookups_against_naive, one_table
from multipede.sim.formal_pipelines import pipeline, styles_alike
from multipede.sim.formal_plans import conservation
from multipede.sim.formal_products import product_against_naive, provable_product
from multipede.sim.formal_report import ProofReport
from multipede.sim.formal_solver import Obligation, discharge
from multipede.sim.formal_stalls import carrier, stalls
from multipede.sim.formal_tables import small_formats, unit_against_table
from multipede.sim.formal_tiles import NARROW, PRODUCT, narrow, one_lane, tile_against_naive
from multipede.sim.limits import require_budget
from multipede.sim.stimulus import random_records
from multipede.sim.verilog import verilog_of
from multipede.toolchain import find
from multipede.toolchain.find import format_version

__all__ = ["obligations", "prove"]

BUDGET = 60.0
DEPTH = 5


def prove(
    spec: Spec,
    *,
    styles: Sequence[Style] | None = None,
    budget: float = BUDGET,
    depth: int = DEPTH,
    waveform: bool = True,
) -> ProofReport:
    """Prove what can be proved of the unit's RTL.

    Of every unit: each bit heap's plan keeps the sum (in Python, on the plans from which the RTL
    is written), and the adder modules add. By kind of unit: one lane of a tile with integer
    activations does what a naive tile does; a floating-point unit of small formats gives what a
    table of the reference gives; styles agree; register ranks change nothing but the latency;
    ``Stallable`` loses, repeats and reorders nothing. The report says what is left out.

    Parameters
    ----------
    spec : the unit.
    styles : styles of RTL, by default all.
    budget : seconds for each proof; one that takes longer is NOT PROVED, which is no pass.
    depth : clocks that bounded proofs look at beyond the unit's latency (and, of ``Stallable``,
        beyond the time to fill and to empty its queue), 1 to 1000.
    waveform : whether to write a VCD waveform of each counterexample into the cache.

    Returns
    -------
    ProofReport
        Its ``passed`` is True only if there were proofs and all of them succeeded.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range.
    ToolError
        If Yosys is missing or fails.
    """
    if not isinstance(spec, Spec):
        raise TypeError(f"spec must be a specification, not {spec!r}")
    require_budget(budget)
    require_range("depth", depth, 1, 1000)
    require_type("waveform", waveform, bool)
    chosen = checked_styles(styles)
    yosys = find("yosys")
    began = time.monotonic()
    proofs = []
    for style in chosen:
        proofs.append(conservation(spec, style))
        proofs += [
            discharge(obligation, budget=float(budget), waveform=waveform)
            for obligation in obligations(spec, style, depth=depth)
        ]
    return ProofReport(
        spec=spec,
        proofs=tuple(proof for proof in proofs if proof is not None),
        limits=tuple(_limits(spec)),
        tools={"yosys": format_version("yosys", yosys.version)},
        seconds=time.monotonic() - began,
    )


def obligations(spec: Spec, style: Style, *, depth: int = DEPTH) -> Iterator[Obligation]:
    """What the solver is asked about a unit in a style."""
    if style is not Style.WORD:
        yield from adder_obligations(adder_widths(verilog_of(spec, style)), style.value)
    inside = spec.inside if isinstance(spec, Stallable) else spec
    if isinstance(inside, RoundedOperation):
        yield unit_against_table(small_formats(inside), style)
    if isinstance(inside, IntegerMultiplier):
        yield product_against_naive(provable_product(inside), style)
    if isinstance(inside, LutTensorCore) and not inside.is_float:
        table = one_table(inside)
        yield lookups_against_naive(table, style)
        yield from _ranks(replace(table, stages=inside.stages), style, depth, False)
    sums = _integer_tile(inside)
    if sums is not None:
        yield tile_against_naive(one_lane(sums), style)
        yield from _ranks(narrow(replace(one_lane(sums), stages=sums.stages)), style, depth, True)
    elif inside.always_ready and not inside.stallable and _has_no_state(inside):
        yield from _ranks(_comparable(inside), style, depth, False)
    if isinstance(spec, Stallable):
        yield from _stalls(spec, sums, style, depth)


def _integer_tile(spec: Spec) -> IntegerTile | None:
    """The tile of group sums of a unit that is or holds one with integer activations, and takes
    a record in every clock."""
    if isinstance(spec, SerialTile):
        return None
    if isinstance(spec, IntegerTile) and isinstance(spec.activation, Integer):
        return spec.group_tile
    return None


def _comparable(spec: Spec) -> Spec:
    """The unit, with smaller formats where products in two forms are too large for the solver."""
    if isinstance(spec, IntegerMultiplier):
        return replace(provable_product(spec), stages=spec.stages)
    if isinstance(spec, SecondLevelDequantiser) and spec.d.bits * spec.scale.bits > PRODUCT:
        scale, d = (
            min(limit, f.bits) for limit, f in zip(NARROW, (spec.scale, spec.d), strict=True)
        )
        small = {"d": Integer(d, spec.d.signed), "scale": Integer(scale, spec.scale.signed)}
        return replace(spec, **small, sum=None)
    multiplies = isinstance(spec, RoundedOperation) and "multiply" in spec.operation
    if multiplies and _significand(spec.operands, spec) > PRODUCT:
        return replace(small_formats(spec), stages=spec.stages)
    return spec


def _significand(operands: Sequence[str], spec: RoundedOperation) -> int:
    """Bits of the first factor's significand times bits of the second one's."""
    bits = 1
    for number_format in (getattr(spec, name) for name in operands[:2]):
        whole = number_format.mantissa_bits + 1 if isinstance(number_format, Float) else None
        bits *= whole or number_format.bits
    return bits


def _has_no_state(spec: Spec) -> bool:
    """Whether the reference keeps nothing from one record to the next."""
    import torch

    record = random_records(spec, 1, seed=1)
    tensors = {name: torch.from_numpy(array) for name, array in record.items()}
    return spec.reference(None, **tensors)[1] is None


def _ranks(spec: Spec, style: Style, depth: int, stateful: bool) -> Iterator[Obligation]:
    """Register ranks, and the style beside WORD."""
    cut = pipeline(spec, style, depth=depth, stateful=stateful)
    if cut is not None:
        yield cut
    if style is not Style.WORD:
        yield styles_alike(spec, style, Style.WORD, depth=depth, stateful=stateful)


def _stalls(
    spec: Stallable, sums: IntegerTile | None, style: Style, depth: int
) -> Iterator[Obligation]:
    plain = carrier(spec.inside.latency)
    if plain is not None:
        yield stalls(plain, style, depth=depth)
    if sums is not None:
        # A record may give no result there; what the sums are does not matter.
        small = replace(narrow(one_lane(sums), weight=1), zero_point=False)
        yield stalls(small, style, depth=depth)


def _limits(spec: Spec) -> Iterator[str]:
    """What is not proved, in words."""
    inside = spec.inside if isinstance(spec, Stallable) else spec
    sums = _integer_tile(inside)
    if sums is not None:
        yield (
            "two lanes and more: sums of two products in different trees are beyond these solvers;"
            " weight conservation and simulation cover them"
        )
        small = one_lane(sums)
        if (small.weight, small.activation) != (sums.weight, sums.activation):
            yield f"products of {sums.weight} x {sums.activation}: too large, narrower ones tried"
        kept = ("group", "stages", "accumulator")
        if any(getattr(small, name) != getattr(sums, name) for name in kept):
            yield (
                f"groups of {sums.group}, {sums.stages} stages, {sums.result} accumulators: the"
                f" lane has groups of {small.group}, {small.stages} stage and {small.result}"
            )
        if inside.is_dequantised:
            yield "the dequantising half: by simulation only, its plans apart"
    elif isinstance(inside, IntegerMultiplier):
        small = provable_product(inside)
        if small.inputs != inside.inputs:
            yield f"products of {inside.a} x {inside.b}: too large, narrower ones tried"
    elif isinstance(inside, RoundedOperation):
        small = small_formats(inside)
        if small.inputs != inside.inputs or small.result != inside.result:
            yield "a table of these formats: too large, smaller formats of their kind tried"
    elif isinstance(inside, LutTensorCore) and not inside.is_float:
        table = one_table(inside)
        yield (
            f"more than one table of {table.weight} x {table.activation}, planes in turn, sums of"
            " records: by simulation only, plans and adders apart"
        )
    elif not (inside.always_ready and not inside.stallable and _has_no_state(inside)):
        yield f"what {inside.unit} computes: by simulation only, its plans and adders apart"
    if sums is None and _comparable(inside).inputs != inside.inputs:
        yield "styles and register ranks in these formats: products too large, smaller tried"
    if isinstance(spec, Stallable) and carrier(inside.latency) is None:
        yield f"stalls around a latency of {inside.latency}: at most 16"
