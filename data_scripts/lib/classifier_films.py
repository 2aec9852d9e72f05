"""The films that the shipped classifier learns from, and what it says of those that it never saw."""

import numpy as np
import torch

from medgan_helpers import artifacts, chexpert, images, metrics, simulator

SIZE = 64
# All of other patients: (count, seed, how much likelier than in CheXpert a patient with a rare finding is).
# The classifier learns, and its best step is chosen, on enriched films; it is calibrated, its thresholds are
# chosen and it is tested on films as they come.
FILMS = {
    "train": (12_000, 600_000, 4.0),
    "valid": (1500, 700_000, 4.0),
    "calibration": (2000, 800_000, 1.0),
    "test": (1500, 900_000, 1.0),
}
PART = 2000  # films that are rendered, and kept, at once
SENSITIVITY = 0.9  # that the thresholds are chosen for


def films(role):
    """(films (N, 1, 64, 64) in [-1, 1], labels, label rows) of a role, rendered once.

    Labels (N, 13) of 0, 1 and nan: what a report leaves in doubt is not counted, in training or in a test.
    """
    count, seed, boost = FILMS[role]
    rows = simulator.draw_rows(count, seed, rare_boost=boost)
    made = []
    for start in range(0, count, PART):
        path = artifacts.folder("data") / f"classifier-{seed}-{start}-{simulator.version()}.npy"
        if not path.exists():
            part = rows[start : start + PART]
            drawn, *_ = simulator.sample(None, SIZE, seed + start, labels=part, twins=False, masks=False)
            with artifacts.atomic(path) as temporary, open(temporary, "wb") as file:
                np.save(file, drawn)
        made.append(np.load(path))
    labels = chexpert.labels(rows, uncertain="ignore")[chexpert.FINDINGS[1:]]
    return images.signed_batch(np.concatenate(made)), torch.tensor(labels.to_numpy()), rows


def card(role):
    """A sentence on the films of a role."""
    count, seed, boost = FILMS[role]
    often = f"; patients with a rare finding {boost:g} times as likely as in CheXpert" if boost != 1 else ""
    return f"{count} simulated films (seed {seed}{often})"


def examine(model):
    """`measured` on the simulated films."""
    tested, truth, table = films("test")
    return measured(model, films("calibration")[:2], (tested, truth, table["patient"].to_numpy()))


def measured(model, held_out, test):
    """What a calibrated classifier says of test films: rows (finding, label, logit), and of each finding
    AUROC, calibration error and operating point, the threshold being chosen on the held-out films.

    held_out: films, labels; test: films, labels, patients. nan: a label that is not known.
    """
    (chosen, chosen_labels), (tested, truth, patients) = held_out, test
    chosen, said, logits = model.predict(chosen).numpy(), model.predict(tested).numpy(), model.logits(tested)
    rows, found = [], {}
    for k, finding in enumerate(model.findings):
        known = ~truth[:, k].isnan().numpy()
        labels, scores = truth[known, k].numpy(), logits[known, k].numpy()
        rows += [
            {"finding": finding, "label": int(label), "logit": round(float(score), 2)}
            for label, score in zip(labels, scores, strict=True)
        ]
        threshold = metrics.threshold_for(chosen_labels[:, k], chosen[:, k], SENSITIVITY)
        found[finding] = {
            "positives": int(labels.sum()),
            "auroc": metrics.auroc(labels, scores, patients[known]),
            "calibration_error_before": metrics.calibration_error(labels, 1 / (1 + np.exp(-scores))),
            "calibration_error": metrics.calibration_error(labels, said[known, k]),
            **metrics.operating_point(labels, said[known, k], threshold)._asdict(),
        }
    return rows, {finding: rounded(facts) for finding, facts in found.items()}


def rounded(facts):
    """Numbers and triples of numbers to three digits, as a card writes them."""
    return {name: np.round(np.array(value, float), 3).tolist() for name, value in facts.items()}
