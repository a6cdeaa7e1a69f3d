"""The command for whole transformers on arrays of tiles."""

import argparse

from multipede.answer import HELD, TOOL_FAILED, Answer
from multipede.options import spec_of

_MEMORY = ("weight_buffer", "activation_buffer", "bits_per_clock", "dram_energy", "sram_energy")
_AREA = 1.0
_TOKENS = 256


def workload_command(options: argparse.Namespace) -> Answer:
    from multipede.asic_flow import Constraints
    from multipede.cost_model.baselines import baselines
    from multipede.cost_model.workload import compare_workload
    from multipede.cost_model.workloads.array import Memory
    from multipede.golden.tile import Tile

    spec = spec_of(options)
    if not isinstance(spec, Tile):
        raise ValueError(f"{spec.unit} is no tile, and only tiles multiply matrices")
    given = {name: getattr(options, name) for name in _MEMORY}
    found = compare_workload(
        baselines(spec) if options.baselines else {spec.unit: spec},
        options.transformer,
        options.phase,
        _tokens(options),
        batch=options.batch,
        area=_AREA if options.area is None and options.rate is None else options.area,
        rate=options.rate,
        target=options.target or ("n28" if options.liberty is None else "gates"),
        liberty=options.liberty,
        constraints=Constraints(clock_period=options.clock_period),
        memory=Memory(**{name: value for name, value in given.items() if value is not None}),
        cache_bits=options.cache_bits,
    )
    return (TOOL_FAILED if found.errors else HELD), found.to_dict(), str(found)


def _tokens(options: argparse.Namespace) -> int:
    from multipede.cost_model.workloads.transformers import transformer

    if options.tokens is not None:
        return options.tokens
    shape = transformer(options.transformer)
    return min(_TOKENS, shape.positions or _TOKENS)
