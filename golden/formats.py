"""Number formats: what the codes on a port mean.

`Integer`, `FixedPoint`, `Float` and `Codebook` describe a format by a handful of parameters;
the constants name those in common use. See `Format` for what each can do, `Rounding` and
`Overflow` for what happens to values in between and beyond.

Sources: IEEE 754-2019 (FP32, FP16), OCP 8-bit Floating Point Specification 1.0 (E4M3, E5M2),
OCP Microscaling Formats Specification 1.0 (E2M1, E2M3, E3M2, E8M0), NVIDIA's block scale UE4M3
(E4M3 without the sign bit, hence 7 bits), and UE5M3 with bias 15, whose code of all ones is NaN.
Public code also reserves the whole highest exponent of UE5M3: that is
`Float(5, 3, signed=False, specials=Specials.IEEE)`.

INT1 holds 0 and -1; BINARY holds -1 (code 0) and +1 (code 1); TERNARY is two's complement in
two bits without -2 (code 2). ODD2 to ODD8 hold the odd integers from 1 - 2**bits to 2**bits - 1,
the lowest as code 0; BINARY is the first of them.
"""

import re
from collections.abc import Mapping
from typing import Any

from multipede.golden.codebook import (
    BINARY,
    NAMED_CODEBOOKS,
    ODD,
    ODD2,
    ODD3,
    ODD4,
    ODD5,
    ODD6,
    ODD7,
    ODD8,
    TERNARY,
    Codebook,
)
from multipede.golden.float_format import (
    BF16,
    E2M1,
    E2M3,
    E3M0,
    E3M2,
    E4M3,
    E5M2,
    E8M0,
    FP16,
    FP32,
    NAMED_FLOATS,
    TF32,
    UE4M3,
    UE5M3,
    Float,
    Specials,
)
from multipede.golden.integer_format import FixedPoint, Integer
from multipede.golden.number_format import Format
from multipede.golden.rounding import Overflow, Rounding

(
    INT1, INT2, INT3, INT4, INT5, INT6, INT7, INT8,
    INT9, INT10, INT11, INT12, INT13, INT14, INT15, INT16,
) = (Integer(bits) for bits in range(1, 17))  # fmt: skip
(
    UINT1, UINT2, UINT3, UINT4, UINT5, UINT6, UINT7, UINT8,
    UINT9, UINT10, UINT11, UINT12, UINT13, UINT14, UINT15, UINT16,
) = (Integer(bits, signed=False) for bits in range(1, 17))  # fmt: skip

NAMED_FORMATS: dict[str, Format] = NAMED_FLOATS | NAMED_CODEBOOKS

_INTEGER = re.compile(r"(u?)int(\d+)")
_FIXED_POINT = re.compile(r"(u?)fixed(\d+)\.(\d+)")
_FLOAT = re.compile(r"(u?)e(\d+)m(\d+)-(ieee|fn|finite)(?:-b(-?\d+))?(-ftz|-nozero)?")
_CODEBOOK = re.compile(r"codebook\((.*)\)")

GRAMMAR = (
    f"int<bits>, uint<bits>, fixed<bits>.<fraction bits>, ufixed<bits>.<fraction bits>,"
    f" {', '.join(NAMED_FORMATS)}, [u]e<bits>m<bits>-<ieee|fn|finite>[-b<bias>][-ftz|-nozero],"
    f" codebook(<value>,...)"
)


def parse_format(name: str) -> Format:
    """The format called `name`, in upper or lower case; the inverse of `Format.name`.

    Raises ValueError, which lists what is allowed, for unknown names and impossible parameters.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be str, not {type(name).__name__}: {name!r}")
    word = name.strip().lower()
    if word in NAMED_FORMATS:
        return NAMED_FORMATS[word]
    if match := _INTEGER.fullmatch(word):
        return Integer(int(match[2]), signed=not match[1])
    if match := _FIXED_POINT.fullmatch(word):
        return FixedPoint(int(match[2]), int(match[3]), signed=not match[1])
    if match := _FLOAT.fullmatch(word):
        return Float(
            int(match[2]),
            int(match[3]),
            bias=None if match[5] is None else int(match[5]),
            signed=not match[1],
            subnormals=match[6] is None,
            zero=match[6] != "-nozero",
            specials=Specials(match[4]),
        )
    if match := _CODEBOOK.fullmatch(word):
        return Codebook(tuple(_parse_value(text, name) for text in match[1].split(",")))
    raise ValueError(f"unknown format {name!r}: allowed are {GRAMMAR}")


def _parse_value(text: str, name: str) -> float | None:
    try:
        return None if text.strip() == "none" else float(text)
    except ValueError:
        raise ValueError(
            f"format {name!r}: {text.strip()!r} is neither a number nor none"
        ) from None


_KINDS = {kind.kind: kind for kind in (Integer, FixedPoint, Float, Codebook)}


def format_from_dict(description: Mapping[str, Any]) -> Format:
    """The format that `Format.to_dict` described. Raises ValueError for anything else."""
    parameters = dict(description)
    kind = parameters.pop("kind", None)
    if kind not in _KINDS:
        raise ValueError(f"kind = {kind!r}: allowed are {', '.join(_KINDS)}")
    try:
        if "specials" in parameters:
            parameters["specials"] = Specials(parameters["specials"])
        if "values" in parameters:
            parameters["values"] = tuple(parameters["values"])
        return _KINDS[kind](**parameters)
    except TypeError as error:
        raise ValueError(f"format of kind {kind}: {error}") from None


__all__ = [
    "BF16", "BINARY", "E2M1", "E2M3", "E3M0", "E3M2", "E4M3", "E5M2", "E8M0", "FP16", "FP32",
    "GRAMMAR",
    "INT1", "INT2", "INT3", "INT4", "INT5", "INT6", "INT7", "INT8",
    "INT9", "INT10", "INT11", "INT12", "INT13", "INT14", "INT15", "INT16",
    "NAMED_FORMATS", "ODD", "ODD2", "ODD3", "ODD4", "ODD5", "ODD6", "ODD7", "ODD8",
    "TERNARY", "TF32", "UE4M3", "UE5M3",
    "UINT1", "UINT2", "UINT3", "UINT4", "UINT5", "UINT6", "UINT7", "UINT8",
    "UINT9", "UINT10", "UINT11", "UINT12", "UINT13", "UINT14", "UINT15", "UINT16",
    "Codebook", "FixedPoint", "Float", "Format", "Integer", "Overflow", "Rounding", "Specials",
    "format_from_dict", "parse_format",
]  # fmt: skip
