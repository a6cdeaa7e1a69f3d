"""What options mean: specifications, styles, constraints."""

import argparse
from enum import Enum
from pathlib import Path
from tempfile import TemporaryFile

__all__ = ["check_output", "constraints_of", "limits_of", "member_of", "spec_of", "style_of"]


def check_output(output: Path | None, *endings: str) -> None:
    """ValueError for a file that cannot be written, or whose name has another ending: told before
    anything is measured for it."""
    if output is None:
        return
    if output.suffix not in endings:
        raise ValueError(f"--output {output}: a name that ends in {' or '.join(endings)}")
    if not output.parent.is_dir():
        raise ValueError(f"--output {output}: there is no directory {output.parent}")
    if output.is_dir():
        raise ValueError(f"--output {output}: this is a directory")
    try:
        with TemporaryFile(dir=output.parent):
            pass
    except OSError as error:
        raise ValueError(f"--output {output}: {output.parent}: {error.strerror}") from None


def constraints_of(options: argparse.Namespace):
    """Constraints as given; None if there are none."""
    from multipede.asic_flow import Constraints

    names = ("clock_period", "fastest", "driver", "output_load", "wire_load", "time_limit")
    given = {name: getattr(options, name) for name in names}
    given = {
        name: value for name, value in given.items() if value is not None and value is not False
    }
    return Constraints(**given) if given else None


def limits_of(options: argparse.Namespace):
    """Limits on a point, the usual ones where none are given."""
    from multipede.cost_model.sweeps.worker import Limits

    given = {"seconds": options.seconds, "megabytes": options.megabytes}
    return Limits(**{name: bound for name, bound in given.items() if bound is not None})


def spec_of(options: argparse.Namespace, name: str | None = None):
    """The unit of this name, by default the one that was asked for, with the parameters given."""
    from multipede.golden.catalogue import unit
    from multipede.golden.stallable import Stallable

    parameters = {}
    for setting in options.parameter:
        parameter, equals, value = setting.partition("=")
        if not equals:
            raise ValueError(f"parameter {setting!r}: write it as NAME=VALUE")
        if parameter in parameters:
            raise ValueError(f"parameter {parameter!r} is given twice")
        parameters[parameter] = value
    spec = unit(name or options.unit).from_parameters(parameters)
    return Stallable(inside=spec) if options.stallable else spec


def style_of(name: str | None):
    from multipede.hw import Style

    return None if name is None else Style.parse(name)


def member_of(kind: type[Enum], what: str, value: str | None):
    """The member of this value, or None for none."""
    known = [member.value for member in kind]
    if value is not None and value not in known:
        raise ValueError(f"{what} {value!r}: allowed are {', '.join(known)}")
    return None if value is None else kind(value)
