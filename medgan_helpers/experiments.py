"""The grid: regimen x arm x seed, one cell at a time, on one machine or on a dask cluster.

    cells = experiments.cells(percents=(1, 10), arms=("none", "gan", "oracle"), seeds=range(3))
    table = experiments.run(cells, "grid.csv")

A cell is a dict of settings and a pure function of them: the same cell gives the same row anywhere. Finished
cells are in the csv and are never run again; a killed run goes on with the ones that are missing.
The rules that make the comparison fair, and the faults in published work that each prevents, are in
notebook 06: equal steps for every arm, validation on real films only, the test films used once, at the end.
"""

import itertools
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from . import artifacts

ARMS = (  # explained in `arms`
    "none", "standard", "duplicate", "copypaste", "gan", "stargan", "leaky", "oracle",
)  # fmt: skip


# ---------------------------------------------------------------- what a cell is
@dataclass(frozen=True)
class Cell:
    """Settings of one cell; what is not given follows from the profile."""

    percent: float  # of the pool's training films
    arm: str  # one of ARMS
    seed: int  # of the regimen's patients, the first weights and all that is drawn
    films: int  # in the pool
    size: int  # pixels
    steps: int  # of the classifier: the same for every arm
    batch_size: int
    extra: int  # films an arm adds, a rare finding
    test: int  # test positives, a rare finding
    generator_steps: int  # of the arm's generator
    preset: str  # of the classifier

    @classmethod
    def complete(cls, cell):
        """Fill in what `cell`, a dict, does not say. Raises ValueError for unknown or impossible settings."""
        profile = artifacts.profile()
        default = {
            "percent": 1, "arm": "none", "seed": 0, "films": profile.grid_films, "size": profile.image_size,
            "steps": profile.grid_steps, "batch_size": profile.batch_size, "extra": profile.grid_extra,
            "test": profile.grid_test, "generator_steps": profile.grid_generator_steps,
            "preset": profile.preset,
        }  # fmt: skip
        unknown = set(cell) - set(default)
        if unknown:
            raise ValueError(f"unknown settings {sorted(unknown)}: a cell has {', '.join(default)}")
        given = default | cell
        if given["arm"] not in ARMS:
            raise ValueError(f"unknown arm {given['arm']!r}: choose one of {', '.join(ARMS)}")
        if not 0 < given["percent"] <= 100:
            raise ValueError(f"percent={given['percent']}: expected more than 0 and at most 100")
        return cls(**{field.name: field.type(given[field.name]) for field in fields(cls)})


KEY = [field.name for field in fields(Cell)]


def cells(percents=(1,), arms=ARMS, seeds=(0,), **settings):
    """Every combination, as a list of dicts for `run`; settings are the same for all."""
    return [
        {"percent": percent, "arm": arm, "seed": seed, **settings}
        for percent, seed, arm in itertools.product(percents, seeds, arms)
    ]


# ---------------------------------------------------------------- running them
def run(cells, out, scheduler=None, work=None):
    """Run the cells that `out` does not hold yet; return the rows of all, as a DataFrame.

    cells: list of dicts, see `Cell`; out: a csv, one row a cell, written after each one, whole or not at all.
    scheduler: address of a dask scheduler ("tcp://host:8786"): the cells are shared among its workers, and
    one that dies has its cell run again by another. work: function Cell -> dict (default `trial.run`).
    """
    work, out = work or _trial, Path(out)
    wanted = list(dict.fromkeys(Cell.complete(cell) for cell in cells))
    finished = _finished(out)
    todo = [cell for cell in wanted if cell not in finished]
    with tqdm(total=len(todo), desc="cells", unit="cell", disable=not todo) as bar:
        for cell, row in (_on_cluster if scheduler else _here)(todo, work, scheduler):
            finished[cell] = asdict(cell) | row
            with artifacts.lock(out):  # another run may have finished cells since
                artifacts.write_csv(out, list((_finished(out) | finished).values()))
            bar.update()
    return pd.DataFrame([finished[cell] for cell in wanted])


def _finished(out):
    """{Cell: row} of the cells in a csv. Raises ValueError if it is something else."""
    if not out.exists():
        return {}
    table = pd.read_csv(out)
    missing = [name for name in KEY if name not in table]
    if missing:
        raise ValueError(f"{out} is not a table of cells (no column {missing[0]!r}): choose another name")
    return {Cell.complete({name: row[name] for name in KEY}): row for row in table.to_dict("records")}


def _here(todo, work, _):
    for cell in todo:
        yield cell, work(cell)


def _on_cluster(todo, work, scheduler):
    from distributed import Client, as_completed  # the `cluster` extra

    made = artifacts.provenance()
    with Client(scheduler) as client:
        futures = {
            client.submit(_with_settings, work, cell, made["profile"], made["dataset"], pure=False): cell
            for cell in todo
        }
        for future in as_completed(futures):
            yield futures[future], future.result()


def _with_settings(work, cell, profile, dataset):
    artifacts.activate(profile, dataset)
    return work(cell)


def _trial(cell):
    from . import trial  # here, so that a scheduler's client and the table need no network code

    return trial.run(cell)


def name(cell):
    """A short name of a cell for a file."""
    return "-".join(str(getattr(cell, part)) for part in KEY)
