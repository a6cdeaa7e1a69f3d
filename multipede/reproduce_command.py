"""The command that puts published claims beside our figures."""

import argparse
import re
from collections.abc import Callable
from typing import Any

from multipede.answer import HELD, TOOL_FAILED, Answer

EXPERIMENTS = {
    "mixpe": ("headlines", "workloads"),
    "lut_tensor_core": ("headlines", "ablation", "shapes", "rivals", "widths", "workloads"),
    "lmul": ("headlines", "statistics", "costs", "fpga", "embeddings"),
    "quadinr": ("headlines", "costs", "fpga", "images", "video", "network", "tuning"),
    "bitmod": ("headlines", "workloads"),
}
"""unit -> its experiments, the first by default"""

_SHAPE = re.compile(r"(\d+)x(\d+)x(\d+)", re.IGNORECASE)
_TILES = ("lut_tensor_core rivals", "lut_tensor_core widths")
_LUT = ("lut_tensor_core ablation", "lut_tensor_core shapes", *_TILES)
_ON_CELLS = (*_LUT, "lut_tensor_core workloads", "mixpe workloads", "lmul costs", "quadinr costs")
_ON_FPGAS = ("lmul fpga", "quadinr fpga")
_PICTURES = ("quadinr images", "quadinr video")
_OF_IMAGES = (*_PICTURES, "quadinr network")
_TRAINED = (*_OF_IMAGES, "quadinr tuning")
_OPTIONS = {
    "target": ("--target", _ON_CELLS),
    "clock_period": ("--clock-period", _ON_CELLS),
    "shape": ("--shape", _LUT),
    "table_inputs": ("--table-inputs", _LUT),
    "weight_bits": ("--weight-bits", _TILES),
    "activation": ("--activation", _TILES),
    "stages": ("--stages", _TILES),
    "batch": ("--batch", ("mixpe workloads",)),
    "format": ("--format", ("lmul costs", "lmul fpga")),
    "sentences": ("--sentences", ("lmul embeddings",)),
    "bits": ("--bits", ("quadinr costs", "quadinr fpga")),
    "chip": ("--chip", _ON_FPGAS),
    "frequency": ("--frequency", ("quadinr fpga",)),
    "seeds": ("--seeds", _ON_FPGAS),
    "image": ("--image", _OF_IMAGES),
    "size": ("--size", _TRAINED),
    "frames": ("--frames", ("quadinr video",)),
    "iterations": ("--iterations", _TRAINED),
    "hidden": ("--hidden", _TRAINED),
    "layers": ("--layers", _TRAINED),
    "plot": ("--plot", _PICTURES),
}
"""parameter -> its option, and the experiments that have it"""

_CLOCK_PERIOD = {"lut_tensor_core workloads": 4.0, "lmul costs": 4.0, "quadinr costs": 1.5}
_DEFAULT_CLOCK_PERIOD = 2.0


def reproduce_command(options: argparse.Namespace) -> Answer:
    if options.paper is None:
        return _all_headlines()
    name = options.experiment or EXPERIMENTS[options.paper][0]
    if name not in EXPERIMENTS[options.paper]:
        known = ", ".join(EXPERIMENTS[options.paper])
        raise ValueError(f"{options.paper} has no experiment {name!r}: it has {known}")
    given = {
        parameter: getattr(options, parameter)
        for parameter in _OPTIONS
        if getattr(options, parameter) not in (None, [])
    }
    for parameter in given:
        option, experiments = _OPTIONS[parameter]
        if f"{options.paper} {name}" not in experiments:
            meant = [e.removeprefix(f"{options.paper} ") for e in experiments]
            raise ValueError(f"{option} has a meaning for {_listed(meant)} only")
    if name == "headlines":
        from multipede.cost_model.reproduction.headlines import headlines

        found = headlines(options.paper)
        # What is missing is told; it is no failure.
        return HELD, found.to_dict(), str(found)
    found = _EXPERIMENTS[options.paper](name, given)
    return (TOOL_FAILED if found.errors else HELD), found.to_dict(), str(found)


def _all_headlines() -> Answer:
    """Of every paper, with what has no experiment of ours."""
    from multipede.cost_model.reproduction.headlines import PAPERS, headlines

    found = [headlines(paper) for paper in PAPERS]
    return HELD, [one.to_dict() for one in found], "\n\n".join(map(str, found))


def _listed(words: list[str]) -> str:
    """Words as in a sentence."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _lut_tensor_core(name: str, given: dict[str, Any]) -> Any:
    from multipede.cost_model.reproduction import lookup_rivals, lut_tensor_core
    from multipede.golden.formats import parse_format

    experiments = {
        "ablation": lut_tensor_core.ablation,
        "shapes": lut_tensor_core.shapes,
        "rivals": lookup_rivals.rivals,
        "widths": lookup_rivals.widths,
    }
    asked = _on_cells(f"lut_tensor_core {name}", given)
    if name == "workloads":
        from multipede.cost_model.reproduction.lut_tensor_core_workloads import (
            lut_tensor_core_workloads,
        )

        return lut_tensor_core_workloads(**asked)
    shapes = tuple(map(_shape, asked.pop("shape", ())))
    if shapes:
        of_tiles = f"lut_tensor_core {name}" in _TILES
        asked |= {"shape": _only("--shape", shapes)} if of_tiles else {"candidates": shapes}
    if "activation" in asked:
        asked["activation"] = parse_format(asked["activation"])
    if name == "rivals" and "weight_bits" in asked:
        asked["weight_bits"] = _only("--weight-bits", asked["weight_bits"])
    return experiments[name](**asked)


def _mixpe(name: str, given: dict[str, Any]) -> Any:
    from multipede.cost_model.reproduction.mixpe_workloads import mixpe_workloads

    return mixpe_workloads(**_on_cells(f"mixpe {name}", given))


def _bitmod(name: str, given: dict[str, Any]) -> Any:
    from multipede.cost_model.reproduction.bitmod_workloads import bitmod_workloads

    return bitmod_workloads()


def _lmul(name: str, given: dict[str, Any]) -> Any:
    if name == "statistics":
        from multipede.cost_model.reproduction.lmul_statistics import lmul_statistics

        return lmul_statistics()
    if name == "embeddings":
        from multipede.cost_model.reproduction.lmul_embeddings import embeddings

        return embeddings(**given)
    from multipede.golden.formats import parse_format

    asked = dict(given)
    if "format" in asked:
        asked["formats"] = tuple(map(parse_format, asked.pop("format")))
    if name == "fpga":
        from multipede.cost_model.reproduction.lmul_fpga import lmul_fpga

        return lmul_fpga(**asked)
    from multipede.cost_model.reproduction.lmul_costs import lmul_costs

    return lmul_costs(**_on_cells("lmul costs", asked))


def _quadinr(name: str, given: dict[str, Any]) -> Any:
    if name == "costs":
        from multipede.cost_model.reproduction.quadinr_costs import quadinr_costs

        return quadinr_costs(**_on_cells("quadinr costs", given))
    if name == "fpga":
        from multipede.cost_model.reproduction.quadinr_fpga import quadinr_fpga

        return quadinr_fpga(**given)
    from multipede.cost_model.reproduction import quadinr_images, quadinr_network
    from multipede.golden.inr_training import InrTraining
    from multipede.toolchain import write_atomically

    asked, plot = dict(given), given.get("plot")
    asked.pop("plot", None)
    if plot is not None and not plot.parent.is_dir():
        raise ValueError(f"--plot {plot}: {plot.parent} is no directory")
    if plot is not None and plot.suffix.lower() != ".png":
        raise ValueError(f"--plot {plot}: a name that ends in .png is needed")
    trained = {key: asked.pop(key) for key in ("iterations", "hidden", "layers") if key in asked}
    defaults = {
        "images": {"batch": 4096},
        "video": {"batch": 16384},
        "network": {"hidden": 32, "layers": 2, "batch": 4096},
        "tuning": {"iterations": 500, "hidden": 32, "layers": 2},
    }
    asked["training"] = InrTraining(**(defaults.get(name, {}) | trained))
    chosen = asked.pop("image", None)
    if chosen and name == "video":
        asked["name"] = _only("--image", chosen)
    elif chosen:
        asked["names"] = chosen
    experiments = {
        "images": quadinr_images.images,
        "video": quadinr_images.moving_images,
        "network": quadinr_network.networks,
        "tuning": quadinr_images.tuning,
    }
    found = experiments[name](**asked)
    if plot is not None:
        write_atomically(plot, found.draw())
    return found


_EXPERIMENTS: dict[str, Callable[[str, dict[str, Any]], Any]] = {
    "mixpe": _mixpe,
    "lut_tensor_core": _lut_tensor_core,
    "lmul": _lmul,
    "quadinr": _quadinr,
    "bitmod": _bitmod,
}


def _on_cells(experiment: str, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters, target and clock among them."""
    from multipede.asic_flow import Constraints
    from multipede.cost_model.targets import cell_library, require_target

    asked = {"target": "n28"} | given
    default = _CLOCK_PERIOD.get(experiment, _DEFAULT_CLOCK_PERIOD)
    constraints = Constraints(clock_period=asked.pop("clock_period", default))
    require_target(asked["target"])
    if cell_library(asked["target"], None) is None:
        raise ValueError(f"--target {asked['target']}: delays are needed, and n28 has some")
    return asked | {"constraints": constraints}


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
