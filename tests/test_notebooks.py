"""The notebooks run as they stand, from the first cell to the last."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
FIRST = "1_first_steps"


def _seconds(path: Path) -> int:
    """For one cell."""
    return 300 if path.stem == FIRST else 1800


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[] if path.stem == FIRST else [pytest.mark.regress])
        for path in NOTEBOOKS
    ],
    ids=lambda path: path.stem,
)
def test_it_runs(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(notebook, timeout=_seconds(path), resources=resources)
    client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) >= 3
    assert all(cell.execution_count for cell in cells)
    # Something is shown, and nothing is complained about.
    shown = [output for cell in cells for output in cell.outputs]
    assert any(output.output_type in ("execute_result", "display_data") for output in shown)
    assert not [o for o in shown if o.output_type == "error"]


def test_there_are_seven():
    """Which the README names."""
    assert [path.stem.partition("_")[0] for path in NOTEBOOKS] == list("1234567")
    readme = (NOTEBOOKS[0].parents[1] / "README.md").read_text()
    for path in NOTEBOOKS:
        assert path.name in readme


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_are_kept_without_results(path):
    """So that what changes in them is what was written."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
