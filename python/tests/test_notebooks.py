"""The notebooks run, and their cells are short."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_are_few_and_short(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(notebook.cells) < 30
    assert max(cell.source.count("\n") + 1 for cell in code) <= 10
    assert not any(cell.outputs or cell.execution_count for cell in code), "clear the outputs"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, request, monkeypatch):
    if path.stem == "paper-qa":
        monkeypatch.setenv("SURENESS_PAPER", str(request.getfixturevalue("shared") / "paper"))
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    if folder := os.environ.get("SURENESS_NOTEBOOKS"):
        nbformat.write(notebook, Path(folder) / path.name)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    texts = [str(output.get("text", output.get("data", {}))) for output in outputs]
    # Tables and pictures show themselves.
    assert any("image/svg+xml" in text for text in texts)
    assert not any("Traceback" in text for text in texts)
