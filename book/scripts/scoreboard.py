"""The scoreboard's two tables: headline numbers beside what the papers claim, and every recorded score.

Nothing is typed: results/headlines.csv says which score answers which question, scores.csv holds the numbers.
"""

import csv
import itertools
import math
import re
from html import escape
from pathlib import Path

from medgan_helpers import degradation, repair_trial

RESULTS = Path(__file__).parents[1] / "results"
HEADLINES = RESULTS / "headlines.csv"
NOT_CONVENTIONAL = ("degraded", "unet", "pix2pix")
HEAD = "| Score | Value | 95 % interval | Better | n | Unit | Chapter |\n|" + " --- |" * 7
SEARCH = (
    '<label>Search the scores <input type="search" data-filters="score-table"></label> '
    '<span class="filter-found" role="status"></span>'
)
BETTER = {"psnr": "larger", "ssim": "larger", "auc": "larger", "kid": "smaller"}  # a word of a score's name
ARROWS = {"larger": "↑", "smaller": "↓", "": ""}
NO_CLAIM = ("not measured", "not tried", "see the rows above")  # how a headline's paper may leave it open
DIGITS = 3  # at most


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def pages(scores):
    """(headlines, all scores) as Markdown. scores: scores.csv, which may be missing."""
    rows = read(scores) if scores.is_file() else []
    if not rows:
        return ("No score was recorded.\n",) * 2
    return headlines({row["name"]: row for row in rows}) + "\n", everything(rows)


def headlines(scores):
    """Two tables, a line a question: those to which a paper has an answer, then, folded, the others."""
    rows = read(HEADLINES)
    claimed = [row for row in rows if not row["article"].endswith(NO_CLAIM)]
    others = [row for row in rows if row not in claimed]
    summary = f"<summary>{len(others)} questions to which these papers have no answer</summary>"
    return "\n".join(
        [
            *headline_table(scores, claimed, "The claim"),
            *pix2pix_note(),
            *("", f"<details>{summary}", ""),
            *headline_table(scores, others, "The paper"),
            *("", "</details>"),
        ]
    )


def headline_table(scores, rows, says):
    """What a paper says, what was measured here, and beside what; a phone shows the first three columns.

    `score`, `beside` and each half of `words` hold several, between semicolons, where one alone misleads.
    """
    lines = [":::{div} headlines", "", f"| Question | {says} | Ours | Beside it |", "|" + " --- |" * 4]
    notes = []
    for row in rows:
        own = [scores.get(name) for name in row["score"].split(";")]
        other = [beside(scores, name) for name in row["beside"].split(";")]
        known = next(filter(None, [*own, *other]), None)
        asks = f"{linked(row['question'], known)} {ARROWS[better(row['score'])]}".strip()
        ours, theirs = row["words"].split(", beside ")
        facts = row["article"], numbers(own, ours), numbers(other, theirs)
        lines.append(f"| {asks} | {' | '.join(facts)} |")
        _, _, how = unit(known).partition(", ")
        notes += [f"- *{row['question']}* {how}."] * bool(how)
    return [*lines, "", ":::", "", *notes]


def pix2pix_note():
    """Whose discriminators weigh more than the paper's: a list's line, where some do."""
    told = repair_trial.heavier([*degradation.MODALITIES])
    return [f"- *Pix2Pix:* {told}."] if told else []


def numbers(rows, words):
    """Scores with their intervals and what each is of, in words between semicolons."""
    return "; ".join(f"{number(row)} {of}" for row, of in zip(rows, words.split("; "), strict=True))


def beside(scores, name):
    """The score of that name, or for a name that ends in * the best conventional method's."""
    if not name.endswith("*"):
        return scores.get(name)
    family = [row for key, row in scores.items() if key.startswith(name[:-1])]
    known = [row for row in family if row["name"].split("/")[-1] not in NOT_CONVENTIONAL]
    return max(known, key=lambda row: float(row["value"]), default=None)


def number(row):
    """A score with its interval in brackets; a dash where this build did not record it."""
    if row is None:
        return "–"
    value, interval = rounded(row)
    return f"{value} ({interval})" if interval else value


def rounded(row):
    """(value, interval) as text, in as many digits as the interval allows: the last one shown is the second
    one of its width, so "0.064", "0.054 to 0.073". Without an interval, or with an empty one, `short`."""
    if not (row["low"] and row["high"]):
        return short(row["value"]), ""
    value, low, high = (float(row[name]) for name in ("value", "low", "high"))
    if not low < high:
        return short(value), f"{short(low)} to {short(high)}"
    allowed = DIGITS - 1 - magnitude(max(abs(low), abs(high)))
    decimals = max(0, min(1 - magnitude(high - low), allowed))
    return f"{value:,.{decimals}f}", f"{low:,.{decimals}f} to {high:,.{decimals}f}"


def magnitude(number):
    """The power of ten of a number's first digit: 0 for 3.2, -2 for 0.032."""
    return math.floor(math.log10(number))


def better(name):
    """Whether "larger" or "smaller" values are better, "" where the score's name does not tell."""
    words = re.split("[^a-z]+", name.lower())
    return next((BETTER[word] for word in words if word in BETTER), "")


def short(value):
    """Three digits, or whole numbers above a hundred: "0.705", "23.3", "2,710"."""
    value = float(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def linked(question, row):
    """A question as a link to the chapter that recorded its score."""
    return f"[{question}](notebooks/{row['notebook']}.ipynb)" if row and row["notebook"] else question


def unit(row):
    return row["unit"] if row else ""


def chapter(row):
    return f"[{row['notebook'][:2]}](notebooks/{row['notebook']}.ipynb)" if row and row["notebook"] else ""


def everything(rows):
    """All scores in folds, one for each kind: what stands before the first slash."""
    parts = [SEARCH, ""]
    for kind, members in itertools.groupby(sorted(rows, key=kind_of), key=kind_of):
        members = list(members)
        summary = f"<summary><code>{escape(kind)}</code>, {len(members)} scores</summary>"
        fold = f'<details class="score-table">{summary}'
        parts += [fold, "", HEAD, *map(line, members), "", "</details>", ""]
    return "\n".join(parts)


def kind_of(row):
    return row["name"].split("/")[0]


def line(row):
    value, interval = rounded(row)
    cells = row["name"], value, interval, better(row["name"]), row["n"], row["unit"], chapter(row)
    return "| " + " | ".join(escape(cell, quote=False).replace("|", "/") for cell in cells) + " |"


def reliability():
    """What `make torture` counted, as Markdown: a line per kind, and a line for each thing that was tried."""
    file = RESULTS / "reliability.csv"
    rows = read(file) if file.is_file() else []
    if not rows:
        return "It has not been run: `make torture` writes the table.\n"
    lines = ["| Kind | Tried | Failed | Date | Commit | Machine |", "|" + " --- |" * 6]
    for kind, members in itertools.groupby(rows, key=lambda row: row["kind"]):
        members = list(members)
        tried, failed = (sum(int(row[name]) for row in members) for name in ("tried", "failed"))
        last = members[-1]
        lines.append(
            f"| {kind} | {tried} | {failed} | {last['date']} | {last['commit']} | {last['machine']} |"
        )
    lines += ["", "| Kind | What | Tried | Failed | Remark |", "|" + " --- |" * 5]
    names = ("kind", "what", "tried", "failed", "note")
    lines += ["| " + " | ".join(escape(row[name], quote=False) for name in names) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def speeds():
    """What `make bench` measured, as Markdown."""
    file = RESULTS / "bench.csv"
    rows = read(file) if file.is_file() else []
    if not rows:
        return "It has not been run: `make bench` writes the table.\n"
    machines = list(dict.fromkeys(row["machine"] for row in rows))
    return "\n".join(speeds_of(name, [row for row in rows if row["machine"] == name]) for name in machines)


def speeds_of(machine, rows):
    """One machine's rows."""
    head = ("What", "Ours", "Unit", "Peer", "The peer's", "Ratio")
    commits = ", ".join(dict.fromkeys(row["commit"] for row in rows))
    lines = [f"Measured on {machine}, commit {commits}.", ""]
    lines += ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = [row["what"], figures(row["ours"]), row["unit"], row["peer"] or "none"]
        cells += [figures(row["theirs"]), figures(row["ratio"])]
        lines.append("| " + " | ".join(escape(cell, quote=False) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def figures(number):
    """A number of a csv, in three figures; a dash where there is none."""
    return f"{float(f'{float(number):.3g}'):,g}" if number else "–"
