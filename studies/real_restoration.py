"""Is simulation enough to train a restorer of real films? Real films, spoilt and repaired in four ways.

    python studies/real_restoration.py --size 64           # book/results/real_restoration.csv

Real test films are spoilt as in chapter 4 (`degradation.apply(..., "xray")`) and repaired by the conventional
methods, tuned on real validation films, and by three U-Nets (pix2pix without its adversary): trained on
simulated films, on real ones, and on simulated ones first and real ones then. All three take the same steps.
PSNR and SSIM with intervals over patients; the differences between the U-Nets are paired by film.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

from medgan_helpers import (
    artifacts,
    degradation,
    metrics,
    pix2pix,
    restoration,
    restorers,
    session,
    simulator,
    training,
)
from medgan_helpers.images import unit_batch

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
VALID_FILMS = 24  # enough to choose one parameter of a filter
RATE, BATCH, WIDTH = 4e-3, 8, 8  # as in the class profile of chapter 4


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--size", type=int, default=64, help="pixels a side (default 64)")
    parser.add_argument("--steps", type=int, default=650, help="of each U-Net (default 650)")
    parser.add_argument("--seeds", type=int, nargs="+", default=(0, 1, 2), help="first weights and batches")
    options = parser.parse_args()
    start = time.perf_counter()
    artifacts.activate("class", "simulated", "studies/real_restoration")
    real = session.real_films(options.size)
    films = {part: unit_batch(real.store.subset(rows)[:]) for part, rows in real.splits.items()}
    patients = real.splits["test"].patient.to_numpy()
    bad = degradation.apply(films["test"], "xray", seed=2)
    simulated = simulated_films(len(films["train"]), options.size)
    restored = {"degraded": [bad]} | conventional(films["valid"][:VALID_FILMS], bad)
    for seed in options.seeds:
        for name, images in unets(films["train"], simulated, bad, options, seed).items():
            restored.setdefault(name, []).append(images)
    table = compare(restored, films["test"], patients)
    made = artifacts.provenance()
    table = table.assign(size=options.size, films=len(bad), patients=len(set(patients)), steps=options.steps,
                         seeds=len(options.seeds), minutes=round((time.perf_counter() - start) / 60, 1),
                         command=f"python studies/real_restoration.py --size {options.size}",
                         commit=made["commit"], machine=f"{os.cpu_count()} CPU cores")  # fmt: skip
    keep(table, options.size)
    print(table.iloc[:, :6].round(3).to_string())


def conventional(clean, bad):
    """{method: [restored]}: each conventional method at its best on real validation films."""
    tuned = restoration.tune("xray", degradation.apply(clean, "xray", seed=1), clean)
    return {name: [method(bad)] for name, method in tuned.items()}


# ---------------------------------------------------------------- the networks
def unets(real, simulated, bad, options, seed):
    """{name: restored} of the three U-Nets, each after the same number of steps in all."""
    half = options.steps // 2
    first = train(simulated, options.size, options.steps, seed)
    second = train(real, options.size, options.steps, seed)
    third = train(real, options.size, options.steps - half, seed, train(simulated, options.size, half, seed))
    named = {"unet_simulated": first, "unet_real": second, "unet_tuned": third}
    return {name: restorers.improve(model, bad) for name, model in named.items()}


def simulated_films(count, size):
    """As many simulated films as there are real ones to train on: the amount is not what is compared."""
    made, *_ = simulator.sample(count, size, seed=1194, twins=False, masks=False)
    return unit_batch(made)


def train(clean, size, steps, seed, begin=None):
    """A U-Net trained to undo the damage, L1 alone; begin: a trained one whose weights it starts from."""
    model = pix2pix.Pix2Pix(2 * size, WIDTH, seed, norm="none", residual=True, adversarial=0.0,
                            decay_steps=steps or None)  # fmt: skip
    model.g_schedule.base_lrs = [RATE]  # the paper's 2e-4 is for a hundred times as many steps
    if begin is not None:
        model.load_trained(begin.trained.state_dict())
    training.fit(model, pairs(clean, seed), steps)
    return model


def pairs(clean, seed):
    """Endless (spoilt, clean) batches in [-1, 1], every pixel four times, as in chapter 4."""
    rng = np.random.default_rng(seed)
    while True:
        good = clean[rng.integers(len(clean), size=BATCH)]
        spoilt = degradation.apply(good, "xray", int(rng.integers(2**31)))
        yield restorers.doubled(spoilt), restorers.doubled(good)


# ---------------------------------------------------------------- scores
def compare(restored, clean, patients):
    """Rows method, against, metric, value, low, high: each method, and each pair of U-Nets, paired by film.

    restored: {method: [images, one per seed]}; a film's score is its mean over the seeds.
    """
    measures = {"psnr": metrics.psnr, "ssim": metrics.ssim}
    scores = {
        (name, key): np.mean([np.asarray(measure(images, clean)) for images in versions], axis=0)
        for name, versions in restored.items()
        for key, measure in measures.items()
    }
    best = max(set(restored) - {"unet_simulated", "unet_real", "unet_tuned"},
               key=lambda name: scores[name, "psnr"].mean())  # fmt: skip
    duels = [("unet_simulated", best), ("unet_real", best), ("unet_simulated", "unet_real"),
             ("unet_tuned", "unet_real"), ("unet_tuned", "unet_simulated")]  # fmt: skip
    rows = []
    for key in measures:
        for name in restored:
            estimate = metrics.mean_interval(scores[name, key], patients)
            rows.append({"method": name, "against": "", "metric": key} | estimate._asdict())
        for name, other in duels:
            estimate = metrics.mean_interval(scores[name, key] - scores[other, key], patients)
            rows.append({"method": name, "against": other, "metric": key} | estimate._asdict())
    return pd.DataFrame(rows)


def keep(table, size):
    """Replace the rows of this size in the committed table."""
    path = RESULTS / "real_restoration.csv"
    with artifacts.lock(path):
        old = pd.read_csv(path) if path.exists() else table[:0]
        artifacts.write_csv(path, pd.concat([old[old["size"] != size], table]).round(4))


if __name__ == "__main__":
    main()
