"""The notebooks, run and rendered: ``python -m bench.notebooks FOLDER [--home HOME]``.

Runs each notebook of ``notebooks/`` on a deployment, by default the demonstration with some of its
cases worked on, and writes it with its output as an HTML page into ``FOLDER``. The notebooks
themselves stay as they are: they are committed without output.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from bench.report_pictures import work
from outcry.demo import run_demo
from outcry.settings import environment_with

NOTEBOOKS: Final = Path(__file__).parent.parent / "notebooks"
PATIENCE: Final = 300
"""Seconds that one cell may take."""


def main() -> None:
    """Run and render all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place:
        home = given.home or Path(place) / "home"
        if given.home is None:
            run_demo(home)
            work(home)
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            page = given.folder / f"{path.stem}.html"
            page.write_text(rendered(executed(path, home)), encoding="utf-8")
            print(f"{page}: {page.stat().st_size // 1000} kB", flush=True)


def executed(path: Path, home: Path) -> Any:
    """A notebook with its output, as it is on the deployment in ``home``.

    Raises:
        nbclient.exceptions.CellExecutionError: if a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3")
    client.execute(env=environment_with({"OUTCRY_HOME": str(home)}))
    return notebook


def rendered(notebook: Any) -> str:
    """The notebook as one HTML page."""
    page, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    return (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
        f"<body>\n{page}\n</body></html>\n"
    )


if __name__ == "__main__":
    main()
