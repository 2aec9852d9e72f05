"""Where time goes: where.py PROOF.xml writes the minutes of the tests to book/results/proof_minutes.csv.

PROOF.xml is what `make proof` leaves in build/. Page *Speed* shows them, what the minutes of the class book's
chapters went into, as clock.py saw it, and the microseconds of a training step on a GPU.
"""

import os
import xml.etree.ElementTree as xml

import clock
import command
import pandas as pd
import plans
from scoreboard import RESULTS, figures

from medgan_helpers import artifacts

TABLE = RESULTS / "proof_minutes.csv"
REHEARSED = RESULTS / "rehearsal.csv"
COLUMNS = ["minutes", *clock.NAMES, clock.PEAK]
GPU_BATCH = 64  # films in the steps that benchmarks/table.py times on a GPU
GROUPS = {  # part of a test's file: what it does; the first one counts
    "notebooks.": "every notebook as on Colab (nbval)",
    "test_pages": "every page in a browser",
    "test_live": "live figures in a browser",
    "test_torture": "kills, hostile files, planted faults",
    "test_beyond": "several processes and machines",
    "test_training": "training, killed and continued",
    "": "all other tests",
}


def main(proof):
    """Sum the seconds of every test by what it does."""
    seconds = dict.fromkeys(GROUPS.values(), 0.0)
    for case in xml.parse(proof).iter("testcase"):
        file = case.get("classname", "")
        seconds[next(name for part, name in GROUPS.items() if part in file)] += float(case.get("time", 0))
    machine = f"{os.cpu_count()} CPU cores"
    artifacts.write_csv(TABLE, [
        {"what": what, "minutes": round(spent / 60, 2), "machine": machine} for what, spent in seconds.items()
    ])  # fmt: skip
    print(TABLE.read_text(), end="")


def chapters():
    """A row per chapter of the class book: minutes of one core, what they went into, and memory."""
    return table_of(plans.runs(), COLUMNS)


def rehearsed():
    """A row per chapter of the full profile's rehearsal: the memory that it took."""
    if not REHEARSED.exists():
        return "It has not been run to its end."
    return table_of(pd.read_csv(REHEARSED).set_index("notebook"), [clock.PEAK])


def table_of(table, columns):
    """A row per chapter; under them the sums, of memory the peak."""
    lines = ["| Chapter | " + " | ".join(column[0].upper() + column[1:] for column in columns) + " |"]
    lines += ["| --- |" + " --: |" * len(columns)]
    lines += [row_of(f"[](notebooks/{name}.ipynb)", row[columns]) for name, row in table.iterrows()]
    every = table[columns].agg({name: "max" if name == clock.PEAK else "sum" for name in columns})
    return "\n".join([*lines, row_of("**all**", every)])


def row_of(name, numbers):
    return f"| {name} | " + " | ".join(f"{number:.1f}" for number in numbers) + " |"


def tests():
    """A row per group of tests: minutes of one core."""
    if not TABLE.exists():
        return "The tests were not timed yet: `where.py build/proof.xml` does it after `make proof`."
    table = pd.read_csv(TABLE)
    lines = ["| `make proof` | Minutes |", "| --- | --: |"]
    lines += [f"| {row.what} | {row.minutes:.1f} |" for row in table.itertuples()]
    return "\n".join([*lines, f"| **all** | {table.minutes.sum():.1f} |"])


def gpu_steps():
    """A row per network: operations of a training step, and how long a GPU took for one of them."""
    table = pd.read_csv(RESULTS / "bench.csv").query("part in ('gpu', 'asked')").set_index("what")
    names = [what.split(",")[0] for what in table.index if what.endswith("step, recorded")]
    if not names:
        return "No GPU has been measured: run `make bench` on a machine that has one."
    lines = ["| Network | Operations of a step (plain PyTorch) | MB that one moves | µs of one, plain "
             "PyTorch | µs of one, recorded | Times as fast |", "| --- |" + " --: |" * 5]  # fmt: skip
    for name in names:
        asked = table.loc[f"{name}, operations of a training step"]
        timed = table.loc[f"{name}, training step, recorded"]
        plain, recorded = (1e6 * GPU_BATCH / timed[who] / asked[who] for who in ("theirs", "ours"))
        moved = table.loc[f"{name}, what an operation moves"].ours
        many = f"{figures(asked.ours)} ({figures(asked.theirs)})"
        cells = [many, *(figures(number) for number in (moved, plain, recorded, timed.ratio))]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    command.run(main, __doc__)
