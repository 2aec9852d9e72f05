"""SIGKILL at random moments: the same command afterwards ends in the bytes of an undisturbed run.

Each round starts a command again and again, kills it at moments drawn over its whole length, and lets it
finish once. When what the kills left at work has ended too, every file must be there with the same bytes, and
no other: no half, no temporary file.
"""

import contextlib
import importlib
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import fake_films
import nbformat
import numpy as np
import test_resume
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from medgan_helpers import artifacts, chexpert, experiments, images, simulator, training
from medgan_helpers.experiments import films as pools
from medgan_helpers.experiments import trial
from medgan_helpers.simulator import dataset

from . import ROOT, Count, wanted
from .processes import Process, finish

KILLS = int(os.environ.get("KILLS", 30))  # of each command; fewer on a machine that has other work
TINY = ("01-tiny", "02-tiny")  # chapters of a book that is made in seconds
A_ROUND = 6  # kills before the command may finish


class Command(NamedTuple):
    """start(folder) does the work; `part` is what may differ: a function (name, bytes) -> bytes."""

    what: str
    start: Callable
    part: Callable = lambda name, data: data
    note: str = ""
    share: float = 1.0  # of the kills: less where a command has to start Python anew


# --- the commands -------------------------------------------------------------------------------


def render(folder, workers=1):
    dataset.FEW = 200 if workers == 1 else 0
    options = {"twins": True, "masks": True, "workers": workers, "progress": False}
    simulator.write(folder / "films", images=3, size=24, **options)


def build_store(source, folder):
    os.environ["MEDGAN_CACHE"] = str(folder / "cache")
    images.CHUNK = 2
    images.ImageStore(chexpert.read(source / "train.csv"), source, 64)


def fill_pool(folder):
    artifacts.folder = lambda kind: folder
    pools.Pool(12, 24, 1, {"Fracture": 4}).films(range(12))


def train(name, folder):
    make, batches = test_resume.MODELS[name]
    training.fit(make(), batches(), test_resume.STEPS, checkpoint=folder / "model", every=1)


def run_grid(address, folder):
    """The grid's own work, to lose no cell and to run none twice; its cells are pretended."""

    def pretend(cell):  # travels to a cluster by value: the workers need not import this file
        import time

        time.sleep(0.05)
        rng = np.random.default_rng(cell.seed)
        logits = rng.standard_normal((9, 14)).astype(np.float32)
        labels = (logits > 0).astype(np.float32)
        scores = {"labels": labels, "logits": logits, "patients": np.arange(9)}
        return {"score": 0.1 * cell.seed, "scores": scores}

    trial.run_cell = pretend
    asked = experiments.cells(percents=(1, 10), seeds=range(3), arms=["none"])
    experiments.run(asked, folder / "grid.csv", scheduler=address)


def import_films(source, folder):
    import import_folder

    arguments = [source, source / "train.csv", folder / "own", "--patient-pattern", r"patient\d+"]
    sys.argv = ["import_folder.py", *map(str, arguments)]
    try:
        import_folder.main()
    except FileExistsError as error:
        if "finished data set" not in str(error):  # which is what it says when killed after its last byte
            raise


def record_scores(folder):
    artifacts.folder = lambda kind: folder
    for number in range(20):
        artifacts.record(f"auc/{number}", number / 7, number / 8, number / 6, n=number)


def stage_book(executed, folder):
    """What the Makefile does: away with the old pages, lay out new ones."""
    import stage

    stage.make_live = lambda folder: None  # exports five networks: the same bytes, half a minute each time
    shutil.rmtree(folder / "pages", ignore_errors=True)
    stage.main(folder / "pages", *executed)


def make_book(checkout, folder):
    """`make book` in a checkout of two tiny chapters; what it writes goes to `folder`."""
    os.chdir(checkout)
    made = checkout / "build" / "made"  # make takes a BUILD below build/ alone
    made.parent.mkdir(exist_ok=True)
    made.unlink(missing_ok=True)
    made.symlink_to(folder)
    chapters = " ".join(f"notebooks/{name}.ipynb" for name in TINY)
    settings = ["BUILD=build/made", f"NOTEBOOKS={chapters}", f"PY={sys.executable}", "PROFILE=smoke"]
    os.environ |= {"PYTHONPATH": str(checkout), "MAKEFLAGS": ""}
    os.execvp("make", ["make", "book", *settings, "-o", ".venv/.ready"])


def tiny_checkout(place):
    """The Makefile and the scripts as they are; of the book a page and two chapters."""
    (place / "notebooks").mkdir(parents=True)
    shutil.copytree(ROOT / "book", place / "book", ignore=shutil.ignore_patterns("*.md", "__pycache__"))
    for name in ("Makefile", "_config.yml", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, place)
    for name in ("medgan_helpers", "teaching", "studies", "data_scripts"):
        (place / name).symlink_to(ROOT / name)
    for file in (ROOT / "notebooks").glob("*.ipynb"):
        (place / "notebooks" / file.name).symlink_to(file)  # the tables of the prose read them
    (place / ".venv").symlink_to(sys.prefix)
    (place / "book" / "intro.md").write_text("# A tiny book\n\nTwo chapters.\n")
    glossary = "# Glossary\n\n```{glossary}\nChapter\n  A part of a book.\n```\n"  # its terms become links
    (place / "book" / "glossary.md").write_text(glossary)
    pages = "".join(f"  - file: {page}\n" for page in ("glossary", *(f"notebooks/{name}" for name in TINY)))
    (place / "book" / "_toc.yml").write_text(f"format: jb-book\nroot: intro\nchapters:\n{pages}")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    for name in TINY:
        path = place / "notebooks" / f"{name}.ipynb"
        tiny_chapter(path)
        notebook = nbformat.read(path, 4)
        parameters = 'PROFILE = ""\nDATASET = ""\nDATA_ROOT = ""'
        notebook.cells.insert(1, new_code_cell(parameters, metadata={"tags": ["parameters"]}, id="given"))
        notebook.metadata = kernel
        nbformat.write(notebook, path)
    return place


# --- what may differ between two runs -----------------------------------------------------------


def without_times(name, data):
    """A checkpoint's JSON without its history, which holds seconds; its weights lie in the other file."""
    if not name.endswith("checkpoint.json"):
        return data
    head = json.loads(data)
    keys = [key for key, _ in head["tree"]["items"] if key != "history"]
    return json.dumps([head["weights"], keys]).encode()


def sorted_lines(name, data):
    """A grid's rows in any order: a cluster ends its cells in any."""
    return b"\n".join(sorted(data.splitlines())) if name.endswith(".csv") else data


def without_table(name, data):
    """The torture's own table, which the book shows, grows while the torture runs."""
    return b"" if "reliability" in name else data


def the_site(name, data):
    """The built site and the outputs of the notebooks; Sphinx's own notes hold times, and so does a notebook,
    also where the site keeps it as its source."""
    if name.endswith(".ipynb"):
        return json.dumps([cell.get("outputs", []) for cell in json.loads(data)["cells"]]).encode()
    return data if name.startswith("html/") else b""


def commands(folder, address):
    import import_folder  # noqa: F401
    import stage  # noqa: F401 (loaded once, for all of its runs)

    torch.set_num_threads(1)  # a forked process must not inherit a pool of threads
    simulator.sample(1, 24)  # what takes seconds to load is loaded once, for all of them
    source = fake_films.folder(folder / "source", films=10, prefix="").parent
    executed = [tiny_chapter(folder / "build" / "executed" / f"0{n}-x.ipynb") for n in (1, 2)]
    yield Command("rendering films", render)
    yield Command("building a store", partial(build_store, source))
    yield Command("filling the grid's pool of films", fill_pool)
    for name in ("dcgan", "pix2pix", "stargan", "stargan robust", "flow", "lesion_gan", "classifier"):
        yield Command(f"training {name}", partial(train, name), without_times)
    yield Command("the grid on one machine", partial(run_grid, None), note="cells without training")
    if address:
        yield Command("the grid on dask", partial(run_grid, address), sorted_lines, "cells without training")
    yield Command("importing a folder", partial(import_films, source))
    yield Command("recording scores", record_scores)
    yield Command(
        "staging the book",
        partial(stage_book, executed),
        without_table,
        note="without the live figures' networks",
    )
    checkout = tiny_checkout(folder / "tiny")
    note = "of two tiny chapters, by the Makefile and the scripts as they are"
    yield Command("make book", partial(make_book, checkout), the_site, note)
    yield Command("rendering films in two processes", partial(render, workers=2), share=0.2)


def tiny_chapter(path):
    """An executed chapter of two cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [new_markdown_cell("# A chapter\n\n**A question?**"), new_code_cell("1")]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    nbformat.write(new_notebook(cells=cells, metadata={"papermill": {"duration": 60.0}}), path)
    return str(path)


# --- killing ------------------------------------------------------------------------------------


def counts(short, folder):
    """Kill every command KILLS times; short: three of them, twice each."""
    with cluster(folder, short or not wanted("the grid on dask")) as address:
        for command in commands(folder, address):
            if short and command.what not in ("building a store", "training flow", "recording scores"):
                continue
            if not wanted(command.what):
                continue
            kills, failures = kill_often(command, 2 if short else round(command.share * KILLS), folder)
            yield Count(command.what, kills, failures, command.note)


@contextlib.contextmanager
def cluster(folder, short):
    """The address of a dask scheduler with two workers; None in the short form."""
    if short:
        yield None
        return
    import test_experiments

    (folder / "dask").mkdir()
    with test_experiments.cluster(folder / "dask") as (address, _):
        yield address


def kill_often(command, kills, folder):
    """(how often it was killed at work, what went wrong)."""
    load_what_it_loads(command, folder)
    whole, length, failures = undisturbed(command, folder)
    rng, killed, tries = random.Random(command.what), 0, 0
    while not failures and killed < kills and tries < 3 * kills:
        place = folder / f"round {tries}"
        place.mkdir()
        processes = []
        for _ in range(A_ROUND):
            tries += 1
            processes.append(process := Process(partial(command.start, place)))
            process.wait(rng.uniform(0, length))
            killed += process.kill(group=rng.random() < 0.7)
            if process.status == 0 or killed == kills:
                break
        if said := finish(partial(command.start, place)):
            failures.append(f"the same command failed afterwards: {said}")
        else:
            for process in processes:
                process.orphans_end()
            failures += differences(whole, contents(place, command.part))
        shutil.rmtree(place)
    return killed, failures


def load_what_it_loads(command, folder):
    """Import here what a run of the command imports, so that kills hit its work and not its imports."""

    def work():
        before = set(sys.modules)
        (place := folder / "loads").mkdir()
        try:
            command.start(place)
        finally:
            (folder / "modules").write_text("\n".join(sys.modules.keys() - before))

    (folder / "modules").write_text("")
    finish(work)
    shutil.rmtree(folder / "loads", ignore_errors=True)
    for name in (folder / "modules").read_text().split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def undisturbed(command, folder):
    """(its files, its seconds, what went wrong) of a run that nobody kills."""
    place = folder / "whole"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    started = time.monotonic()
    said = finish(partial(command.start, place))
    return contents(place, command.part), time.monotonic() - started, [said] if said else []


def contents(place, part):
    """{name: bytes} of every file below `place`; lock files, which are empty, stay where they are."""
    files = [file for file in sorted(place.rglob("*")) if file.is_file() and file.suffix != ".lock"]
    return {(name := str(file.relative_to(place))): part(name, file.read_bytes()) for file in files}


def differences(whole, found):
    """A sentence for each file that is missing, left over or different; the first three."""
    lost = [f"{name} is missing" for name in whole.keys() - found.keys()]
    left = [f"{name} was left" for name in found.keys() - whole.keys()]
    other = [f"{name} has other bytes" for name in whole.keys() & found.keys() if whole[name] != found[name]]
    return sorted(lost + left + other)[:3]
