"""The house rules: one address, one lock, notebooks that keep their contract, clean code and workflows."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from itertools import chain
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
import check  # noqa: E402
import stamp_links  # noqa: E402

from medgan_helpers import profiles  # noqa: E402

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
MYST = re.compile(r"^(:::|```\{)|\{[a-z:]+\}`", re.MULTILINE)  # directives and roles: raw text on Colab
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=4)


def tool(name, *arguments):
    """Run a command of this environment in the repository; return what it printed if it failed."""
    command = [str(Path(sys.executable).parent / name), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr if done.returncode else ""


# --- notebooks ----------------------------------------------------------------------------------


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


def test_table_of_contents_lists_every_page_and_no_other():
    listed = check.toc_pages(yaml.safe_load((ROOT / "book" / "_toc.yml").read_text()))
    chapters = [f"notebooks/{path.stem}" for path in NOTEBOOKS]
    assert [page for page in listed if page.startswith("notebooks/")] == chapters
    assert set(listed) - set(chapters) == {path.stem for path in (ROOT / "book").glob("*.md")}


# --- one address --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", stamp_links.targets(), ids=lambda path: path.name)
def test_addresses_come_from_the_configuration(path):
    assert stamp_links.stamped(path) == path.read_text(), "run `make links`"


def test_readme_shows_every_notebook_and_only_files_that_exist():
    readme = (ROOT / "README.md").read_text()
    assert all(stamp_links.colab_link(path.name) in readme for path in NOTEBOOKS)
    local = re.findall(r"\]\((?!https?:)([^)#]+)", readme)
    assert [name for name in local if not (ROOT / name).exists()] == []


# --- versions, code, workflows ------------------------------------------------------------------


def test_lock_pins_everything_the_project_asks_for():
    pins = {canonicalize_name(pin.name): pin for pin in map(Requirement, LOCK)}
    asked = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    for requirement in map(Requirement, asked):
        pin = pins[canonicalize_name(requirement.name)]
        version = str(pin.specifier).removeprefix("==")
        assert str(pin.specifier).startswith("==") and version in requirement.specifier, "run `make lock`"


def test_lock_names_no_source_and_marks_what_only_linux_has():
    assert not [line for line in LOCK if "://" in line or line.startswith("-")]
    nvidia = [line for line in LOCK if line.startswith(("nvidia-", "cuda-", "triton"))]
    assert nvidia and all("sys_platform == 'linux'" in line for line in nvidia)


def test_package_asks_for_lower_bounds_only():
    """An upper bound or a pin would replace what Colab has under the running kernel."""
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert [clause.operator for clause in requirement.specifier] == [">="], requirement


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make_names_the_profiles_when_it_is_given_another():
    done = subprocess.run(["make", "help", "PROFILE=huge"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode and all(name in done.stderr for name in profiles.PROFILES)


def test_code_is_clean():
    assert tool("ruff", "check", ".") == ""


def test_workflows_pass_the_linter():
    assert tool("zizmor", "--offline", "--pedantic", "--no-progress", ".github/workflows") == ""


def test_sources_name_no_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    kinds = (".py", ".sh", ".md", ".ipynb", ".yml", ".toml", ".txt", "Makefile")
    text = [ROOT / name for name in listed if name.endswith(kinds)]
    path = re.compile(r"(?<![\w.~/])/(?:home|root|Users|tmp|work)/\w")
    assert [str(file) for file in text if file.is_file() and path.search(file.read_text())] == []


def test_notebooks_are_written_the_same_way():
    """One indent, real characters, a final newline: a change of one cell is a diff of one cell."""
    for path in NOTEBOOKS:
        text = path.read_text()
        assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n", path.name
