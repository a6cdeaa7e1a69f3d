"""Commands for FPGAs: route, build, fit, boards, try, simulate-board."""

import argparse

from multipede.answer import FAILED, HELD, Answer
from multipede.options import spec_of, style_of


def route_command(options: argparse.Namespace) -> Answer:
    from multipede.fpga import route
    from multipede.hw import Style

    spec, style = spec_of(options), style_of(options.style) or Style.WORD
    asked = {"style": style, "seeds": options.seeds, "frequency": options.frequency}
    found = [route(spec, name, **asked) for name in options.chip or ["ecp5-25f"]]
    return HELD, [result.to_dict() for result in found], "\n\n".join(map(str, found))


def build_command(options: argparse.Namespace) -> Answer:
    from multipede.fpga import build_for
    from multipede.fpga.load import load, loader_of

    spec = spec_of(options)
    if options.load:
        # What is missing for it is told before hours of work.
        loader_of(options.board)
    given = {"baud_rate": options.baud_rate} if options.baud_rate is not None else {}
    found = build_for(
        spec,
        options.board,
        output=options.output,
        frequency=options.frequency,
        records=options.records,
        seeds=options.seeds,
        **given,
    )
    text = str(found)
    if options.load and found.files is not None:
        text += f"\n  {load(found)}"
    return FAILED if found.meets_clock is False else HELD, found.to_dict(), text


def fit_command(options: argparse.Namespace) -> Answer:
    from multipede.fpga.fit import fit, fit_table

    given = {name: getattr(options, name) for name in ("baud_rate", "most", "time_limit")}
    asked = {name: value for name, value in given.items() if value is not None}
    asked |= {"frequency": options.frequency, "seeds": options.seeds}
    if any(setting.startswith("columns=") for setting in options.parameter):
        raise ValueError("columns are what fit searches for: --most says how many at most")
    found = [fit(spec_of(options), board, **asked) for board in options.board]
    text = str(found[0]) if len(found) == 1 else fit_table(found)
    failed = any(each.spec is None for each in found)
    return FAILED if failed else HELD, [each.to_dict() for each in found], text


def boards_command(options: argparse.Namespace) -> Answer:
    from dataclasses import asdict

    from multipede.fpga.boards import BOARDS
    from multipede.fpga.chips import CHIPS

    documents = {
        "boards": [asdict(board) for board in BOARDS.values()],
        "chips": [
            {"name": chip.name, "title": chip.title, "holds": dict(chip.holds)}
            for chip in CHIPS.values()
        ],
    }
    lines = [
        f"{board.name:16}{board.title:38}{board.clock / 1e6:5g} MHz  "
        + ("bitstream" if board.fpga.is_routed else "directory for Vivado")
        for board in BOARDS.values()
    ]
    lines += ["", f"{'chip':14}{'':34}{'LUT':>10}{'FF':>11}{'DSP':>7}{'RAM':>7}"]
    for chip in CHIPS.values():
        held = [f"{chip.holds[kind]:,}" for kind in ("lut", "ff", "dsp", "bram")]
        lines.append(f"{chip.name:14}{chip.title:34}" + "{:>10}{:>11}{:>7}{:>7}".format(*held))
    return HELD, documents, "\n".join(lines)


def try_command(options: argparse.Namespace) -> Answer:
    from multipede.cost_model.evidence import keep
    from multipede.cost_model.findings import of_trial
    from multipede.fpga import connect, try_board

    given = {"baud_rate": options.baud_rate, "timeout": options.timeout}
    with connect(options.port, **{k: v for k, v in given.items() if v is not None}) as board:
        trial = try_board(board, records=options.records, seed=options.seed)
    keep(of_trial(trial))
    return HELD if trial.passed else FAILED, trial.to_dict(), str(trial)


def simulate_board_command(options: argparse.Namespace) -> Answer:
    """Goes on until Ctrl-C."""
    import signal
    import sys
    import time

    from multipede.fpga.simulated_board import SimulatedBoard

    spec = spec_of(options)
    # What it leaves behind goes with it however it is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with SimulatedBoard(spec, records=options.records) as board:
        print(f"{spec.computation.unit} at {board.port} until Ctrl-C", flush=True)
        while True:
            time.sleep(1)
