"""Nothing lost: kills, full discs, hostile files, bad calls and planted faults, counted.

    make torture                                   # all of it, and book/results/reliability.csv
    PYTHONPATH=tests python -m torture faults      # one kind

    ONLY="dask" PYTHONPATH=tests python -m torture kills      # of one kind what is called so

Each module counts one kind: `counts(short, folder)` yields a `Count` for every thing it tried. short: a
handful of tries, for `make test`; folder: an empty one to work in.
"""

import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


def wanted(what):
    """Whether to try what is called so: $ONLY is a part of the names, or several with | between."""
    return any(part in what for part in os.environ.get("ONLY", "").split("|"))


class Count(NamedTuple):
    """How often something was tried, and a sentence for each try that did not end as it should."""

    what: str
    tried: int
    failures: list
    note: str = ""
