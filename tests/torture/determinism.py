"""The same seed on the same machine: a chapter's scores to the last digit, twice; on more threads nearly.

A notebook runs three times in the smoke profile, each in a build folder of its own.
"""

import csv
import os
import subprocess
import sys

from . import ROOT, Count, wanted

CHAPTERS = ("02-classical-augmentation", "07-cam-interpretation")
# Of a score on another number of threads, where sums are taken in another order and a training in half
# precision goes another way. This, or half the width of its interval: less than other patients move it.
TOLERANCE = 0.02


def counts(short, folder):
    """Two chapters; nothing in the short form: a chapter takes a minute."""
    if short:
        return
    for chapter in filter(wanted, CHAPTERS):
        first = scores(chapter, folder / "first", 1)
        again = scores(chapter, folder / "again", 1)
        threads = scores(chapter, folder / "threads", 2)
        other = [
            f"{name}: {first[name]} and {again.get(name)}" for name in first if first[name] != again.get(name)
        ]
        yield Count(f"{chapter}: scores to the last digit", len(first), other)
        gaps = {name: gap(first[name], threads.get(name)) for name in first}
        far = [
            f"{name}: {first[name]} and {threads.get(name)}"
            for name in gaps
            if not gaps[name] <= max(TOLERANCE, half_width(first[name]))
        ]
        note = (
            f"furthest apart: {max(gaps.values(), default=0):.1g}; allowed {TOLERANCE}, or half an interval"
        )
        yield Count(f"{chapter}: scores on two threads", len(first), far, note)


def gap(one, other):
    """The largest difference of value, low and high, relative to the value where it is above 1."""
    if other is None:
        return float("inf")
    pairs = [(float(a), float(b)) for a, b in zip(one, other, strict=True) if a and b]
    return max((abs(a - b) / max(1, abs(a)) for a, b in pairs), default=0.0)


def half_width(score):
    """Half the width of a score's interval, 0 where it has none; relative as `gap` is."""
    value, low, high = (float(part) if part else None for part in score)
    return 0.0 if low is None or high is None else (high - low) / 2 / max(1, abs(value))


def scores(chapter, build, threads):
    """{name: (value, low, high)} as the csv says them."""
    environment = os.environ | {"MEDGAN_BUILD": str(build), "MEDGAN_PROFILE": "smoke", "MPLBACKEND": "agg"}
    environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    command = [
        sys.executable,
        ROOT / "book" / "scripts" / "execute.py",
        ROOT / "notebooks" / f"{chapter}.ipynb",
    ]
    build.mkdir(exist_ok=True)
    target = build / "executed.ipynb"
    done = subprocess.run(
        [*command, target, "PROFILE=smoke"], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{chapter} failed: {done.stderr[-3000:]}")
    with open(build / "smoke" / "results" / "scores.csv", newline="") as file:
        return {row["name"]: (row["value"], row["low"], row["high"]) for row in csv.DictReader(file)}
