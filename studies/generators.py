"""Three generators at equal cost: DCGAN, the same networks with a modern loss, rectified flow.

    python studies/generators.py train dcgan --seconds 100 200 300      # likewise: relativistic, flow
    python studies/generators.py measure

`train` gives a model the same processor seconds of one thread as the others, on the same films in the same
order, and keeps 256 of its films at each of the seconds named, in build/class/artifacts/generators. Rates are
constant, films are drawn from averaged weights, nothing was tuned on these numbers. `measure` writes
book/results/generators.csv: a row for each model, each number of seconds and each feature space.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from medgan_helpers import artifacts, dcgan, flow, images, metrics, session
from medgan_helpers.checks import option, whole

OUT = Path(__file__).resolve().parents[1] / "book" / "results" / "generators.csv"
SEED = 0
BATCH = 32
TIMED = 64  # films drawn to time the drawing
MODELS = {
    "dcgan": lambda size, width: dcgan.DCGAN(size, width, SEED, recipe=dcgan.SMALL),
    "relativistic": lambda size, width: dcgan.DCGAN(size, width, SEED, recipe=dcgan.MODERN),
    "flow": lambda size, width: flow.Flow(size, width, SEED),
}


def start():
    """The session, the stores of training patients and of all others, and the folder of what is made."""
    torch.set_num_threads(1)
    here = session.start("10-after-gans", "class", "simulated", seed=SEED)
    films = session.films()
    unseen = pd.concat([films.splits["valid"], films.splits["test"]])
    folder = artifacts.folder("artifacts") / "generators"
    return here.profile, films.store.subset(films.splits["train"]), films.store.subset(unseen), folder


def train(name, marks):
    """Train one model for the most of `marks` processor seconds; keep its films at each of them."""
    profile, known, _, folder = start()
    model = MODELS[name](profile.image_size, profile.width)
    batches = known.batches(BATCH, seed=SEED, device=model.device)
    spent = 0.0
    for mark in sorted(marks):
        while spent < mark:
            before = time.process_time()
            model.step(next(batches))
            spent += time.process_time() - before
        keep(model, name, mark, spent, profile.evaluation_films, folder)


def keep(model, name, mark, spent, count, folder):
    """Write films of the model, and what they cost, under its name and its seconds."""
    before = time.process_time()
    model.generate(TIMED)
    drawing = (time.process_time() - before) / TIMED
    films = images.signed_to_uint8(model.generate(count, seed=SEED + 1))
    facts = {
        "model": name,
        "seconds": mark,
        "steps": model.steps_done,
        "steps per second": round(model.steps_done / spent, 3),
        "parameters": sum(p.numel() for p in model.trained.parameters()),
        "ms per film": round(1000 * drawing, 2),
        "precision": str(model.dtype).removeprefix("torch."),
    }
    artifacts.write_json(folder / f"{name}-{mark}.json", facts)
    np.savez_compressed(folder / f"{name}-{mark}.npz", films=films.numpy())
    print(facts, flush=True)


def measure():
    """The table of everything that is kept, with real films of other patients as the floor."""
    profile, known, unseen, folder = start()
    facts = pd.DataFrame([pd.read_json(path, typ="series") for path in sorted(folder.glob("*.json"))])
    if facts.empty:
        raise SystemExit(f"nothing to measure in {folder}: run `train` first")
    floor = {"model": "real, other patients", "seconds": 0}
    facts = pd.concat([facts, pd.DataFrame([floor])], ignore_index=True)
    sets = {number: made(row, unseen, folder) for number, row in facts.iterrows()}
    real = images.signed_batch(known[: profile.evaluation_films])
    everything, others = (images.signed_batch(store[:]) for store in (known, unseen))
    table = metrics.realism_table(real, sets, SEED).reset_index(names=["space", "number"])
    table["copies"] = [
        metrics.memorisation(sets[number], everything, others, "thumbnails")["copies"]
        for number in table["number"]
    ]
    table = facts.join(table.set_index("number").round(3)).sort_values(["seconds", "model", "space"])
    table["films"], table["seed"], table["commit"] = len(real), SEED, artifacts.provenance()["commit"]
    artifacts.write_csv(OUT, table)
    print(table.to_string())


def made(row, unseen, folder):
    """The films (n, 1, H, W) in [-1, 1] of one row of the facts."""
    if row["seconds"] == 0:
        return images.signed_batch(unseen[: 10 * TIMED])
    return images.uint8_to_signed(np.load(folder / f"{row['model']}-{row['seconds']}.npz")["films"])


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("action", choices=("train", "measure"))
    parser.add_argument("model", nargs="?", choices=MODELS)
    parser.add_argument("--seconds", type=option(int, whole()), nargs="+", default=[100, 200, 300])
    options = parser.parse_args()
    if options.action == "train" and not options.model:
        parser.error(f"which model? one of {', '.join(MODELS)}")
    train(options.model, options.seconds) if options.action == "train" else measure()


if __name__ == "__main__":
    main()
