"""What the tests of the floating-point units do alike; each check returns how many records it
compared and fails with the first that differ."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

import numpy as np

from multipede.golden.formats import Format, Overflow, Rounding, parse_format
from multipede.golden.rounded_operation import NanResult, RoundedOperation
from tests.golden import float64_oracle
from tests.golden.biased_operands import biased_operands
from tests.golden.rational_oracle import all_tuples, mismatches, reference

SEED = 20261123

SMALL = [
    *("e3m2", "e2m3", "e2m1", "e3m0", "e1m2-finite", "ue2m2-finite"),
    *("e3m2-ieee", "e2m1-ieee", "e3m0-ieee", "ue3m2-ieee", "ue3m0-ieee", "e3m2-ieee-ftz"),
    *("e2m2-fn", "e3m2-fn-ftz", "ue3m2-fn-ftz", "ue3m2-finite-b9-nozero"),
]
"""formats of at most 6 bits with specials, subnormals, zero and signs of all kinds"""


def policies(number_format: Format) -> list[Overflow]:
    return [policy for policy in number_format.overflows if policy is not Overflow.RAISE]


def variants(spec: RoundedOperation) -> Iterator[RoundedOperation]:
    """The specification with all roundings and all policies that its result can serve, with
    either result for NaN in turn."""
    has_zero = getattr(spec.result, "zero", True)
    nans = cycle(NanResult if has_zero else [NanResult.MAXIMUM])
    for rounding in Rounding:
        for overflow in policies(spec.result):
            yield replace(spec, rounding=rounding, overflow=overflow, nan=next(nans))


def of_one_format(unit: type[RoundedOperation], name: str, **parameters) -> RoundedOperation:
    """Operands and result of the same format."""
    number_format = parse_format(name)
    formats = dict.fromkeys((*unit.operands, "result"), number_format)
    return unit(**formats, **parameters)


def check_all(spec: RoundedOperation) -> int:
    """Every combination of codes against rationals."""
    codes = all_tuples(*(getattr(spec, name) for name in spec.operands))
    assert not mismatches(spec, *codes)
    return len(codes[0])


def check_biased(spec: RoundedOperation, count: int, seed: int = SEED) -> int:
    """Biased random records against rationals."""
    print(f"seed {seed}")
    codes = biased_operands(spec, np.random.default_rng(seed), count)
    assert not mismatches(spec, *codes)
    return len(codes[0])


def check_float64(spec: RoundedOperation, count: int, seed: int = SEED) -> int:
    """Biased random records against float64, in batches of bounded memory."""
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    compared = 0
    while compared < count:
        codes = biased_operands(spec, rng, 1 << 16)
        compared += check_equal(spec, codes, float64_oracle.expected(spec, *codes))
    return compared


def check_equal(spec: RoundedOperation, codes: list[np.ndarray], wanted: np.ndarray) -> int:
    got = reference(spec, *codes)
    assert got.shape == wanted.shape
    wrong = np.flatnonzero(got != wanted)[:5]
    records = [(*(hex(c[i]) for c in codes), hex(got[i]), hex(wanted[i])) for i in wrong]
    assert not records, f"{spec}: operands, result, what it should be: {records}"
    return len(got)
