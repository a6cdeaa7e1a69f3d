"""The tutorial's files are written, its package is installed, and all its commands are run."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "notebooks" / "add_a_unit.md").read_text()
FILES = dict(re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", PAGE, re.M | re.S))
COMMANDS = re.search(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S)[1].splitlines()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """The user's directory, with the package installed beside it."""
    place = tmp_path_factory.mktemp("tutorial")
    for name, text in FILES.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
    done = subprocess.run(
        [*install, str(place / "installed"), str(place)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # What is tried is the installed package, not its sources.
    (place / "xnor").rename(place / "sources")
    return place


def output(place: Path, command: str) -> str:
    """What a command of the page prints, run in the user's directory."""
    program, *arguments = shlex.split(command)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(place / "installed"), str(ROOT)])
    }
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_has_its_files_and_commands():
    assert set(FILES) == {
        *("pyproject.toml", "xnor/__init__.py", "xnor/golden.py", "xnor/hardware.py"),
        *("xnor/running_sum.py", "xnor/running_sum_hardware.py", "tests/test_xnor_dot.py"),
    }
    assert COMMANDS[0] == "pip install ."
    assert len(COMMANDS) == 9


SHOWN = {
    "multipede list": r"^xnor_dot +part +dot product of binary vectors",
    "multipede show": r"multiply_accumulate per record",
    "multipede verify xnor_dot -p lanes=9": r"exhaustive +262144 records",
    "multipede verify xnor_dot --stallable": r"random with stalls",
    "multipede verify running_sum": r"running_sum equals its reference",
    "multipede generate": r"build/xnor_dot/xnor_dot.v",
    "multipede synthesize": r"NAND2",
    "pytest": r"9 passed",
}


@pytest.mark.parametrize("command", COMMANDS[1:])
def test_commands_work(place, command):
    (expected,) = (text for start, text in SHOWN.items() if command.startswith(start))
    assert re.search(expected, output(place, command), re.M)
