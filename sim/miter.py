"""A miter made of one netlist: the unit and its mutant side by side, sharing all that is equal."""

import copy
from collections import defaultdict, deque
from collections.abc import Collection
from typing import Any

from multipede.golden.spec import Spec
from multipede.sim.mutation_netlist import SELECT
from multipede.sim.netlist import Net, NetlistModule

__all__ = ["DIFFERS", "LEGAL", "REGISTERS", "TOP", "add_legal", "miter"]

TOP = "miter"
DIFFERS = "differs"
"""The output that is 1 where the two may not differ and do."""
LEGAL = "legal"
"""The output that is 1 while the payload holds valid codes only."""
REGISTERS = "register_differs"
"""The output with one bit for each register that the two share and take different values into."""
_REGISTER = "$dff"


def miter(
    flat: dict[str, Any], spec: Spec | None, *, own: Collection[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """The miter of a flat module with an input ``mutant``; and the cells of the registers that the
    bits of REGISTERS stand for.

    Only what depends on ``mutant`` is there twice. The mutant has the registers ``own`` for itself;
    it reads those of the unit for the others, which is right as long as both take the same values
    into them: as long as REGISTERS is 0. A clock of ``rst`` comes first, in which the mutant's own
    registers are what the unit's are. Without ``spec`` all outputs of the module count.
    """
    module = NetlistModule(copy.deepcopy(flat))
    for wire in module.content["netnames"].values():
        wire["attributes"].pop("init", None)  # any state may be that at power-up
    select = module.content["ports"].pop(SELECT)["bits"]
    module.content["netnames"].pop(SELECT)
    began = _reset_first(module)
    twins, shared = _doubled(module, select, began, own)
    _compare(module, twins, spec, began)
    taken = [module.cells[name]["connections"]["D"] for name in shared]
    differing = [_unequal(module, bits, [twins.get(net, net) for net in bits]) for bits in taken]
    if shared:
        module.add_port(REGISTERS, "output", differing)
    module.add_port(LEGAL, "output", [add_legal(module, spec)])
    return {"modules": {TOP: module.content}}, shared


def _reset_first(module: NetlistModule) -> Net:
    """A net that is 0 in the first clock and then 1; ``rst`` is 1 while it is 0."""
    ports = module.content["ports"]
    if "clk" not in ports:
        return "1"
    began = module.fresh(1)
    module.content["netnames"]["began"] = {
        "hide_name": 0,
        "bits": began,
        "attributes": {"init": "0"},
    }
    if "rst" in ports:
        rst = ports["rst"]["bits"]
        outside = module.fresh(1)
        ports["rst"]["bits"] = outside
        module.content["netnames"]["rst"]["bits"] = outside
        inputs = {"A": outside, "B": [module.inverted(began[0])]}
        module.add_cell("$or", inputs, rst)
    module.cells["$began"] = {
        "hide_name": 1,
        "type": _REGISTER,
        "parameters": {"CLK_POLARITY": "1", "WIDTH": f"{1:032b}"},
        "attributes": {},
        "port_directions": {"CLK": "input", "D": "input", "Q": "output"},
        "connections": {"CLK": list(ports["clk"]["bits"]), "D": ["1"], "Q": began},
    }
    return began[0]


def _doubled(
    module: NetlistModule, select: list[Net], began: Net, own: Collection[str]
) -> tuple[dict[Net, Net], list[str]]:
    """Copy what depends on ``select``; the twins of the nets, and the shared registers behind."""
    names, shared, nets = _cone(module, select, own)
    twins: dict[Net, Net] = dict(zip(nets, module.fresh(len(nets)), strict=True))
    originals = dict.fromkeys(select, "0")
    mutated = twins | dict.fromkeys(select, "1")
    for name in names:
        cell = module.cells[name]
        twin = copy.deepcopy(cell)
        for bits in twin["connections"].values():
            bits[:] = [mutated.get(net, net) for net in bits]
        for bits in cell["connections"].values():
            bits[:] = [originals.get(net, net) for net in bits]
        module.cells[f"{name}$mutant"] = twin
        if cell["type"] == _REGISTER:
            after, before = twin["connections"]["Q"], cell["connections"]["Q"]
            held = module.fresh(len(after))
            for zero, one, net in zip(before, held, after, strict=True):
                module.choose(began, one, zero, net)
            twin["connections"]["Q"] = held
    return twins, shared


def _cone(
    module: NetlistModule, select: list[Net], own: Collection[str]
) -> tuple[list[str], list[str], list[Net]]:
    """The cells that depend on ``select``, the registers in front of which they end, and all nets
    that the cells drive."""
    readers = defaultdict(set)
    for name, cell in module.cells.items():
        for _, bits in module.words(cell, "input"):
            for net in bits:
                readers[net].add(name)
    reached, waiting = set(select), deque(select)
    names: set[str] = set()
    shared: set[str] = set()
    while waiting:
        for name in readers[waiting.popleft()] - names - shared:
            cell = module.cells[name]
            if cell["type"] == _REGISTER and name not in own:
                shared.add(name)
                continue
            names.add(name)
            for _, bits in module.words(cell, "output"):
                waiting.extend(net for net in bits if net not in reached)
                reached.update(bits)
    return sorted(names), sorted(shared), sorted(reached - set(select))


def _compare(module: NetlistModule, twins: dict[Net, Net], spec: Spec | None, began: Net) -> None:
    """The output DIFFERS instead of the outputs."""
    ports = module.content["ports"]
    outputs = {
        name: ports.pop(name) for name in list(ports) if ports[name]["direction"] == "output"
    }
    differing = []
    valid = outputs["o_valid"]["bits"][0] if spec else "1"
    for name, port in outputs.items():
        bits = port["bits"]
        net = _unequal(module, bits, [twins.get(bit, bit) for bit in bits])
        if spec and name == "o_payload":
            net = module.add_cell("$and", {"A": [net], "B": [valid]}, module.fresh(1))[0]
        differing.append(net)
    some = module.add_cell("$reduce_or", {"A": differing}, module.fresh(1))
    module.add_port(
        DIFFERS, "output", module.add_cell("$and", {"A": some, "B": [began]}, module.fresh(1))
    )


def _unequal(module: NetlistModule, ones: list[Net], others: list[Net]) -> Net:
    if ones == others:
        return "0"
    return module.add_cell("$ne", {"A": list(ones), "B": list(others)}, module.fresh(1))[0]


def add_legal(module: NetlistModule, spec: Spec | None) -> Net:
    """A net that is 1 unless the payload holds a bit pattern that is no code of its format."""
    if spec is None:
        return "1"
    payload = module.content["ports"]["i_payload"]["bits"]
    illegal: list[Net] = []
    offset = 0
    for port in spec.inputs.values():
        patterns = _no_codes(port.format)
        for _ in range(port.elements):
            bits = payload[offset : offset + port.format.bits]
            offset += port.format.bits
            for pattern in patterns:
                constant = [str(pattern >> place & 1) for place in range(len(bits))]
                inputs = {"A": bits, "B": constant}
                illegal += module.add_cell("$eq", inputs, module.fresh(1))
    if not illegal:
        return "1"
    some = module.add_cell("$reduce_or", {"A": illegal}, module.fresh(1))
    return module.inverted(some[0])


def _no_codes(number_format: Any) -> list[int]:
    """Bit patterns that mean nothing; formats of more than 16 bits have none."""
    if number_format.bits > 16:
        return []
    codes = {int(pattern) for pattern in number_format.to_bits(number_format.codes())}
    return [pattern for pattern in range(1 << number_format.bits) if pattern not in codes]
