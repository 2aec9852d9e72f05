"""How hard is each of the thirteen findings for the course's classifier?

    python studies/spread.py               # writes book/results/spread.csv

After training on 3,600 films with CheXpert's prevalence (the class profile's) and on 36 of them; on
validation films, where their labels are certain, and where the three rare findings stand on random rows. No
test film is looked at.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from medgan_helpers import artifacts, chexpert, classifier, metrics, simulator
from medgan_helpers.images import signed_batch

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
SIZE, STEPS, BATCH = 64, 450, 64
VALID = (500, 150, 901)  # negatives, positives per finding, seed


def films(negatives, positives, seed, uncertain="ones"):
    """Films (n, 1, 64, 64) in [-1, 1] and labels (n, 14), `positives` of each rare finding on random rows.

    positives None: the rare findings as often, and in the company, that CheXpert has them in.
    """
    counts = None if positives is None else dict.fromkeys(chexpert.RARE, positives)
    rows = simulator.plan(negatives + 3 * (positives or 0), seed, rare=counts)
    images, _, _, table = simulator.sample(
        None, SIZE, seed, labels=rows, twins=False, masks=False, progress=True
    )
    targets = torch.tensor(chexpert.labels(table, uncertain=uncertain).to_numpy())
    return signed_batch(images), targets


def train(images, targets, seed, steps):
    network = classifier.DenseNet(preset="narrow", steps=steps, seed=seed)
    order = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        batch = torch.randperm(len(images), generator=order)[:BATCH]
        network.step((images[batch], targets[batch]))
    return network


def spread():
    """AUROC of every finding on validation films, trained on all films of the class profile and on 1 %."""
    images, targets = films(3600, None, 700)
    valid_images, valid_targets = films(*VALID, uncertain="ignore")
    rows = []
    for share, steps in ((1.0, 2 * STEPS), (0.01, STEPS // 4)):
        count = int(share * len(images))
        scores = train(images[:count], targets[:count], 0, steps).predict(valid_images).numpy()
        for column, name in enumerate(chexpert.FINDINGS[1:], 1):
            sure = ~valid_targets[:, column].isnan().numpy()
            truth = valid_targets[sure, column].numpy()
            found = metrics.auroc(truth, scores[sure, column], np.arange(len(truth)))
            row = dict(zip(("auroc", "low", "high"), (round(float(v), 3) for v in found), strict=True))
            row = {"finding": name, "films": count, "steps": steps, **row, "positives": int(truth.sum())}
            rows.append(row)
            print(rows[-1], flush=True)
    return rows


def main():
    raw = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=raw).parse_args()
    torch.set_num_threads(1)
    facts = {"commit": artifacts.provenance()["commit"], "command": "python studies/spread.py"}
    artifacts.write_csv(RESULTS / "spread.csv", [row | facts for row in spread()])


if __name__ == "__main__":
    main()
