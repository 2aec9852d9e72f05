"""Build the site of executed notebooks: build_site.py FOLDER EXECUTED.ipynb...

Lays the pages out in FOLDER/pages, has Jupyter Book draw them, makes them lighter, checks what came out and
puts it into FOLDER/html, in the place of the site before. One at a time: of a `make` that was killed, this
script may still be at work, and would write among the pages of the next. When the process $ASKED_BY, its
parent, is gone it stops before its next step.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import check
import command
import lighten
import stage
from filelock import Timeout

from medgan_helpers import artifacts

CONFIG = stage.BOOK.parent / "_config.yml"


def main(folder, *executed):
    folder = Path(folder)
    pages, site = folder / "pages", folder / "html"
    alone = artifacts.lock(folder / "site")
    try:
        held = alone.acquire(timeout=0)
    except Timeout:
        print(f"another build is at work in {folder}: waiting for its end", flush=True)
        held = alone.acquire()
    with held:
        build(pages, site, executed)


def build(pages, site, executed):
    """Step by step, as long as somebody waits for the result."""
    steps = (
        lambda: shutil.rmtree(pages, ignore_errors=True),
        lambda: stage.main(pages, *executed),
        lambda: draw(pages),
        lambda: lighten.main(pages / "_build" / "html"),
        lambda: check.main(pages / "_build" / "html"),
        lambda: replace(site, pages / "_build" / "html"),
    )
    for step in steps:
        if os.getppid() != int(os.environ.get("ASKED_BY", os.getppid())):
            raise ValueError("stopped: whoever asked for this site is gone")
        step()


def replace(site, new):
    shutil.rmtree(site, ignore_errors=True)
    new.rename(site)


def draw(pages):
    """Have Jupyter Book draw the pages; a warning is an error. Its list of what it does is not shown."""
    book = [Path(sys.executable).with_name("jupyter-book"), "build", pages, "--path-output", pages]
    strict = ["--config", CONFIG, "-W", "-n", "--keep-going", "--quiet"]
    status = subprocess.run([*book, *strict], stdout=subprocess.DEVNULL).returncode
    if status:
        raise ValueError(f"Jupyter Book ended with status {status}: see above")


if __name__ == "__main__":
    command.run(main, __doc__)
