"""Write how long each executed notebook took on this machine: minutes.py PROFILE EXECUTED.ipynb...

The table goes to medgan_helpers/assets/minutes.csv, where the setup cell of a notebook looks it up.
Rows of other profiles stay.
"""

import csv
import os
from pathlib import Path

import command
import torch
from stage import BOOK, minutes

from medgan_helpers import artifacts, profiles
from medgan_helpers.training.model import choose_device

TABLE = BOOK.parent / "medgan_helpers" / "assets" / "minutes.csv"
COLUMNS = ["notebook", "profile", "minutes", "machine"]


def rows():
    """The table as it is, by (profile, notebook)."""
    if not TABLE.exists():
        return {}
    with open(TABLE, newline="") as file:
        return {(row["profile"], row["notebook"]): row for row in csv.DictReader(file)}


def main(profile, *executed):
    table, profile = rows(), profiles.get(profile).name
    for path in map(Path, executed):
        took = f"{minutes(command.notebook(path)):.1f}"
        machine = f"{os.cpu_count()} CPU cores" + " without bf16" * (choose_device("cpu")[1] == torch.float32)
        table[profile, path.stem] = dict(zip(COLUMNS, (path.stem, profile, took, machine), strict=True))
    artifacts.write_csv(TABLE, [table[key] for key in sorted(table)])
    print(TABLE.read_text(), end="")


if __name__ == "__main__":
    command.run(main, __doc__)
