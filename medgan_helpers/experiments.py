"""The grid: regimen x arm x seed, one cell at a time, on one machine or on a dask cluster.

    cells = experiments.cells(percents=(1, 10), arms=("none", "gan", "oracle"), seeds=range(3))
    table = experiments.run(cells, "grid.csv")

A cell is a dict of settings and a pure function of them: the same cell gives the same row anywhere. Finished
cells are in the csv and are never run again; a killed run goes on with the ones that are missing.
The rules that make the comparison fair, and the faults in published work that each prevents, are in
notebook 06: equal steps for every arm, validation on real films only, the test films used once, at the end.
"""

import itertools
import json
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from . import arms, artifacts, augmentation, chexpert, metrics, profiles


# ---------------------------------------------------------------- what a cell is
@dataclass(frozen=True)
class Cell:
    """Settings of one cell; what is not given follows from the profile."""

    percent: float  # of the pool's training films
    arm: str  # one of arms.ARMS
    seed: int  # of the regimen's patients, the first weights and all that is drawn
    films: int  # in the pool
    size: int  # pixels
    steps: int  # of the classifier: the same for every arm
    batch_size: int
    extra: int  # films an arm adds, a rare finding
    test: int  # test positives, a rare finding
    generator_steps: int
    preset: str  # of the classifier

    @classmethod
    def complete(cls, cell):
        """Fill in what `cell`, a dict, does not say. Raises ValueError for unknown or impossible settings."""
        profile = profiles.get()
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
        if given["arm"] not in arms.ARMS:
            raise ValueError(f"unknown arm {given['arm']!r}: choose one of {', '.join(arms.ARMS)}")
        if not 0 < given["percent"] <= 100:
            raise ValueError(f"percent={given['percent']}: expected more than 0 and at most 100")
        return cls(**{field.name: field.type(given[field.name]) for field in fields(cls)})


KEY = [field.name for field in fields(Cell)]


def cells(percents=(1,), arms=arms.ARMS, seeds=(0,), **settings):
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
    one that dies has its cell run again by another. work: function Cell -> dict (default `run_cell`).
    """
    work, out = work or run_cell, Path(out)
    wanted = list(dict.fromkeys(Cell.complete(cell) for cell in cells))
    finished = _finished(out)
    todo = [cell for cell in wanted if cell not in finished]
    with tqdm(total=len(todo), desc="cells", unit="cell", disable=not todo) as bar:
        for cell, row in (_on_cluster if scheduler else _here)(todo, work, scheduler):
            finished[cell] = asdict(cell) | row
            with artifacts.atomic(out) as temporary:
                pd.DataFrame(finished.values()).to_csv(temporary, index=False)
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
    torch.set_num_threads(1)  # one process a core does more than threads that wait for one another
    return work(cell)


# ---------------------------------------------------------------- one cell
def run_cell(cell):
    """Train one reader and score it once on the test films; return its row.

    Columns: AUROC, low and high for each rare finding and "rare" (their mean), macro (mean of all findings
    that the test films can score), positives (real ones in training, of the rarest), added (films), train and
    valid (loss; their difference is the gap), curve (step, train, valid), probe (see `probe`), minutes.
    """
    start = time.perf_counter()
    films = load(cell)
    real, extra = films["train"], added(cell, films)
    training = arms.join(real, *extra.values()) if extra else real
    batches = training.batches(cell.batch_size, cell.seed)
    if cell.arm == "standard":
        batches = augmentation.Augmented(batches, seed=cell.seed)
    curve = []
    reader = arms.train_reader(batches, cell.steps, cell.preset, cell.seed, watcher(films, curve))
    row = score(reader, films["test"], films["test patients"]) | {
        "positives": min(len(real.positives(finding)) for finding in chexpert.RARE),
        "added": sum(len(part) for part in extra.values()),
        "train": curve[-1][1],
        "valid": curve[-1][2],
        "curve": json.dumps(curve),
        "probe": probe(reader, real, extra),
    }
    keep_scores(cell, reader.logits(films["test"].images()))
    return row | {"minutes": (time.perf_counter() - start) / 60, "commit": artifacts.provenance()["commit"]}


def watcher(films, curve):
    """A function that appends (step, training loss, validation loss) to `curve`, both on real films."""
    count = min(len(films["train"]), len(films["valid"]))
    pairs = [(films[part].images()[:count], films[part].labels()[:count]) for part in ("train", "valid")]

    def watch(reader, step):
        curve.append([step, *(round(reader.loss(images, labels), 5) for images, labels in pairs)])

    return watch


def load(cell):
    """The films of a cell: {"train", "valid", "test": arms.Films, "test patients": identities}."""
    source = arms.pool(cell.films, cell.size)
    tables = arms.parts(source.frame, cell.percent, cell.seed, cell.test)
    films = {name: arms.take(source, frame) for name, frame in tables.items()}
    return films | {"test patients": tables["test"].patient.to_numpy()}


def added(cell, films):
    """What the cell's arm adds: {finding: arms.Films}. A finding without a real positive gets none."""
    if cell.arm in ("none", "standard"):
        return {}
    if cell.arm == "oracle":
        return fresh(cell)
    real = films["train"]
    findings = [finding for finding in chexpert.RARE if len(real.positives(finding))]
    if cell.arm == "duplicate":
        make = {f: arms.duplicates(real, f, cell.extra, cell.seed) for f in findings}
    else:
        make = synthetic(cell, films, findings)
    return {finding: arms.Films(made, arms.only(finding, len(made))) for finding, made in make.items()}


def fresh(cell):
    """New simulated patients, `extra` a rare finding; no other cell ever sees them."""
    each = tuple((finding, cell.extra) for finding in chexpert.RARE)
    source = arms.pool(3 * cell.extra, cell.size, arms.POOL_SEED + 1, each)
    every = arms.take(source, source.frame)
    return {f: arms.Films(every.films[every.positives(f)], arms.only(f, cell.extra)) for f in chexpert.RARE}


def synthetic(cell, films, findings):
    """Films made from the regimen: {finding: (extra, size, size) uint8}, for copypaste, gan and leaky."""
    real = films["train"]
    reader = arms.train_reader(
        real.batches(cell.batch_size, cell.seed), cell.steps, cell.preset, cell.seed
    )
    if cell.arm == "copypaste":
        return {f: arms.pasted(real, reader, f, cell.extra, cell.seed) for f in findings}
    seen = real
    if cell.arm == "leaky":
        seen = arms.join(real, films["valid"], films["test"])
    generator = arms.train_generator(seen, reader, findings, cell.generator_steps, cell.seed)
    return {f: arms.drawn(real, reader, generator, f, cell.extra, cell.seed) for f in findings}


# ---------------------------------------------------------------- scores
def score(reader, films, patients):
    """AUROC of the rare findings with patient-bootstrap intervals, their mean, and that of all findings."""
    labels, scores = films.labels().numpy(), reader.logits(films.images()).numpy()
    row = {}
    for finding in chexpert.RARE:
        number = reader.findings.index(finding)
        estimate = metrics.auroc(labels[:, number], scores[:, number], patients)
        row |= {finding: estimate.value, f"{finding} low": estimate.low, f"{finding} high": estimate.high}
    numbers = [reader.findings.index(finding) for finding in chexpert.RARE]
    rare = metrics.macro_auroc(labels[:, numbers], scores[:, numbers], patients)
    both = [n for n in range(labels.shape[1]) if 0 < labels[:, n].sum() < len(labels)]
    macro = metrics.macro_auroc(labels[:, both], scores[:, both], patients)
    row |= {"rare": rare.value, "rare low": rare.low, "rare high": rare.high}
    return row | {"macro": macro.value, "macro low": macro.low, "macro high": macro.high, "n": len(labels)}


def probe(reader, real, extra):
    """How well added films can be told from real positives by what the reader sees: AUROC, .5 is best.

    A logistic regression on the reader's features, cross-validated. Near 1, the films carry a mark of their
    making, and the reader may learn the mark instead of the finding. nan where nothing was added.
    """
    if not extra:
        return np.nan
    positives = torch.cat([real.positives(finding) for finding in extra])
    made = torch.cat([part.images() for part in extra.values()])
    if min(len(positives), len(made)) < 10:
        return np.nan
    features = metrics.features(torch.cat([real.images()[positives], made]), reader.embed).numpy()
    truth = np.arange(len(features)) >= len(positives)
    judge = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=500))
    guess = cross_val_predict(judge, features, truth, cv=5, method="decision_function")
    return metrics.auroc(truth.astype(float), guess, np.arange(len(truth))).value


def name(cell):
    """A short name of a cell for a file."""
    return "-".join(str(getattr(cell, part)) for part in KEY)


def keep_scores(cell, logits):
    """Keep a cell's test logits, so that two cells can be compared film by film (see `difference`)."""
    path = artifacts.folder("artifacts") / "grid" / f"{name(cell)}.npy"
    with artifacts.atomic(path) as temporary:
        np.save(temporary, logits.numpy())


def difference(first, second, findings=chexpert.RARE):
    """Mean AUROC of `findings`, first cell minus second, with a paired patient-bootstrap interval."""
    first, second = Cell.complete(first), Cell.complete(second)
    folder = artifacts.folder("artifacts") / "grid"
    scores, others = (np.load(folder / f"{name(cell)}.npy") for cell in (first, second))
    source = arms.pool(first.films, first.size)
    table = arms.parts(source.frame, first.percent, first.seed, first.test)["test"]
    numbers = [chexpert.FINDINGS.index(finding) for finding in findings]
    labels = chexpert.labels(table).to_numpy()[:, numbers]
    return metrics.macro_auroc(labels, scores[:, numbers], table.patient, others[:, numbers])
