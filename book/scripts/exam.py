"""The exam as two pages to print: exam.py FOLDER [ID...] writes exam.html and solutions.html there.

Without ids all thirty questions; 60 or 90 instead of ids takes a selection for so many minutes. A number of
ours in [[double brackets]] is read from book/results/ here.
"""

import re
from pathlib import Path

import command
import pandas as pd
import paper
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "teaching" / "exam"
RESULTS = ROOT / "book" / "results"
STYLE = """body { font: 16px/1.5 Georgia, serif; max-width: 44em; margin: 2em auto; padding: 0 1em }
section { break-inside: avoid; margin: 1.5em 0 } h2 { font-size: 1.1em; margin: 0 }
.space { height: 8em } .math.inline { vertical-align: middle } .math { max-width: 100% }"""


def realism(sets):
    """The row of realism.csv for `sets` at 64 px."""
    return pd.read_csv(RESULTS / "realism.csv").query("size == 64 and sets == @sets").iloc[0]


def films(sets):
    """How many films each of the two sets holds."""
    return realism(sets).films.split(", ")[0]


def kid(sets):
    """A row of realism.csv at 64 px: KID x 1000 and its interval."""
    row = realism(sets)
    return f"{row['KID x 1000']} ({row.low} to {row.high})".replace("-", "−")


def finding(name, measure):
    """A value of findings.csv for the robust StarGAN."""
    table = pd.read_csv(RESULTS / "findings.csv").set_index(["network", "finding", "measure"]).value
    return f"{table['stargan_robust', name, measure]:.3f}"


def gate(arm):
    """Mean AUROC of the rare findings of one arm of gate.csv, over seeds."""
    return pd.read_csv(RESULTS / "gate.csv").query("arm == @arm").rare.mean()


TOOLS = {"films": films, "kid": kid, "finding": finding, "gate": gate}


def filled(text):
    """`text` with our numbers in the place of [[expressions]]."""
    return re.sub(r"\[\[(.+?)\]\]", lambda match: str(eval(match[1], TOOLS)), text)


def questions(ids=()):
    """The questions, all or those of `ids`. Raises ValueError for an id that there is not."""
    if len(ids) == 1 and str(ids[0]) in selections():
        ids = selections()[str(ids[0])]
    found = {q["id"]: q | {"ask": filled(q["ask"])} for q in read("questions.yml")}
    if strangers := sorted(set(ids) - set(found)):
        minutes = " or ".join(selections())
        raise ValueError(
            f"there is no question {', '.join(strangers)}; there are {', '.join(found)}, or {minutes} alone"
        )
    return {number: found[number] for number in ids or found}


def solutions():
    """Answers, marks and numbers by id."""
    return {n: given | {"answer": filled(given["answer"])} for n, given in read("solutions.yml").items()}


def selections():
    """{minutes: ids} of the suggested selections, the minutes as text."""
    return {str(minutes): ids for minutes, ids in read("selections.yml").items()}


def heading(asked):
    """The points and minutes of a sheet; above all the questions also the suggested selections."""
    points = sum(question["points"] for question in asked.values())
    text = (
        f"<p>{points} points, {points} minutes: one point a minute, a plan that no class has tried yet.</p>"
    )
    if asked.keys() == questions().keys():
        for minutes, ids in selections().items():
            text += f"<p>Suggested for {minutes} minutes ({len(ids)} questions): {', '.join(ids)}.</p>"
    return text


def read(name):
    return yaml.safe_load((FOLDER / name).read_text())


def sheets(ids=()):
    """The HTML of the exam and of its solutions."""
    asked, answers = questions(ids), solutions()
    exam = [f"<h1>Exam: GANs for medical images</h1>{heading(asked)}<p>Name:</p>"]
    solved = [f"<h1>Solutions and marks</h1>{heading(asked)}"]
    for number, question in asked.items():
        head = f"<h2>{number} ({question['points']} points, {question['points']} minutes)</h2>"
        ask, given = paper.html(question["ask"]), answers[number]
        each = f", {given['count']} times" if "count" in given else ""
        marks = "; ".join(f"{what}: {points}{each}" for what, points in given["marks"].items())
        exam.append(f'<section>{head}{ask}<div class="space"></div></section>')
        answer = paper.html(given["answer"])
        solved.append(f"<section>{head}{ask}{answer}<p><em>Marks: {marks}</em></p></section>")
    return paper.page("Exam", "".join(exam), STYLE), paper.page("Solutions", "".join(solved), STYLE)


def main(folder, *ids):
    folder, texts = Path(folder), dict(zip(("exam.html", "solutions.html"), sheets(ids), strict=True))
    for name, text in texts.items():
        title, path = re.search("<h1>.+?</h1>", text)[0], folder / name
        if path.exists() and title.encode() not in path.read_bytes():
            raise FileExistsError(f"{path} is not a sheet of this script: give a folder of its own")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    print(f"{len(questions(ids))} questions are in {folder}/exam.html, their solutions beside it")


if __name__ == "__main__":
    command.run(main, __doc__)
