"""The student edition: student.py FOLDER copies the notebooks there without their solutions.

A solution is a cell tagged `solution`. It goes; its exercise stays, with hint, stub and check. An exercise
that has no stub, because it is open-ended, gets an empty cell to work in. The Colab badge goes too: it would
open the edition with solutions.
"""

import re
import sys
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
BADGE = re.compile(r"\[!\[Open in Colab\].*\n+")
PROMISE = "Solutions are folded below each check; nothing later depends on them."
KEPT = "Nothing later depends on them."


def is_solution(cell):
    return "solution" in cell.metadata.get("tags", [])


def place_to_work(cell):
    """An empty code cell with the id of the solution that was there."""
    empty = nbformat.v4.new_code_cell("# your work")
    empty.id = cell.get("id", empty.id)
    return empty


def without_solutions(notebook):
    """A copy of the notebook in which every solution is gone; its exercise has a cell to work in."""
    cells = []
    for cell in notebook.cells:
        if not is_solution(cell):
            text = BADGE.sub("", cell.source) if cell.cell_type == "markdown" else cell.source
            cells.append(nbformat.from_dict(cell | {"source": text.replace(PROMISE, KEPT)}))
        elif cells[-1].cell_type == "markdown":
            cells.append(place_to_work(cell))
    return nbformat.from_dict(notebook | {"cells": cells})


def main(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.ipynb"):
        old.unlink()
    sources = sorted(NOTEBOOKS.glob("*.ipynb"))
    for source in sources:
        notebook = nbformat.read(source, as_version=nbformat.NO_CONVERT)
        nbformat.write(without_solutions(notebook), folder / source.name, version=nbformat.NO_CONVERT)
    print(f"{len(sources)} notebooks without solutions are in {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
