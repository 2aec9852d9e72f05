"""The exam as two pages to print: exam.py FOLDER [ID...] writes exam.html and solutions.html there.

Without ids all questions; the name of a selection (60, 90, two-days) instead of ids takes its questions. The
variable EXAM_FOLDER names a folder of your own with questions.yml and solutions.yml, and selections.yml if
you like. A number of ours in [[double brackets]] is read from book/results/ here: [[kid('simulated against
real')]], [[f"{gate('oracle') - gate('duplicate'):.3f}"]]. Nothing else in brackets is computed.
"""

import ast
import operator
import os
import re
from numbers import Real
from pathlib import Path

import command
import edition
import pandas as pd
import paper

from medgan_helpers import chexpert

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "teaching" / "exam"
FOLDER = Path(os.environ.get("EXAM_FOLDER") or OURS).expanduser()
AIDS = "A scientific pocket calculator is allowed, and no other aid."
RESULTS = ROOT / "book" / "results"
STYLE = """body { font: 16px/1.5 Georgia, serif; max-width: 44em; margin: 2em auto; padding: 0 1em }
section { break-inside: avoid; margin: 1.5em 0 } h2 { font-size: 1.1em; margin: 0 }
.space { height: 8em } .head td { border: 1px solid; padding: .4em 1em; min-width: 9em }
.math.inline { vertical-align: middle } .math { max-width: 100% }"""


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


def order():
    """CheXpert's thirteen findings in its own order."""
    return ", ".join(chexpert.FINDINGS[1:])


TOOLS = {"films": films, "kid": kid, "finding": finding, "gate": gate, "order": order}


BEGINS = re.compile(rf"""\s*(?:f["']\{{\s*)?(?:{"|".join(TOOLS)})\b""")  # what is meant as a call of a tool
FORMAT = re.compile(r"[+ ]?\d?,?(\.\d)?[a-z%]?")  # how a number is written; no wish for a million digits
SIGNS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def filled(text, where):
    """`text` with our numbers in the place of [[expressions]]; other words in brackets stay as they are.

    Raises ValueError that names `where` for what begins like a call of TOOLS and is none that works.
    """

    def replaced(match):
        try:
            tree = ast.parse(match[1].strip(), mode="eval")
            if any(isinstance(node, ast.Call) for node in ast.walk(tree)):
                return str(value(tree.body))
            raise ValueError("it calls nothing")
        except (SyntaxError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as error:
            if not BEGINS.match(match[1]):
                return match[0]
            raise ValueError(
                f"{where}: {match[0]} cannot be read ({error}): expected a call as [[gate('oracle')]], of "
                f"{', '.join(TOOLS)}"
            ) from error

    return re.sub(r"\[\[(.+?)\]\]", replaced, text)


def value(node):
    """What a call of TOOLS with words or numbers gives, arithmetic with it, or one of both in an f-string.

    Text from a file is never run: anything else raises ValueError.
    """
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if name in TOOLS:
            if all(isinstance(one, ast.Constant) for one in given):
                return TOOLS[name](*(one.value for one in given))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in SIGNS:
            sides = value(left), value(right)
            if all(isinstance(side, Real) for side in sides):  # a text times a million would fill the memory
                return SIGNS[type(sign)](*sides)
        case ast.JoinedStr(values=[ast.FormattedValue(value=inner, conversion=-1, format_spec=form)]):
            match form:
                case None:
                    return str(value(inner))
                case ast.JoinedStr(values=[ast.Constant(value=spec)]) if FORMAT.fullmatch(spec):
                    return format(value(inner), spec)
    raise ValueError("it is no call with words or numbers")


def questions(ids=()):
    """The questions, all or those of `ids`. Raises ValueError for an id that there is not."""
    if len(ids) == 1 and str(ids[0]) in selections():
        ids = selections()[str(ids[0])]
    found = {
        q["id"]: q | {"ask": filled(q["ask"], f"question {q['id']}")} for q in checked(read("questions.yml"))
    }
    if strangers := sorted(set(ids) - set(found)):
        names = "".join(f", or {name} alone" for name in selections())
        raise ValueError(f"there is no question {', '.join(strangers)}; there are {', '.join(found)}{names}")
    return {number: found[number] for number in ids or found}


def solutions():
    """Answers, marks and numbers by id."""
    return {
        number: given | {"answer": filled(given["answer"], f"solution {number}")}
        for number, given in read("solutions.yml").items()
    }


def selections():
    """{name: ids} of the suggested selections; a folder of one's own may have none."""
    if not (FOLDER / "selections.yml").is_file():
        return {}
    return {str(name): ids for name, ids in read("selections.yml").items()}


def worth(asked):
    """The points of these questions together; a point is meant as a minute."""
    return sum(question["points"] for question in asked.values())


def heading(asked):
    """What stands above the questions: time, aids, and places for the name, the date and the points."""
    points = worth(asked)
    cells = "".join(f"<td>{what}</td>" for what in ("Name:", "Date:", f"Total: &emsp; of {points}"))
    return f'<p>{points} points in {points} minutes. {AIDS}</p><table class="head"><tr>{cells}</tr></table>'


def advice(asked):
    """What stands above the solutions, for the examiner; above all of them also the suggested selections."""
    text = f"<p>{worth(asked)} points. One point a minute is a plan: no class has tried it yet.</p>"
    if asked.keys() == questions().keys():
        for name, ids in selections().items():
            chosen = questions([name])
            text += (
                f"<p>Suggested, {name}: {', '.join(ids)} ({len(ids)} questions, {worth(chosen)} points).</p>"
            )
    return text


def read(name):
    """A file of the exam's folder. Raises FileNotFoundError that says what belongs there."""
    if not (FOLDER / name).is_file():
        raise FileNotFoundError(
            f"no {name} in {FOLDER}: expected questions.yml and solutions.yml, as in teaching/exam"
        )
    if not (found := command.read_yaml(FOLDER / name)):
        raise ValueError(f"{FOLDER / name} is empty: expected it as in teaching/exam")
    return found


def checked(questions):
    """The list of questions. Raises ValueError for one that no sheet can be made of."""
    for number, question in enumerate(questions, 1):
        keys = sorted(question) if isinstance(question, dict) else question
        if keys != ["ask", "id", "points"]:
            raise ValueError(f"question {number} of questions.yml is {keys}: expected ask, id and points")
        if not isinstance(question["id"], str) or not isinstance(question["points"], int):
            raise ValueError(
                f"question {number} of questions.yml: id is {question['id']!r}, points are "
                f'{question["points"]!r}: expected an id in quotes, as "1.10", and whole points'
            )
    ids = [question["id"] for question in questions]
    if twice := [one for one in ids if ids.count(one) > 1]:
        raise ValueError(
            f"the id {twice[0]} stands twice in questions.yml: expected another for each question"
        )
    return questions


def sheets(ids=()):
    """The HTML of the exam and of its solutions."""
    asked, answers = questions(ids), solutions()
    if lacking := [number for number in asked if number not in answers]:
        raise ValueError(f"solutions.yml has no {', '.join(lacking)}: expected a solution for every question")
    exam = [f"<h1>Exam: GANs for medical images</h1>{heading(asked)}"]
    solved = [f"<h1>Solutions and marks</h1>{advice(asked)}"]
    for number, question in asked.items():
        head = f"<h2>{number} ({question['points']} points)</h2>"
        ask, given = paper.html(question["ask"]), answers[number]
        each = f", {given['count']} times" if "count" in given else ""
        marks = "; ".join(f"{what}: {points}{each}" for what, points in given["marks"].items())
        exam.append(f'<section>{head}{ask}<div class="space"></div></section>')
        answer = paper.html(given["answer"])
        solved.append(f"<section>{head}{ask}{answer}<p><em>Marks: {marks}</em></p></section>")
    return paper.page("Exam", "".join(exam), STYLE), paper.page("Solutions", "".join(solved), STYLE)


def main(folder, *ids):
    if folder in selections() or folder in questions():
        raise ValueError(f"the first argument is the folder to write to, and {folder} is a question's name")
    folder, texts = Path(folder), dict(zip(("exam.html", "solutions.html"), sheets(ids), strict=True))
    if theirs := edition.others(folder, texts):
        raise FileExistsError(
            f"{folder / theirs[0]} is not a sheet as this script wrote it: give another folder, or move it"
        )
    edition.write(folder, texts)
    print(f"{len(questions(ids))} questions are in {folder}/exam.html, their solutions beside it")


if __name__ == "__main__":
    command.run(main, __doc__)
