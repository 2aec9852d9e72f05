"""Is simulation enough to train a restorer of real films? Real films, spoilt and repaired in four ways.

    python studies/real_restoration.py --size 64           # real_restoration.csv and real_reading.csv

Real test films are spoilt as in chapter 4 (`degradation.apply(..., "xray")`) and repaired by the conventional
methods, tuned on real validation films, and by three U-Nets (pix2pix without its adversary): trained on
simulated films, on real ones, and on simulated ones first and real ones then. All three take the same steps.
PSNR and SSIM with intervals over patients; the differences between the U-Nets are paired by film. At 64 px
the shipped classifier of real films then reads them all: does it read better what was repaired?
"""

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from medgan_helpers import (
    artifacts,
    classifier,
    metrics,
    pix2pix,
    real_trial,
    restoration,
    restorers,
    session,
    simulator,
    training,
)
from medgan_helpers.checks import option, whole
from medgan_helpers.experiments import real_results
from medgan_helpers.images import unit_batch, unit_to_signed

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
VALID_FILMS = 24  # enough to choose one parameter of a filter
MEAN = "all nine"  # findings
WIDTH = 8  # of the U-Net, as in the class profile of chapter 4


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument(
        "--size", type=int, choices=(32, 64, 128, 256), default=64, help="pixels a side (default 64)"
    )
    parser.add_argument("--steps", type=option(int, whole()), default=650, help="of each U-Net (default 650)")
    parser.add_argument(
        "--seeds", type=option(int, whole(0)), nargs="+", default=range(5), help="first weights and batches"
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
        facts = dict(size=options.size, films=len(bad), patients=len(set(real.patients)),
                     steps=options.steps, seeds=number, minutes=minutes, **made)  # fmt: skip
        table = table.assign(**facts)
        keep("real_restoration.csv", table, options.size)
    print(table.iloc[:, :6].round(3).to_string())
    if options.size == classifier.SIDE:
        read = reading(restored | {"clean": [real.clean["test"]]})
        keep("real_reading.csv", read.assign(**facts), options.size)
        print(read.round(3).to_string())


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


def reading(restored):
    """Rows method, against, finding, value, low, high, p, p_holm: AUROC of the shipped classifier of real
    films on the test films, of each finding and their mean, as each method left them; and less another's.

    restored: {method: [images in [0, 1], one per seed]}; differences are paired by patient. Holm's family is
    what chapter 4 says: each finding, each of the repairs that it shows, against the degraded film.
    """
    films = session.real_films(classifier.SIDE)
    frame = films.splits["test"]
    truth, patients = films.labels(frame, uncertain="ignore"), frame.patient.to_numpy()
    network, *_ = training.shipped(classifier.DenseNet, "classifier_real")
    drawn = {}
    for name, versions in restored.items():
        logits = np.stack([network.logits(unit_to_signed(images)).numpy() for images in versions])
        drawn[name] = {
            finding: real_results.resampled(truth[finding].to_numpy(), logits[:, :, column], patients)
            for column, finding in enumerate(network.findings)
        }
    shown = real_trial.REPAIRED
    pairs = [(name, "") for name in drawn] + [(name, "degraded") for name in drawn if name != "degraded"]
    pairs += [(name, "clean") for name in ("degraded", *shown)] + [(name, shown[0]) for name in shown[1:]]
    table = pd.DataFrame([row for pair in pairs for row in read_rows(drawn, *pair)])
    family = table["method"].isin(shown) & (table["against"] == "degraded") & (table["finding"] != MEAN)
    table.loc[family, "p_holm"] = real_results.holm(table.loc[family, "p"])
    return table


def read_rows(drawn, name, other):
    """One row per finding, and one of their mean."""
    values = {finding: np.array(pair[0]) for finding, pair in drawn[name].items()}
    draws = {finding: pair[1] for finding, pair in drawn[name].items()}
    if other:
        values = {finding: value - drawn[other][finding][0] for finding, value in values.items()}
        draws = {finding: part - drawn[other][finding][1] for finding, part in draws.items()}
    values[MEAN] = np.mean(list(values.values()))
    draws[MEAN] = np.mean(list(draws.values()), axis=0)
    return [
        {"method": name, "against": other, "finding": finding}
        | metrics.interval(float(value), draws[finding])._asdict()
        | {"p": two_sided(value, draws[finding]) if other else np.nan}
        for finding, value in values.items()
    ]


def two_sided(value, draws):
    """p of a difference by the standard error of its resamples: their number is too small for Holm's tail."""
    return float(2 * norm.sf(abs(value) / np.nanstd(draws)))


def keep(name, table, size):
    """Replace the rows of this size in a committed table."""
    path = RESULTS / name
    with artifacts.lock(path):
        old = pd.read_csv(path) if path.exists() else table[:0]
        artifacts.write_csv(path, pd.concat([old[old["size"] != size], table]).round(4))


if __name__ == "__main__":
    main()
