"""Commands: list, show, statistics, generate, demo, doctor."""

import argparse
import shlex
from functools import partial

from multipede.answer import FAILED, HELD, TOOL_FAILED, Answer
from multipede.options import member_of, spec_of, style_of


def list_command(options: argparse.Namespace) -> Answer:
    from dataclasses import asdict

    from multipede.cost_model.evidence import bundled, kept, standing, summaries
    from multipede.golden.catalogue import unit, unit_names

    rows, lines = [], []
    findings = bundled() + kept()
    width = max(map(len, unit_names()))
    for name in unit_names():
        try:
            u = unit(name)
            row = {"unit": name, "kind": u.kind.value, "title": u.title, "source": u.source}
        except ValueError as error:  # a plug-in that cannot be imported must not hide the others
            row = {"unit": name, "kind": "broken", "title": str(error), "source": ""}
        known = standing(name, findings)
        row["evidence"] = {
            kind: asdict(finding)
            | {
                "configuration": finding.configuration,
                "is_current": finding.is_current,
                "has_current_checks": finding.has_current_checks,
            }
            for kind, finding in known.items()
        }
        rows.append(row)
        lines.append(f"{name:{width}}  {row['kind']:10}  {row['title']}")
        lines += [f"{'':{width}}    {line}" for line in summaries(name, findings)]
    return HELD, rows, "\n".join(lines)


def show_command(options: argparse.Namespace) -> Answer:
    from multipede.show import shown

    document, text = shown(spec_of(options))
    return HELD, document, text


def statistics_command(options: argparse.Namespace) -> Answer:
    from multipede.golden.function_statistics import function_statistics
    from multipede.golden.multiplier_statistics import multiplier_statistics
    from multipede.golden.spec import Kind

    spec = spec_of(options)
    if spec.kind is Kind.FUNCTION:
        if options.rounded_operands:
            raise ValueError("--rounded-operands has a meaning for multipliers only")
        found = function_statistics(spec)
    else:
        found = multiplier_statistics(spec, rounded_operands=options.rounded_operands)
    return HELD, spec.to_dict() | {"statistics": found.to_dict()}, f"{spec}\n{found}"


def generate_command(options: argparse.Namespace) -> Answer:
    from multipede.sim.generate import Bus, generate

    write, asked = generate, {}
    for name in ("platform", "clock_period", "core_utilization"):
        if getattr(options, name) is not None:
            asked[name] = getattr(options, name)
            if options.flow is None:
                raise ValueError(f"--{name.replace('_', '-')} has no meaning without --flow")
    if options.flow is not None:
        from multipede.asic_flow import Flow, hand_off

        write = partial(hand_off, flow=member_of(Flow, "flow", options.flow))
    if options.style is not None:
        asked["style"] = style_of(options.style)
    paths = write(
        spec_of(options),
        options.output,
        **asked,
        name=options.name,
        vectors=options.vectors,
        seed=options.seed,
        cocotb=options.cocotb,
        bus=member_of(Bus, "bus", options.bus),
        data_bits=options.data_bits,
    )
    files = [str(path) for path in paths]
    return HELD, {"files": files}, "\n".join(files)


def demo_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.demonstration import demonstrate, first_costs

    report = demonstrate(
        weights=options.weights,
        tensor=options.tensor,
        lookups=not options.no_lookups,
        costs=None if options.no_costs else first_costs,
        style=style_of(options.style),
        output=options.output,
    )
    status = TOOL_FAILED if any(costs.errors for costs in report.costs) else HELD
    return (status if report.passed else FAILED), report.to_dict(), str(report)


def doctor_command(options: argparse.Namespace) -> Answer:
    from multipede.toolchain import cache
    from multipede.toolchain.doctor import diagnose, healthy, table

    if options.clear_cache:
        freed = cache.clear()
        return (
            HELD,
            {"freed_bytes": freed},
            f"removed {freed / 1e6:.1f} MB from {cache.directory()}",
        )
    if options.shell:
        from multipede.toolchain.verilator import root

        place = root()
        quoted = shlex.quote(str(place))
        lines = [f"export VERILATOR_ROOT={quoted}", f'export PATH={quoted}/bin:"$PATH"']
        return HELD, {"VERILATOR_ROOT": str(place)}, "\n".join(lines)
    checks = diagnose()
    status = HELD if healthy(checks) else FAILED
    return status, [check.to_dict() for check in checks], table(checks)
