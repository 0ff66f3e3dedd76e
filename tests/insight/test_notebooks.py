"""Every notebook runs from its first cell to its last, and is committed without output."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from bench.notebooks import NOTEBOOKS, executed, rendered

ALL = sorted(NOTEBOOKS.glob("*.ipynb"))


def test_there_is_one_for_each_of_the_four_questions() -> None:
    assert [path.stem for path in ALL] == [
        "explore_complaints",
        "judge_the_model",
        "review_an_incident",
        "what_would_change_if",
    ]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_it_is_committed_without_output(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


@pytest.mark.slow
@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_it_runs_on_real_rows_and_is_rendered(path: Path, worked: Path) -> None:
    notebook = executed(path, worked)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            kinds = {output.output_type for output in cell.outputs}
            assert kinds <= {"execute_result"}, cell.source
    shown = rendered(notebook)
    assert f"<title>{notebook.cells[0].source.splitlines()[0].lstrip('# ')}</title>" in shown
    assert "Traceback" not in shown
