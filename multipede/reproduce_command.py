"""The command that puts published claims beside our figures."""

import argparse
import re
from typing import Any

from multipede.answer import HELD, TOOL_FAILED, Answer

_SHAPE = re.compile(r"(\d+)x(\d+)x(\d+)", re.IGNORECASE)
_OF_RIVALS = {"weight_bits": "--weight-bits", "activation": "--activation", "stages": "--stages"}


def reproduce_command(options: argparse.Namespace) -> Answer:
    from multipede.asic_flow import Constraints
    from multipede.cost_model.reproduction import lookup_rivals, lut_tensor_core
    from multipede.cost_model.targets import cell_library, require_target

    constraints = Constraints(clock_period=options.clock_period)
    require_target(options.target)
    if cell_library(options.target, None) is None:
        raise ValueError(f"--target {options.target}: delays are needed, and n28 has some")
    experiments = {
        "ablation": lut_tensor_core.ablation,
        "shapes": lut_tensor_core.shapes,
        "rivals": lookup_rivals.rivals,
        "widths": lookup_rivals.widths,
    }
    experiment = experiments[options.experiment]
    found = experiment(options.target, constraints=constraints, **_asked(options))
    return (TOOL_FAILED if found.errors else HELD), found.to_dict(), str(found)


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the experiment that were named."""
    from multipede.golden.formats import parse_format

    shapes = tuple(map(_shape, options.shape))
    tables = {"table_inputs": options.table_inputs}
    given = {name: getattr(options, name) for name in _OF_RIVALS}
    given = {name: value for name, value in given.items() if value is not None}
    if options.experiment in ("ablation", "shapes"):
        for name in given:
            raise ValueError(f"{_OF_RIVALS[name]} has a meaning for rivals and widths only")
        return tables | ({"candidates": shapes} if shapes else {})
    if "activation" in given:
        given["activation"] = parse_format(given["activation"])
    if options.experiment == "rivals" and "weight_bits" in given:
        given["weight_bits"] = _only("--weight-bits", given["weight_bits"])
    return tables | given | ({"shape": _only("--shape", shapes)} if shapes else {})


def _only(option: str, values: list[Any] | tuple[Any, ...]) -> Any:
    if len(values) > 1:
        raise ValueError(f"{option}: one is needed, not {len(values)}")
    return values[0]


def _shape(text: str) -> tuple[int, int, int]:
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(f"--shape {text}: rows, columns and lanes are needed, as in 2x64x4")
    rows, columns, lanes = map(int, match.groups())
    return rows, columns, lanes
