"""The paper's own DenseNet-121 beside the course's narrow one: a few epochs on the shipped real films.

    python studies/official_network.py --epochs 16         # book/results/official_network.csv

Both begin from first weights, learn from the training patients and read validation patients; test patients
are not looked at. Nobody has to download anything: with --weights densenet121-res224-all the official network
begins from what torchxrayvision distributes, where that file is at hand.
"""

import argparse
import os
import time
from pathlib import Path

from medgan_helpers import artifacts, augmentation, classifier, images, metrics, real_trial, session, training
from medgan_helpers.checks import option, whole

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
SIZE, BATCH, SEED = 64, 32, 0
FINDINGS = list(real_trial.LABELLED)


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument(
        "--epochs", type=option(int, whole()), default=16, help="of each network (default 16)"
    )
    parser.add_argument("--weights", help="of the official network, as torchxrayvision names them")
    options = parser.parse_args()
    artifacts.activate("class", "nih", "studies/official_network")
    films = session.real_films(SIZE)
    steps = options.epochs * -(-len(films.splits["train"]) // BATCH)
    rows = [measured(preset, options, films, steps) for preset in classifier.PRESETS]
    artifacts.write_csv(RESULTS / "official_network.csv", rows)


def measured(preset, options, films, steps):
    """Train one network; its mean AUROC on validation patients, and what it cost."""
    made, start = artifacts.provenance(), time.perf_counter()
    weights = options.weights if preset == "densenet121" else None
    model = classifier.DenseNet(FINDINGS, preset, steps, emphasis=FINDINGS, weights=weights, seed=SEED)
    train, valid = (films.store.subset(films.splits[part]) for part in ("train", "valid"))
    labels = {part: films.labels(films.splits[part], uncertain="ignore")[FINDINGS] for part in films.splits}
    batches = augmentation.Augmented(train.batches(BATCH, SEED, labels=labels["train"]), seed=SEED)
    training.fit(model, batches, steps)
    minutes = (time.perf_counter() - start) / 60
    logits = model.logits(images.signed_batch(valid[:])).numpy()
    skill = metrics.macro_auroc(labels["valid"].to_numpy(), logits, valid.frame.patient.to_numpy())
    row = {
        "network": preset,
        "weights": weights or "none",
        "parameters": sum(p.numel() for p in model.parameters()),
        "epochs": options.epochs,
        "steps": steps,
        "seeds": 1,
        "minutes": round(minutes, 2),
    }
    row |= {name: round(value, 4) for name, value in skill._asdict().items()}
    row |= {"films": len(valid), "command": f"python studies/official_network.py --epochs {options.epochs}"}
    print(row, flush=True)
    return row | {"commit": made["commit"], "machine": f"{os.cpu_count()} CPU cores"}


if __name__ == "__main__":
    main()
