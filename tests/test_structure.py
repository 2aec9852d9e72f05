"""The house keeps its plan: imports point one way, files are short, notebooks show the lesson."""

import ast
import importlib.util
import json
import re
from pathlib import Path

import pytest

import medgan_helpers

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "medgan_helpers"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = [file for place in ("data_scripts", "studies", "benchmarks", "book/scripts")
           for file in sorted((ROOT / place).rglob("*.py"))]  # fmt: skip
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FOLDED = {"hide-input", "remove-input", "remove-cell", "hide-cell", "solution", "parameters"}


def name_of(file):
    """The dotted name of a file of the package; a folder's __init__ has the folder's."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(file) for file in MODULES}


def imported(file):
    """The modules of the package that a file imports, anywhere in it."""
    package = name_of(file) if file.name == "__init__.py" else name_of(file).rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(base, package) if node.level else base
            modules = {f"{base}.{alias.name}" for alias in node.names} & NAMES
            found |= modules or {base}
    return {name for name in found if name in NAMES and name != "medgan_helpers"} - {name_of(file)}


def units():
    """The names in the package's first words, from the ground up."""
    return re.findall(r"[a-z]\w+", medgan_helpers.__doc__.split("beginning:")[1])


def unit(name):
    return name.split(".")[1]


def test_the_plan_lists_every_file_and_folder():
    there = {unit(name) for name in NAMES if name != "medgan_helpers"}
    assert sorted(units()) == sorted(there)


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_imports_point_one_way(file):
    if name_of(file) == "medgan_helpers":
        assert imported(file) == set()
        return
    place = {name: number for number, name in enumerate(units())}
    mine = unit(name_of(file))
    assert [name for name in imported(file) if place[unit(name)] > place[mine]] == []


def test_no_folder_holds_a_circle():
    needs = {name_of(file): imported(file) for file in MODULES if file.name != "__init__.py"}
    while free := [name for name, needed in needs.items() if not needed & needs.keys()]:
        for name in free:
            del needs[name]
    assert needs == {}, "these files import each other"


@pytest.mark.parametrize("file", MODULES + SCRIPTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_is_longer_than_400_lines(file):
    assert len(file.read_text().splitlines()) <= 400


def visible(path):
    """The code cells that a reader sees without unfolding anything, as lists of lines."""
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    shown = [cell for cell in code if not FOLDED & set(cell["metadata"].get("tags", []))]
    return ["".join(cell["source"]).splitlines() for cell in shown]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_shows_the_lesson(path):
    cells = visible(path)
    assert [cell[0] for cell in cells if len(cell) > 25] == []
    assert sum(map(len, cells)) <= 220
    reports = re.compile(r"""alt=|(say|print)\(f["']""")
    assert [line for cell in cells for line in cell if reports.search(line)] == [], "fold it, or name it"
