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
from ..checks import door, listed, shaped, whole
from ..classifier import DenseNet
from ..training import fit
from .arms import AUGMENTED, added
from .cell import CELL
from .films import PARTS, PROBE_SEED, join, parts, patients_with, pool, take, test_pool
from .results import keep

FOURTEEN = shaped("N", "14")
CURVE_POINTS = 6  # of a learning curve
PROBED = 100  # films of each finding, added and real, that the probe compares


@door(cell=CELL)
def run_cell(cell):
    """Train one classifier and score it once on the test films; return its row.

    Columns: AUROC, low and high for each rare finding and "rare" (their mean), macro (mean of all findings
    that the test films can score), positives (real ones in training, of the rarest), added (films), train and
    valid (loss; their difference is the gap), curve (step, train, valid), probe (see `probe`), minutes; and
    "scores", the arrays that `results.write_scores` keeps.
    """
    start = time.perf_counter()
    films = cell_films(cell)
    extra = added(cell, films)
    classifier, curve = train_on(cell, films, extra)
    logits = classifier.logits(films["test"].images()).numpy()
    labels, patients = films["test"].labels().numpy(), films["test patients"]
    keep(cell, classifier, extra)
    return score(labels, logits, patients) | {
        "positives": min(len(films["train"].positives(finding)) for finding in chexpert.RARE),
        "added": sum(len(part) for part in extra.values()),
        "train": curve[-1][1],
        "valid": curve[-1][2],
        "curve": json.dumps(curve),
        "probe": probe(cell, extra),
        "minutes": (time.perf_counter() - start) / 60,
        "commit": artifacts.provenance()["commit"],
        "scores": {"labels": labels, "logits": logits, "patients": patients},
    }


@door(cell=CELL)
def cell_films(cell):
    """The films of a cell: {"train", "valid", "test": Films, "test patients": identities}."""
    source, held_out = pool(cell.films, cell.size), test_pool(cell.test, cell.size)
    tables = parts(source.frame, cell.percent, cell.seed, cell.test, cell.size)
    source.films(np.concatenate([tables["train"].index, tables["valid"].index]), progress=True)
    films = {name: take(source, tables[name]) for name in ("train", "valid")}
    films["test"] = take(held_out, tables["test"])
    return films | {"test patients": tables["test"].patient.to_numpy()}


@door(cell=CELL, films=PARTS)
def train_on(cell, films, extra):
    """The cell's classifier, trained on real and added films together, and its learning curve."""
    training = join(films["train"], *extra.values())
    batches = training.batches(cell.batch_size, cell.seed)
    if cell.arm in AUGMENTED:
        batches = augmentation.Augmented(batches, seed=cell.seed)
    curve = []
    classifier = train_classifier(batches, cell.steps, cell.preset, cell.seed, watcher(films, curve))
    return classifier, curve


@door(steps=whole())
def train_classifier(batches, steps, preset, seed, watch=None):
    """A classifier trained for `steps` on `batches`; watch(classifier, step) is called now and then."""
    classifier = DenseNet(preset=preset, steps=steps, seed=seed)
    fit(classifier, batches, steps, every=max(1, steps // CURVE_POINTS), samples=watch)
    return classifier


@door(films=PARTS, curve=listed)
def watcher(films, curve):
    """A function that appends (step, training loss, validation loss) to `curve`, both on real films."""
    count = min(len(films["train"]), len(films["valid"]))
    pairs = [(films[part].images()[:count], films[part].labels()[:count]) for part in ("train", "valid")]

    def watch(classifier, step):
        curve.append([step, *(round(classifier.loss(images, labels), 5) for images, labels in pairs)])

    return watch


@door(labels=FOURTEEN, logits=FOURTEEN, patients=shaped("N"))
def score(labels, logits, patients):
    """AUROC of the rare findings with patient-bootstrap intervals, their mean, and that of all findings."""
    row, numbers = {}, [chexpert.FINDINGS.index(finding) for finding in chexpert.RARE]
    for finding, number in zip(chexpert.RARE, numbers, strict=True):
        estimate = metrics.auroc(labels[:, number], logits[:, number], patients)
        row |= {finding: estimate.value, f"{finding} low": estimate.low, f"{finding} high": estimate.high}
    rare = metrics.macro_auroc(labels[:, numbers], logits[:, numbers], patients)
    both = [n for n in range(labels.shape[1]) if 0 < labels[:, n].sum() < len(labels)]
    macro = metrics.macro_auroc(labels[:, both], logits[:, both], patients)
    row |= {"rare": rare.value, "rare low": rare.low, "rare high": rare.high}
    return row | {"macro": macro.value, "macro low": macro.low, "macro high": macro.high, "n": len(labels)}


@door(cell=CELL)
def probe(cell, extra):
    """How well added films can be told from real positives: mean AUROC over the findings.

    A logistic regression, cross-validated, on what a network trained on photographs sees: it has seen none of
    these films. The real positives are fresh patients, in no regimen. So films like fresh ones give .5, and
    the oracle's value is the floor. Near 1, the films carry a mark of their making, and a classifier may
    learn the mark instead of the finding. nan where nothing was added, or too little.
    """
    if not extra or min(len(part) for part in extra.values()) < 2 * 5:  # five folds
        return np.nan
    fresh = patients_with(min(PROBED, cell.extra), cell.size, PROBE_SEED)
    real, values = take(fresh, fresh.frame), []
    for finding, part in extra.items():
        made = torch.unique(part.images()[:PROBED], dim=0)  # a copy in both halves would be recognised
        films = torch.cat([real.images()[real.positives(finding)], made])
        truth = np.arange(len(films)) >= len(films) - len(made)
        judge = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=500))
        guess = cross_val_predict(
            judge, metrics.features(films).numpy(), truth, cv=5, method="decision_function"
        )
        values.append(metrics.auroc(truth.astype(float), guess, np.arange(len(truth))).value)
    return float(np.mean(values))
