"""What a finished cell leaves behind: its classifier, the films its arm added, its scores on the test films.

Classifier and films lie in build/<profile>/artifacts, for the notebooks. The scores lie in a folder beside
the csv and of its name, one small file a cell, so that intervals can be computed from them later.
"""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from .. import artifacts, checks, chexpert, metrics
from ..checks import door, path, shaped
from ..classifier import DenseNet
from ..training import checkpoints
from .cell import Cell, name


def _folder(cell):
    return artifacts.folder("artifacts") / "grid" / name(Cell.complete(cell))


@door(classifier=checks.having("state_dict", kind="a classifier, as DenseNet"))
def keep(cell, classifier, extra):
    """Keep a cell's classifier and added films, for the notebooks."""
    checkpoints.write(_folder(cell), {"step": cell.steps, "state": classifier.state_dict()})
    for finding, part in extra.items():
        with artifacts.atomic(_folder(cell) / f"{finding}.npy") as temporary:
            np.save(temporary, part.films.numpy())


def kept_classifier(cell):
    """The classifier a cell was finished with, or None."""
    cell = Cell.complete(cell)
    saved = checkpoints.read(_folder(cell))
    if saved is None:
        return None
    classifier = DenseNet(preset=cell.preset, steps=cell.steps, seed=cell.seed)
    classifier.load_state_dict(saved["state"])
    return classifier


def kept_films(cell):
    """{finding: (n, size, size) uint8}: the films that a finished cell's arm added."""
    return {f: np.load(path) for f in chexpert.RARE if (path := _folder(cell) / f"{f}.npy").exists()}


@door(out=path)
def scores_file(cell, out):
    """Where the test scores of a cell of the csv `out` lie."""
    return Path(out).with_suffix("") / f"{name(cell)}.npz"


@door(out=path, labels=shaped("N", "F"), logits=shaped("N", "F"), patients=shaped("N"))
def write_scores(cell, out, labels, logits, patients):
    """Keep a cell's test labels (n, 14), logits (n, 14) and patients (n,), the logits in half precision."""
    with artifacts.atomic(scores_file(cell, out)) as temporary, open(temporary, "wb") as file:
        numbers = np.unique(patients, return_inverse=True)[1].astype(np.uint16)
        small = {"labels": labels.astype(np.float16), "logits": logits.astype(np.float16)}
        np.savez_compressed(file, **small, patients=numbers)


@door(findings=checks.names(*chexpert.FINDINGS), out=path)
def test_scores(cell, findings=chexpert.RARE, out=None):
    """Labels (n, F), logits (n, F) and patients (n,) of a finished cell's test films, by finding.

    out: the csv that the cell was run into; default: the one that chapter 6 fills live.
    """
    out = out or artifacts.folder("results") / "grid.csv"
    cell = Cell.complete(cell)
    if not (file := scores_file(cell, out)).is_file():
        raise FileNotFoundError(f"no scores at {file}: run this cell with experiments.run first")
    numbers = [chexpert.FINDINGS.index(finding) for finding in findings]
    try:
        kept = np.load(file)
        labels, logits = (kept[part].astype(float)[:, numbers] for part in ("labels", "logits"))
        return labels, logits, kept["patients"]
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, IndexError, ValueError) as error:
        raise ValueError(
            f"{file} is damaged ({error}): remove it, and its cell's line of {out}, and run the cell again"
        ) from error


def difference(first, second, findings=chexpert.RARE, out=None):
    """Mean AUROC of `findings`, first cell minus second, with a paired patient-bootstrap interval."""
    labels, scores, patients = test_scores(first, findings, out)
    return metrics.macro_auroc(labels, scores, patients, test_scores(second, findings, out)[1])
