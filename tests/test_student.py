"""The student edition has every exercise with a place to work, no line of a solution, and runs unsolved."""

import base64
import io
import re
from pathlib import Path

import edition as written
import execute
import live_pages
import nbformat
import numpy as np
import page_extension
import pytest
import stage
import stamp_links
import student
from PIL import Image

SOURCES = sorted(student.NOTEBOOKS.glob("*.ipynb"))
STUB = "audit = ..."  # of an exercise
CHAPTERS = [path for path in SOURCES if "## Exercises" in path.read_text()]


def read(path):
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    student.main(folder)
    return folder


def lines(cells):
    """The lines of cells that say something of their own."""
    found = {line.strip() for cell in cells for line in cell.source.splitlines()}
    return {line for line in found if len(line) > 12}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_line_of_a_solution_is_left(path, edition):
    cells, ours = read(path).cells, read(edition / path.name)
    solutions = [cell for cell in cells if student.is_solution(cell)]
    theirs = lines(solutions) - lines(cell for cell in cells if not student.is_solution(cell))
    text = "\n".join(cell.source for cell in ours.cells)
    assert len(solutions) >= 4 and theirs
    assert theirs & lines(ours.cells) == set()
    assert "Solution" not in text and "One way to start" not in text


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_exercise_keeps_its_stub(path, edition):
    cells, ours = read(path).cells, read(edition / path.name).cells
    kept = [cell.source for cell in ours]
    for number, cell in enumerate(cells):
        if student.is_solution(cell):
            stub = cells[number - 1].source
            assert "..." in stub and stub in kept


def images_of(notebook):
    """The addresses of all pictures in a notebook's text."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.findall(r"!\[[^\]]*\]\(([^)\s]+)", text) + re.findall(r"<img\b[^>]*\bsrc=\"([^\"]+)", text)


@pytest.mark.parametrize("which", ["source", "edition"])
def test_every_picture_of_a_notebook_is_in_the_notebook_itself(which, edition):
    """On Colab nothing else is; a live figure shows its still there, to the pixel."""
    shown = 0
    for path in SOURCES:
        notebook = read(path if which == "source" else edition / path.name)
        pictures = [address for address in images_of(notebook) if address != stage.COLAB_BADGE]
        names = re.findall(r'data-figure="(\w+)"', "\n".join(cell.source for cell in notebook.cells))
        for name, address in zip(names, pictures, strict=True):
            kind, _, data = address.partition(",")
            assert kind == "data:image/webp;base64", (path.name, address[:80])
            still = Image.open(io.BytesIO(base64.b64decode(data)))
            expected = Image.open(live_pages.ASSETS / "stills" / f"{name}.png").convert("RGB")
            assert np.array_equal(still, expected), f"{path.name}: run book/scripts/live_stills.py"
            shown += 1
    assert shown >= 7


def test_a_chapter_says_where_its_figure_moves_and_its_page_does_not_link_to_itself():
    pages = page_extension.pages_address(stamp_links.address()[0])
    for path in SOURCES:
        for cell in read(path).cells:
            if "live-figure" in cell.source:
                assert f" [the page of the book]({pages}notebooks/{path.stem}.html)" in cell.source
                page = live_pages.localise(cell.source, "x")
                assert " the page of the book" in page and pages not in page


@pytest.mark.slow
def test_an_unsolved_chapter_runs(edition, tmp_path):
    target = tmp_path / "ran.ipynb"
    execute.main(edition / "10-after-gans.ipynb", target, "PROFILE=smoke")
    assert sum("exercises." in cell.source for cell in read(target).cells) >= 4


def test_a_second_run_replaces_the_first_but_no_work(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(student, "KEPT", "Nothing depended on them.")
        student.main(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    student.main(tmp_path)
    assert before != {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert sorted(path.name for path in Path(tmp_path).glob("*.ipynb")) == [path.name for path in SOURCES]
    student.main(tmp_path)
    worked = next(path for path in sorted(tmp_path.glob("*.ipynb")) if STUB in path.read_text())
    worked.write_text(worked.read_text().replace(STUB, "answer = 42"))
    (tmp_path / SOURCES[-1].name).unlink()
    for _ in range(2):
        with pytest.raises(SystemExit, match=f"holds work in {worked.name}: give another folder"):
            student.main(tmp_path)
        assert "answer = 42" in worked.read_text() and not (tmp_path / SOURCES[-1].name).exists()
        (tmp_path / written.WRITTEN).unlink(missing_ok=True)  # as an older edition left it


def test_nobody_elses_notebook_is_touched(tmp_path):
    own = tmp_path / "my-own-lecture.ipynb"
    own.write_text("{}")
    with pytest.raises(SystemExit, match=r"my-own-lecture.ipynb, which is not the course's"):
        student.main(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [own.name]
    before = len(SOURCES)
    with pytest.raises(SystemExit, match="holds the sources"):
        student.main(student.NOTEBOOKS)
    assert len(list(student.NOTEBOOKS.glob("*.ipynb"))) == before
