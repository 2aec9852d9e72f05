"""Write how long each executed notebook took on this machine: minutes.py PROFILE EXECUTED.ipynb...

The table goes to medgan_helpers/assets/minutes.csv, where the setup cell of a notebook looks it up; beside
the minutes stands what they went into (see clock.py). Rows of other profiles stay.
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
COLUMNS = ["notebook", "profile", "minutes", *clock.NAMES, "machine"]


def rows():
    """The table as it is, by (profile, notebook)."""
    if not TABLE.exists():
        return {}
    with open(TABLE, newline="") as file:
        return {(row["profile"], row["notebook"]): row for row in csv.DictReader(file)}


def main(profile, *executed):
    table, profile = rows(), profiles.get(profile).name
    for path in map(Path, executed):
        notebook = command.notebook(path)
        took = f"{minutes(notebook):.1f}"
        parts = [f"{notebook.metadata.seconds[name] / 60:.2f}" for name in clock.NAMES]
        machine = f"one of {os.cpu_count()} CPU cores" + " without bf16" * (
            choose_device("cpu")[1] == torch.float32
        )
        table[profile, path.stem] = dict(
            zip(COLUMNS, (path.stem, profile, took, *parts, machine), strict=True)
        )
    artifacts.write_csv(TABLE, [table[key] for key in sorted(table)])
    print(TABLE.read_text(), end="")


if __name__ == "__main__":
    command.run(main, __doc__)
