"""The command that puts published claims beside our figures."""

import argparse
import re
from typing import Any

from multipede.answer import HELD, TOOL_FAILED, Answer

_SHAPE = re.compile(r"(\d+)x(\d+)x(\d+)", re.IGNORECASE)
_OF_RIVALS = {"weight_bits": "--weight-bits", "activation": "--activation", "stages": "--stages"}


def reproduce_command(options: argparse.Namespace) -> Answer:
    from multipede.asic_flow import Constraints
    from multipede.cost_model.reproduction import lut_tensor_core
    from multipede.cost_model.targets import require_options

    constraints = Constraints(clock_period=options.clock_period)
    require_options([options.target], {"constraints": constraints})
    experiment = getattr(lut_tensor_core, options.experiment)
    found = experiment(options.target, constraints=constraints, **_asked(options))
    return (TOOL_FAILED if found.errors else HELD), found.to_dict(), str(found)


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the experiment that were named."""
    from multipede.golden.formats import parse_format

    shapes = tuple(map(_shape, options.shape))
    given = {name: getattr(options, name) for name in _OF_RIVALS}
    given = {name: value for name, value in given.items() if value is not None}
    if options.experiment != "rivals":
        for name in given:
            raise ValueError(f"{_OF_RIVALS[name]} has a meaning for rivals only")
        return {"candidates": shapes} if shapes else {}
    if "activation" in given:
        given["activation"] = parse_format(given["activation"])
    if len(shapes) > 1:
        raise ValueError(f"--shape: rivals have one shape, not {len(shapes)}")
    return given | ({"shape": shapes[0]} if shapes else {})


def _shape(text: str) -> tuple[int, int, int]:
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(f"--shape {text}: rows, columns and lanes are needed, as in 2x64x4")
    rows, columns, lanes = map(int, match.groups())
    return rows, columns, lanes
