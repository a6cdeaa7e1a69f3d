"""Commands for standard cells: synthesize, power, recipes, validate."""

import argparse

from multipede.answer import FAILED, HELD, TOOL_FAILED, Answer
from multipede.options import constraints_of, spec_of, style_of


def synthesize_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.evidence import keep
    from multipede.cost_model.findings import of_synthesis
    from multipede.cost_model.targets import USUAL_TARGETS, synthesize, takes

    spec, style = spec_of(options), style_of(options.style)
    targets = options.target or ["gates"]
    _require_one_netlist(options, targets)
    library = {"liberty": options.liberty, "constraints": constraints_of(options)}
    if options.baselines:
        from multipede.cost_model.comparison import compare_with_baselines

        if style is not None:
            raise ValueError("--baselines chooses the styles itself")
        if options.no_dsp:
            raise ValueError("--baselines have no products for DSP blocks: --no-dsp is of no use")
        comparison = compare_with_baselines(
            spec, targets=options.target or USUAL_TARGETS, **library
        )
        status = TOOL_FAILED if comparison.errors else HELD
        return status, comparison.to_dict(), str(comparison)
    dsp = {target: {"dsp": False} for target in targets if options.no_dsp and takes(target, "dsp")}
    if options.no_dsp and not dsp:
        raise ValueError("--no-dsp needs a target that has DSP blocks, an FPGA")
    found = [
        synthesize(spec, target, style=style, **library, **dsp.get(target, {}))
        for target in targets
    ]
    keep(of_synthesis(spec, targets if options.liberty is None else [options.liberty.name]))
    told = list(map(str, found))
    if options.paths:
        told += map(str, found[0].paths[: options.paths])
    missed = any(getattr(result, "holds_clock", None) is False for result in found)
    status, documents = FAILED if missed else HELD, [result.to_dict() for result in found]
    if options.prove is not None:
        from multipede.cost_model.targets import prove_netlist

        answer = prove_netlist(
            spec, found[0], targets[0], liberty=options.liberty, budget=options.prove
        )
        proved = answer.value == "proved"
        status = status if proved else FAILED
        documents[0] |= {"equal_to_rtl": answer.value}
        told.append(f"netlist equal to the RTL: {answer.value}")
        if options.netlist is not None and not proved:
            return status, documents, "\n\n".join([*told, f"{options.netlist} is not written"])
    if options.netlist is not None:
        from multipede.toolchain import write_atomically

        write_atomically(options.netlist, found[0].verilog)
    return status, documents, "\n\n".join(told)


def _require_one_netlist(options: argparse.Namespace, targets: list[str]) -> None:
    """What asks for a netlist or its paths, before hours go into one that is not there."""
    from multipede.cost_model.targets import takes
    from multipede.golden.number_format import require_range

    require_range("paths", options.paths, 0, 10)
    asked = {"netlist": options.netlist, "prove": options.prove, "paths": options.paths or None}
    one = len(targets) == 1 and takes(targets[0], "constraints") and not options.baselines
    for name, value in asked.items():
        if value is not None and not one:
            raise ValueError(f"--{name} needs one target, of standard cells, without --baselines")


def power_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.targets import library_with_energies, power

    target = options.target or ("n28" if options.liberty is None else "gates")
    asked = {
        "constraints": constraints_of(options),
        "records": options.records,
        "seed": options.seed,
    }
    spec, style = spec_of(options), style_of(options.style)
    if options.baselines:
        from multipede.cost_model.power_comparison import compare_power_with_baselines

        if style is not None or options.output is not None:
            raise ValueError("--baselines takes neither --style nor --output")
        compared = compare_power_with_baselines(spec, target, liberty=options.liberty, **asked)
        return (TOOL_FAILED if compared.errors else HELD), compared.to_dict(), str(compared)
    found = power(spec, target, style=style, liberty=options.liberty, **asked)
    if options.output is not None:
        from multipede.asic_flow import unit_activity
        from multipede.hw import Style
        from multipede.toolchain import write_atomically

        library = library_with_energies(target, options.liberty)
        texts = unit_activity(spec, style or Style.CELLS, liberty=library, **asked)
        if options.liberty is None:
            texts[library.source] = library.text
        options.output.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_atomically(options.output / name, text)
    return HELD, found.to_dict(), str(found)


def recipes_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.recipes import recipes

    found = recipes(
        [spec_of(options, name) for name in options.units],
        options.target or ("n28" if options.liberty is None else "gates"),
        liberty=options.liberty,
        trials=options.trials,
        seed=options.seed,
    )
    return HELD, found.to_dict(), str(found)


def validate_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.validation import validate_n28

    found = validate_n28(liberty=options.liberty)
    return HELD, found.to_dict(), str(found)
