"""What a finished cell leaves behind: its classifier, its test logits, the films its arm added."""

import numpy as np

from .. import artifacts, chexpert, metrics
from ..classifier import DenseNet
from ..training import checkpoints
from .cell import Cell, name
from .films import parts, pool


def _folder(cell):
    return artifacts.folder("artifacts") / "grid" / name(cell)


def keep(cell, reader, logits, extra):
    """Keep a cell's reader, test logits and added films, for the notebooks."""
    checkpoints.write(_folder(cell), {"step": cell.steps, "state": reader.state_dict()})
    _save(_folder(cell) / "logits.npy", logits)
    for finding, part in extra.items():
        _save(_folder(cell) / f"{finding}.npy", part.films.numpy())


def _save(path, array):
    with artifacts.atomic(path) as temporary:
        np.save(temporary, array)


def kept_classifier(cell):
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


def test_scores(cell, findings=chexpert.RARE):
    """Labels (n, F), logits (n, F) and patients (n,) of a finished cell's test films, by finding."""
    cell = Cell.complete(cell)
    source = pool(cell.films, cell.size)
    table = parts(source.frame, cell.percent, cell.seed, cell.test)["test"]
    numbers = [chexpert.FINDINGS.index(finding) for finding in findings]
    logits = np.load(_folder(cell) / "logits.npy")
    return chexpert.labels(table).to_numpy()[:, numbers], logits[:, numbers], table.patient.to_numpy()


def difference(first, second, findings=chexpert.RARE):
    """Mean AUROC of `findings`, first cell minus second, with a paired patient-bootstrap interval."""
    labels, scores, patients = test_scores(first, findings)
    return metrics.macro_auroc(labels, scores, patients, test_scores(second, findings)[1])
