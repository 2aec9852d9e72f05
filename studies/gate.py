"""Can extra films help at all? The gate, read off the experiment's own cells.

    python studies/gate.py [GRID]          # default: book/results/grid.csv

none, duplicate and oracle at 1 %, equal steps: where fresh films (oracle) raise the mean AUROC of the rare
findings no more than repeated ones (duplicate), no gain is credited to a generator. From GRID if it holds all
three, else from the grid before.
Written to book/results/gate.csv. And gate_rules.csv: the same classifiers on the same films scored in two
ways, from the test scores that lie beside GRID: against all other films, as everywhere in the course, and
against those alone that show none of the three, which leaves out the hardest negatives.
"""

import argparse
from pathlib import Path

import pandas as pd

from medgan_helpers import artifacts, chexpert, experiments, metrics

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"
ARMS, PERCENT, STEPS = ("none", "duplicate", "oracle"), 1, 450
COLUMNS = ["arm", "seed", *chexpert.RARE, "rare", "steps", "commit"]


def gate(grid):
    """The cells that the gate is read off, one row per arm and seed; and the name of their csv."""
    tables = [(path, pd.read_csv(path)) for path in (grid, RESULTS / "grid_before.csv") if path.is_file()]
    for path, table in tables:
        if lacking := [name for name in ("percent", *COLUMNS) if name not in table]:
            raise ValueError(f"{path} is not a table of cells (no column {lacking[0]!r})")
        here = (table["percent"] == PERCENT) & (table["steps"] == STEPS) & table["arm"].isin(ARMS)
        if set(table[here]["arm"]) == set(ARMS):
            return table[here][COLUMNS].sort_values(["arm", "seed"]).round(4), path.name
    raise FileNotFoundError(
        f"neither {grid} nor grid_before.csv holds {' and '.join(ARMS)}: run studies/grid.py"
    )


def both_ways(grid):
    """A row per cell of GRID whose scores are kept: mean AUROC of the rare three by either rule."""
    table, rows = pd.read_csv(grid), []
    if lacking := [name for name in experiments.Cell.__dataclass_fields__ if name not in table]:
        raise ValueError(f"{grid} is not a table of cells (no column {lacking[0]!r})")
    for row in table.to_dict("records"):
        of = experiments.Cell(**{name: row[name] for name in experiments.Cell.__dataclass_fields__})
        if of.percent == PERCENT and of.arm in ARMS and of.steps == STEPS:
            labels, scores, patients = experiments.test_scores(of, out=grid)
            none = (labels == 0).all(1)
            apart = []
            for k in range(labels.shape[1]):
                kept = none | (labels[:, k] == 1)
                apart.append(metrics.auroc(labels[kept, k], scores[kept, k], patients[kept]).value)
            every = metrics.macro_auroc(labels, scores, patients).value
            rows.append([of.arm, of.seed, round(every, 3), round(sum(apart) / len(apart), 3), row["commit"]])
    names = ["arm", "seed", "against all other films", "against films without the three", "commit"]
    return pd.DataFrame(rows, columns=names)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("grid", nargs="?", type=Path, default=RESULTS / "grid.csv")
    grid = parser.parse_args().grid
    if not grid.is_file() and grid != parser.get_default("grid"):
        parser.error(f"no table of cells at {grid}: run studies/grid.py --out {grid}")
    try:
        table, source = gate(grid)
        rules = both_ways(grid) if grid.is_file() else None  # before anything is written: both, or neither
    except (ValueError, FileNotFoundError) as error:
        parser.error(str(error))
    mean = table.groupby("arm")["rare"].mean()
    print(f"{source}: oracle minus duplicate {mean['oracle'] - mean['duplicate']:+.3f}")
    command = {"command": "python studies/gate.py"}
    artifacts.write_csv(RESULTS / "gate.csv", table.assign(source=source, **command))
    if rules is not None:
        artifacts.write_csv(RESULTS / "gate_rules.csv", rules.assign(**command))


if __name__ == "__main__":
    main()
