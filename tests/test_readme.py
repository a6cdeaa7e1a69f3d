"""The README's examples run as they stand."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from multipede.arguments import parser
from multipede.options import spec_of

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
IMPORTS = "\n".join(line for line in BLOCKS[0].splitlines() if line.startswith("import "))


@pytest.mark.parametrize(
    "block",
    [pytest.param(BLOCKS[0], marks=pytest.mark.regress), *BLOCKS[1:]],
    ids=[block.split("\n")[0] for block in BLOCKS],
)
def test_example(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "assert" in block
    exec(f"{IMPORTS}\n{block}", {"__name__": "readme"})


def test_there_are_examples():
    assert len(BLOCKS) >= 2


COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("multipede ")
]
WORKFLOW = yaml.safe_load(
    re.search(r"^```yaml\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)[1]
)
STEPS = [step["run"] for step in WORKFLOW["jobs"]["verify"]["steps"] if "run" in step]


@pytest.mark.parametrize("line", [*COMMANDS, *(s for s in STEPS if s.startswith("multipede "))])
def test_commands_are_understood(line):
    """Words and parameters are right; what the commands do, other tests try."""
    options = parser().parse_args(shlex.split(line)[1:])
    if hasattr(options, "unit") and hasattr(options, "parameter"):
        spec_of(options)


def test_the_workflow_is_one():
    assert WORKFLOW["jobs"]["verify"]["runs-on"] == "ubuntu-latest"
    assert len(STEPS) == 4
