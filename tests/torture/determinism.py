"""The same seed on the same machine: every score to the last digit, twice; on more threads nearly.

All notebooks run three times in the smoke profile, each time in a build folder of its own.
"""

import csv
import os
import subprocess
import sys

from . import ROOT, Count, wanted

CHAPTERS = [path.stem for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))]
# Of a score on another number of threads, where sums are taken in another order and a training in half
# precision goes another way. This, or half the width of its interval: less than other patients move it.
# It was .02 until one score of 431, of chapter 7's classifier of few steps, moved by .026.
TOLERANCE = 0.03


def counts(short, folder):
    """Every chapter; nothing in the short form: it takes twenty minutes."""
    if short:
        return
    chapters = list(filter(wanted, CHAPTERS))
    first, again, threads = (
        scores(chapters, folder / name, number)
        for name, number in (("first", 1), ("again", 1), ("threads", 2))
    )
    for chapter in chapters:
        mine = {name: score for (of, name), score in first.items() if of == chapter}
        if mine:
            yield same(chapter, mine, {name: again.get((chapter, name)) for name in mine})
            yield near(chapter, mine, {name: threads.get((chapter, name)) for name in mine})


def same(chapter, mine, other):
    """The count of scores that have to agree in every digit."""
    failures = [f"{name}: {mine[name]} and {other[name]}" for name in mine if mine[name] != other[name]]
    return Count(f"{chapter}: scores to the last digit", len(mine), failures)


def near(chapter, mine, other):
    """The count of scores that have to agree within TOLERANCE, or half an interval."""
    gaps = {name: gap(mine[name], other[name]) for name in mine}
    far = [name for name in mine if not gaps[name] <= max(TOLERANCE, half_width(mine[name]))]
    note = f"furthest apart: {max(gaps.values()):.1g}; allowed {TOLERANCE}, or half an interval"
    failures = [f"{name}: {mine[name]} and {other[name]}" for name in far]
    return Count(f"{chapter}: scores on two threads", len(mine), failures, note)


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


def scores(chapters, build, threads):
    """{(chapter, name): (value, low, high)} of these chapters, run one after the other, as the csv says."""
    environment = os.environ | {"MEDGAN_BUILD": str(build), "MEDGAN_PROFILE": "smoke", "MPLBACKEND": "agg"}
    environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    build.mkdir(exist_ok=True)
    execute = [sys.executable, ROOT / "book" / "scripts" / "execute.py"]
    for chapter in chapters:
        command = [*execute, ROOT / "notebooks" / f"{chapter}.ipynb", build / "executed.ipynb"]
        done = subprocess.run([*command, "PROFILE=smoke"], env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{chapter} failed: {done.stderr[-3000:]}")
    with open(build / "smoke" / "results" / "scores.csv", newline="") as file:
        return {(r["notebook"], r["name"]): (r["value"], r["low"], r["high"]) for r in csv.DictReader(file)}
