"""Can extra films help at all? The gate that the experiments chapter has to pass before any GAN is trained.

    python studies/gate.py                 # 3 seeds; writes book/results/gate.csv
    python studies/gate.py --spread        # the other calibration; writes book/results/spread.csv

Base: 2,000 films of 64 px with 80 positives of each rare finding, placed on random rows so that no other
finding gives them away. Oracle: 1,020 more films, fresh patients with one rare finding each: what a perfect
GAN would give. Equal steps. The loss of an extra film counts only the finding it was made for.
Gate: the oracle raises the mean AUROC of the rare findings by at least .05. Test films choose nothing.
Spread: how hard each of the thirteen findings is after training on 3,600 films with CheXpert's prevalence
(the class profile's) and on 36 of them; on validation films, where their labels are certain.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import torch

from medgan_helpers import artifacts, chexpert, classifier, metrics, simulator

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
SIZE, STEPS, BATCH = 64, 450, 64
BASE, POSITIVES = 2000, 80
EXTRA = 340  # fresh positives a rare finding
HELD_OUT = {"test": (800, 300, 900), "valid": (500, 150, 901)}  # negatives, positives a finding, seed


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
    return torch.from_numpy(images)[:, None].float() / 127.5 - 1, targets


def only_own_finding(targets):
    """Mask every label of an extra film but the rare finding that it shows."""
    rare = [chexpert.FINDINGS.index(name) for name in chexpert.RARE]
    keep = torch.zeros_like(targets, dtype=torch.bool)
    keep[:, rare] = targets[:, rare] == 1
    return torch.where(keep, targets, torch.nan)


def train(images, targets, seed, steps):
    reader = classifier.DenseNet(preset="narrow", steps=steps, seed=seed)
    order = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        batch = torch.randperm(len(images), generator=order)[:BATCH]
        reader.step((images[batch], targets[batch]))
    return reader


def spread():
    """AUROC of every finding on validation films, trained on all films of the class profile and on 1 %."""
    images, targets = films(3600, None, 700)
    valid_images, valid_targets = films(*HELD_OUT["valid"], uncertain="ignore")
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


def rare_auroc(reader, images, targets):
    """AUROC of each rare finding, positives against the films with none of the three."""
    scores = reader.predict(images).numpy()
    column = {name: chexpert.FINDINGS.index(name) for name in chexpert.FINDINGS}
    none = (targets[:, [column[name] for name in chexpert.RARE]] == 0).all(1).numpy()
    found = {}
    for name in chexpert.RARE:
        positive = targets[:, column[name]].numpy() == 1
        use = positive | none
        found[name] = metrics.auroc(positive[use], scores[use, column[name]], np.arange(use.sum()))[0]
    return found


def gate(seeds, steps):
    """One row an arm and seed: AUROC of each rare finding and their mean."""
    held_out = films(*HELD_OUT["test"])
    extra_images, extra_targets = films(0, EXTRA, 800)
    extra_targets = only_own_finding(extra_targets)
    rows = []
    for seed in range(seeds):
        images, targets = films(BASE - 3 * POSITIVES, POSITIVES, 100 + seed)
        arms = {
            "none": (images, targets),
            "oracle": (torch.cat([images, extra_images]), torch.cat([targets, extra_targets])),
        }
        for arm, data in arms.items():
            found = rare_auroc(train(*data, seed, steps), *held_out)
            found = {name: round(float(value), 4) for name, value in found.items()}
            mean = round(float(np.mean(list(found.values()))), 4)
            rows.append({"arm": arm, "seed": seed, **found, "mean": mean, "steps": steps})
            print(rows[-1], flush=True)
    none, oracle = (np.array([r["mean"] for r in rows if r["arm"] == a]) for a in ("none", "oracle"))
    gain = oracle - none
    print(f"oracle minus none {np.round(gain, 3)}, mean {gain.mean():+.3f}; gate +.050")
    return rows


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--spread", action="store_true", help="AUROC of all thirteen findings")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=Path, help="csv to write (default: in book/results)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = spread() if options.spread else gate(options.seeds, options.steps)
    command = "python studies/gate.py" + " --spread" * options.spread
    rows = [row | {"commit": artifacts.provenance()["commit"], "command": command} for row in rows]
    out = options.out or RESULTS / ("spread.csv" if options.spread else "gate.csv")
    with artifacts.atomic(out) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
