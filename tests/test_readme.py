"""The README's examples run as they stand."""

import re
from pathlib import Path

import pytest

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
