"""The contract of the notebooks: clean sources, plain Markdown, one parameters cell, nothing Colab lacks."""

import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
import stamp_links
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MYST = re.compile(r"^(:::|```\{)|\{[a-z:]+\}`", re.MULTILINE)  # directives and roles: raw text on Colab
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def test_there_are_notebooks():
    assert NOTEBOOKS


@each_notebook
def test_notebook_is_a_clean_source(path):
    notebook = read(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert len(notebook.cells) <= 60
    assert notebook.metadata.kernelspec.name == "python3"


@each_notebook
def test_notebook_begins_with_title_and_its_own_badge(path):
    first = read(path).cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")
    assert stamp_links.colab_link(path.name) in first.source


@each_notebook
def test_notebook_has_one_parameters_cell(path):
    tagged = [c for c in read(path).cells if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    names = re.findall(r"^(\w+) *=", tagged[0].source, re.MULTILINE)
    assert names[:4] == ["PROFILE", "DATASET", "DATA_ROOT", "SEED"]
    assert names[4:] in ([], ["TRAIN"])


@each_notebook
def test_no_line_of_code_runs_out_of_the_page(path):
    code = [cell.source for cell in read(path).cells if cell.cell_type == "code"]
    assert [line for source in code for line in source.split("\n") if len(line) > 100] == []


@each_notebook
def test_notebook_is_plain_markdown(path):
    prose = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    assert not [found[0] for text in prose if (found := MYST.search(text))]


@each_notebook
def test_notebook_imports_only_what_the_package_brings(path):
    """On Colab the setup cell installs the package and what that asks for, nothing else."""
    code = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "code")
    modules = set(re.findall(r"^\s*(?:from|import)\s+(\w+)", code, re.MULTILINE))
    distributions = metadata.packages_distributions()
    allowed = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]} | {
        "medgan-helpers",
        "ipython",  # the kernel itself
    }
    for module in modules - set(sys.stdlib_module_names):
        assert {canonicalize_name(name) for name in distributions.get(module, [module])} & allowed, module


def test_notebooks_are_written_the_same_way():
    """One indent, real characters, a final newline: a change of one cell is a diff of one cell."""
    for path in NOTEBOOKS:
        text = path.read_text()
        assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n", path.name
