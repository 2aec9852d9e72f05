"""Security: nothing is unpickled or evaluated, no secret or personal path is told, workflows are pinned."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import licences

from . import ROOT, Count

FORBIDDEN = {  # calls that run what a file holds; numpy's and pandas' are judged by their arguments
    "eval", "exec", "pickle.load", "pickle.loads", "pickle.Unpickler", "torch.load", "joblib.load",
    "dill.load", "dill.loads", "marshal.loads", "marshal.load", "shelve.open", "yaml.load",
    "yaml.unsafe_load", "pd.read_pickle", "pandas.read_pickle", "os.system", "os.popen",
}  # fmt: skip
OURS = ("tests/test_exam.py", "tests/test_exercises.py", "tests/test_beyond.py")  # evaluate lines of our own
MODULES = {"pickle", "cPickle", "dill", "marshal", "shelve", "cloudpickle"}
SECRET = re.compile(
    r"gh[pousr]_\w{30,}|github_pat_\w{30,}|hf_[A-Za-z]{30,}|AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9]{32,}"
    r"|xox[bp]-[\w-]{20,}|pypi-\w{40,}|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]+:[^/\s@]+@"
)
PERSONAL = re.compile(r"(?<![\w.~/-])/(?:home|Users|root)/[\w.-]+")
TEXT = {
    ".py",
    ".sh",
    ".md",
    ".ipynb",
    ".yml",
    ".toml",
    ".txt",
    ".js",
    ".css",
    ".html",
    ".json",
    ".csv",
    ".bib",
    "",
}
PINNED = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v[\d.]+")
LEFT_OUT = (".git", ".venv", ".venv-colab", "__pycache__", ".hypothesis", ".pytest_cache", ".ruff_cache")


def counts(short, folder):
    """All checks; they take seconds. short: without the built pages, which may not be there."""
    yield no_code_from_files()
    yield no_secrets("sources", sources())
    built = [file for file in (ROOT / "build").glob("*/html/**/*.html")]
    if not short:
        note = "" if built else "no site was built here"
        yield no_secrets("built pages", built)._replace(note=note)
    yield workflows()
    unknown = [f"{name} states no licence" for name, _, licence in licences.table() if licence == "unknown"]
    yield Count("packages whose licence is stated", len(licences.table()), unknown)
    if not short:
        yield audit()


def sources():
    """Every text file of the checkout that is not generated."""
    files = [file for place in ROOT.iterdir() if place.name not in (*LEFT_OUT, "build")
             for file in ([place] if place.is_file() else place.rglob("*"))]  # fmt: skip
    return [
        file for file in files if file.is_file() and file.suffix in TEXT and "__pycache__" not in file.parts
    ]


def code():
    """(name, source) of every Python file and of every notebook's code."""
    for file in sources():
        if file.suffix == ".py":
            yield file.relative_to(ROOT), file.read_text(encoding="utf-8")
        elif file.suffix == ".ipynb":
            cells = [cell for cell in json.loads(file.read_text())["cells"] if cell["cell_type"] == "code"]
            text = "\n".join("".join(cell["source"]) for cell in cells)
            yield file.relative_to(ROOT), re.sub(r"^(\s*)[%!].*$", r"\1pass", text, flags=re.MULTILINE)


def no_code_from_files():
    """The syntax trees of all code: no call and no import that could run what a file holds."""
    files, failures = list(code()), []
    for name, text in files:
        words = [
            word
            for word in dangers(text)
            if not (str(name) in OURS and word.endswith(("calls eval", "calls exec")))
        ]
        failures += [f"{name}: {word}" for word in words]
    note = "tests evaluate our own exam, exercises, pages; one weights file is read with weights_only"
    return Count("files that unpickle or evaluate nothing", len(files), failures, note)


def dangers(text):
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            found += [f"imports {name}" for name in names & MODULES]
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            safe = any(
                word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in node.keywords
            )
            if called in FORBIDDEN and not safe:
                found.append(f"line {node.lineno} calls {called}")
            found += [f"line {node.lineno} allows pickles" for word in node.keywords
                      if word.arg == "allow_pickle" and ast.unparse(word.value) != "False"]  # fmt: skip
    return found


def no_secrets(what, files):
    """No token, key or password, and no path of a person's machine."""
    failures = []
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")
        failures += [f"{file.relative_to(ROOT)}: {found[0][:12]}..." for pattern in (SECRET, PERSONAL)
                     if (found := pattern.search(text))]  # fmt: skip
    return Count(f"{what} without secrets and personal paths", len(files), failures)


def workflows():
    """Every action by its full commit hash, no right that is not named, and zizmor finds nothing."""
    files, failures = sorted((ROOT / ".github" / "workflows").glob("*.yml")), []
    for file in files:
        text = file.read_text()
        used = re.findall(r"uses: *(.+)", text)
        failures += [
            f"{file.name}: {action} is not pinned" for action in used if not PINNED.fullmatch(action)
        ]
        if not re.search(r"^permissions:", text, re.MULTILINE) or "write-all" in text:
            failures.append(f"{file.name} does not name its rights")
    lint = [Path(sys.executable).parent / "zizmor", "--offline", "--pedantic", "--no-progress", *files]
    done = subprocess.run(lint, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    failures += [done.stdout[-2000:]] if done.returncode else []
    return Count("workflows with few rights and pinned actions", len(files), failures)


def audit():
    """The lock's packages in the databases of known holes, where pip-audit and a network are there."""
    what, lock = "packages without a known hole", ROOT / "requirements.txt"
    if not (tool := os.environ.get("PIP_AUDIT") or shutil.which("pip-audit")):
        return Count(what, 0, [], "not run here: no pip-audit")
    asked = [tool, "-r", str(lock), "--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off"]
    done = subprocess.run(asked, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600)
    try:
        found = [package for package in json.loads(done.stdout)["dependencies"] if "vulns" in package]
    except ValueError:
        found = []
    if not found:  # it ends well also where it could look up nothing
        return Count(what, 0, [], "not run here: pip-audit reached no database of holes")
    holes = [f"{package['name']} {package['version']}: {', '.join(hole['id'] for hole in package['vulns'])}"
             for package in found if package["vulns"]]  # fmt: skip
    return Count(what, len(found), holes)
