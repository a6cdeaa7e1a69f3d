"""A unit in words: its parameters, ports, pace and operators."""

import textwrap
from typing import Any

from multipede.golden.parameter_text import parameter_texts
from multipede.golden.spec import Spec
from multipede.hw import Style, inventory

__all__ = ["shown"]


def shown(spec: Spec) -> tuple[dict[str, Any], str]:
    """The document and the text of a unit."""
    ports = {
        direction: {
            name: {
                "format": port.format.name,
                "shape": list(port.shape),
                "bits": port.bits,
                "meaning": port.meaning,
            }
            for name, port in getattr(spec, direction).items()
        }
        for direction in ("inputs", "outputs")
    }
    document = spec.to_dict() | ports
    document |= {
        "meaning": parameter_texts(type(spec.computation)),
        "kind": spec.kind.value,
        "title": spec.title,
        "source": spec.source,
        "latency": spec.latency,
        "latency_is": "exact" if spec.always_ready else "least",
        "initiation_interval": spec.initiation_interval,
        "operations": dict(spec.operations),
        "fingerprint": spec.fingerprint,
        "inventory": {style.value: dict(inventory(spec, style=style)) for style in Style},
    }
    return document, _text(spec, document)


def _text(spec: Spec, document: dict[str, Any]) -> str:
    core = spec.computation
    lines = [f"{core.unit}: {core.title}", f"source: {core.source}"]
    lines += [f"{spec.unit}: {spec.title}"] * (spec is not core)
    lines += ["", "parameters"]
    rows = [
        [name, str(value).lower() if isinstance(value, bool | None) else str(value), meaning]
        for (name, value), meaning in zip(
            core.to_dict()["parameters"].items(), document["meaning"].values(), strict=True
        )
    ]
    lines += _columns(rows)
    for direction in ("inputs", "outputs"):
        rows = [
            [name, port["format"], _array(port["shape"]), f"{port['bits']} bits", port["meaning"]]
            for name, port in document[direction].items()
        ]
        lines += ["", direction, *_columns(rows)]
    least = "" if spec.always_ready else "at least "
    clocks = spec.initiation_interval
    pace = "every clock" if clocks == 1 else f"every {clocks} clocks"
    lines += [
        "",
        f"latency {least}{spec.latency} clock{'s' * (spec.latency != 1)}, one record {pace}",
    ]
    lines += [f"{number} {name} per record" for name, number in spec.operations.items()]
    lines += ["", "operators, in bits"]
    rows = [
        [style, ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items()))]
        for style, counts in document["inventory"].items()
    ]
    return "\n".join(lines + _columns(rows))


def _array(shape: list[int]) -> str:
    return " x ".join(map(str, shape)) or "-"


def _columns(rows: list[list[str]]) -> list[str]:
    """Rows under one another, as wide as they must be; the last column is wrapped."""
    widths = [max(map(len, column)) + 2 for column in list(zip(*rows, strict=True))[:-1]]
    indent = " " * (2 + sum(widths))
    lines = []
    for *cells, text in rows:
        start = "  " + "".join(f"{cell:{w}}" for cell, w in zip(cells, widths, strict=True))
        lines += textwrap.wrap(
            text.replace("``", ""),
            max(98, len(indent) + 40),
            initial_indent=start,
            subsequent_indent=indent,
        ) or [start.rstrip()]
    return lines
