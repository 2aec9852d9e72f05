"""Bad calls: the table of tests/test_bad_calls.py, each row a test."""

import os

import pytest

from . import ROOT, Count
from .processes import Process


class Tally:
    """Counts pytest's cases and keeps the names of those that failed."""

    def __init__(self):
        self.tried, self.failed = 0, []

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.tried += 1
        if report.failed:
            self.failed.append(report.nodeid)


def counts(short, folder):
    """All of them, in a process of their own; in the short form none: `make test` runs them anyway."""
    if short:
        return
    note = folder / "tally"

    def work():
        tally = Tally()
        os.chdir(ROOT)
        pytest.main(["-p", "no:cacheprovider", "tests/test_bad_calls.py"], plugins=[tally])
        note.write_text("\n".join([str(tally.tried), *tally.failed]))

    process = Process(work)
    process.wait(1800)
    tried, *failed = note.read_text().splitlines() if note.is_file() else ("0", process.words())
    yield Count("functions, classes and commands", int(tried), failed)
