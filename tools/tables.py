"""Write the README's tables: each is what a command printed, under that command."""

import re
import subprocess
import sys
from pathlib import Path

from multipede.toolchain import write_atomically

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
COMMANDS = {
    "One layer of a transformer through MixPE and its rivals": ["multipede", "demo"],
    "Targets (times depend on the machine, ratios are taken in one run)": [
        *("python", "-m", "benchmarks"),
    ],
}


def main() -> None:
    """Run every command and put what it prints between the markers."""
    blocks = []
    for title, command in COMMANDS.items():
        print(title, file=sys.stderr)
        program = Path(sys.executable).with_name(command[0])
        done = subprocess.run(
            [program, *command[1:]], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
        )
        # 1 says that a target is missed, which the table is to show.
        if done.returncode not in (0, 1):
            raise SystemExit(f"{' '.join(command)} ended with status {done.returncode}")
        lines = [line for line in done.stdout.strip().split("\n") if "written:" not in line]
        blocks.append(f"**{title}**\n\n```\n$ {' '.join(command)}\n" + "\n".join(lines) + "\n```\n")
    section = "<!-- tables -->\n" + "\n".join(blocks) + "<!-- /tables -->"
    text = README.read_text()
    pattern = re.compile(r"<!-- tables -->.*<!-- /tables -->", re.DOTALL)
    write_atomically(README, pattern.sub(lambda _: section, text))


if __name__ == "__main__":
    main()
