"""Where the minutes go: where.py PROOF.xml writes those of the tests to book/results/proof_minutes.csv.

PROOF.xml is what `make proof` leaves in build/. Page *Speed* shows them, and beside each chapter of the class
book what its minutes went into, as clock.py saw it.
"""

import os
import xml.etree.ElementTree as xml

import clock
import command
import pandas as pd
import plans
from scoreboard import RESULTS

from medgan_helpers import artifacts

TABLE = RESULTS / "proof_minutes.csv"
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
    """A row per chapter of the class book: minutes of one core, and what they went into."""
    table = plans.runs()
    lines = ["| Chapter | Minutes | " + " | ".join(clock.NAMES) + " |"]
    lines += ["| --- | --: |" + " --: |" * len(clock.NAMES)]
    for name, row in table.iterrows():
        lines.append(row_of(f"[](notebooks/{name}.ipynb)", row))
    return "\n".join([*lines, row_of("**all**", table[["minutes", *clock.NAMES]].sum())])


def row_of(name, row):
    return f"| {name} | " + " | ".join(f"{row[column]:.1f}" for column in ("minutes", *clock.NAMES)) + " |"


def tests():
    """A row per group of tests: minutes of one core."""
    if not TABLE.exists():
        return "The tests were not timed yet: `where.py build/proof.xml` does it after `make proof`."
    table = pd.read_csv(TABLE)
    lines = ["| `make proof` | Minutes |", "| --- | --: |"]
    lines += [f"| {row.what} | {row.minutes:.1f} |" for row in table.itertuples()]
    return "\n".join([*lines, f"| **all** | {table.minutes.sum():.1f} |"])


if __name__ == "__main__":
    command.run(main, __doc__)
