"""The instructors' tables: hours, plans, exercises; every sum is computed here.

Teaching minutes of a chapter stand in teaching/minutes.csv, those of its exercises in the notebooks' own
headings ("(10 minutes)"), what a session holds in teaching/plans.csv, what an exercise is for in
teaching/exercises.yml. How long a chapter's notebook runs is measured: medgan_helpers/assets/minutes.csv.
"""

import json
import re
from functools import cache
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[2]
TEACHING = ROOT / "teaching"
EXERCISE = re.compile(r"^### (\d+) · (.+?) \((?:(\d+) minutes)?(.*)\)$", re.MULTILINE)
MOST = {"two days": 400, "seven weeks": 180}  # minutes that a day or a session may hold
EACH = {"two days": "Day", "seven weeks": "Session"}
PAUSES = ("break", "lunch")
LONG = 10  # minutes from which, on a slow computer, a notebook is started before its chapter
# How many times as long an older laptop may take; the upper end is what the slowest of these
# notebooks took on two cores without bf16 (minutes.csv of commit c48dc97).
SLOWER = (2, 6)
NOTEBOOK = r"notebooks/([\w-]+)\.ipynb"
TRAIN = (
    "`TRAIN = False` skips the main training of chapters 3 and 5 and takes the shipped network; in chapter 5 "
    "that is about a third of the time, the other trainings stay."
)


@cache
def prose(chapter):
    """The Markdown of a chapter; it begins with its title, "# 3 · DCGAN"."""
    cells = json.loads((ROOT / "notebooks" / f"{chapter}.ipynb").read_text())["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@cache
def exercises(chapter):
    """The exercises of a chapter: number -> (title, minutes or None, as the heading says it)."""
    found = {}
    for number, title, minutes, rest in EXERCISE.findall(prose(chapter)):
        said = f"{minutes} minutes{rest}" if minutes else rest
        found[int(number)] = (title, int(minutes) if minutes else None, said)
    return found


def chapters():
    """One row per chapter: minutes of teaching, and of those exercises whose heading states minutes."""
    table = pd.read_csv(TEACHING / "minutes.csv").set_index("chapter")
    table["exercises"] = [
        sum(minutes or 0 for _, minutes, _ in exercises(name).values()) for name in table.index
    ]
    return table


def plans():
    """teaching/plans.csv with the minutes of every unit: a chapter's are teaching plus chosen exercises."""
    table = pd.read_csv(TEACHING / "plans.csv", dtype={"exercises": str}).fillna({"exercises": ""})
    taught = chapters().teaching
    table["chapter"] = table.unit.isin(taught.index)
    table["teaching"] = table.unit.map(taught)
    table["practice"] = [
        sum(exercises(row.unit)[int(number)][1] for number in row.exercises.split()) if row.chapter else 0
        for row in table.itertuples()
    ]
    linked = table.unit.str.extract(NOTEBOOK)[0]
    table["notebook"] = table.unit.where(table.chapter, linked).fillna("")
    table["minutes"] = table.minutes.fillna(table.teaching + table.practice).astype(int)
    return table


def hours(minutes):
    """Minutes as hours in words: 390 -> "6 h 30"."""
    return f"{int(minutes) // 60} h {int(minutes) % 60:02}"


def unit(row):
    """What a row of a plan is about, with a link to its chapter."""
    if not row.chapter:
        return f"*{row.unit}*"
    chosen = row.exercises.replace(" ", ", ")
    return f"[](notebooks/{row.unit}.ipynb), exercise{'s' * (',' in chosen)} {chosen}"


def plan_markdown(name):
    """One table of a plan: a row per unit, the sum of each day or session beside its name.

    The minutes come first: a phone shows the first columns.
    """
    table = plans().query("plan == @name")
    lines = [f"| {EACH[name]} | Minutes | What | Teaching | Exercises |", "| --- | --: | --- | --: | --: |"]
    for session, rows in table.groupby("session"):
        label = f"**{session}** ({hours(rows.minutes.sum())})".replace(" ", "\u00a0")
        for row in rows.itertuples():
            split = f"{row.teaching:.0f} | {row.practice}" if row.chapter else " | "
            lines.append(f"| {label} | {row.minutes} | {unit(row)} | {split} |")
            label = ""
    pauses = table[table.unit.isin(PAUSES)].minutes.sum()
    total = table.minutes.sum()
    lines += ["", f"Together {hours(total)}, of which {hours(pauses)} are breaks."]
    return "\n".join([*lines, "", long_runs(name)])


@cache
def runs():
    """How long the notebooks ran in the `class` profile, as measured: one row a notebook."""
    table = pd.read_csv(ROOT / "medgan_helpers" / "assets" / "minutes.csv")
    return table[table.profile == "class"].set_index("notebook")


def machine():
    """The machine on which they ran, in words."""
    names = sorted(set(runs().machine))
    return ", ".join(name if "bf16" in name else f"{name} with bf16" for name in names)


def slower():
    """How a reader's machine may differ from the measured one, in one sentence."""
    least, most = SLOWER
    return (
        f"Minutes are measured in the `class` profile on {machine()} (a number format of newer processors); "
        f"an older laptop or a free Colab CPU may take {least} to {most} times as long."
    )


def minutes_markdown():
    """The table of running times, and what to expect of another machine and of `make book`."""
    lines = ["| Chapter | Minutes |", "| --- | --: |"]
    lines += [f"| [](notebooks/{name}.ipynb) | {row.minutes:.1f} |" for name, row in runs().iterrows()]
    return "\n".join([*lines, "", slower(), "", TRAIN])


def book_sentence():
    """How long `make book`, `make slides` and `make pdf` take, in words."""
    total, (least, most) = runs().minutes.sum(), SLOWER
    return (
        f"One after the other, all notebooks take {total:.0f} minutes on {machine()}. `make book` runs one "
        f"on each core: count a good half of that on two, and {least} to {most} times as long on an older "
        "laptop. Pages add some minutes, and the first run fetches the environment. `make slides` and "
        "`make pdf` run the same notebooks first; where that is done, slides take seconds and the PDF a "
        "minute or two."
    )


def ahead(rows, place):
    """The last pause before row `place` of a session, "" for its beginning, and the minutes from there."""
    start = max((k for k in range(place) if rows[k].unit in PAUSES), default=0)
    where = rows[start].unit if rows[start].unit in PAUSES else ""
    return where, sum(row.minutes for row in rows[start:place])


def long_runs(name):
    """When to start the notebooks that run long, one line each."""
    lines = [
        f"**Start the long notebooks early** (*Run All Cells*). {slower()} {TRAIN} Chapter 6 can be read "
        "on its page.",
        "",
    ]
    for session, part in plans().query("plan == @name").groupby("session"):
        rows = list(part.itertuples())
        for place, row in enumerate(rows):
            if row.notebook and SLOWER[1] * (took := runs().minutes[row.notebook]) >= LONG:
                start = ahead(rows, place) if row.chapter else None
                lines.append(f"- {EACH[name]} {session}, {start_words(row.notebook, took, start)}")
    return "\n".join(lines)


def start_words(notebook, took, start):
    """When to start a notebook that ran `took` minutes; start: from `ahead`, None for the capstone."""
    slow = SLOWER[1] * took
    what = f"[](notebooks/{notebook}.ipynb): about {took:.0f} minutes, up to {slow:.0f} on a slow computer. "
    if not start:
        return f"{what}Start it as soon as the prediction stands in it, not before."
    where, free = start
    if not free:
        return f"{what}Start this one before the room fills."
    when = f"when the {where} begins".replace("the lunch", "lunch") if where else "when people arrive"
    rest = f"; there, the last {slow - free:.0f} run while you teach" if slow - free >= 1 else ""
    return f"{what}Start it {when}, {free} minutes ahead{rest}."


def hours_markdown():
    """The table of hours: a row per chapter, and the sum."""
    table = chapters()
    lines = ["| Chapter | Reading or teaching | Exercises |", "| --- | --: | --: |"]
    for name, row in table.iterrows():
        lines.append(f"| [](notebooks/{name}.ipynb) | {row.teaching} | {row.exercises} |")
    lines.append(f"| together | {hours(table.teaching.sum())} | {hours(table.exercises.sum())} |")
    return "\n".join(lines)


def hours_sentence():
    """How long a chapter and the course take, in one sentence."""
    table = chapters()
    both = table.sum(axis=1)
    return (
        f"Plan {table.teaching.min()} to {table.teaching.max()} minutes for a chapter and "
        f"{table.exercises.min()} to {table.exercises.max()} for all of its exercises: {hours(both.sum())} "
        f"for the course, on average {both.mean():.0f} minutes a chapter. These minutes are a plan; no class "
        "has been timed yet."
    )


def exercises_markdown():
    """What each exercise is for and which wrong answers to expect, chapter by chapter."""
    notes, lines = yaml.safe_load((TEACHING / "exercises.yml").read_text()), []
    for chapter, given in notes.items():
        title = prose(chapter).partition("\n")[0].removeprefix("# ")
        lines += [f"## {title}", "", f"[To the chapter](notebooks/{chapter}.ipynb)", ""]
        for (number, (exercise, _, said)), note in zip(exercises(chapter).items(), given, strict=True):
            lines += [f"**{number} · {exercise}** ({said}). {note['for']}", ""]
            for wrong in note["wrong"]:
                says = f" The check says: “… {wrong['says']} …”" if "says" in wrong else ""
                lines.append(f"- *{wrong['answer']}*.{says}")
            if "good" in note:
                lines += ["", f"A good answer: {note['good']}"]
            lines.append("")
    return "\n".join(lines)


def write(folder):
    """Write the tables that pages include."""
    texts = {
        "_hours.md": hours_markdown(),
        "_hours_sentence.md": hours_sentence(),
        "_minutes.md": minutes_markdown(),
        "_book_minutes.md": book_sentence(),
        "_two_days.md": plan_markdown("two days"),
        "_seven_weeks.md": plan_markdown("seven weeks"),
        "_exercises.md": exercises_markdown(),
    }
    for name, text in texts.items():
        (folder / name).write_text(text + "\n")
