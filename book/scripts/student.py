"""The student edition: student.py FOLDER copies the notebooks there without their solutions.

A solution is a cell tagged `solution`. It goes; its exercise stays, with hint, stub and check. The Colab
badge goes too: it would open the edition with solutions. Copies of an earlier edition are replaced; where
somebody has worked in one, nothing is written.
"""

import re
from pathlib import Path

import command
import edition
import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
BADGE = re.compile(r"\[!\[Open in Colab\].*\n+")
PROMISE = "Solutions are folded below each check; nothing later depends on them."
KEPT = "Nothing later depends on them."


def is_solution(cell):
    return "solution" in cell.metadata.get("tags", [])


def without_solutions(notebook):
    """A copy of the notebook in which every solution is gone."""
    cells = []
    for cell in notebook.cells:
        if not is_solution(cell):
            text = BADGE.sub("", cell.source) if cell.cell_type == "markdown" else cell.source
            cells.append(nbformat.from_dict(cell | {"source": text.replace(PROMISE, KEPT)}))
    return nbformat.from_dict(notebook | {"cells": cells})


def without_all_solutions(sources):
    """{name: text} of the notebooks without solutions."""
    texts = {}
    for source in sources:
        notebook = without_solutions(nbformat.read(source, as_version=nbformat.NO_CONVERT))
        texts[source.name] = nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"
    return texts


def main(folder):
    """Write the edition to a folder; refuse one that holds others' notebooks, work, or the sources."""
    if Path(folder).is_file():
        raise SystemExit(f"{folder} is a file: give a folder, as build/student")
    folder, sources = Path(folder), sorted(NOTEBOOKS.glob("*.ipynb"))
    if folder.resolve() == NOTEBOOKS:
        raise SystemExit(f"{folder} holds the sources: give another folder, as build/student")
    foreign = {path.name for path in folder.glob("*.ipynb")} - {source.name for source in sources}
    if foreign:
        raise SystemExit(
            f"{folder} holds {min(foreign)}, which is not the course's: give a folder of its own"
        )
    texts = without_all_solutions(sources)
    if worked := edition.others(folder, texts):
        raise SystemExit(
            f"{folder} holds work in {', '.join(worked)}: give another folder, or move these notebooks away"
        )
    edition.write(folder, texts)
    print(f"{len(sources)} notebooks without solutions are in {folder}")


if __name__ == "__main__":
    command.run(main, __doc__)
