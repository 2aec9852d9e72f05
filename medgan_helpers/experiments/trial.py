"""One trial runs one cell: build its training films, train a classifier, score it once on the test films."""

import json
import time

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .. import artifacts, augmentation, chexpert, metrics
from ..classifier import DenseNet
from ..training import fit
from .arms import added
from .films import join, parts, pool, take
from .results import keep

CURVE_POINTS = 6  # of a learning curve


def run_cell(cell):
    """Train one reader and score it once on the test films; return its row.

    Columns: AUROC, low and high for each rare finding and "rare" (their mean), macro (mean of all findings
    that the test films can score), positives (real ones in training, of the rarest), added (films), train and
    valid (loss; their difference is the gap), curve (step, train, valid), probe (see `probe`), minutes.
    """
    start = time.perf_counter()
    films = cell_films(cell)
    real, extra = films["train"], added(cell, films)
    training = join(real, *extra.values()) if extra else real
    batches = training.batches(cell.batch_size, cell.seed)
    if cell.arm == "standard":
        batches = augmentation.Augmented(batches, seed=cell.seed)
    curve = []
    reader = train_classifier(batches, cell.steps, cell.preset, cell.seed, watcher(films, curve))
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


def train_classifier(batches, steps, preset, seed, watch=None):
    """A classifier trained for `steps` on `batches`; watch(reader, step) is called now and then."""
    reader = DenseNet(preset=preset, steps=steps, seed=seed)
    fit(reader, batches, steps, every=max(1, steps // CURVE_POINTS), samples=watch)
    return reader


def watcher(films, curve):
    """A function that appends (step, training loss, validation loss) to `curve`, both on real films."""
    count = min(len(films["train"]), len(films["valid"]))
    pairs = [(films[part].images()[:count], films[part].labels()[:count]) for part in ("train", "valid")]

    def watch(reader, step):
        curve.append([step, *(round(reader.loss(images, labels), 5) for images, labels in pairs)])

    return watch


def cell_films(cell):
    """The films of a cell: {"train", "valid", "test": Films, "test patients": identities}."""
    source = pool(cell.films, cell.size)
    tables = parts(source.frame, cell.percent, cell.seed, cell.test, cell.steps * cell.batch_size)
    source.films(np.concatenate([frame.index for frame in tables.values()]), progress=True)
    films = {name: take(source, frame) for name, frame in tables.items()}
    return films | {"test patients": tables["test"].patient.to_numpy()}


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
