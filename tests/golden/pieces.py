"""A reference run piece by piece gives what it gives in one run."""

import itertools
from typing import Any

import torch

from multipede.golden.spec import Spec

PIECES = [0, 1, 2, 2, 5, 50, 99, 100]


def check_in_pieces(spec: Spec, inputs: dict[str, torch.Tensor]) -> tuple[Any, Any]:
    """For 100 records, cut inside of groups and sums, an empty piece among them.

    Gives the state after one run and after the pieces.
    """
    whole, rest = spec.reference(**inputs)
    state, parts = None, []
    for start, stop in itertools.pairwise(PIECES):
        piece = {name: array[start:stop] for name, array in inputs.items()}
        outputs, state = spec.reference(state, **piece)
        parts.append(outputs)
    for name, expected in whole.items():
        assert len(expected) > 1
        assert torch.equal(torch.cat([part[name] for part in parts]), expected)
    return rest, state
