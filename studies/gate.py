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
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from medgan_helpers import artifacts, chexpert, metrics
from medgan_helpers.experiments import films
from medgan_helpers.experiments.trial import train_classifier

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
SIZE, STEPS, BATCH = 64, 450, 64
BASE, POSITIVES = 2000, 80
EXTRA = 340  # fresh positives a rare finding
HELD_OUT = {"test": (300, SIZE, 900, 800), "valid": (150, SIZE, 901, 500)}  # for films.patients_with


def train(data, seed, steps):
    return train_classifier(data.batches(BATCH, seed), steps, "narrow", seed)


def spread():
    """AUROC of every finding on validation films, trained on all films of the class profile and on 1 %."""
    real = films.pool(3600, SIZE, 700, rare=None)
    valid = films.patients_with(*HELD_OUT["valid"])
    images = films.take(valid, valid.frame).images()
    labels = chexpert.labels(valid.frame, uncertain="ignore")
    rows = []
    for share, steps in ((1.0, 2 * STEPS), (0.01, STEPS // 4)):
        count = int(share * len(real.frame))
        scores = train(films.take(real, real.frame[:count]), 0, steps).predict(images).numpy()
        for column, name in enumerate(chexpert.FINDINGS[1:], 1):
            sure = labels[name].notna()
            truth = labels.loc[sure, name].to_numpy()
            found = metrics.auroc(truth, scores[sure, column], np.arange(len(truth)))
            row = {"finding": name, "films": count, "steps": steps, **found._asdict()}
            rows.append(row | {"positives": int(truth.sum())})
            print(rows[-1], flush=True)
    return rows


def rare_auroc(classifier, held_out):
    """AUROC of each rare finding, its positives against the films with none of the three, and their mean."""
    scores = classifier.predict(held_out.images()).numpy()
    found = {}
    for name in chexpert.RARE:
        use = torch.cat([held_out.positives(name), held_out.negatives()]).numpy()
        truth = held_out.frame[name].to_numpy()[use]
        found[name] = metrics.auroc(truth, scores[use, chexpert.FINDINGS.index(name)], use).value
    return found | {"mean": float(np.mean(list(found.values())))}


def gate(seeds, steps):
    """One row per arm and seed: AUROC of each rare finding and their mean."""
    held_out = films.patients_with(*HELD_OUT["test"])
    held_out = films.take(held_out, held_out.frame)
    fresh = films.patients_with(EXTRA, SIZE, 800)
    perfect = films.take(fresh, fresh.frame)
    perfect.frame = perfect.frame.where(perfect.frame[list(chexpert.RARE)] == 1)  # its own finding counts
    rows = []
    for seed in range(seeds):
        base = films.patients_with(POSITIVES, SIZE, 100 + seed, BASE - 3 * POSITIVES)
        base = films.take(base, base.frame)
        for arm, data in {"none": base, "oracle": films.join(base, perfect)}.items():
            found = rare_auroc(train(data, seed, steps), held_out)
            rows.append({"arm": arm, "seed": seed, **found, "steps": steps})
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
    table = pd.DataFrame(rows).round(4)
    table = table.assign(commit=artifacts.provenance()["commit"], command=command)
    out = options.out or RESULTS / ("spread.csv" if options.spread else "gate.csv")
    artifacts.write_csv(out, table)


if __name__ == "__main__":
    main()
