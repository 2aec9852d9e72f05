"""The grid behind chapter 6: arms, regimens and seeds on 200,000 simulated films and a fresh test.

    python studies/grid.py                                  # every cell of PLAN that grid.csv lacks
    python studies/grid.py --percents 10 --seeds 0 1        # a part of it
    python studies/grid.py --scheduler tcp://host:8786      # the same on a dask cluster

1 % is 1,800 films with about 72 positives of each rare finding, as in the paper's smallest regimen. Cells
that the csv holds are not run again, so a killed run goes on where it stopped, and two may share the work.
Films are rendered on first use, to $MEDGAN_BUILD or build/. The test films are those of `films.TEST_SEED`,
rendered for this table and scored once a cell; the 160-step grid of before, other test films, is in
book/results/grid_before.csv.
"""

import argparse
import json
import platform
from pathlib import Path

import torch

from medgan_helpers import artifacts, experiments
from medgan_helpers.checks import option, whole
from medgan_helpers.experiments.films import FINAL_TEST

OUT = Path(__file__).resolve().parents[1] / "book" / "results" / "grid.csv"
COMMAND = "python studies/grid.py"
# Steps of a classifier, the same for every arm of a regimen, growing with it. At 10 % 1,500 steps bring
# *none* to .93 on validation films where 160 brought .61. At 50 and 100 % a film is drawn about once.
STEPS = {1: 450, 10: 1500, 50: 1500, 100: 3000}
EXTRA = 340  # films that an arm adds for each rare finding, for each per cent: the same share everywhere
SETTINGS = {
    "films": 200_000, "size": 64, "batch_size": 64, "test": FINAL_TEST,
    "generator_steps": 400, "preset": "narrow",
}  # fmt: skip
STARGAN_STEPS = 700  # chapter 5's generator needs more of them than a local one
SIMPLE = ("none", "duplicate", "oracle", "standard", "lesion_gan", "copypaste", "blob", "duplicate_standard",
          "lesion_gan_standard")  # fmt: skip
LARGE = ("none", "standard", "duplicate", "stargan", "lesion_gan", "oracle")
PLAN = (  # (percent, arms, seeds), the telling ones first; three seeds are a first look and carry no verdict
    (1, SIMPLE, range(5)),
    (1, ("stargan",), range(5)),
    (1, ("leaky",), range(5)),
    (10, ("none", "duplicate", "oracle", "lesion_gan"), range(1)),
    (10, LARGE, range(5)),
    (50, LARGE, range(3)),
    (100, LARGE, range(3)),
)


def planned(percents=None, arms=None, seeds=None):
    """The cells of the plan, or those of them with these percents, arms and seeds."""
    chosen = []
    for percent, of_arms, of_seeds in PLAN:
        for cell in experiments.cells([percent], of_arms, of_seeds, **SETTINGS):
            cell |= {"steps": STEPS[percent], "extra": EXTRA * percent}
            if cell["arm"] == "stargan":
                cell["generator_steps"] = STARGAN_STEPS
            wanted = ((percents, percent), (arms, cell["arm"]), (seeds, cell["seed"]))
            if all(these is None or this in these for these, this in wanted):
                chosen.append(cell)
    return chosen


def check_note(out):
    """Refuse a json beside `out` that no run of this script wrote: it would be lost."""
    note = out.with_suffix(".json")
    if note == out:
        raise ValueError(f"--out {out}: expected the name of a csv; its settings go to the json beside it")
    try:
        ours = not note.exists() or json.loads(note.read_text())["command"] == COMMAND
    except (OSError, ValueError, TypeError, KeyError):
        ours = False
    if not ours:
        raise ValueError(f"{note} was not written by this script, and would be lost: give another --out")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--percents", nargs="+", type=float)
    parser.add_argument("--arms", nargs="+", choices=experiments.ARMS)
    parser.add_argument("--seeds", nargs="+", type=option(int, whole(0)))
    parser.add_argument("--scheduler", help="address of a dask scheduler")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    artifacts.activate("class")
    cells = planned(arguments.percents, arguments.arms, arguments.seeds)
    if not cells:
        parser.error(
            "no cell of the plan has these percents, arms and seeds; its percents are "
            f"{', '.join(map(str, sorted({percent for percent, *_ in PLAN})))}, see PLAN in this file"
        )
    try:
        check_note(arguments.out)
        table = experiments.run(cells, arguments.out, arguments.scheduler)
    except ValueError as error:
        parser.error(str(error))
    print(table.groupby(["percent", "steps", "arm"], sort=False)["rare"].agg(["mean", "count"]).round(3))
    made = artifacts.provenance()
    made |= {"command": COMMAND, "processor": platform.processor() or platform.machine()}
    artifacts.write_json(arguments.out.with_suffix(".json"), made | {"settings": SETTINGS})


if __name__ == "__main__":
    main()
