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
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from medgan_helpers import (
    artifacts,
    metrics,
    pix2pix,
    restoration,
    restorers,
    session,
    simulator,
    training,
)
from medgan_helpers.checks import option, whole
from medgan_helpers.images import unit_batch

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
VALID_FILMS = 24  # enough to choose one parameter of a filter
WIDTH = 8  # of the U-Net, as in the class profile of chapter 4


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument(
        "--size", type=int, choices=(32, 64, 128, 256), default=64, help="pixels a side (default 64)"
    )
    parser.add_argument("--steps", type=option(int, whole()), default=650, help="of each U-Net (default 650)")
    parser.add_argument(
        "--seeds", type=option(int, whole(0)), nargs="+", default=(0, 1, 2), help="first weights and batches"
    )
    options = parser.parse_args()
    start = time.perf_counter()
    artifacts.activate("class", "simulated", "studies/real_restoration")
    commit = artifacts.provenance()["commit"]
    real, simulated = benches(options.size)
    methods = restoration.tune("xray", real.degraded["valid"], real.clean["valid"])
    bad = real.degraded["test"]
    restored = {"degraded": [bad]} | {name: [method(bad)] for name, method in methods.items()}
    for number, seed in enumerate(options.seeds, 1):
        for name, model in unets(replace(real, seed=seed), replace(simulated, seed=seed), options).items():
            restored.setdefault(name, []).append(restorers.improve(model, bad))
        table = compare(restored, real.clean["test"], real.patients)
        minutes = round((time.perf_counter() - start) / 60, 1)
        command = f"python studies/real_restoration.py --size {options.size} --steps {options.steps}"
        made = {"command": command, "commit": commit, "machine": f"{os.cpu_count()} CPU cores"}
        table = table.assign(size=options.size, films=len(bad), patients=len(set(real.patients)),
                             steps=options.steps, seeds=number, minutes=minutes, **made)  # fmt: skip
        keep(table, options.size)
    print(table.iloc[:, :6].round(3).to_string())


def benches(size):
    """Two benches with the same real validation and test films: one trains on real films, one on simulated.

    There are as many simulated films as real ones to train on: the amount is not what is compared.
    """
    films = session.real_films(size)
    real = restorers.xray(films, many=10**9, few=VALID_FILMS, tests=10**9)
    made, *_ = simulator.sample(len(real.clean["train"]), size, seed=1194, twins=False, masks=False)
    simulated = unit_batch(made)
    return real, replace(real, clean=real.clean | {"train": simulated})


# ---------------------------------------------------------------- the networks
def unets(real, simulated, options):
    """{name: model} of the three U-Nets, each after the same number of steps in all."""
    half = options.steps // 2
    first = train(simulated, options.steps, "simulated")
    second = train(real, options.steps, "real")
    third = train(real, options.steps - half, "tuned", train(simulated, half, "half"))
    return {"unet_simulated": first, "unet_real": second, "unet_tuned": third}


def train(bench, steps, name, begin=None):
    """A U-Net trained to undo the damage, as in chapter 4; begin: a trained one whose weights it starts from.

    It goes on from its checkpoint below build/ if an earlier run was stopped.
    """
    size = bench.clean["train"].shape[-1]
    model = pix2pix.Pix2Pix(2 * size, WIDTH, bench.seed, settings=pix2pix.REPAIR, decay_steps=steps or None)
    if begin is not None:
        model.load_trained(begin.trained.state_dict())
    kept = artifacts.folder("artifacts") / "real-restorers" / f"{size}px-{steps}-{name}-{bench.seed}"
    training.fit(model, restorers.Pairs(bench), steps, kept, every=50)
    return model


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
