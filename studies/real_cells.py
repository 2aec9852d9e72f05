"""The augmentation experiment on the shipped real films: cells, then the table that the book quotes.

    python studies/real_cells.py validate                 # choose steps and rates, on validation parts only
    python studies/real_cells.py cells --arms none standard duplicate pretrained --seeds 0 1 2
    python studies/real_cells.py table                    # book/results/real_auc.csv and real_auc.npz

Cells are kept below build/: a killed run goes on where it was; the order is seed by seed, arm by arm. Of 600
steps one cell takes about four minutes of one thread (OMP_NUM_THREADS=1) without bf16, all of it training.
The table comes with what it was computed from: real_auc.npz holds, per arm and seed, the rank of every film
of the frame within its fold, for each of the nine findings.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

from medgan_helpers import artifacts, metrics
from medgan_helpers.checks import option, whole
from medgan_helpers.experiments import real_cells, real_results

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
VALIDATED = [  # what is tried on validation parts; the test folds are not looked at
    {"arm": "standard", "steps": 150},
    {"arm": "standard", "steps": 300},
    {"arm": "standard", "steps": 600},
    {"arm": "pretrained", "steps": 300, "tuning_rate": 1e-3},
    {"arm": "pretrained", "steps": 300, "tuning_rate": 3e-3},
]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("validate", "cells", "table"))
    parser.add_argument("--arms", nargs="+", default=real_cells.ARMS, choices=real_cells.ARMS)
    parser.add_argument("--seeds", nargs="+", type=option(int, whole(0)), default=(0, 1, 2))
    parser.add_argument("--steps", type=option(int, whole()), default=real_cells.Cell.steps)
    options = parser.parse_args()
    artifacts.activate("class", "simulated", "studies/real_cells")
    if options.what == "validate":
        validate(options.arms, options.seeds)
    elif options.what == "cells":
        for cell in real_cells.cells(options.arms, options.seeds, steps=options.steps):
            logits_of(cell)
    else:
        write_table(options)


def write_table(options):
    """Arms of which every fold of a seed is finished, with intervals and differences: real_auc.csv."""
    frame, films = real_cells.real_table_and_films(real_cells.Cell.size)
    scores = {}
    for arm in options.arms:
        finished = {seed: out_of_fold(arm, seed, options.steps, frame) for seed in options.seeds}
        scores[arm] = {seed: ranks for seed, ranks in finished.items() if ranks is not None}
    scores = {arm: of_seed for arm, of_seed in scores.items() if of_seed}
    if not scores:
        raise SystemExit(
            "no arm has all five folds of a seed: run `python studies/real_cells.py cells` first"
        )
    made = artifacts.provenance()
    table = real_results.summary(films.frame, scores, frame.patient.to_numpy()).round(4)
    table["command"] = "python studies/real_cells.py table"
    table["commit"], table["machine"] = made["commit"], f"{os.cpu_count()} CPU cores"
    artifacts.write_csv(RESULTS / "real_auc.csv", table)
    columns = [list(films.frame).index(finding) for finding in real_results.FINDINGS]
    with artifacts.atomic(RESULTS / "real_auc.npz") as temporary:
        np.savez_compressed(temporary, **{
            f"{arm}/{seed}": ranks[:, columns].astype(np.float32)
            for arm, of_seed in scores.items()
            for seed, ranks in of_seed.items()
        })  # fmt: skip
    print(real_results.table(table), real_results.verdict(table), sep="\n\n")


def out_of_fold(arm, seed, steps, frame):
    """(n, 14) ranks of all films, each read by the fold that left it out; None where a fold is missing."""
    folds = real_cells.fold_of(frame.patient)
    logits = np.empty((len(frame), 14))
    for cell in real_cells.cells((arm,), (seed,), steps=steps):
        path = kept(cell)
        if not path.exists():
            return None
        logits[folds == cell.fold] = np.load(path)
    return real_results.ranks_in_fold(logits, folds)


def kept(cell):
    return artifacts.folder("artifacts") / "real-cells" / f"{cell.name}.npy"


def validate(arms, seeds):
    """AUROC of the nine findings on validation parts, per setting: book/results/real_validation.csv."""
    for seed in seeds:
        for setting in (setting for setting in VALIDATED if setting["arm"] in arms):
            cell = real_cells.Cell(fold=seed % real_cells.FOLDS, seed=seed, part="valid", **setting)
            logits = logits_of(cell)
            frame, films = real_cells.real_table_and_films(cell.size)
            _, read = real_cells.parts(cell, frame.patient)
            values = scores(films.frame.iloc[read], logits)
            note(RESULTS / "real_validation.csv", cell, values)
            print(setting, seed, round(float(np.nanmean(list(values.values()))), 4), flush=True)


def scores(labels, logits):
    """{finding: AUROC} of one set of films; nan where one class is absent."""
    found = {}
    for finding in real_results.FINDINGS:
        truth = labels[finding].to_numpy()
        column = list(labels).index(finding)
        both = 0 < truth.sum() < len(truth)
        found[finding] = (
            metrics.auroc(truth, logits[:, column], np.arange(len(truth))).value if both else np.nan
        )
    return found


def logits_of(cell):
    """The logits of a cell: kept ones, or those of a classifier trained now."""
    path = kept(cell)
    if path.exists():
        return np.load(path)
    start = time.perf_counter()
    logits = real_cells.run_cell(cell)
    with artifacts.atomic(path) as temporary:
        np.save(temporary, logits)
    minutes = (time.perf_counter() - start) / 60
    made = {"minutes": round(minutes, 2), "commit": artifacts.provenance()["commit"], "cores": os.cpu_count()}
    note(path.parent / "cells.csv", cell, made)
    return logits


def note(path, cell, values):
    """Add a cell's row to a csv, in the place of an earlier one."""
    row = {key: getattr(cell, key) for key in real_cells.KEY}
    with artifacts.lock(path):
        rows = pd.read_csv(path).to_dict("records") if path.exists() else []
        others = [old for old in rows if any(str(old[key]) != str(row[key]) for key in real_cells.KEY)]
        artifacts.write_csv(path, [*others, row | values])


if __name__ == "__main__":
    main()
