"""The larger grid behind chapter 6: every arm at 1 to 100 % of 200,000 simulated films, several seeds.

    python studies/grid.py                                  # every cell of PLAN that grid.csv lacks
    python studies/grid.py --percents 10 --seeds 0 1        # a part of it
    python studies/grid.py --scheduler tcp://host:8786      # the same on a dask cluster

1 % is 1,800 films with about 72 positives of each rare finding, as in the paper's smallest regimen. Cells
that the csv holds are not run again, so a killed run goes on where it stopped. Films are rendered on first
use, to $MEDGAN_BUILD or build/. Settings were chosen on none of the test films.

160 steps of 64 films is what two CPU cores can pay for in every cell. They draw 10,240 films at most, so that
from 10 % on the regimens hold more than a reader sees: there the grid says what augmentation is worth where
real films are not scarce, not what a reader trained to the end on all of them would reach. At 1 %, the row of
the paper's claim, every arm also has readers of 450 steps, and 10 % has them for the arms that matter most.
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
CONTROLLED = ("duplicate", "gan", "oracle")
PLAN = (  # (percents, arms, seeds, what differs from SETTINGS)
    ((1, 10), ORDER, range(5), {}),
    ((50, 100), ORDER, range(3), {}),
    ((1,), CONTROLLED, range(3), {"extra": 100}),  # how many films?
    ((1,), CONTROLLED, range(3), {"extra": 1000}),
    ((1,), ORDER, range(5), {"steps": 450}),  # longer training, as in studies/gate.py
    ((1,), ("stargan",), range(5), {"steps": 450, "generator_steps": 700}),  # notebook 5's needs more of them
    ((10,), ("none", *CONTROLLED), range(3), {"steps": 450}),
)


def planned(percents=None, arms=None, seeds=None):
    """The cells of the plan, or those of them with these percents, arms and seeds."""
    return [
        cell
        for part in PLAN
        for cell in experiments.cells(*part[:3], **SETTINGS | part[3])
        if (percents is None or cell["percent"] in percents)
        and (arms is None or cell["arm"] in arms)
        and (seeds is None or cell["seed"] in seeds)
    ]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--percents", nargs="+", type=float)
    parser.add_argument("--arms", nargs="+", choices=experiments.ARMS)
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--scheduler", help="address of a dask scheduler")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    artifacts.activate("class")
    cells = planned(arguments.percents, arguments.arms, arguments.seeds)
    table = experiments.run(cells, arguments.out, arguments.scheduler)
    by = ["percent", "steps", "extra", "arm"]
    print(table.groupby(by, sort=False)["rare"].agg(["mean", "std", "count"]).round(3))
    made = artifacts.provenance()
    made |= {"command": "python studies/grid.py", "processor": platform.processor() or platform.machine()}
    artifacts.write_json(arguments.out.with_suffix(".json"), made | {"settings": SETTINGS})


if __name__ == "__main__":
    main()
