"""Write the README's tables: each is what a command printed, under that command.

``tools/tables.py WORD...`` writes only those anew whose command has one of the words.
"""

import re
import subprocess
import sys
from pathlib import Path

from multipede.toolchain import write_atomically

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
_SMALL_BOARDS = ("icebreaker", "ice40-hx8k-evn", "tang-nano-9k", "ulx3s-25f")


def _fits(unit: str, *parameters: str) -> list[str]:
    shape = ("-p", "rows=1", "-p", "lanes=4")
    boards = (word for name in _SMALL_BOARDS for word in ("--board", name))
    return ["multipede", "fit", unit, *parameters, *shape, *boards, "--seeds", "1"]


COMMANDS = {
    "One layer of a transformer through MixPE and its rivals": ["multipede", "demo"],
    "A tile beside its baselines on n28, at one clock": [
        *("multipede", "power", "mixpe", "--baselines", "--clock-period", "2"),
    ],
    "LUT Tensor Core's ablation on n28, at one clock, each step in the shape that suits it": [
        *("multipede", "reproduce", "lut_tensor_core", "ablation"),
    ],
    "The same in the paper's shape": [
        *("multipede", "reproduce", "lut_tensor_core", "ablation", "--shape", "2x64x4"),
    ],
    "Its tile in other shapes": ["multipede", "reproduce", "lut_tensor_core", "shapes"],
    "Lookups on a whole model": ["multipede", "reproduce", "lut_tensor_core", "workloads"],
    "Lookups beside multipliers and bit-serial additions, INT8 activations": [
        *("multipede", "reproduce", "lut_tensor_core", "widths"),
    ],
    "The same with FP16 activations, at a slower clock": [
        *("multipede", "reproduce", "lut_tensor_core", "widths"),
        *("--activation", "fp16", "--shape", "1x4x4"),
        *("--weight-bits", "1", "--weight-bits", "2", "--weight-bits", "4"),
        *("--clock-period", "4"),
    ],
    "How wrong L-Mul is": ["multipede", "reproduce", "lmul", "statistics"],
    "What it costs, and its rivals, on n28 at one clock": [
        "multipede",
        "reproduce",
        "lmul",
        "costs",
    ],
    "The same on FPGAs": ["multipede", "reproduce", "lmul", "fpga"],
    "What it does to a network": ["multipede", "reproduce", "lmul", "embeddings"],
    "Activations beside each other on n28 at one clock, and on FPGAs": [
        *("multipede", "reproduce", "quadinr", "costs"),
    ],
    "The same placed and routed": [
        *("multipede", "reproduce", "quadinr", "fpga", "--bits", "8", "--bits", "12"),
    ],
    "The most columns of tiles on small boards: MixPE, W4A8": _fits("mixpe"),
    "Lookups, W2A8": _fits("lut_tensor_core"),
    "L-Mul, E4M3 into FP16, in six register ranks": _fits(
        "lmul_tile",
        *("-p", "activation=e4m3", "-p", "weight=e4m3", "-p", "accumulator=fp16", "-p", "stages=6"),
    ),
    "Images out of networks whose activations the RTL computes": [
        *("multipede", "reproduce", "quadinr", "images"),
    ],
    "A video likewise": ["multipede", "reproduce", "quadinr", "video", "--iterations", "500"],
    "Whole networks in RTL": ["multipede", "reproduce", "quadinr", "network"],
    "The papers' headline figures beside ours": ["multipede", "reproduce"],
    "MixPE on whole models": ["multipede", "reproduce", "mixpe", "workloads"],
    "Our model of workloads against BitMoD's published figures": [
        *("multipede", "reproduce", "bitmod", "workloads"),
    ],
    "How well predictions on n28 tell what they never saw": [
        *("multipede", "calibrate", "n28", "--refit"),
        *("-o", "cost_model/prediction/calibrated/n28.json"),
    ],
    "The same of LUTs, flip-flops and DSP blocks of ECP5": [
        *("multipede", "calibrate", "ecp5", "--refit"),
        *("-o", "cost_model/prediction/calibrated/ecp5.json"),
    ],
    "And of UltraScale+, where delays of several clocks are made of look-up tables": [
        *("multipede", "calibrate", "xcup", "--refit"),
        *("-o", "cost_model/prediction/calibrated/xcup.json"),
    ],
    "How far n28 is from published 28 nm results": ["multipede", "validate", "n28"],
    "Targets (times depend on the machine, ratios are taken in one run)": [
        *("python", "-m", "benchmarks"),
    ],
}


def main(words: list[str]) -> None:
    """Run the commands and put what each prints between the markers, as soon as it is there."""
    for title, command in COMMANDS.items():
        if words and not set(words) & set(command):
            continue
        print(title, file=sys.stderr)
        lines = [line for line in _printed(command) if "written:" not in line]
        _put(title, f"**{title}**\n\n```\n$ {' '.join(command)}\n" + "\n".join(lines) + "\n```\n")


def _put(title: str, block: str) -> None:
    """Write a table anew, others staying as they are; those that no command makes go."""
    text = README.read_text()
    blocks = {name: _kept(name, text) for name in COMMANDS} | {title: block}
    section = "<!-- tables -->\n" + "\n".join(filter(None, blocks.values())) + "<!-- /tables -->"
    pattern = re.compile(r"<!-- tables -->.*<!-- /tables -->", re.DOTALL)
    write_atomically(README, pattern.sub(lambda _: section, text))


def _kept(title: str, text: str) -> str:
    found = re.search(rf"^\*\*{re.escape(title)}\*\*\n\n```\n.*?^```\n", text, re.M | re.S)
    return found[0] if found else ""


def _printed(command: list[str]) -> list[str]:
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [program, *command[1:]], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    # 1 says that a target is missed, which the table is to show.
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}")
    return done.stdout.strip().split("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
