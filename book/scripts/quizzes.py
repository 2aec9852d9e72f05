"""The five questions at the end of each chapter's page: from book/quizzes/<chapter>.yml to HTML.

A question works by mouse and keyboard (radio buttons); _assets/course.js says at once what a choice teaches.
Without JavaScript, and on paper, the answers stand in a fold below.
"""

import hashlib
from html import escape
from pathlib import Path

import yaml

QUIZZES = Path(__file__).parents[1] / "quizzes"
LETTERS = "ABCDE"


def read(chapter):
    """The questions of a chapter ("03-dcgan") or []. Raises ValueError for one that cannot be answered."""
    path = QUIZZES / f"{chapter}.yml"
    questions = yaml.safe_load(path.read_text()) if path.is_file() else []
    for number, question in enumerate(questions, 1):
        right = [answer for answer in question["answers"] if answer.get("right")]
        silent = [answer["text"] for answer in question["answers"] if not answer.get("says")]
        if len(right) != 1 or silent:
            raise ValueError(
                f"{path.name}, question {number}: {len(right)} right answers (expected 1); "
                f"without feedback: {silent}"
            )
    return questions


def shuffled(answers):
    """The answers in an order that says nothing about which is right, the same in every build."""
    return sorted(answers, key=lambda answer: hashlib.sha256(answer["text"].encode()).digest())


def question_html(chapter, number, question):
    """One question as a form field: a radio button per answer, its feedback in a data attribute."""
    name, lines = f"quiz-{chapter}-{number}", []
    for letter, answer in zip(LETTERS, shuffled(question["answers"]), strict=False):
        right = "true" if answer.get("right") else "false"
        lines.append(
            f'<label><input type="radio" name="{name}" value="{letter}" data-right="{right}" '
            f'data-says="{escape(answer["says"])}"> {escape(answer["text"])}</label>'
        )
    ask = f"<legend>{number}. {escape(question['ask'])}</legend>"
    feedback = '<p class="quiz-feedback" aria-live="polite"></p>'
    return f'<fieldset class="quiz-question">{ask}{"".join(lines)}{feedback}</fieldset>'


def answers_html(questions):
    """All answers, for readers without JavaScript and for paper."""
    items = []
    for question in questions:
        right = next(answer for answer in question["answers"] if answer.get("right"))
        items.append(f"<li>{escape(right['text'])}. {escape(right['says'])}</li>")
    return f'<details class="quiz-answers"><summary>Answers</summary><ol>{"".join(items)}</ol></details>'


def markdown(chapter):
    """The quiz of a chapter as Markdown with HTML in it, or "" where there is none."""
    questions = read(chapter)
    if not questions:
        return ""
    fields = "\n".join(question_html(chapter, n, question) for n, question in enumerate(questions, 1))
    return (
        "## Check yourself\n\n"
        "Five questions; choose an answer and read what it teaches. Nothing is stored.\n\n"
        f'<form class="quiz">\n{fields}\n</form>\n{answers_html(questions)}\n'
    )
