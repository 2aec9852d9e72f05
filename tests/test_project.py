"""The project around the code: one address, a whole lock, clean code and workflows."""

import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import check
import pytest
import stamp_links
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from medgan_helpers import profiles

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]


def tool(name, *arguments):
    """Run a command of this environment in the repository; return what it printed if it failed."""
    command = [str(Path(sys.executable).parent / name), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr if done.returncode else ""


def test_table_of_contents_lists_every_page_and_no_other():
    listed = check.toc_pages(yaml.safe_load((ROOT / "book" / "_toc.yml").read_text()))
    chapters = [f"notebooks/{path.stem}" for path in NOTEBOOKS]
    assert [page for page in listed if page.startswith("notebooks/")] == chapters
    assert set(listed) - set(chapters) == {path.stem for path in (ROOT / "book").glob("*.md")}


# --- one address --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", stamp_links.targets(), ids=lambda path: path.name)
def test_addresses_come_from_the_configuration(path):
    assert stamp_links.stamped(path) == path.read_text(), "run `make links`"


@pytest.fixture
def fork(tmp_path, monkeypatch):
    """A copy of what carries the address; call it with new settings to stamp it, and get its files' text."""
    for path in stamp_links.targets():
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    monkeypatch.setattr(stamp_links, "ROOT", tmp_path)

    def stamp(url, branch="main", title="MedGAN"):
        config = tmp_path / "_config.yml"
        text = re.sub("(?m)^title: .*", f"title: {title}", config.read_text())
        text = re.sub("(?m)^  url: .*", f"  url: {url}", text)
        config.write_text(re.sub("(?m)^  branch: .*", f"  branch: {branch}", text))
        stamp_links.main()
        return {str(path.relative_to(tmp_path)): path.read_text() for path in stamp_links.targets()}

    return stamp


def test_a_fork_is_stamped_whole(fork):
    files = fork("https://github.com/uni/gan-kurs", "2027", "GAN-Kurs")
    assert "git clone -b 2027 https://github.com/uni/gan-kurs && cd gan-kurs\n" in files["README.md"]
    notebook = files["notebooks/03-dcgan.ipynb"]
    assert "/github/uni/gan-kurs/blob/2027/notebooks/03-dcgan.ipynb" in notebook
    assert "git+https://github.com/uni/gan-kurs@2027" in notebook and "ipynb" in notebook
    assert files["README.md"].startswith("# GAN-Kurs\n") and files["book/intro.md"].startswith("# GAN-Kurs\n")
    assert 'title: "GAN-Kurs: generative' in files["CITATION.cff"]
    assert [name for name, text in files.items() if "medgan-course" in text] == []


@pytest.mark.parametrize("url", ["https://github.com/uni/gan-kurs/", "https://github.com/uni/gan-kurs.git"])
def test_an_untidy_address_is_tidied(fork, url):
    assert fork(url) == fork("https://github.com/uni/gan-kurs") == fork(url)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ("https://gitlab.com/uni/gan-kurs", "gitlab.com/uni/gan-kurs"),
        ("https://github.com/uni/gan-kurs/", "github.com/uni/gan-kurs/"),
    ],
)
def test_what_a_wrong_address_has_left_is_repaired(fork, wrong, where):
    right = fork("https://github.com/uni/gan-kurs")
    for path in stamp_links.targets():
        text = path.read_text().replace("github.com/uni/gan-kurs", where)
        path.write_text(
            text.replace("github/uni/gan-kurs/", f"github/{wrong}/").replace("cd gan-kurs", "cd ")
        )
    assert "cd \n" in (stamp_links.ROOT / "README.md").read_text()
    assert fork("https://github.com/uni/gan-kurs") == right


@pytest.mark.parametrize(
    "url", ["https://gitlab.com/uni/kurs", "git@github.com:uni/kurs.git", "https://github.com/uni", "kurs"]
)
def test_an_address_that_is_not_on_github_is_refused(fork, url):
    with pytest.raises(ValueError, match=r"expected https://github\.com/owner/name\. Colab's badges"):
        fork(url)


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
