"""The command line. Exit status: 0 it held, 1 a check failed, 2 wrong input, 3 a tool failed."""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

HELD, FAILED, WRONG_INPUT, TOOL_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message} (see '{self.prog} --help')")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = _parser().parse_args(arguments)
        status, document, text = options.command(options)
        if options.json:
            print(json.dumps(document, indent=2, default=str))
        elif text:
            print(text)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED, arguments)
    except BrokenPipeError:
        # The reader has seen enough; keep the interpreter from saying so when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return HELD
    except Exception as error:
        if os.environ.get("MULTIPEDE_TRACEBACK"):
            raise
        status = _status_of(error)
        if status is None:
            what = f"{type(error).__name__}: {_one_line(error)}"
            return _fail(
                f"{_whose(error)}, {what} (set MULTIPEDE_TRACEBACK=1 to see where)",
                TOOL_FAILED,
                arguments,
            )
        return _fail(_one_line(error), status, arguments)
    return status


def _status_of(error: Exception) -> int | None:
    from multipede.golden.source_files import SourceChangedError
    from multipede.sim.model import SimulationError
    from multipede.sim.report import MismatchError
    from multipede.toolchain import ToolError, ToolFailure

    if isinstance(error, MismatchError | SimulationError):
        return FAILED
    if isinstance(error, ToolFailure | SourceChangedError):
        return TOOL_FAILED
    return WRONG_INPUT if isinstance(error, ToolError | ValueError | TypeError | OSError) else None


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())


def _fail(message: str, status: int, arguments: Sequence[str]) -> int:
    if "--json" in arguments:
        print(json.dumps({"error": message, "status": status}))
    print(f"multipede: {message}", file=sys.stderr)
    return status


Answer = tuple[int, Any, str]


def _parser() -> argparse.ArgumentParser:
    import multipede

    parser = _Parser(prog="multipede", description="Mixed-precision processing elements.")
    parser.add_argument("--version", action="version", version=multipede.__version__)
    commands = parser.add_subparsers(dest="name", required=True, metavar="COMMAND")

    def command(name: str, help_: str, function: Callable[..., Answer]) -> _Parser:
        added = commands.add_parser(name, help=help_, description=help_)
        added.add_argument("--json", action="store_true", help="print one JSON document")
        added.set_defaults(command=function)
        return added

    command("list", "list the units", _list)
    _add_unit(command("show", "show a unit's parameters, ports and operators", _show))

    generate = _add_unit(command("generate", "write Verilog, ports.json and a bench", _generate))
    generate.add_argument("-o", "--output", type=_directory, required=True, metavar="DIR")
    generate.add_argument("--style", help="word, cells or cells-prefix (word; cells with --flow)")
    generate.add_argument("--name", help="name of the top module (default: the unit's)")
    generate.add_argument("--vectors", type=int, default=1000, help="records in the bench")
    generate.add_argument("--seed", type=int, default=1)
    generate.add_argument("--cocotb", action="store_true", help="write tests for cocotb, too")
    generate.add_argument("--bus", help="put it on a bus, too: axi4-stream")
    generate.add_argument(
        "--data-bits", type=int, metavar="N", help="of the bus, 8 to 1024 (a record in one beat)"
    )
    generate.add_argument("--flow", help="write for place and route, too: orfs or librelane")
    generate.add_argument("--platform", metavar="NAME", help="the flow's, such as asap7, sky130A")
    generate.add_argument("--clock-period", type=float, metavar="NS", help="for place and route")
    generate.add_argument("--core-utilization", type=int, metavar="N", help="per cent (40)")

    verify = _add_unit(command("verify", "compare RTL with its reference, bit for bit", _verify))
    verify.add_argument(
        "--style", action="append", help="word, cells or cells-prefix; may be repeated (all)"
    )
    verify.add_argument(
        "--records",
        type=int,
        help="random ones per style, beside all corners (100000); per case of cocotb (2000)",
    )
    verify.add_argument("--seed", type=int, help="of everything random (1)")
    instead = verify.add_mutually_exclusive_group()
    instead.add_argument(
        "--cocotb", action="store_true", help="on the pins under cocotb instead (word style)"
    )
    instead.add_argument("--formal", action="store_true", help="prove what can be proved instead")
    instead.add_argument(
        "--coverage", action="store_true", help="what the stimuli reach in the RTL instead"
    )
    instead.add_argument(
        "--mutate",
        type=int,
        metavar="N",
        help="plant N errors instead: are they found? (word style)",
    )
    verify.add_argument("--simulator", help="for --cocotb: verilator (default) or icarus")
    verify.add_argument(
        "--budget", type=float, metavar="S", help="seconds for each proof of --formal, --mutate"
    )
    verify.add_argument(
        "--junit", type=Path, metavar="FILE", help="write the checks as JUnit XML, too"
    )

    synthesize = _add_unit(command("synthesize", "count gates or LUTs", _synthesize))
    synthesize.add_argument(
        "--target", action="append", help="gates, n28, ecp5 or xcup; may be repeated (gates)"
    )
    _add_cells(synthesize)
    synthesize.add_argument(
        "--prove", type=float, metavar="S", help="prove the netlist equal to the RTL, in S seconds"
    )
    synthesize.add_argument("--netlist", type=Path, metavar="FILE", help="write it as Verilog, too")
    synthesize.add_argument(
        "--paths", type=int, default=0, metavar="N", help="print the N longest paths"
    )
    synthesize.add_argument(
        "--baselines", action="store_true", help="beside the unit's baselines (all targets)"
    )

    power = _add_unit(command("power", "power of the gate-level netlist, in operation", _power))
    power.add_argument("--target", help="n28, or gates with --liberty (n28)")
    _add_cells(power)
    power.add_argument("--records", type=int, default=1000, metavar="N", help="operands (1000)")
    power.add_argument("--seed", type=int, default=1, metavar="N", help="of the operands (1)")
    power.add_argument(
        "--baselines", action="store_true", help="beside the unit's baselines, at one clock"
    )
    power.add_argument(
        "-o",
        "--output",
        type=_directory,
        metavar="DIR",
        help="write netlist, SAIF and VCD for other programs",
    )

    recipes = command("recipes", "search smaller synthesis scripts for units", _recipes)
    recipes.add_argument("units", nargs="+", metavar="unit", help="names from 'multipede list'")
    _add_parameters(recipes)
    recipes.add_argument("--target", help="n28 or gates (n28; gates with --liberty)")
    recipes.add_argument("--liberty", type=Path, metavar="FILE", help="map to this library")
    recipes.add_argument("--trials", type=int, default=200, metavar="N", help="for each (200)")
    recipes.add_argument("--seed", type=int, default=1, metavar="N", help="of the search (1)")

    demo = command("demo", "a transformer layer through the RTL", _demo)
    demo.add_argument("-o", "--output", type=_directory, default=Path("build/demo"), metavar="DIR")
    demo.add_argument("--weights", type=Path, metavar="FILE", help="another safetensors file")
    demo.add_argument("--tensor", metavar="NAME", help="its tensor, [outputs, inputs]")
    demo.add_argument("--style", default="word", help="word, cells or cells-prefix")

    validate = command("validate", "a library against published results", _validate)
    validate.add_argument("library", choices=["n28"], help="the one that is held against them: n28")
    validate.add_argument(
        "--liberty", type=Path, metavar="FILE", help="the same blocks with this library instead"
    )

    doctor = command("doctor", "check the tools and say how to mend them", _doctor)
    doctor.add_argument(
        "--shell", action="store_true", help="print exports that put our Verilator on the PATH"
    )
    doctor.add_argument("--clear-cache", action="store_true", help="remove everything cached")
    return parser


def _add_cells(parser: _Parser) -> None:
    """What netlists of standard cells are made of and made for."""
    parser.add_argument("--style", help="word, cells or cells-prefix (by target)")
    parser.add_argument("--liberty", type=Path, metavar="FILE", help="map to this library")
    parser.add_argument("--clock-period", type=float, metavar="NS", help="hold this clock")
    parser.add_argument("--fastest", action="store_true", help="find the shortest clock period")
    parser.add_argument("--driver", metavar="CELL", help="what drives inputs (smallest buffer)")
    parser.add_argument(
        "--output-load", type=float, metavar="FF", help="on each output (four inverters)"
    )
    parser.add_argument("--wire-load", metavar="NAME", help="the library's model to use, or none")
    parser.add_argument("--time-limit", type=float, metavar="S", help="for all of it (1800)")


def _constraints(options: argparse.Namespace):
    """Constraints as given; None if there are none."""
    from multipede.asic_flow import Constraints

    names = ("clock_period", "fastest", "driver", "output_load", "wire_load", "time_limit")
    given = {name: getattr(options, name) for name in names}
    given = {
        name: value for name, value in given.items() if value is not None and value is not False
    }
    return Constraints(**given) if given else None


def _add_unit(parser: _Parser) -> _Parser:
    parser.add_argument("unit", help="a name from 'multipede list'")
    _add_parameters(parser)
    return parser


def _add_parameters(parser: _Parser) -> None:
    parser.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter, as in -p weight=uint4",
    )
    parser.add_argument(
        "--stallable", action="store_true", help="with ready on both sides: results may wait"
    )


def _spec(options: argparse.Namespace, name: str | None = None):
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


def _style(name: str | None):
    from multipede.hw import Style

    return None if name is None else Style.parse(name)


def _member(kind: type[Enum], what: str, value: str | None):
    """The member of this value, or None for none."""
    known = [member.value for member in kind]
    if value is not None and value not in known:
        raise ValueError(f"{what} {value!r}: allowed are {', '.join(known)}")
    return None if value is None else kind(value)


def _whose(error: Exception) -> str:
    """Where the error is from: our own code, or a unit's of somebody else, installed or not."""
    import traceback
    from importlib.metadata import entry_points

    from multipede.golden.catalogue import ENTRY_POINT_GROUP

    plug_ins = {point.module.partition(".")[0] for point in entry_points(group=ENTRY_POINT_GROUP)}
    package = Path(__file__).parent
    own = [Path(sys.prefix), Path(sys.base_prefix), package.resolve()]
    own += [room.resolve() for room in package.iterdir() if room.is_dir()]
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        file = Path(frame.f_code.co_filename).resolve()
        inside = any(file.is_relative_to(place) for place in own)
        package_name = frame.f_globals.get("__name__", "").partition(".")[0]
        if package_name in plug_ins or (file.is_file() and not inside):
            return f"error in {file}, line {line}"
    return "internal error"


def _directory(text: str) -> Path:
    """A path; nothing at all is none, as a script's variable that was never set gives."""
    if not text:
        raise argparse.ArgumentTypeError("the name of a directory is needed, not an empty one")
    return Path(text)


def _list(options: argparse.Namespace) -> Answer:
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


def _show(options: argparse.Namespace) -> Answer:
    from multipede.show import shown

    document, text = shown(_spec(options))
    return HELD, document, text


def _generate(options: argparse.Namespace) -> Answer:
    from multipede.sim.generate import Bus, generate

    write, asked = generate, {}
    for name in ("platform", "clock_period", "core_utilization"):
        if getattr(options, name) is not None:
            asked[name] = getattr(options, name)
            if options.flow is None:
                raise ValueError(f"--{name.replace('_', '-')} has no meaning without --flow")
    if options.flow is not None:
        from multipede.asic_flow import Flow, hand_off

        write = partial(hand_off, flow=_member(Flow, "flow", options.flow))
    if options.style is not None:
        asked["style"] = _style(options.style)
    paths = write(
        _spec(options),
        options.output,
        **asked,
        name=options.name,
        vectors=options.vectors,
        seed=options.seed,
        cocotb=options.cocotb,
        bus=_member(Bus, "bus", options.bus),
        data_bits=options.data_bits,
    )
    files = [str(path) for path in paths]
    return HELD, {"files": files}, "\n".join(files)


def _verify(options: argparse.Namespace) -> Answer:
    spec = _spec(options)
    styles = options.style and [_style(name) for name in options.style]
    seed = {} if options.seed is None else {"seed": options.seed}
    records = {} if options.records is None else {"records": options.records}
    budget = {} if options.budget is None else {"budget": options.budget}
    _refuse_unused(options)
    if options.junit is not None:
        _begin_junit(options.junit)
    if options.cocotb:
        from multipede.sim.cocotb_bench import Simulator, verify_cocotb

        simulator = _member(Simulator, "simulator", options.simulator or "verilator")
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


def _synthesize(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.evidence import keep
    from multipede.cost_model.findings import of_synthesis
    from multipede.cost_model.targets import TARGETS, synthesize

    spec, style = _spec(options), _style(options.style)
    targets = options.target or ["gates"]
    library = {"liberty": options.liberty, "constraints": _constraints(options)}
    if options.baselines:
        from multipede.cost_model.comparison import compare_with_baselines

        if style is not None:
            raise ValueError("--baselines chooses the styles itself")
        comparison = compare_with_baselines(spec, targets=options.target or TARGETS, **library)
        status = TOOL_FAILED if comparison.errors else HELD
        return status, comparison.to_dict(), str(comparison)
    found = [synthesize(spec, target, style=style, **library) for target in targets]
    keep(of_synthesis(spec, targets if options.liberty is None else [options.liberty.name]))
    gates = found[0] if len(found) == 1 and hasattr(found[0], "verilog") else None
    for name in ("netlist", "prove"):
        if getattr(options, name) is not None and gates is None:
            raise ValueError(f"--{name} needs one target, of standard cells")
    if options.netlist is not None:
        from multipede.toolchain import write_atomically

        write_atomically(options.netlist, gates.verilog)
    told = [
        "\n".join([str(result), *map(str, getattr(result, "paths", ())[: options.paths])])
        for result in found
    ]
    status, documents = HELD, [result.to_dict() for result in found]
    if options.prove is not None:
        from multipede.cost_model.targets import prove_netlist

        answer = prove_netlist(
            spec, gates, targets[0], liberty=options.liberty, budget=options.prove
        )
        status = HELD if answer.value == "proved" else FAILED
        documents[0] |= {"equal_to_rtl": answer.value}
        told.append(f"netlist equal to the RTL: {answer.value}")
    return status, documents, "\n\n".join(told)


def _power(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.targets import library_with_energies, power

    target = options.target or ("n28" if options.liberty is None else "gates")
    asked = {
        "constraints": _constraints(options),
        "records": options.records,
        "seed": options.seed,
    }
    spec, style = _spec(options), _style(options.style)
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
        options.output.mkdir(parents=True, exist_ok=True)
        for name, text in zip(("netlist.v", "activity.saif", "waveform.vcd"), texts, strict=True):
            write_atomically(options.output / name, text)
    return HELD, found.to_dict(), str(found)


def _recipes(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.recipes import recipes

    found = recipes(
        [_spec(options, name) for name in options.units],
        options.target or ("n28" if options.liberty is None else "gates"),
        liberty=options.liberty,
        trials=options.trials,
        seed=options.seed,
    )
    return HELD, found.to_dict(), str(found)


def _demo(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.demonstration import demonstrate

    report = demonstrate(
        weights=options.weights,
        tensor=options.tensor,
        style=_style(options.style),
        output=options.output,
    )
    status = TOOL_FAILED if any(costs.errors for costs in report.costs) else HELD
    return (status if report.passed else FAILED), report.to_dict(), str(report)


def _validate(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.validation import validate_n28

    found = validate_n28(liberty=options.liberty)
    return HELD, found.to_dict(), str(found)


def _doctor(options: argparse.Namespace) -> Answer:
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


def run() -> NoReturn:
    """The console script."""
    sys.exit(main())
