"""Coverage: the share of the package's lines that the quick unit tests and the smoke notebooks run."""

import json
import os
import subprocess
import sys

from . import ROOT, Count

LEAST = 90  # per cent of the lines
SETTINGS = """[run]
source = medgan_helpers
parallel = true
patch = subprocess
data_file = {folder}/lines
"""


def counts(short, folder):
    """All quick tests, then every notebook; nothing in the short form: it takes a quarter of an hour."""
    if short:
        return
    (settings := folder / "settings").write_text(SETTINGS.format(folder=folder))
    environment = os.environ | {"MEDGAN_BUILD": str(folder / "build"), "MPLBACKEND": "agg"}
    environment |= {"COVERAGE_FILE": str(folder / "lines"), "COVERAGE_PROCESS_START": str(settings)}

    def run(*words):
        command = [sys.executable, "-m", "coverage", *map(str, words)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        return [] if done.returncode == 0 else [(done.stdout + done.stderr)[-1500:]]

    measured = ("run", f"--rcfile={settings}")
    failures = run(*measured, "-m", "pytest", "tests", "-m", "not slow", "-p", "no:cacheprovider")
    for notebook in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        target = folder / notebook.name
        failures += run(*measured, "book/scripts/execute.py", notebook, target, "PROFILE=smoke")
    failures += run("combine", f"--rcfile={settings}", folder)
    failures += run("json", f"--rcfile={settings}", "-o", folder / "lines.json")
    totals = json.loads((folder / "lines.json").read_text())["totals"]
    share = totals["percent_covered"]
    if share < LEAST:
        failures.append(f"{share:.1f} % of the lines, expected {LEAST} %")
    note = f"{share:.1f} % of them run in the quick tests and the smoke notebooks, asked for {LEAST} %"
    yield Count("lines of medgan_helpers", totals["num_statements"], failures, note)
