"""One cell of the grid: build its training films, train a reader, score it once on the test films."""

import json
import time

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import arms, artifacts, augmentation, checkpoints, chexpert, experiments, metrics
from .classifier import DenseNet


def run(cell):
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
    logits = reader.logits(films["test"].images()).numpy()
    row = score(films["test"].labels().numpy(), logits, films["test patients"]) | {
        "positives": min(len(real.positives(finding)) for finding in chexpert.RARE),
        "added": sum(len(part) for part in extra.values()),
        "train": curve[-1][1],
        "valid": curve[-1][2],
        "curve": json.dumps(curve),
        "probe": probe(reader, real, extra),
    }
    keep(cell, reader, logits, extra)
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
    tables = arms.parts(source.frame, cell.percent, cell.seed, cell.test, cell.steps * cell.batch_size)
    source.films(np.concatenate([frame.index for frame in tables.values()]), progress=True)
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
    if not findings:  # no generator can learn from none
        return {}
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
    """Films made from the regimen: {finding: (extra, size, size) uint8}, for the arms that make some."""
    real, source = films["train"], arms.pool(cell.films, cell.size)
    if cell.arm == "stargan":
        generator = arms.train_stargan(real, findings, cell.generator_steps, cell.seed)
        return {
            f: arms.translated(real, generator, k, cell.extra, cell.seed) for k, f in enumerate(findings)
        }

    def marks(part):
        return {f: source.marks(part.numbers[part.positives(f).numpy()], f) for f in findings}

    centres = marks(real)
    if cell.arm == "copypaste":
        return {f: arms.pasted(real, centres, f, cell.extra, cell.seed) for f in findings}
    if cell.arm == "leaky":
        everything = arms.join(real, films["valid"], films["test"])
        generator = arms.train_generator(everything, marks(everything), cell.generator_steps, cell.seed)
    else:
        generator = arms.train_generator(real, centres, cell.generator_steps, cell.seed)
    return {f: arms.drawn(real, centres, generator, f, cell.extra, cell.seed) for f in findings}


# ---------------------------------------------------------------- what is kept of a cell
def _folder(cell):
    return artifacts.folder("artifacts") / "grid" / experiments.name(cell)


def keep(cell, reader, logits, extra):
    """Keep a cell's reader, test logits and added films, for the notebooks."""
    checkpoints.write(_folder(cell), {"step": cell.steps, "state": reader.state_dict()})
    _save(_folder(cell) / "logits.npy", logits)
    for finding, part in extra.items():
        _save(_folder(cell) / f"{finding}.npy", part.films.numpy())


def _save(path, array):
    with artifacts.atomic(path) as temporary:
        np.save(temporary, array)


def kept_reader(cell):
    """The reader a cell was finished with, or None."""
    saved = checkpoints.read(_folder(cell))
    if saved is None:
        return None
    reader = DenseNet(preset=cell.preset, steps=cell.steps, seed=cell.seed)
    reader.load_state_dict(saved["state"])
    return reader


def kept_films(cell):
    """{finding: (n, size, size) uint8}: the films that a finished cell's arm added."""
    return {f: np.load(path) for f in chexpert.RARE if (path := _folder(cell) / f"{f}.npy").exists()}


# ---------------------------------------------------------------- scores
def score(labels, scores, patients):
    """AUROC of the rare findings with patient-bootstrap intervals, their mean, and that of all findings."""
    row, numbers = {}, [chexpert.FINDINGS.index(finding) for finding in chexpert.RARE]
    for finding, number in zip(chexpert.RARE, numbers, strict=True):
        estimate = metrics.auroc(labels[:, number], scores[:, number], patients)
        row |= {finding: estimate.value, f"{finding} low": estimate.low, f"{finding} high": estimate.high}
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


def test_scores(cell, findings=chexpert.RARE):
    """Labels (n, F), logits (n, F) and patients (n,) of a finished cell's test films, by finding."""
    cell = experiments.Cell.complete(cell)
    source = arms.pool(cell.films, cell.size)
    table = arms.parts(source.frame, cell.percent, cell.seed, cell.test)["test"]
    numbers = [chexpert.FINDINGS.index(finding) for finding in findings]
    logits = np.load(_folder(cell) / "logits.npy")
    return chexpert.labels(table).to_numpy()[:, numbers], logits[:, numbers], table.patient.to_numpy()


def difference(first, second, findings=chexpert.RARE):
    """Mean AUROC of `findings`, first cell minus second, with a paired patient-bootstrap interval."""
    labels, scores, patients = test_scores(first, findings)
    return metrics.macro_auroc(labels, scores, patients, test_scores(second, findings)[1])
