"""Can extra films help at all? The gate that the experiments chapter has to pass before any GAN is trained.

    python benchmarks/gate.py                 # 3 seeds; writes book/results/gate.csv
    python benchmarks/gate.py --tune          # on the validation films, seed 0: for choosing settings

Base: 2,000 films of 64 px with 80 positives of each rare finding, placed on random rows so that no other
finding gives them away. Oracle: 1,020 more films, fresh patients with one rare finding each: what a perfect
GAN would give. Equal steps. The loss of an extra film counts only the finding it was made for.
Gate: the oracle raises the mean AUROC of the rare findings by at least .05. Test films choose nothing.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np
import torch

from medgan_helpers import artifacts, chexpert, classifier, metrics, simulator

OUT = Path(__file__).resolve().parents[1] / "book" / "results" / "gate.csv"
SIZE, STEPS, BATCH = 64, 450, 64
BASE, POSITIVES = 2000, 80
EXTRA = 340  # fresh positives a rare finding
HELD_OUT = {"test": (800, 300, 900), "valid": (500, 150, 901)}  # negatives, positives a finding, seed


def films(negatives, positives, seed):
    """Films (n, 1, 64, 64) in [-1, 1] and labels (n, 14), `positives` of each rare finding on random rows."""
    counts = dict.fromkeys(chexpert.RARE, positives)
    rows = simulator.plan(negatives + 3 * positives, seed, rare=counts)
    images, _, _, table = simulator.sample(
        None, SIZE, seed, labels=rows, twins=False, masks=False, progress=True
    )
    targets = torch.tensor(chexpert.labels(table).to_numpy())
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


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tune", action="store_true", help="validation films and seed 0 only; writes nothing"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    held_out = films(*HELD_OUT["valid" if arguments.tune else "test"])
    extra_images, extra_targets = films(0, EXTRA, 800)
    extra_targets = only_own_finding(extra_targets)
    rows = []
    for seed in range(1 if arguments.tune else arguments.seeds):
        images, targets = films(BASE - 3 * POSITIVES, POSITIVES, 100 + seed)
        arms = {
            "none": (images, targets),
            "oracle": (torch.cat([images, extra_images]), torch.cat([targets, extra_targets])),
        }
        for arm, data in arms.items():
            start = time.process_time()
            found = rare_auroc(train(*data, seed, arguments.steps), *held_out)
            rows.append({"arm": arm, "seed": seed, **found, "mean": np.mean(list(found.values()))})
            rows[-1] = {k: round(v, 4) if isinstance(v, float) else v for k, v in rows[-1].items()}
            print(rows[-1], f"{time.process_time() - start:.0f} CPU-s", flush=True)
    means = {
        arm: np.array([row["mean"] for row in rows if row["arm"] == arm]) for arm in ("none", "oracle")
    }
    gain = means["oracle"] - means["none"]
    print(
        f"oracle minus none: {gain.mean():+.3f} (seeds {np.round(gain, 3).tolist()}), gate: at least +.050"
    )
    if not arguments.tune:
        commit = artifacts.provenance()["commit"]
        rows = [
            row | {"steps": arguments.steps, "commit": commit, "command": "python benchmarks/gate.py"}
            for row in rows
        ]
        with artifacts.atomic(arguments.out) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
