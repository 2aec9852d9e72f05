"""Write how long each executed notebook took on this machine: minutes.py PROFILE EXECUTED.ipynb...

The table goes to medgan_helpers/assets/minutes.csv, where the setup cell of a notebook looks it up; beside
the minutes stands what they went into (see clock.py). Rows of other profiles stay. With "rehearsal" for
PROFILE, what `make rehearsal` took goes to book/results/rehearsal.csv.
"""

import csv
import os
from pathlib import Path

import clock
import command
import torch
from stage import BOOK, minutes

from medgan_helpers import artifacts, profiles
from medgan_helpers.training.model import choose_device

TABLE = BOOK.parent / "medgan_helpers" / "assets" / "minutes.csv"
REHEARSED = BOOK / "results" / "rehearsal.csv"
COLUMNS = ["notebook", "profile", "minutes", *clock.NAMES, clock.PEAK, "machine"]


def rows(path):
    """A table as it is, by (profile, notebook)."""
    if not path.exists():
        return {}
    with open(path, newline="") as file:
        return {(row["profile"], row["notebook"]): row for row in csv.DictReader(file)}


def main(profile, *executed):
    target = REHEARSED if profile == "rehearsal" else TABLE
    profile = profile if target == REHEARSED else profiles.get(profile).name
    table = rows(target)
    for path in map(Path, executed):
        notebook = command.notebook(path)
        took = f"{minutes(notebook):.1f}"
        parts = [f"{notebook.metadata.seconds[name] / 60:.2f}" for name in clock.NAMES]
        parts.append(notebook.metadata.seconds[clock.PEAK])
        machine = f"one of {os.cpu_count()} CPU cores" + " without bf16" * (
            choose_device("cpu")[1] == torch.float32
        )
        table[profile, path.stem] = dict(
            zip(COLUMNS, (path.stem, profile, took, *parts, machine), strict=True)
        )
    artifacts.write_csv(target, [table[key] for key in sorted(table)])
    print(target.read_text(), end="")


if __name__ == "__main__":
    command.run(main, __doc__)
