"""What LibreLane's own package makes of a configuration, without a process design kit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from librelane.common import Path as FlowPath
from librelane.config import Config, universal_flow_config_variables
from librelane.flows import Flow


def loaded(configuration: Path) -> Config:
    """The configuration for its Classic flow, each variable checked.

    Raises librelane's InvalidConfig for variables that it does not know, wrong kinds of values and
    files that are not there.
    """
    flow = Flow.factory.get("Classic")
    variables = [*universal_flow_config_variables, *flow.config_vars]
    variables += [variable for step in flow.Steps for variable in step.config_vars]
    known = {variable.name: variable for variable in variables}
    kit = {
        name: _stand_in(variable.type, configuration)
        for name, variable in known.items()
        if variable.pdk and not variable.optional and variable.default is None
    }
    kit["PDK"] = "sky130A"
    found, _ = Config.load(
        [kit, str(configuration)],
        list(known.values()),
        pdk_root=str(configuration.parent),
        _load_pdk_configs=False,
    )
    return found


def _stand_in(kind: Any, file: Path) -> Any:
    """Some value of this kind, for what the kit would say."""
    if get_origin(kind) is list:
        return [_stand_in(get_args(kind)[0], file)]
    if get_origin(kind) in (dict, Mapping):
        return {"any": _stand_in(get_args(kind)[1], file)}
    if kind is FlowPath:
        return str(file)
    return "any" if kind is str else 1
