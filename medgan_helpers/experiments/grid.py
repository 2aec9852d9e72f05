"""The grid: regimen x arm x seed, one cell at a time, on one machine or on a dask cluster.

    cells = experiments.cells(percents=(1, 10), arms=("none", "duplicate", "oracle"), seeds=range(3))
    table = experiments.run(cells, "grid.csv")

Finished cells are in the csv and are never run again; a killed run goes on with the ones that are missing.
The rules that make the comparison fair, and the faults in published work that each prevents, are in
chapter 6: equal steps for every arm, validation on real films only, the test films used once, at the end.
"""

import os
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from .. import artifacts
from ..checks import door, path, told
from . import trial
from .cell import KEY, Cell
from .results import write_scores


def _csv(name, value):
    """The name of a csv that can be written, and whose scores have a folder of their own beside it."""
    path(name, value)
    out = Path(value)
    if out.is_dir():
        raise ValueError(f"{out} is a folder: expected the name of a csv")
    if not out.suffix:  # the scores would go to a folder of that very name
        raise ValueError(f"{name} is {str(value)!r}: expected the name of a csv, as {out}.csv")
    for part in (out.with_suffix(""), *out.parents):
        if part.is_file():
            raise ValueError(f"{name} is {str(value)!r}, but {part} is a file: expected a folder there")


def _writable(out):
    """Refuse, before anything is trained, a place where no row could be written."""
    place = next(part for part in out.resolve().parents if part.is_dir())
    if not os.access(place, os.W_OK):
        raise ValueError(f"out is {str(out)!r}, and nothing can be written in {place}: choose another")


@door(out=_csv)
def run(cells, out, scheduler=None):
    """Run the cells that `out` does not hold yet; return the rows of all, as a DataFrame.

    cells: list of dicts, see `Cell`; out: a csv, one row per cell, written after each, whole or not at all;
    the test scores of each cell go to the folder of the same name beside it.
    scheduler: address of a dask scheduler ("tcp://host:8786"): the cells are shared among its workers, and
    one that dies has its cell run again by another.
    """
    if not isinstance(cells, list | tuple):
        raise TypeError(f"cells is {told(cells)}: expected a list, as experiments.cells makes it")
    if scheduler is not None and ":" not in str(scheduler):
        raise ValueError(f"scheduler is {scheduler!r}: expected its address, as tcp://host:8786")
    out = Path(out)
    wanted = list(dict.fromkeys(Cell.complete(cell) for cell in cells))
    done = finished(out)
    todo = [cell for cell in wanted if cell not in done]
    if todo:
        _writable(out)
    with tqdm(total=len(todo), desc="cells", unit="cell", disable=not todo) as bar:
        for cell, row in _on_cluster(todo, scheduler) if scheduler else _here(todo):
            if scores := row.pop("scores", None):
                write_scores(cell, out, **scores)
            done[cell] = asdict(cell) | row
            with artifacts.lock(out):  # another run may have finished cells since
                artifacts.write_csv(out, list((finished(out) | done).values()))
            bar.update()
    return pd.DataFrame([done[cell] for cell in wanted])


@door(out=path)
def finished(out):
    """{Cell: row} of the cells in a csv. Raises ValueError if it is something else."""
    out = Path(out)
    if out.is_dir():
        raise ValueError(f"{out} is a folder: expected the name of a csv")
    if not out.exists():
        return {}
    try:
        table = pd.read_csv(out)
    except ValueError as error:
        raise ValueError(f"{out} is not a table of cells ({error}): choose another name") from error
    missing = [name for name in KEY if name not in table]
    if missing:
        raise ValueError(f"{out} is not a table of cells (no column {missing[0]!r}): choose another name")
    rows = table.to_dict("records")
    keys = []
    for number, row in enumerate(rows):
        try:
            keys.append(Cell.complete({name: row[name] for name in KEY}))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{out}, row {number} is no cell ({error}): remove that line") from error
    return {key: row | {"arm": key.arm} for key, row in zip(keys, rows, strict=True)}  # a renamed arm


def _here(todo):
    for cell in todo:
        yield cell, trial.run_cell(cell)


def _on_cluster(todo, scheduler):
    from distributed import Client, as_completed  # the `cluster` extra

    made = artifacts.provenance()
    settings = trial.run_cell, made["profile"], made["dataset"]
    with Client(scheduler) as client:
        futures = {client.submit(_with_settings, cell, *settings, pure=False): cell for cell in todo}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _with_settings(cell, run_cell, profile, dataset):
    artifacts.activate(profile, dataset)
    return run_cell(cell)
