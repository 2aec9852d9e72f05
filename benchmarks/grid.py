"""The larger grid behind chapter 6: every arm at 1 to 100 % of 200,000 simulated films, several seeds.

    python benchmarks/grid.py                                  # as committed in book/results/grid.csv
    python benchmarks/grid.py --percents 10 --seeds 0 1 2      # another regimen
    python benchmarks/grid.py --scheduler tcp://host:8786      # the same on a dask cluster

1 % is 1,800 films with about 72 positives of each rare finding, as in the paper's smallest regimen. Cells
that the csv holds are not run again, so a killed run goes on where it stopped. Films are rendered on first
use, to $MEDGAN_BUILD or build/. Settings were chosen on none of the test films.

160 steps of 64 films is what two CPU cores can pay for in every cell. They draw 10,240 films at most, so that
from 10 % on the regimens hold more than a reader sees: there the grid says what augmentation is worth where
real films are not scarce, not what a reader trained to the end on all of them would reach.
"""

import argparse
import platform
from pathlib import Path

import torch

from medgan_helpers import artifacts, experiments

OUT = Path(__file__).resolve().parents[1] / "book" / "results" / "grid.csv"
ORDER = ("none", "oracle", "duplicate", "gan", "copypaste", "standard", "leaky")  # the telling ones first
SETTINGS = {
    "films": 200_000, "size": 64, "steps": 160, "batch_size": 64, "extra": 340, "test": 300,
    "generator_steps": 400, "preset": "narrow",
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--percents", nargs="+", type=float, default=[1])
    parser.add_argument("--arms", nargs="+", default=list(ORDER))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--scheduler", help="address of a dask scheduler")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    artifacts.activate("class")
    cells = experiments.cells(arguments.percents, arguments.arms, arguments.seeds, **SETTINGS)
    table = experiments.run(cells, arguments.out, arguments.scheduler)
    print(table.groupby(["percent", "arm"], sort=False)["rare"].agg(["mean", "std", "count"]).round(3))
    made = artifacts.provenance()
    made |= {"command": "python benchmarks/grid.py", "processor": platform.processor() or platform.machine()}
    artifacts.write_json(arguments.out.with_suffix(".json"), made | {"settings": SETTINGS})


if __name__ == "__main__":
    main()
