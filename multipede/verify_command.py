"""The command verify, in all its ways."""

import argparse
from pathlib import Path

from multipede.answer import FAILED, HELD, Answer
from multipede.options import member_of, spec_of, style_of


def verify_command(options: argparse.Namespace) -> Answer:
    spec = spec_of(options)
    styles = options.style and [style_of(name) for name in options.style]
    seed = {} if options.seed is None else {"seed": options.seed}
    records = {} if options.records is None else {"records": options.records}
    budget = {} if options.budget is None else {"budget": options.budget}
    _refuse_unused(options)
    if options.junit is not None:
        _begin_junit(options.junit)
    if options.cocotb:
        from multipede.sim.cocotb_bench import Simulator, verify_cocotb

        simulator = member_of(Simulator, "simulator", options.simulator or "verilator")
        report = verify_cocotb(spec, styles=styles, simulator=simulator, **records, **seed)
    elif options.formal:
        from multipede.sim.formal import prove

        report = prove(spec, styles=styles, **budget)
    elif options.coverage:
        from multipede.sim.coverage import measure_coverage

        report = measure_coverage(spec, styles=styles, **records, **seed, **budget)
    elif options.mutate is not None:
        from multipede.sim.mutation import mutate

        if styles and len(styles) > 1:
            raise ValueError("--mutate takes one style at a time")
        style = {"style": styles[0]} if styles else {}
        report = mutate(spec, count=options.mutate, **style, **records, **seed, **budget)
    else:
        from multipede.sim.verify import verify

        report = verify(spec, styles=styles, **records, **seed)
    return _reported(report, options)


def _begin_junit(file: Path) -> None:
    """A file that says that nothing was found yet: what an earlier run left must not pass for the
    result of one that failed, and a file that cannot be written is noticed at once."""
    from multipede.sim.junit import Case, junit_xml
    from multipede.toolchain import write_atomically

    unfinished = Case("multipede", "verify", 0.0, "the run did not come to its end")
    write_atomically(file, junit_xml("multipede verify", [unfinished]))


def _refuse_unused(options: argparse.Namespace) -> None:
    """What was given for another way of verification is a mistake, not a hint."""
    proofs = options.formal or options.coverage or options.mutate is not None
    unused = {
        "--simulator": options.simulator is not None and not options.cocotb,
        "--budget": options.budget is not None and not proofs,
        "--records": options.records is not None and options.formal,
        "--seed": options.seed is not None and options.formal,
    }
    for name, is_unused in unused.items():
        if is_unused:
            raise ValueError(f"{name} has no meaning here (see 'multipede verify --help')")


def _reported(report, options: argparse.Namespace) -> Answer:
    """What a report of checks answers. It is taken down for `list`, and written as JUnit XML if
    that was asked for."""
    from multipede.cost_model.evidence import keep
    from multipede.cost_model.findings import of_report

    keep(of_report(report))
    if options.junit is not None:
        from multipede.sim.junit import junit_xml
        from multipede.toolchain import write_atomically

        write_atomically(options.junit, junit_xml(f"multipede {report.spec.unit}", report.cases))
    return (HELD if report.passed else FAILED), report.to_dict(), str(report)
