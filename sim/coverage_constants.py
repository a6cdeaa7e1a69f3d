"""Bits that cannot toggle: constants of the netlist, or proved to be constant by Yosys' `sat`."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from multipede.golden.spec import Spec
from multipede.sim.miter import LEGAL, add_legal
from multipede.sim.netlist import Net, NetlistModule
from multipede.sim.netlist_claims import decide
from multipede.sim.solver import Answer, Budget

__all__ = ["Place", "Reason", "constant_bits"]

Place = tuple[str, str, int]
"""path of the instance, signal, bit; -1 for a signal of one bit without a range"""

_PROBE = "probe"
_TOP = "probed"
_INDUCTION = 4
"""Clocks of induction beyond the unit's latency."""


class Reason(Enum):
    """Why a bit cannot toggle; each was checked for that bit."""

    WIRED = "constant in the netlist"
    """the Verilog ties it to 0 or 1, or constants make it so"""
    PROVED = "proved constant for all codes of the formats"
    """by induction from the registers' initial values on, with any gaps and resets"""


def constant_bits(
    flat: dict[str, Any], places: Sequence[Place], spec: Spec, *, budget: float
) -> dict[Place, Reason]:
    """Those of the places that are constant, with the reason that was found.

    Parameters
    ----------
    flat : the unit's netlist without hierarchy.
    places : bits that were not seen to toggle.
    budget : seconds for the proofs.
    """
    module = NetlistModule(flat)
    nets = {place: _net(module.content["netnames"], place) for place in places}
    found = {place: Reason.WIRED for place, net in nets.items() if isinstance(net, str)}
    open_nets = sorted({net for net in nets.values() if isinstance(net, int)})
    proved = _proved(module, open_nets, spec, Budget(budget))
    return found | {place: Reason.PROVED for place, net in nets.items() if net in proved}


def _net(names: Mapping[str, Any], place: Place) -> Net | None:
    path, signal, bit = place
    wire = names.get(f"{path}.{signal}" if path else signal)
    if wire is None or not -1 <= bit < len(wire["bits"]):
        return None
    return wire["bits"][max(bit, 0)]


def _proved(module: NetlistModule, nets: list[Net], spec: Spec, budget: Budget) -> set[Net]:
    """The nets that always have one value, by induction over all that seem to.

    Each claim helps to prove the others. From the initial state on, all are first claimed to be 0,
    what is seen to be 1 then to be 1, and what is seen to be both is dropped; then what a step from
    any state in which the claims hold can break is dropped, until nothing is.
    """
    if not nets:
        return set()
    module.add_port(_PROBE, "output", nets)
    module.add_port(LEGAL, "output", [add_legal(module, spec)])
    claims = dict.fromkeys(range(len(nets)), 0)
    if "clk" not in module.content["ports"]:
        return _holding(module, nets, claims, "", budget)
    steps = spec.latency + _INDUCTION
    base = f"-tempinduct -tempinduct-baseonly -maxsteps {steps}"
    if not _holding(module, nets, claims, base, budget):
        return set()
    for wire in module.content["netnames"].values():
        wire["attributes"].pop("init", None)
    return _holding(module, nets, claims, f"-seq {steps + 1} -prove-skip {steps}", budget, steps)


def _holding(
    module: NetlistModule,
    nets: list[Net],
    claims: dict[int, int],
    options: str,
    budget: Budget,
    assumed: int = 0,
) -> set[Net]:
    """The nets of the claims that hold, which remain in ``claims``; none when time is up.

    ``assumed`` is the number of clocks in which they are taken for granted.
    """
    made = {"modules": {_TOP: module.content}}
    while claims:
        proof = [f"-prove {_PROBE}[{index}] {value}" for index, value in claims.items()]
        for clock in range(1, assumed + 1):
            proof += [f"-set-at {clock} {_PROBE}[{i}] {value}" for i, value in claims.items()]
        found = decide(made, f"{options} {' '.join(proof)}", budget, top=_TOP, shown=[_PROBE])
        if found.answer in (Answer.PROVED, Answer.NOT_REFUTED):
            return {nets[index] for index in claims}
        if found.answer is Answer.UNKNOWN:
            return set()
        seen = found.last(_PROBE)
        for index in [i for i, value in claims.items() if seen >> i & 1 != value]:
            if claims[index] == 1 or assumed:
                del claims[index]
            else:
                claims[index] = 1
    return set()
