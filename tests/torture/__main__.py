"""Run the torture and count: python -m torture [KIND...] [--short]."""

import argparse
import csv
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from medgan_helpers import artifacts

from . import ROOT

KINDS = {  # module: what the table calls it
    "calls": "bad calls",
    "kills": "kills",
    "machines": "machines",
    "hostile": "hostile files",
    "faults": "planted faults",
    "security": "security",
    "determinism": "same seed, same scores",
    "lines": "coverage",
}
sys.path += [str(ROOT / folder) for folder in ("data_scripts", "book/scripts")]  # as pytest finds them
TABLE = ROOT / "book" / "results" / "reliability.csv"
COLUMNS = ["kind", "what", "tried", "failed", "note", "seconds", "date", "commit", "machine"]


def main():
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; default: all")
    parser.add_argument("--short", action="store_true", help="a handful of tries; no table is written")
    options = parser.parse_args()
    if strangers := set(options.kinds) - set(KINDS):
        parser.error(f"unknown kind {min(strangers)!r}: choose of {', '.join(KINDS)}")
    rows, failures = [], []
    for kind in options.kinds or KINDS:
        found, broken = torture(kind, options.short)
        rows += found
        failures += broken
    print(f"\n{sum(row['tried'] for row in rows)} tries, {len(failures)} failed")
    sys.exit("\n".join(failures) or 0)


def torture(kind, short):
    """(rows of the table, sentences of what failed) of one kind; each row is printed when it is known."""
    rows, failures, started = [], [], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        for count in import_module(f".{kind}", __package__).counts(short, Path(folder)):
            seconds = round(time.monotonic() - started)
            rows.append({"kind": KINDS[kind], "what": count.what, "tried": count.tried,
                         "failed": len(count.failures), "note": count.note, "seconds": seconds})  # fmt: skip
            fresh = [f"{KINDS[kind]}, {count.what}: {failure}" for failure in count.failures]
            failures += fresh
            print(f"{KINDS[kind]:24s} {count.what:50s} {count.tried:5d} tried {len(count.failures):4d} failed"
                  f" {seconds:5d} s  {count.note}", flush=True)  # fmt: skip
            print(*fresh, sep="\n", end="\n" * bool(fresh), flush=True)
            if not short:
                write(rows)  # at once: a run that is stopped keeps what it has counted
            started = time.monotonic()
    return rows, failures


def write(rows):
    """Put the rows into the table, with date, commit and machine: in place of those of the same kinds, or,
    where only some were wanted, of the same names."""
    made = artifacts.provenance()
    facts = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "commit": made["commit"] or "", "machine": machine()}
    fresh = [row | facts for row in rows]
    keys = ("kind", "what") if os.environ.get("ONLY") else ("kind",)
    replaced = {tuple(row[key] for key in keys) for row in rows}
    order = list(KINDS.values())
    with artifacts.lock(TABLE):
        old = list(csv.DictReader(TABLE.open(newline=""))) if TABLE.is_file() else []
        table = [row for row in old if tuple(row[key] for key in keys) not in replaced] + fresh
        table.sort(key=lambda row: order.index(row["kind"]))
        artifacts.write_csv(TABLE, [{name: row[name] for name in COLUMNS} for row in table])


def machine():
    cores = f"{platform.machine()}, {os.cpu_count()} cores"
    return f"{platform.system()} {cores}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
