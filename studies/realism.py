"""How far simulated films are from real ones, in the eyes of a network trained on photographs.

    python studies/realism.py FOLDER       # of real films in the CheXpert layout

Writes book/results/realism.csv.

Kernel inception distance (times 1,000) in ImageNet features: simulated against real films, and real against
real ones of other patients, the floor. As many simulated as real films, with CheXpert's own labels and views.
The folder that the committed figures were made with holds 128 frontal NIH ChestX-ray14 films of 105 patients.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from medgan_helpers import artifacts, chexpert, metrics, simulator
from medgan_helpers.checks import csv_of, option, whole
from medgan_helpers.images import signed_batch

OUT = Path(__file__).resolve().parents[1] / "book" / "results" / "realism.csv"
COLUMNS = ["size", "sets", "KID x 1000", "low", "high", "films", "seed", "commit", "command"]
KINDS = ("jpg", "jpeg", "png")  # CheXpert's own films, and what the importers write


def real_films(folder, size):
    """Films (n, 1, size, size) in [-1, 1] and their patients."""
    root = chexpert.find_root(folder)
    paths = sorted(path for kind in KINDS for path in root.rglob(f"*frontal.{kind}"))
    if len(paths) < 128:
        raise SystemExit(
            f"{len(paths)} frontal films ({', '.join(KINDS)}) below {root}: "
            "at least 128 are needed for a distance"
        )
    films = [np.asarray(Image.open(p).convert("L").resize((size, size), Image.Resampling.BOX)) for p in paths]
    return signed_batch(np.stack(films)), np.array([p.parts[-3] for p in paths])


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=option(int, whole(24, 512)), nargs="+", default=[64, 128])
    parser.add_argument("--seed", type=option(int, whole(0)), default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"no folder at {options.folder}")
    try:
        csv_of(*COLUMNS)("--out", options.out)
    except ValueError as error:
        parser.error(str(error))
    torch.set_num_threads(1)
    table = []
    for size in options.sizes:
        real, patients = real_films(options.folder, size)
        made = signed_batch(simulator.sample(len(real), size, options.seed, twins=False, masks=False)[0])
        names = np.random.default_rng(options.seed).permutation(np.unique(patients))
        first = np.isin(patients, names[: len(names) // 2])
        pairs = {"real against real": (real[first], real[~first]), "simulated against real": (real, made)}
        for name, (a, b) in pairs.items():
            kid = [round(1000 * v, 1) for v in metrics.kid(a, b, seed=options.seed)]
            row = dict(zip(("size", "sets", "KID x 1000", "low", "high"), (size, name, *kid), strict=True))
            table.append(row | {"films": f"{len(a)}, {len(b)}", "seed": options.seed})
            print(table[-1])
    made = {"commit": artifacts.provenance()["commit"], "command": "python studies/realism.py FOLDER"}
    artifacts.write_csv(options.out, [row | made for row in table])


if __name__ == "__main__":
    main()
